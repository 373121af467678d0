// Measures the scorer alone, in this process: observations per second of CPU time, saved state, and memory of a series.
import { z } from 'zod'
import { LiveModel } from '../../adapters/follow-model/live-model.ts'
import { parseSettings } from '../../adapters/settings/values.ts'
import type { MessageOf } from '../../pipelines/messages/messages.ts'
import type { Received } from '../../pipelines/runtime/step.ts'
import { MODEL_SETTINGS } from '../../pipelines/settings/models.ts'
import { incidentRules, SCORER_SETTINGS } from '../../pipelines/settings/scorer.ts'
import { scorerKind } from '../../pipelines/steps/scorer/step.ts'
import { median, printFigure } from './figures.ts'
import { INTERVAL, observation } from './observations.ts'

type Regular = Received<MessageOf<'observation.regular.v1'>>

const ROUNDS = 5
/** Instants of each round. */
const INSTANTS = 100
/** Messages that the scorer gets at a time. */
const BATCH = 2000
/** Series and instants of the measurement of memory. */
const MEMORY_SERIES = 2000
const MEMORY_INSTANTS = 60

const outlet = { sent: 0, send () { this.sent++ }, reject () { throw new Error('rejected') }, drop () {} }

/** @param series number of series that send observations */
export async function measureScorer (registryFolder: string, series: number): Promise<void> {
  const live = await LiveModel.open(parseSettings(z.object(MODEL_SETTINGS), { MODEL_REGISTRY: registryFolder }), {
    log: { info () {}, warn () {}, error () {} },
  })
  const settings = parseSettings(z.object(SCORER_SETTINGS), {})
  const kind = scorerKind({
    live,
    topChannels: settings.SCORER_TOP_CHANNELS,
    incidents: incidentRules(settings),
  })
  await measureRate(kind, series)
  await measureMemory(kind, series)
  await live.close()
}

type ScorerKind = ReturnType<typeof scorerKind>

/** The message of observation t of series i, under another name if one is given. */
function messageOf (i: number, t: number, name?: string): Regular {
  const { series, time, values } = observation(i, t)
  return {
    type: 'observation.regular.v1',
    id: '',
    receivedAt: 0,
    offset: 0,
    data: { series: name ?? series, time, interval: INTERVAL, values, imputed: [] },
  }
}

/** All series at so many instants. */
function messagesFrom (first: number, instants: number, series: number): Regular[] {
  return Array.from({ length: instants * series }, (_, k) => messageOf(k % series, first + Math.floor(k / series)))
}

async function measureRate (kind: ScorerKind, series: number): Promise<void> {
  const step = await kind.open(undefined, new AbortController().signal)
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const messages = messagesFrom(round * INSTANTS, INSTANTS, series)
    const began = process.cpuUsage()
    for (let from = 0; from < messages.length; from += BATCH) {
      await step.process(messages.slice(from, from + BATCH), outlet)
    }
    const { user, system } = process.cpuUsage(began)
    rates.push(messages.length / (user + system) * 1e6)
  }
  const sorted = rates.toSorted((a, b) => a - b).map(Math.round)
  printFigure(
    `the scorer alone, observations per second of CPU, median of ${ROUNDS}`,
    `${Math.round(median(rates))}/s  (${sorted.join(', ')}; aim: 20000)`
  )
  const saved = JSON.stringify(step.save?.())
  printFigure('saved state of a series', `${Math.round(saved.length / series)} bytes of JSON`)
}

async function measureMemory (kind: ScorerKind, series: number): Promise<void> {
  globalThis.gc?.()
  const before = process.memoryUsage()
  const step = await kind.open(undefined, new AbortController().signal)
  const instants = Array.from({ length: MEMORY_INSTANTS }, (_, t) =>
    Array.from({ length: MEMORY_SERIES }, (_, i) => messageOf(i % series, t, `M${i}`)))
  for (const messages of instants) await step.process(messages, outlet)
  instants.length = 0
  globalThis.gc?.()
  const after = process.memoryUsage()
  const held = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / MEMORY_SERIES
  printFigure(
    'memory of a series in the scorer',
    globalThis.gc === undefined ? 'not measured: run with --expose-gc' : `${(held / 1024).toFixed(1)} kB`
  )
}
