// What compose.yaml starts, as processes: the image's files, the commands and settings of each container, in the order
// that it asks for, with real servers at other ports. Docker itself is not needed, and not tested.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'minio'
import t from 'tap'
import { z } from 'zod'
import { jsonOf } from '../../model-serving/test/fixture.ts'
import { simulateFarm } from '../../simulator/simulate.ts'
import { alertmanagerVersion, startAlertmanager } from '../services/alertmanager.ts'
import { influxdbVersion, startInfluxdb } from '../services/influxdb.ts'
import { kafkaVersion, startKafka } from '../services/kafka.ts'
import { minioVersion, startMinio } from '../services/minio.ts'
import { mlflowVersion, startMlflow } from '../services/mlflow.ts'
import { endServer, freePort, startServer } from '../services/server.ts'
import { type ComposeService, inOrder, readCompose } from './compose-file.ts'
import { makeServiceImage } from './image-folder.ts'

t.setTimeout(600_000)

const logs = join(resolve(import.meta.dirname, '../..'), '.cache/integration/compose')
rmSync(logs, { recursive: true, force: true })
mkdirSync(logs, { recursive: true })
const folder = mkdtempSync(join(tmpdir(), 'compose-'))
t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
const image = makeServiceImage(join(folder, 'image'))

const [minio, kafka, influx, mlflow, alertmanager] = await Promise.all([
  startMinio({ folder: join(folder, 'minio') }),
  startKafka({ folder: join(folder, 'kafka') }),
  startInfluxdb({ folder: join(folder, 'influxdb') }),
  startMlflow({ folder: join(folder, 'mlflow') }),
  startAlertmanager({ folder: join(folder, 'alertmanager') }),
])
t.teardown(async () => Promise.all([minio, kafka, influx, mlflow, alertmanager].map(async (server) => server.stop())))
t.comment(
  `MinIO ${minioVersion()}, Kafka ${kafkaVersion()}, InfluxDB ${influxdbVersion()}, ` +
    `MLflow ${mlflowVersion()}, Alertmanager ${alertmanagerVersion()}`
)

/** What .env of the person who starts it says. */
const env = {
  AWS_ACCESS_KEY_ID: minio.accessKey,
  AWS_SECRET_ACCESS_KEY: minio.secretKey,
  INFLUX_TOKEN: influx.token,
  INFLUX_ORG: influx.org,
  INFLUX_BUCKET: 'stream',
  GENERATOR_API_KEY: 'a-key-of-the-generator',
}
const { services } = readCompose(env)
const own = inOrder(services).filter((name) => services[name]!.build !== undefined)

/** Address in Compose's network → here. */
const places = new Map<string, string>([
  ['minio:9000', new URL(minio.url).host],
  ['kafka:29092', kafka.url],
  ['influxdb:8086', new URL(influx.url).host],
  ['mlflow:5000', new URL(mlflow.url).host],
  ['alertmanager:9093', new URL(alertmanager.url).host],
])
const here = (text: string): string => [...places].reduce((said, [there, place]) => said.replaceAll(there, place), text)

/** The port that the container listens on → the one that it has here. */
const ports = new Map<string, number>()
for (const name of own) ports.set(name, await freePort())
places.set('collector:8300', `127.0.0.1:${ports.get('collector')!}`)
const urlOf = (name: string): string => `http://127.0.0.1:${ports.get(name)!}`

function settingsOf (name: string, { environment }: ComposeService): Record<string, string> {
  const given = Object.fromEntries(Object.entries(environment).map(([variable, value]) => [variable, here(value)]))
  const port = String(ports.get(name)!)
  const listens = name === 'service'
    ? { SERVICE_HOST: '127.0.0.1', SERVICE_PORT: port, TASKS_DIR: join(folder, 'tasks') }
    : { STREAM_HOST: '127.0.0.1', [`${name.toUpperCase()}_PORT`]: port }
  return { ...given, ...listens }
}

const [program, ...command] = image.command

/** Where a command writes in its own /tmp. */
const argumentsOf = ({ command: said }: ComposeService): string[] =>
  (said?.slice(1) ?? command).map((part) => here(part).replace(/^\/tmp\//, `${folder}/`))

/** Until it ends. */
async function finish (name: string, service: ComposeService): Promise<number | null> {
  const log = openSync(join(logs, `${name}.log`), 'a')
  const child = spawn(program, argumentsOf(service), {
    cwd: image.folder,
    env: { PATH: process.env['PATH'], ...settingsOf(name, service) },
    stdio: ['ignore', log, log],
    timeout: 300_000,
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', resolve)
  })
}

const running = new Map<string, ChildProcess>()
t.teardown(async () => Promise.all([...running.values()].map(async (child) => endServer(child, 'SIGKILL'))))

async function until<T> (what: string, seconds: number, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 1000 * seconds; ; await sleep(200)) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`)
  }
}

const json = async (url: string): Promise<unknown> => (await fetch(url, { signal: AbortSignal.timeout(10_000) })).json()

t.test('everything starts, in the order that it asks for', async (t) => {
  const { hostname, port } = new URL(minio.url)
  const store = new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey: minio.accessKey,
    secretKey: minio.secretKey,
  })
  const [, buckets] = /mc mb --ignore-existing (.*)/.exec(services['buckets']!.command!.join('\n'))!
  for (const bucket of buckets!.split(' ')) await store.makeBucket(bucket.replace('store/', ''))
  t.ok(own.indexOf('first-model') < own.indexOf('service') && own.indexOf('collector') < own.indexOf('generator'))
  for (const name of own) {
    const service = services[name]!
    if (service.restart === 'no') {
      t.equal(await finish(name, service), 0, readFileSync(join(logs, `${name}.log`), 'utf8').slice(-500))
      continue
    }
    // The generator answers nobody.
    const readyUrl = service.healthcheck?.disable === true
      ? `tcp://${places.get('collector:8300')!}`
      : `${urlOf(name)}/readyz`
    running.set(
      name,
      await startServer({
        program,
        args: argumentsOf(service),
        cwd: image.folder,
        env: settingsOf(name, service),
        log: join(logs, `${name}.log`),
        readyUrl,
      })
    )
    t.pass(name)
  }
  t.same([...running.keys()].sort(), [
    'collector',
    'dashboard',
    'generator',
    'imputer',
    'notifier',
    'scorer',
    'service',
    'sink',
  ])
})

t.test('the first model is live, recorded, and made once', async (t) => {
  t.match(await json(`${urlOf('service')}/models`), { models: [{ name: 'wind-turbine' }] })
  const { runs } =
    await (await fetch(`${mlflow.url}/api/2.0/mlflow/runs/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ experiment_ids: ['0', '1', '2'] }),
      signal: AbortSignal.timeout(10_000),
    })).json() as { runs: unknown[] }
  t.equal(runs.length, 1)
  t.equal(await finish('first-model', services['first-model']!), 0)
  t.match(readFileSync(join(logs, 'first-model.log'), 'utf8'), /has models\n$/)
})

t.test('the service answers, and the fleet is scored, kept, shown and notified', async (t) => {
  const { series } = simulateFarm({ turbines: 1, days: 2, trainingDays: 1 }).turbines[0]!
  const answer = await fetch(`${urlOf('service')}/compute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'wind-turbine', ...jsonOf(series) }),
    signal: AbortSignal.timeout(30_000),
  })
  t.equal(answer.status, 200, (await answer.text()).slice(0, 300))
  const FleetSchema = z.object({ series: z.array(z.object({ series: z.string() }).loose()) })
  const fleet = await until(
    '20 series',
    60,
    async () =>
      FleetSchema.parse(await json(`${urlOf('dashboard')}/live/fleet`)).series.length === 20 ? true : undefined
  )
  t.ok(fleet)
  const IncidentsSchema = z.object({
    incidents: z.array(z.object({ series: z.string(), closed: z.boolean() }).loose()),
  })
  const first = await until(
    'an incident',
    120,
    async () => IncidentsSchema.parse(await json(`${urlOf('dashboard')}/live/incidents`)).incidents[0]
  )
  t.match(first.series, /^T\d\d$/)
  t.ok(
    await until('an alert', 60, async () =>
      ((await json(`${alertmanager.url}/api/v2/alerts`)) as unknown[]).length > 0 ? true : undefined)
  )
})

t.test('who has no key may not send; all of it ends in order', async (t) => {
  t.equal(
    (await fetch(`${urlOf('collector')}/observations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[]',
      signal: AbortSignal.timeout(10_000),
    })).status,
    401
  )
  for (const name of [...own].reverse()) {
    const child = running.get(name)
    if (child === undefined) continue
    await endServer(child, 'SIGTERM', 60_000)
    t.equal(child.exitCode, 0, name)
  }
})
