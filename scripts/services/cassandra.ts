// Cassandra, from Maven Central: one node on loopback ports, in little memory, with data of its own.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { controlled, freePort, type RunningServer, SERVICES_DIR, startServer } from './server.ts'

const HERE = join(import.meta.dirname, 'cassandra')
const POM = join(HERE, 'pom.xml')
const VERSION = /<artifactId>cassandra-all<\/artifactId>\s*<version>(.+)<\/version>/.exec(
  readFileSync(POM, 'utf8')
)![1]!
const JARS = join(SERVICES_DIR, `cassandra-${VERSION}`)
const INSTALL_MS = 900_000

export interface CassandraOptions {
  readonly port?: number
  readonly folder?: string
  readonly detached?: boolean
}

export function installCassandra (): void {
  execFileSync('bash', [join(import.meta.dirname, 'install-java.sh'), POM, JARS], {
    stdio: 'inherit',
    timeout: INSTALL_MS,
  })
}

export function cassandraVersion (): string {
  return VERSION
}

/** What is kept is on disk once it is acknowledged: it is killed by tests. */
function settings (folder: string, port: number, storagePort: number): string {
  return stringify({
    cluster_name: 'stream',
    num_tokens: 1,
    allocate_tokens_for_local_replication_factor: 1,
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    commitlog_sync: 'group',
    commitlog_sync_group_window: '5ms',
    endpoint_snitch: 'SimpleSnitch',
    listen_address: '127.0.0.1',
    rpc_address: '127.0.0.1',
    storage_port: storagePort,
    native_transport_port: port,
    start_native_transport: true,
    seed_provider: [{
      class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
      parameters: [{ seeds: `127.0.0.1:${storagePort}` }],
    }],
    data_file_directories: [join(folder, 'data')],
    commitlog_directory: join(folder, 'commitlog'),
    saved_caches_directory: join(folder, 'saved_caches'),
    hints_directory: join(folder, 'hints'),
    cdc_raw_directory: join(folder, 'cdc'),
    authenticator: 'AllowAllAuthenticator',
    auto_snapshot: false,
  })
}

/** Packages of Java that it reaches into, as its own start script has them. */
const OPENED = [
  'java.lang',
  'java.lang.module',
  'java.lang.ref',
  'java.lang.reflect',
  'java.io',
  'java.math',
  'java.net',
  'java.nio',
  'java.util',
  'java.util.concurrent',
  'java.util.concurrent.atomic',
  'jdk.internal.loader',
  'jdk.internal.ref',
  'jdk.internal.reflect',
  'jdk.internal.math',
  'jdk.internal.module',
  'jdk.internal.util.jar',
  'jdk.internal.misc',
  'sun.nio.ch',
]
  .map((name) => `java.base/${name}`)
const EXPORTED = [
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.rmi/sun.rmi.transport.tcp',
  'java.sql/java.sql',
  'jdk.unsupported/sun.misc',
  'jdk.attach/sun.tools.attach',
  'jdk.compiler/com.sun.tools.javac.api',
]
const ALSO_OPENED = [
  'java.management/javax.management',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'jdk.management/com.sun.management.internal',
]

const to = (option: string, names: readonly string[]): string[] => names.map((name) => `${option}=${name}=ALL-UNNAMED`)

function args (folder: string): string[] {
  return [
    '-Xms384m',
    '-Xmx384m',
    '-XX:+UseSerialGC',
    '-XX:MaxDirectMemorySize=192m',
    '-XX:TieredStopAtLevel=1',
    `-javaagent:${JARS}/jamm-0.4.0.jar`,
    '-Djdk.attach.allowAttachSelf=true',
    '-Djava.security.manager=allow',
    `-Dcassandra.config=file://${folder}/cassandra.yaml`,
    `-Dcassandra.storagedir=${folder}`,
    `-Dlogback.configurationFile=file://${HERE}/logback.xml`,
    // Nobody else is waited for.
    '-Dcassandra.ring_delay_ms=100',
    '-Dcassandra.skip_wait_for_gossip_to_settle=0',
    '-Dcassandra.superuser_setup_delay_ms=0',
    ...to('--add-opens', [...OPENED, ...ALSO_OPENED]),
    ...to('--add-exports', [...OPENED, ...EXPORTED]),
    '-cp',
    `${JARS}/*`,
    'org.apache.cassandra.service.CassandraDaemon',
  ]
}

/** @throws Error where it is not installed or does not start */
export async function startCassandra (
  { port, folder = mkdtempSync(join(tmpdir(), 'cassandra-')), detached = false }: CassandraOptions = {}
): Promise<RunningServer> {
  if (!existsSync(JARS)) throw new Error('cassandra is not installed; run: npm run services -- install cassandra')
  const own = port ?? await freePort()
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'cassandra.yaml'), settings(folder, own, await freePort()))
  return controlled(async () => startServer({
    program: 'java',
    args: args(folder),
    log: join(folder, 'cassandra.log'),
    readyUrl: `tcp://127.0.0.1:${own}`,
    detached,
  }), { url: `127.0.0.1:${own}` })
}
