// Kafka, from Maven Central: one broker that is its own controller (KRaft), on loopback ports, with data of its own.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { controlled, freePort, type RunningServer, SERVICES_DIR, startServer } from './server.ts'

const VERSION = '3.9.1'
const JARS = join(SERVICES_DIR, `kafka-${VERSION}`)
const INSTALL_MS = 900_000

/** Any: data of one broker are never another's. */
const CLUSTER_ID = 'c3RyZWFtLW9mLXRlc3RzIQ'

export interface KafkaOptions {
  readonly port?: number
  readonly folder?: string
  readonly detached?: boolean
}

export function installKafka (): void {
  execFileSync(
    'bash',
    [join(import.meta.dirname, 'install-java.sh'), join(import.meta.dirname, 'kafka/pom.xml'), JARS],
    { stdio: 'inherit', timeout: INSTALL_MS }
  )
}

export function kafkaVersion (): string {
  return VERSION
}

/** Small topics, quick elections, and a log cleaner that keeps up with state topics. */
function properties (folder: string, port: number, controller: number): string {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(folder, 'logs'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    // One that was killed is let in again soon.
    'broker.session.timeout.ms': 2000,
    'broker.heartbeat.interval.ms': 500,
    'group.initial.rebalance.delay.ms': 0,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'auto.create.topics.enable': false,
  }).map(([name, value]) => `${name}=${value}\n`).join('')
}

function java (heap: string): string[] {
  const log4j = join(import.meta.dirname, 'kafka/log4j.properties')
  return [
    `-Xmx${heap}`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xshare:auto',
    `-Dlog4j.configuration=file:${log4j}`,
    '-cp',
    `${JARS}/*`,
  ]
}

/** Data know the address at which they were made. */
function portOf (settings: string): number | undefined {
  const [, port] = existsSync(settings)
    ? /^listeners=PLAINTEXT:\/\/127\.0\.0\.1:(\d+)/m.exec(readFileSync(settings, 'utf8')) ?? []
    : []
  return port === undefined ? undefined : Number(port)
}

/** @throws Error where it is not installed or does not start */
export async function startKafka (
  { port, folder = mkdtempSync(join(tmpdir(), 'kafka-')), detached = false }: KafkaOptions = {}
): Promise<RunningServer> {
  if (!existsSync(JARS)) throw new Error('kafka is not installed; run: npm run services -- install kafka')
  const settings = join(folder, 'server.properties')
  const own = port ?? portOf(settings) ?? await freePort()
  mkdirSync(folder, { recursive: true })
  if (!existsSync(settings)) {
    writeFileSync(settings, properties(folder, own, await freePort()))
    execFileSync('java', [...java('128m'), 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', settings], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 60_000,
    })
  }
  return controlled(async () => startServer({
    program: 'java',
    args: [...java('320m'), 'kafka.Kafka', settings],
    log: join(folder, 'kafka.log'),
    readyUrl: `tcp://127.0.0.1:${own}`,
    detached,
  }), { url: `127.0.0.1:${own}` })
}
