// What the stream carries: `npm run -s bench:stream [-- --series 100 --instants 600 --rate 2000 --seconds 20]`. Kafka,
// InfluxDB and the four steps as processes on this machine; prints observations per second from the collector to the
// verdict in InfluxDB, their latency at a steady rate, and in the same run the rate at which the same client produces
// and consumes the same records. Then the scorer alone, in this process.
import { hash } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Admin } from '@platformatic/kafka'
import { z } from 'zod'
import { folderStore } from '../adapters/registry/folder-store.ts'
import { Registry } from '../adapters/registry/registry.ts'
import { fromColumns, type Series } from '../core/series/series.ts'
import { parseSettings } from '../adapters/settings/values.ts'
import { createRandom } from '../core/random.ts'
import { writePackage } from '../adapters/tfjs/test/linear-packages.ts'
import { encode } from '../pipelines/messages/cloud-events.ts'
import { openDatabase } from '../pipelines/adapters/open-database.ts'
import type { Log, NewRecord } from '../pipelines/messages/log.ts'
import { openLog } from '../pipelines/adapters/open-log.ts'
import type { MessageOf, RawObservation } from '../pipelines/messages/messages.ts'
import { LiveModel } from '../adapters/follow-model/live-model.ts'
import { scorerKind } from '../pipelines/steps/scorer/step.ts'
import { DATABASE_SETTINGS } from '../pipelines/settings/database.ts'
import { LOG_SETTINGS } from '../pipelines/settings/log.ts'
import { MODEL_SETTINGS } from '../pipelines/settings/models.ts'
import { incidentRules, SCORER_SETTINGS } from '../pipelines/settings/scorer.ts'
import type { Received } from '../pipelines/runtime/step.ts'
import { kafkaVersion } from '../scripts/services/kafka.ts'
import { influxdbVersion } from '../scripts/services/influxdb.ts'
import { Stack } from '../scripts/stack/stack.ts'
import { post } from '../scripts/test/stream-load.ts'

const { values: flags } = parseArgs({
  options: {
    series: { type: 'string', default: '100' },
    instants: { type: 'string', default: '600' },
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '20' },
    partitions: { type: 'string', default: '6' },
  },
})
const SERIES = Number(flags.series)
const INSTANTS = Number(flags.instants)
const RATE = Number(flags.rate)
const SECONDS = Number(flags.seconds)
const CHANNELS = 12
const INTERVAL = 1000
const START = Date.UTC(2026, 0, 1)
/** Requests of the load that are on their way at a time. */
const POSTS = 4
/** Observations in each: so many instants of the series that are the request's. */
const REQUEST = SERIES
const RAW_TOPIC = 'bench.raw'
/** Of the kernel's clock, in which /proc counts CPU time. */
const TICK_MS = 10

const say = (what: string, value: string): void => { console.log(`  ${what.padEnd(66)} ${value}`) }
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!
const rate = (count: number, ms: number): string => `${Math.round(count / ms * 1000)}/s`

/** Twelve channels that follow two hidden ones. */
function plant (length: number, seed: string): Series {
  const random = createRandom(seed)
  const columns: Record<string, number[]> = Object.fromEntries(
    Array.from({ length: CHANNELS }, (_, c) => [`channel_${String(c + 1).padStart(2, '0')}`, []])
  )
  for (let t = 0; t < length; t++) {
    const [slow, quick] = [Math.sin(t / 97), Math.sin(t / 13)]
    Object.values(columns).forEach((column, c) => {
      column.push(Math.round(1000 * (20 + c + (c % 3 + 1) * slow + (c % 4) * quick + 0.2 * random.normal())) / 1000)
    })
  }
  return fromColumns({ start: START, interval: INTERVAL, columns })
}

const names = Array.from({ length: SERIES }, (_, i) => `S${String(i + 1).padStart(4, '0')}`)
const pattern = plant(2000, 'plant')

/** Every series plays the pattern from another place on. */
function observation (i: number, t: number): RawObservation {
  const at = (t + 17 * i) % pattern.length
  return {
    series: names[i]!,
    time: new Date(START + t * INTERVAL).toISOString(),
    values: Object.fromEntries(pattern.channels.map((name, c) => [name, pattern.values[at * CHANNELS + c]!])),
  }
}

const folder = mkdtempSync(join(tmpdir(), 'bench-stream-'))
const registryFolder = join(folder, 'registry')
const registry = new Registry(folderStore(registryFolder), Date.now)
await registry.publish('plant', await writePackage(join(folder, 'package'), 'plant', pattern))
await registry.promote('plant', 1)

console.log(
  `Stream: ${SERIES} series, ${CHANNELS} channels, ${flags.partitions} partitions; Kafka ${kafkaVersion()}, InfluxDB ${influxdbVersion()}, Node ${process.version}, ${availableParallelism()} processors, load ${
    loadavg()[0]!.toFixed(1)
  }`
)
const stack = await Stack.start({
  folder: join(resolve(import.meta.dirname, '..'), '.cache/bench/stream', String(Date.now())),
  registry: registryFolder,
  steps: ['collector', 'imputer', 'scorer', 'sink'],
  built: true,
  partitions: Number(flags.partitions),
  env: { LOG_LEVEL: 'warn' },
})
try {
  const log = await openLog(parseSettings(z.object(LOG_SETTINGS), stack.env), { warn: () => {} })
  const rounds: Array<{ readonly raw: number, readonly through: number }> = []
  const spent: Array<ReadonlyMap<string, number>> = []
  for (let round = 0; round < 3; round++) {
    const raw = await rawRate(log, round)
    const before = cpuOfAll()
    const { rate: through, cpu } = await throughput(round)
    rounds.push({ raw, through })
    spent.push(new Map([...cpu].map(([name, ms]) => [name, (ms - before.get(name)!) / (SERIES * INSTANTS) * 1000])))
  }
  const all = (which: keyof typeof rounds[number]): number[] => rounds.map((one) => one[which])
  const told = (which: keyof typeof rounds[number]): string =>
    `${Math.round(median(all(which)))}/s  (${all(which).map(Math.round).join(', ')})`
  say('the same client, produce → consume, median of 3', told('raw'))
  say('collector → verdict in InfluxDB, median of 3', told('through'))
  for (const name of spent[0]!.keys()) {
    say(
      `CPU of ${name} for an observation, median of 3`,
      `${Math.round(median(spent.map((one) => one.get(name)!)))} µs`
    )
  }
  say('share of the raw rate', `${(median(all('through')) / median(all('raw'))).toFixed(2)}  (aim: 0.33)`)
  await latency()
  for (const [name, { pid }] of stack.steps) {
    say(
      `resident memory of the ${name}`,
      `${Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024)} MB`
    )
  }
  await log.close()
} finally {
  await stack.stop()
}
await scorerAlone()
process.exit()

/** Records a second that one process appends, in requests as the load's, and reads at the same time. */
async function rawRate (log: Log, round: number): Promise<number> {
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [stack.kafka.url] })
  const topic = `${RAW_TOPIC}.${round}`
  await admin.createTopics({ topics: [topic], partitions: Number(flags.partitions), replicas: 1 })
  await admin.close()
  const receivedAt = Date.now()
  const records = Array.from(
    { length: INSTANTS },
    (_, t) =>
      names.map((_, i): NewRecord => ({
        ...encode({
          type: 'observation.raw.v1',
          id: hash('sha1', `${t}.${i}`, 'base64url'),
          receivedAt,
          data: observation(i, t),
        }, '/collector'),
        topic,
      }))
  ).flat()
  const read = { records: 0 }
  const membership = await log.join({ group: `bench-${round}`, topics: [topic] }, {
    assigned: async () => undefined,
    records: async (_, records) => {
      read.records += records.length
    },
    revoked: async () => {},
  })
  while (!membership.joined) await sleep(10)
  const next = { at: 0 }
  const began = performance.now()
  await Promise.all(Array.from({ length: POSTS }, async () => {
    for (let at = next.at; at < records.length; at = next.at) {
      next.at += REQUEST
      await log.append(records.slice(at, at + REQUEST))
    }
  }))
  while (read.records < records.length) await sleep(5)
  const took = performance.now() - began
  await membership.leave()
  return records.length / took * 1000
}

/** CPU time of all threads so far, in milliseconds, by process. */
function cpuOfAll (): Map<string, number> {
  const processes: Array<[string, number]> = [
    ['Kafka', stack.kafka.pid],
    ['InfluxDB', stack.influx.pid],
    ...[...stack.steps].map(([name, { pid }]): [string, number] => [`the ${name}`, pid]),
    ['the load', process.pid],
  ]
  return new Map(processes.map(([name, pid]) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return [name, (Number(fields[11]) + Number(fields[12])) * TICK_MS]
  }))
}

/** Verdicts that InfluxDB has acknowledged to the sink; 0 while the sink waits for it to do so. */
async function verdictsKept (): Promise<number> {
  const text = await (await fetch(`${stack.step('sink').url}/metrics`)).text()
  const received = [...text.matchAll(/^messages_received_total\{type="([^"]+)"[^}]*\} (\d+)/gm)]
  const done = Number(/^latency_seconds_count\S* (\d+)/m.exec(text)?.[1] ?? 0)
  return received.reduce((sum, [, , count]) => sum + Number(count), 0) > done
    ? 0
    : Number(received.find(([, type]) => type === 'verdict.v1')?.[2] ?? 0)
}

/** Every request holds the next instant of all series; a few are on their way at a time, each for series of its own. */
async function throughput (
  round: number
): Promise<{ readonly rate: number, readonly cpu: ReadonlyMap<string, number> }> {
  const database = await openDatabase(parseSettings(z.object(DATABASE_SETTINGS), stack.env))
  const from = round * INSTANTS
  const kept = await verdictsKept()
  const began = performance.now()
  await Promise.all(Array.from({ length: POSTS }, async (_, part) => {
    const own = names.map((_, i) => i).filter((i) => i % POSTS === part)
    for (let t = from; t < from + INSTANTS; t += POSTS) {
      await post(
        stack.step('collector').url,
        Array.from({ length: POSTS }, (_, k) => own.map((i) => observation(i, t + k))).flat()
      )
    }
  }))
  while (await verdictsKept() - kept < SERIES * INSTANTS) await sleep(25)
  const took = performance.now() - began
  const cpu = cpuOfAll()
  const period = { from: START + from * INTERVAL, to: START + (from + INSTANTS - 1) * INTERVAL }
  for (const name of names) {
    const found = await database.verdicts(name, period, 100_000)
    if (found.length !== INSTANTS) {
      throw new Error(`${found.length} verdicts of ${name} where there should be ${INSTANTS}`)
    }
  }
  await database.close()
  return { rate: SERIES * INSTANTS / took * 1000, cpu }
}

/** Quantiles of the sink's histogram, of what came at a steady rate. */
async function latency (): Promise<void> {
  const before = await buckets()
  const from = 3 * INSTANTS
  const pause = 1000 * SERIES / RATE
  const sent = await verdictsKept()
  const began = performance.now()
  for (let t = 0; t < RATE * SECONDS / SERIES; t++) {
    await post(stack.step('collector').url, names.map((_, i) => observation(i, from + t)))
    await sleep(Math.max(0, began + (t + 1) * pause - performance.now()))
  }
  const took = performance.now() - began
  await sleep(2000)
  const after = await buckets()
  const counts = after.map(({ le, count }, k) => ({ le, count: count - before[k]!.count }))
  say(
    `latency at ${rate(await verdictsKept() - sent, took)}, p50 / p99`,
    `${quantileOf(counts, 0.5)} / ${quantileOf(counts, 0.99)} ms, between bounds of the histogram`
  )
}

async function buckets (): Promise<Array<{ le: number, count: number }>> {
  const text = await (await fetch(`${stack.step('sink').url}/metrics`)).text()
  return [...text.matchAll(/^latency_seconds_bucket\{le="([^"]+)"[^}]*\} (\d+)/gm)].map(([, le, count]) => ({
    le: le === '+Inf' ? Infinity : Number(le),
    count: Number(count),
  }))
}

function quantileOf (counts: ReadonlyArray<{ le: number, count: number }>, q: number): string {
  const rank = q * counts.at(-1)!.count
  const k = counts.findIndex(({ count }) => count >= rank)
  const [low, high] = [k === 0 ? 0 : counts[k - 1]!.le, counts[k]!.le]
  return `${Math.round(1000 * low)}–${Math.round(1000 * high)}`
}

async function scorerAlone (): Promise<void> {
  const model = await LiveModel.open(parseSettings(z.object(MODEL_SETTINGS), { MODEL_REGISTRY: registryFolder }), {
    log: { info () {}, warn () {}, error () {} },
  })
  const settings = parseSettings(z.object(SCORER_SETTINGS), {})
  const kind = scorerKind({
    live: model,
    topChannels: settings.SCORER_TOP_CHANNELS,
    incidents: incidentRules(settings),
  })
  const step = await kind.open(undefined, new AbortController().signal)
  const out = { sent: 0, send () { this.sent++ }, reject () { throw new Error('rejected') }, drop () {} }
  const rates: number[] = []
  for (let round = 0; round < 5; round++) {
    const messages = Array.from(
      { length: 100 },
      (_, t) =>
        names.map((_, i): Received<MessageOf<'observation.regular.v1'>> => {
          const { series, time, values } = observation(i, round * 100 + t)
          return {
            type: 'observation.regular.v1',
            id: '',
            receivedAt: 0,
            offset: 0,
            data: { series, time, interval: INTERVAL, values, imputed: [] },
          }
        })
    ).flat()
    const began = process.cpuUsage()
    for (let at = 0; at < messages.length; at += 2000) await step.process(messages.slice(at, at + 2000), out)
    const { user, system } = process.cpuUsage(began)
    rates.push(messages.length / (user + system) * 1e6)
  }
  say(
    'the scorer alone, observations per second of CPU, median of 5',
    `${Math.round(rates.sort((a, b) => a - b)[2]!)}/s  (${rates.map(Math.round).join(', ')}; aim: 20000)`
  )
  const saved = JSON.stringify(step.save?.())
  say('saved state of a series', `${Math.round(saved.length / SERIES)} bytes of JSON`)
  globalThis.gc?.()
  const before = process.memoryUsage()
  const more = await kind.open(undefined, new AbortController().signal)
  const many = Array.from(
    { length: 60 },
    (_, t) =>
      Array.from({ length: 2000 }, (_, i): Received<MessageOf<'observation.regular.v1'>> => {
        const { time, values } = observation(i % SERIES, t)
        return {
          type: 'observation.regular.v1',
          id: '',
          receivedAt: 0,
          offset: 0,
          data: { series: `M${i}`, time, interval: INTERVAL, values, imputed: [] },
        }
      })
  )
  for (const messages of many) await more.process(messages, out)
  many.length = 0
  globalThis.gc?.()
  const after = process.memoryUsage()
  const held = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 2000
  say(
    'memory of a series in the scorer',
    globalThis.gc === undefined ? 'run with --expose-gc to have it' : `${(held / 1024).toFixed(1)} kB`
  )
  await model.close()
}
