// Measures the scorer alone: observations per second of one core, from records of the log to verdicts; memory and state
// of a series. `node --expose-gc --import tsx bench/scorer.ts [package]`.
import { loadModelPackage } from '../adapters/tfjs/model-package.ts'
import { createRandom } from '../core/random.ts'
import { decode, encode } from '../pipelines/messages/cloud-events.ts'
import type { LogRecord } from '../pipelines/messages/log.ts'
import type { Outlet, Received } from '../pipelines/runtime/step.ts'
import { scorerKind } from '../pipelines/steps/scorer/step.ts'

const SERIES = 100
const BATCH = 500
const SECONDS = 10
const folder = process.argv[2] ?? 'model-creation/out/models/wind-turbine'

const modelPackage = await loadModelPackage(folder, 'auto')
const { manifest: { name, detector: model } } = modelPackage
const live = { ready: async () => {}, current: { ...modelPackage, name, version: '1' } }
const incidents = { openAfter: 1, closeAfter: 6, closeBelow: 0.8, coolDown: 12, critical: 2 }
const counts = { sent: 0 }
const out: Outlet = {
  send: () => {
    counts.sent++
  },
  reject: (_, code, detail) => {
    throw new Error(`${code}: ${detail}`)
  },
  drop: (_, code) => {
    throw new Error(code)
  },
}

const random = createRandom('bench/scorer')
const start = Date.UTC(2026, 0, 1)

/** All series at one instant, as the imputer sends them. */
function recordsAt (instant: number): LogRecord[] {
  const time = start + instant * model.interval
  return Array.from({ length: SERIES }, (_, s) => {
    const valueOf = (c: number): number => {
      const standardised = Math.sin(instant / 20 + s) + 0.1 * random.normal()
      return Number((model.scaler.center[c]! + model.scaler.scale[c]! * standardised).toPrecision(7))
    }
    const values = Object.fromEntries(model.channels.map((channel, c) => [channel, valueOf(c)]))
    const text = new Date(time).toISOString()
    const record = encode({
      type: 'observation.regular.v1',
      id: `turbine-${s}/${text}`,
      receivedAt: time,
      data: { series: `turbine-${s}`, time: text, interval: model.interval, values, imputed: [] },
    }, '/imputer')
    return { ...record, partition: 0, offset: instant * SERIES + s, timestamp: time }
  })
}

const heap = (): number => {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const step = await scorerKind({ live, topChannels: 5, incidents }).open(undefined, new AbortController().signal)
const before = heap()
let instant = 0
/** @returns milliseconds of CPU time, which do not depend on other processes as wall time does */
async function feed (records: readonly LogRecord[]): Promise<number> {
  const began = process.cpuUsage()
  for (let at = 0; at < records.length; at += BATCH) {
    await step.process(
      records.slice(at, at + BATCH).flatMap((record): Received[] =>
        decode(record).map((message) => ({ ...message, offset: record.offset }))
      ),
      out
    )
  }
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1000
}

const next = (instants: number): LogRecord[] => Array.from({ length: instants }, () => recordsAt(instant++)).flat()
// Fill every window, mean and level, and warm up the code.
for (let i = 0; i < 60; i++) await feed(next(20))
const perSeries = (heap() - before) / SERIES

const rates: number[] = []
for (const until = performance.now() + 1000 * SECONDS; performance.now() < until;) {
  const records = next(50)
  rates.push(1000 * records.length / await feed(records))
}
rates.sort((a, b) => a - b)
const began = performance.now()
const state = JSON.stringify(step.save!())
const took = performance.now() - began
const [slowest, median, fastest] = [rates[0]!, rates[rates.length >> 1]!, rates.at(-1)!].map(Math.round)
console.log(
  `${model.channels.length} channels, ${SERIES} series, batches of ${BATCH}: ${median} observations/s of one core, ` +
    `decoding included (median of ${rates.length} rounds, ${slowest} to ${fastest})`
)
console.log(
  `state: ${Math.round(state.length / SERIES)} characters a series, ${took.toFixed(1)} ms for all; ` +
    `memory: ${Math.round(perSeries / 1000)} kB a series`
)
