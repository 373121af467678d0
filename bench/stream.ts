// Throughput of the stream: `npm run -s bench:stream [-- --series 100 --instants 600 --rate 2000 --seconds 20]`. Runs
// Kafka, InfluxDB and the four steps as processes on this machine. Prints observations per second from the collector to
// the verdict in InfluxDB, the latency at a steady rate, and the rate at which the same client produces and consumes
// the same records. Then measures the scorer alone, in this process.
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
import { parseSettings } from '../adapters/settings/values.ts'
import { writePackage } from '../adapters/tfjs/test/linear-packages.ts'
import { encode } from '../pipelines/messages/cloud-events.ts'
import { openDatabase } from '../pipelines/adapters/open-database.ts'
import type { Log, NewRecord } from '../pipelines/messages/log.ts'
import { openLog } from '../pipelines/adapters/open-log.ts'
import { DATABASE_SETTINGS } from '../pipelines/settings/database.ts'
import { LOG_SETTINGS } from '../pipelines/settings/log.ts'
import { kafkaVersion } from '../scripts/services/kafka.ts'
import { influxdbVersion } from '../scripts/services/influxdb.ts'
import { Stack } from '../scripts/stack/stack.ts'
import { post } from '../scripts/test/stream-load.ts'
import { median, printFigure } from './stream/figures.ts'
import { CHANNELS, INTERVAL, observation, PATTERN, START } from './stream/observations.ts'
import { measureScorer } from './stream/scorer-alone.ts'

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
/** Concurrent requests of the load. */
const POSTS = 4
/** Observations in each request: `POSTS` instants of the request's share of the series. */
const REQUEST = SERIES
const RAW_TOPIC = 'bench.raw'
/** Milliseconds per tick of the kernel's clock, the unit of CPU time in /proc. */
const TICK_MS = 10

const rate = (count: number, ms: number): string => `${Math.round(count / ms * 1000)}/s`

const seriesIndices = Array.from({ length: SERIES }, (_, i) => i)

const folder = mkdtempSync(join(tmpdir(), 'bench-stream-'))
const registryFolder = join(folder, 'registry')
const registry = new Registry(folderStore(registryFolder), Date.now)
await registry.publish('plant', await writePackage(join(folder, 'package'), 'plant', PATTERN))
await registry.promote('plant', 1)

console.log([
  `Stream: ${SERIES} series, ${CHANNELS} channels, ${flags.partitions} partitions; Kafka ${kafkaVersion()}`,
  `InfluxDB ${influxdbVersion()}`,
  `Node ${process.version}`,
  `${availableParallelism()} processors`,
  `load ${loadavg()[0]!.toFixed(1)}`,
].join(', '))
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
  const ratesOf = (which: keyof typeof rounds[number]): number[] => rounds.map((round) => round[which])
  const rateText = (which: keyof typeof rounds[number]): string =>
    `${Math.round(median(ratesOf(which)))}/s  (${ratesOf(which).map(Math.round).join(', ')})`
  printFigure('the same client, produce → consume, median of 3', rateText('raw'))
  printFigure('collector → verdict in InfluxDB, median of 3', rateText('through'))
  for (const name of spent[0]!.keys()) {
    const microseconds = median(spent.map((round) => round.get(name)!))
    printFigure(`CPU of ${name} for an observation, median of 3`, `${Math.round(microseconds)} µs`)
  }
  const share = median(ratesOf('through')) / median(ratesOf('raw'))
  printFigure('share of the raw rate', `${share.toFixed(2)}  (aim: 0.33)`)
  await latency()
  for (const [name, { pid }] of stack.steps) {
    const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
    printFigure(`resident memory of the ${name}`, `${Math.round(kilobytes / 1024)} MB`)
  }
  await log.close()
} finally {
  await stack.stop()
}
await measureScorer(registryFolder, SERIES)
process.exit()

/** Records per second that one process appends, in requests of the load's size, and reads at the same time. */
async function rawRate (log: Log, round: number): Promise<number> {
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [stack.kafka.url] })
  const topic = `${RAW_TOPIC}.${round}`
  await admin.createTopics({ topics: [topic], partitions: Number(flags.partitions), replicas: 1 })
  await admin.close()
  const receivedAt = Date.now()
  const records = Array.from(
    { length: INSTANTS },
    (_, t) =>
      seriesIndices.map((i): NewRecord => ({
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

/** Verdicts that InfluxDB has acknowledged to the sink; 0 while the sink waits for acknowledgements. */
async function verdictsKept (): Promise<number> {
  const text = await (await fetch(`${stack.step('sink').url}/metrics`)).text()
  const received = [...text.matchAll(/^messages_received_total\{type="([^"]+)"[^}]*\} (\d+)/gm)]
  const done = Number(/^latency_seconds_count\S* (\d+)/m.exec(text)?.[1] ?? 0)
  return received.reduce((sum, [, , count]) => sum + Number(count), 0) > done
    ? 0
    : Number(received.find(([, type]) => type === 'verdict.v1')?.[2] ?? 0)
}

/** Sends the observations by concurrent requests, each for its own share of the series. */
async function throughput (
  round: number
): Promise<{ readonly rate: number, readonly cpu: ReadonlyMap<string, number> }> {
  const database = await openDatabase(parseSettings(z.object(DATABASE_SETTINGS), stack.env))
  const from = round * INSTANTS
  const kept = await verdictsKept()
  const began = performance.now()
  await Promise.all(Array.from({ length: POSTS }, async (_, part) => {
    const own = seriesIndices.filter((i) => i % POSTS === part)
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
  for (const i of seriesIndices) {
    const { series: name } = observation(i, from)
    const found = await database.verdicts(name, period, 100_000)
    if (found.length !== INSTANTS) {
      throw new Error(`${name} has ${found.length} verdicts instead of ${INSTANTS}`)
    }
  }
  await database.close()
  return { rate: SERIES * INSTANTS / took * 1000, cpu }
}

/** Prints quantiles of the sink's latency histogram while observations arrive at a steady rate. */
async function latency (): Promise<void> {
  const before = await buckets()
  const from = 3 * INSTANTS
  const pause = 1000 * SERIES / RATE
  const sent = await verdictsKept()
  const began = performance.now()
  for (let t = 0; t < RATE * SECONDS / SERIES; t++) {
    await post(stack.step('collector').url, seriesIndices.map((i) => observation(i, from + t)))
    await sleep(Math.max(0, began + (t + 1) * pause - performance.now()))
  }
  const took = performance.now() - began
  await sleep(2000)
  const after = await buckets()
  const counts = after.map(({ le, count }, k) => ({ le, count: count - before[k]!.count }))
  printFigure(
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
