// `npm run services -- install|start|stop [server]`: the servers of the integration tests by hand; `npm run
// test:integration` needs none of it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Argument, Command } from 'commander'
import { actionlintVersion, installActionlint } from './services/actionlint.ts'
import { airflowVersion, installAirflow } from './services/airflow.ts'
import { alertmanagerVersion, installAlertmanager, startAlertmanager } from './services/alertmanager.ts'
import { cassandraVersion, installCassandra, startCassandra } from './services/cassandra.ts'
import { influxdbVersion, installInfluxdb, startInfluxdb } from './services/influxdb.ts'
import { installKafka, kafkaVersion, startKafka } from './services/kafka.ts'
import { installKubeApiserver, kubeApiserverVersion } from './services/kube-apiserver.ts'
import { installKubernetesTools, versionsOfTools } from './services/kubernetes-tools.ts'
import { installMinio, minioVersion, startMinio } from './services/minio.ts'
import { installMlflow, mlflowVersion, startMlflow } from './services/mlflow.ts'
import { installOtelCollector, otelCollectorVersion } from './services/otel-collector.ts'
import { installPromtool, promtoolVersion } from './services/promtool.ts'
import { endGroup, isRunning, RUN_DIR, type RunningServer } from './services/server.ts'

interface Kind {
  install (): void
  version (): string
  start (options: { folder: string, detached: boolean }): Promise<RunningServer>
}

const SERVERS = {
  minio: { install: installMinio, version: minioVersion, start: startMinio },
  mlflow: { install: installMlflow, version: mlflowVersion, start: startMlflow },
  alertmanager: { install: installAlertmanager, version: alertmanagerVersion, start: startAlertmanager },
  kafka: { install: installKafka, version: kafkaVersion, start: startKafka },
  influxdb: { install: installInfluxdb, version: influxdbVersion, start: startInfluxdb },
  cassandra: { install: installCassandra, version: cassandraVersion, start: startCassandra },
} as const satisfies Record<string, Kind>

/** What is installed, and started by tests alone. */
const TOOLS = {
  actionlint: { install: installActionlint, version: actionlintVersion },
  airflow: { install: installAirflow, version: airflowVersion },
  'kube-apiserver': { install: installKubeApiserver, version: kubeApiserverVersion },
  'kubernetes-tools': { install: installKubernetesTools, version: versionsOfTools },
  'otel-collector': { install: installOtelCollector, version: otelCollectorVersion },
  promtool: { install: installPromtool, version: promtoolVersion },
} as const satisfies Record<string, Omit<Kind, 'start'>>

type Name = keyof typeof SERVERS

const say = (line: string): void => { process.stdout.write(`services  ${line}\n`) }
const noteOf = (name: Name): string => join(RUN_DIR, `${name}.json`)

/** What start() answered: where it is and how it is used. */
interface Note { readonly pid: number, readonly url: string }

function running (name: Name): Note | undefined {
  try {
    const found = JSON.parse(readFileSync(noteOf(name), 'utf8')) as Note
    return isRunning(found.pid) ? found : undefined
  } catch {
    return undefined
  }
}

async function start (name: Name): Promise<void> {
  const there = running(name)
  const folder = join(RUN_DIR, name)
  const server: Note = there ?? await SERVERS[name].start({ folder, detached: true })
  mkdirSync(RUN_DIR, { recursive: true })
  writeFileSync(noteOf(name), JSON.stringify(server), { mode: 0o600 })
  const state = there === undefined ? 'started' : 'runs already'
  say(
    `${name} ${SERVERS[name].version()} ${state} at ${server.url}, log ${join(folder, `${name}.log`)}; ` +
      `address and keys are in ${noteOf(name)}`
  )
}

function stop (name: Name): void {
  const there = running(name)
  if (there !== undefined) endGroup(there.pid, 'SIGTERM')
  rmSync(noteOf(name), { force: true })
  say(there === undefined ? `${name} does not run` : `${name} is being stopped; its data stay`)
}

function install (name: Name | keyof typeof TOOLS): void {
  const { install: bring, version } = { ...SERVERS, ...TOOLS }[name]
  bring()
  say(`${name} ${version()} is installed`)
}

const server = new Argument('[server]').choices(Object.keys(SERVERS)).default('minio')
const program = new Command('services').description(
  'The servers of the integration tests, built or installed from package registries.'
)
program.command('install').addArgument(
  new Argument('[server]').choices([...Object.keys(SERVERS), ...Object.keys(TOOLS)]).default('minio')
).action(install)
program.command('start').addArgument(server).action(start)
program.command('stop').addArgument(server).action(stop)
try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`services  ${(error as Error).message}\n`)
  process.exitCode = 1
}
process.exit()
