// The guarantees of the stream, on a real Kafka and InfluxDB, with every step as a compiled process: whatever is
// killed, whoever joins or leaves, each acknowledged observation has one verdict, and it is that of /compute, bit for
// bit.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { createRandom } from '../../core/random.ts'
import { folderStore } from '../../adapters/registry/folder-store.ts'
import { Registry } from '../../adapters/registry/registry.ts'
import type { Series } from '../../core/series/series.ts'
import { parseSettings } from '../../adapters/settings/values.ts'
import { START, STEP_MS, windSeries } from '../../model-serving/test/fixture.ts'
import { writePackage } from '../../adapters/tfjs/test/linear-packages.ts'
import type { Database } from '../../pipelines/database/database.ts'
import { openDatabase } from '../../pipelines/adapters/open-database.ts'
import { fromDeadLetter } from '../../pipelines/dead-letters/dead-letter.ts'
import { openLog } from '../../pipelines/adapters/open-log.ts'
import { deadTopic, TOPICS, type Verdict } from '../../pipelines/messages/messages.ts'
import { DATABASE_SETTINGS } from '../../pipelines/settings/database.ts'
import { LOG_SETTINGS } from '../../pipelines/settings/log.ts'
import { influxdbVersion } from '../services/influxdb.ts'
import { kafkaVersion } from '../services/kafka.ts'
import { endServer, freePort, startServer } from '../services/server.ts'
import { Stack } from '../stack/stack.ts'
import { type CausalAnswer, computeCausal, observationOf, post, withGaps } from './stream-load.ts'

t.setTimeout(1_500_000)

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'stream-'))
const logs = join(root, '.cache/integration/stream')
rmSync(logs, { recursive: true, force: true })
const MODEL = 'wind'
const MAX_GAP = 3
const TOP = 2

const registryFolder = join(folder, 'registry')
const registry = new Registry(folderStore(registryFolder), Date.now)
await registry.publish('wind', await writePackage(join(folder, 'package'), MODEL, windSeries(600)))
await registry.promote(MODEL, 1)

const stack = await Stack.start({
  folder: logs,
  registry: registryFolder,
  steps: ['collector', 'imputer', 'scorer', 'sink'],
  built: true,
  env: { LOG_LEVEL: 'warn', CHECKPOINT_MS: '500', IMPUTER_PATIENCE_MS: '3000' },
})
t.teardown(async () => stack.stop())
t.comment(`Kafka ${kafkaVersion()}, InfluxDB ${influxdbVersion()}`)
const collector = stack.step('collector').url

const servicePort = await freePort()
const service = `http://127.0.0.1:${servicePort}`
const serving = await startServer({
  program: process.execPath,
  args: [join(root, 'dist/model-serving/main.js')],
  env: { SERVICE_PORT: String(servicePort), MODEL_REGISTRY: registryFolder, LOG_LEVEL: 'warn' },
  log: join(logs, 'service.log'),
  readyUrl: `${service}/readyz`,
})
t.teardown(async () => endServer(serving, 'SIGTERM'))

const database = async (): Promise<Database> =>
  openDatabase(parseSettings(z.object(DATABASE_SETTINGS), { ...stack.env }))

type Fleet = ReadonlyMap<string, Series>

/** @param from first observation; each fleet has names of its own */
function fleetOf (prefix: string, count: number, length: number): Fleet {
  return new Map(Array.from({ length: count }, (_, i) => {
    const name = `${prefix}-${String(i + 1).padStart(2, '0')}`
    return [name, withGaps(windSeries(length, name), `gaps of ${name}`)]
  }))
}

/** Observations [from, to) of all series, one instant after another. */
async function postAll (fleet: Fleet, from: number, to: number, pauseMs = 0): Promise<void> {
  for (let i = from; i < to; i++) {
    await post(collector, [...fleet].flatMap(([name, series]) => observationOf(name, series, i) ?? []))
    if (pauseMs > 0) await sleep(pauseMs)
  }
}

/** The instants that a verdict is owed for: those observed, and those of short gaps. */
function owed (series: Series, length: number): number[] {
  const instants: number[] = []
  let missing = 0
  const isObserved = (i: number): boolean => observationOf('x', series, i) !== undefined
  let last = length - 1
  while (!isObserved(last)) last--
  for (let i = 0; i <= last; i++) {
    missing = isObserved(i) ? 0 : missing + 1
    if (missing <= MAX_GAP) instants.push(i)
  }
  return instants
}

const indexOf = ({ time }: Verdict): number => (Date.parse(time) - START) / STEP_MS

/** Waits until every owed verdict is in the database, then compares each with /compute. */
async function verify (t: Test, fleet: Fleet, length: number, patienceMs = 180_000): Promise<void> {
  const db = await database()
  const end = Date.now() + patienceMs
  let compared = 0
  for (const [name, whole] of fleet) {
    const series = { ...whole, length, values: whole.values.subarray(0, length * whole.channels.length) }
    const instants = owed(series, length)
    let found: Verdict[] = []
    const look = async (): Promise<Verdict[]> =>
      db.verdicts(name, { from: START, to: START + length * STEP_MS }, 100_000).catch(() => [])
    for (found = await look(); found.length < instants.length && Date.now() < end; found = await look()) {
      await sleep(250)
    }
    const answer = await computeCausal(service, series, MODEL)
    const wrong = found.map((verdict) => faultOf(verdict, answer)).filter((fault) => fault !== undefined)
    if (found.length !== instants.length || wrong.length > 0) {
      const there = new Set(found.map(indexOf))
      t.fail(`${name}: ${found.length} verdicts where ${instants.length} are owed, ${wrong.length} of them wrong`, {
        missing: instants.filter((i) => !there.has(i)).slice(0, 10),
        more: [...there].filter((i) => !instants.includes(i)).slice(0, 10),
        wrong: wrong.slice(0, 3),
      })
    }
    compared += found.length
  }
  t.pass(`${compared} verdicts of ${fleet.size} series are those of /compute`)
  await db.close()
}

/** What of a verdict is not as /compute says, if anything. */
function faultOf (verdict: Verdict, { score, isAnomaly, expected, contributions }: CausalAnswer): object | undefined {
  const i = indexOf(verdict)
  const want = {
    score: score[i],
    anomalous: isAnomaly[i],
    expected: score[i] === null
      ? null
      : Object.fromEntries(Object.entries(expected).map(([channel, values]) => [channel, values[i]])),
    contributions: score[i] === null
      ? null
      : Object.entries(contributions).map(([channel, values]) => ({ channel, contribution: values[i]! })).sort((a, b) =>
        b.contribution - a.contribution
      ).slice(0, TOP),
  }
  const got = {
    score: verdict.score,
    anomalous: verdict.anomalous,
    expected: verdict.expected,
    contributions: verdict.contributions,
  }
  return JSON.stringify(sorted(got)) === JSON.stringify(sorted(want)) ? undefined : { i, got, want }
}

const sorted = <V>(value: V): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
      Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, inner]) => [key, sorted(inner)])
    )
    : value

async function metricsOf (url: string): Promise<string> {
  return (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5000) })).text()
}

const valueIn = (metrics: string, line: string): number =>
  Number(metrics.split('\n').find((one) => one.startsWith(line))?.split(' ').at(-1) ?? 0)

t.test('what is posted in order has the verdicts of /compute, gaps and all', async (t) => {
  const fleet = fleetOf('plain', 5, 300)
  await postAll(fleet, 0, 300)
  await verify(t, fleet, 300)
})

t.test('30 kills at random moments under load: nothing is lost, nothing is different', async (t) => {
  const LENGTH = 4000
  const fleet = fleetOf('killed', 12, LENGTH)
  const random = createRandom('kills of the stream')
  const victims: Record<string, { kill(): Promise<void>, restart(): Promise<void> }> = {
    ...Object.fromEntries(['collector', 'imputer', 'scorer', 'sink'].map((name) => [name, stack.step(name as 'sink')])),
    kafka: stack.kafka,
    influxdb: stack.influx,
  }
  const names = Object.keys(victims)
  const killed: Record<string, number> = {}
  let posted = 0
  const stopped = new AbortController()
  const load = (async () => {
    for (; !stopped.signal.aborted && posted < LENGTH; posted++) {
      await postAll(fleet, posted, posted + 1)
      await sleep(30)
    }
  })()
  load.catch(() => {})
  for (let round = 0; round < 30; round++) {
    const name = names[round % names.length]!
    const victim = victims[name]!
    await sleep(300 + 1500 * random.uniform())
    await victim.kill()
    killed[name] = (killed[name] ?? 0) + 1
    await sleep(1000 * random.uniform())
    await victim.restart()
  }
  stopped.abort()
  await load
  t.comment(`killed ${JSON.stringify(killed)} while ${posted * fleet.size} observations were posted`)
  t.ok(posted > 200, `${posted} instants were posted meanwhile`)
  await verify(t, fleet, posted)
})

t.test('scorers go from 1 to 3 and back to 1 while 50 series stream', async (t) => {
  const LENGTH = 500
  const fleet = fleetOf('shared', 50, LENGTH)
  const load = postAll(fleet, 0, LENGTH, 60)
  load.catch(() => {})
  await sleep(5000)
  const second = await stack.another('scorer')
  await sleep(3000)
  const third = await stack.another('scorer')
  await sleep(8000)
  const worked = await Promise.all(
    [stack.step('scorer'), second, third].map(async ({ url }) =>
      valueIn(await metricsOf(url), 'messages_sent_total{type="verdict.v1"')
    )
  )
  t.ok(worked.every((count) => count > 0), `each of three has worked: ${worked.join(', ')}`)
  t.equal(await third.stop(), 0, 'one leaves in order')
  await sleep(3000)
  await second.kill()
  await load
  await verify(t, fleet, LENGTH)
})

t.test('InfluxDB away for a minute: the stream catches up, and the sink does not grow', async (t) => {
  const LENGTH = 900
  const fleet = fleetOf('away', 20, LENGTH)
  await postAll(fleet, 0, 50)
  const { pid } = stack.step('sink')
  const before = residentMb(pid)
  await stack.influx.kill()
  const [, largest] = await Promise.all([postAll(fleet, 50, LENGTH, 60), largestResident(pid, 60_000)])
  t.match(await metricsOf(stack.step('sink').url), /errors_total\{stage="sending"/)
  await stack.influx.restart()
  await verify(t, fleet, LENGTH)
  t.ok(
    largest < before + 120,
    `resident memory of the sink: ${before} MB before, at most ${largest} MB while it waited`
  )
})

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024 | 0

async function largestResident (pid: number, ms: number): Promise<number> {
  let largest = 0
  for (const end = Date.now() + ms; Date.now() < end; await sleep(500)) largest = Math.max(largest, residentMb(pid))
  return largest
}

t.test('out of order, repeated, late, future-dated, malformed: metrics and dead letters show it', async (t) => {
  const LENGTH = 60
  const series = windSeries(LENGTH, 'odd')
  const at = (i: number, change: object = {}) => ({ ...observationOf('odd', series, i)!, ...change })
  const before = await metricsOf(stack.step('imputer').url)
  await post(collector, Array.from({ length: 30 }, (_, i) => at(i)))
  // Out of order, and one of them three times.
  await post(collector, [at(31), at(30), at(32), at(32), at(32), at(34), at(33)])
  await post(collector, Array.from({ length: LENGTH - 35 }, (_, i) => at(35 + i)))
  await post(collector, [at(0, { time: new Date(START - 40 * STEP_MS).toISOString() })])
  await post(collector, [at(0, { time: new Date(Date.now() + 40 * 86_400_000).toISOString() })])
  const refused = await fetch(`${collector}/observations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([at(0), { series: 'odd', time: 'yesterday', values: {} }]),
  })
  t.equal(refused.status, 422)
  t.match(await refused.json(), { code: 'invalid-request' })
  const log = await openLog(parseSettings(z.object(LOG_SETTINGS), { ...stack.env }), { warn: () => {} })
  t.teardown(async () => log.close())
  await log.append([{
    topic: TOPICS.raw,
    key: 'odd',
    value: '{"series":"odd"',
    headers: { ce_type: 'observation.raw.v1', ce_id: 'x', ce_time: new Date().toISOString() },
  }])
  await verify(t, new Map([['odd', series]]), LENGTH)
  const dead = async (): Promise<string[]> => {
    const records =
      (await Promise.all(
        Array.from({ length: log.partitions }, async (_, partition) =>
          log.read({ topic: deadTopic(TOPICS.raw), partition }, 0, 1000))
      )).flat()
    // The sink cannot read what is malformed either, and says so for itself.
    return records.filter(({ key }) => key === 'odd').map((record) => fromDeadLetter(record)!).filter(({ step }) =>
      step === 'imputer'
    ).map(({ reason }) => reason).sort()
  }
  for (const end = Date.now() + 20_000; (await dead()).length < 3 && Date.now() < end;) await sleep(200)
  t.same(await dead(), ['future-dated', 'invalid-request', 'late'])
  const after = await metricsOf(stack.step('imputer').url)
  const rise = (line: string): number => valueIn(after, line) - valueIn(before, line)
  t.equal(rise('messages_dropped_total{reason="duplicate"'), 2)
  for (const reason of ['future-dated', 'invalid-request', 'late']) {
    t.equal(rise(`messages_rejected_total{reason="${reason}"`), 1, reason)
  }
})

t.test('every process ends in order', async (t) => {
  for (const [name, step] of stack.steps) t.equal(await step.stop(), 0, name)
})
