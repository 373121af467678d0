// Times and places of faults: drawn for every turbine from its healthy history, at times at which the fault can show.
import { type Random, shuffle } from '../core/random.ts'
import { channelValues } from '../core/series/series.ts'
import { between } from './arithmetic.ts'
import { CHANNELS, STEPS_PER_DAY, STEPS_PER_HOUR, type Channel } from './channels.ts'
import { RATED_POWER_KW } from './controls.ts'
import { FAULT_TRAITS, FAULT_TYPES, type Fault, type FaultType } from './faults.ts'
import type { TurbineRun } from './turbine.ts'

/** Healthy hours between two faults of one turbine, at least. */
const REST_STEPS = 26 * STEPS_PER_HOUR
/** Places to try for each fault; the most suitable one is taken. */
const CANDIDATES = 40

/** The hardest to place come first: ice needs frost, long faults need room. */
const PLACING_ORDER: readonly FaultType[] = [
  'icing', 'frozen-sensor', 'sensor-bias', 'bearing-overheating', 'pitch-fault', 'oil-pump-loss', 'vibration-burst',
]

type History = Record<Channel, Float64Array>

/** Whether a fault of the type would show at observation t: the turbine runs, and conditions suit the fault. */
const SHOWS: Readonly<Record<FaultType, (history: History, t: number) => boolean>> = {
  'bearing-overheating': (history, t) => loadAt(history, t) > 0.15,
  'oil-pump-loss': (history, t) => loadAt(history, t) > 0.35,
  'frozen-sensor': (history, t) => loadAt(history, t) > 0.02,
  'sensor-bias': (history, t) => loadAt(history, t) > 0.05,
  icing: (history, t) => history.ambient_temp_c[t]! < 1 && loadAt(history, t) > 0.3,
  'pitch-fault': (history, t) => loadAt(history, t) > 0.25 && loadAt(history, t) < 0.97,
  'vibration-burst': (history, t) => loadAt(history, t) > 0.15,
}

function loadAt (history: History, t: number): number {
  return history.power_kw[t]! / RATED_POWER_KW
}

/**
 * Root mean square of a channel's distance from its value at `from`, in standard deviations of the channel, at most 2.
 */
function movement (values: Float64Array, from: number, to: number): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / values.length
  let squares = 0
  for (let t = from; t <= to; t++) squares += (values[t]! - values[from]!) * (values[t]! - values[from]!)
  return Math.min(2, Math.sqrt(squares / (to - from + 1) / variance))
}

/**
 * How well a fault would show: the share of its time at which it can; for a frozen sensor times the movement it hides.
 */
function suitability (history: History, fault: Fault): number {
  let shown = 0
  for (let t = fault.from; t <= fault.to; t++) shown += SHOWS[fault.type](history, t) ? 1 : 0
  const share = shown / (fault.to - fault.from + 1)
  return fault.type === 'frozen-sensor' ? share * movement(history[fault.channel], fault.from, fault.to) : share
}

/** A turbine that receives faults. */
interface Site {
  readonly history: History
  /** Observations at the beginning that stay free of faults. */
  readonly trainingSteps: number
  /** The faults that it has already. */
  readonly placed: readonly Fault[]
}

/** The best of `CANDIDATES` places that keep their distance from `placed`; undefined if there is none. */
function place (
  random: Random,
  { type, channel }: Pick<Fault, 'type' | 'channel'>,
  { history, trainingSteps, placed }: Site
): Fault | undefined {
  const steps = Math.round(between(random, ...FAULT_TRAITS[type].hours) * STEPS_PER_HOUR)
  const severity = random.uniform()
  const sign = random.uniform() < 0.5 ? -1 : 1
  // Half a day stays free at both ends of the test period.
  const room = history.power_kw.length - trainingSteps - STEPS_PER_DAY - steps
  if (room < 1) return undefined
  let best: Fault | undefined
  let bestSuitability = -1
  for (let i = 0, tries = 0; i < CANDIDATES && tries < 40 * CANDIDATES; tries++) {
    const from = trainingSteps + STEPS_PER_DAY / 2 + random.integer(room)
    const fault: Fault = { type, channel, from, to: from + steps - 1, severity, sign }
    if (placed.some((other) => from - other.to < REST_STEPS && other.from - fault.to < REST_STEPS)) continue
    i++
    const found = suitability(history, fault)
    if (found > bestSuitability) [best, bestSuitability] = [fault, found]
  }
  return best
}

/** Fault types of each turbine: every type `perType` times over the farm, starting at another turbine for each type. */
function share (random: Random, turbines: number, perType: number): FaultType[][] {
  const shares: FaultType[][] = Array.from({ length: turbines }, () => [])
  const order = shuffle(Array.from({ length: turbines }, (_, i) => i), random)
  FAULT_TYPES.forEach((type, k) => {
    for (let i = 0; i < perType; i++) shares[order[(i + k * 2) % turbines]!]!.push(type)
  })
  return shares
}

/**
 * Draws the faults of a farm, all after the training period, at least 26 h apart on each turbine.
 * @param runs the healthy runs, one per turbine
 * @param trainingSteps observations at the beginning that stay free of faults
 * @param perType occurrences of every fault type over the farm
 * @returns the faults of each turbine in order of time; fewer than requested if the test period has no room
 */
export function scheduleFaults (
  random: Random,
  runs: readonly TurbineRun[],
  trainingSteps: number,
  perType: number
): Fault[][] {
  const shares = share(random.fork('shares'), runs.length, perType)
  const used = new Map<FaultType, number>()
  return runs.map((run, i) => {
    const history = Object.fromEntries(CHANNELS.map((channel, c) => [channel, channelValues(run.series, c)])) as History
    const own = random.fork(`turbine-${i}`)
    const placed: Fault[] = []
    const types = [...shares[i]!].sort((a, b) => PLACING_ORDER.indexOf(a) - PLACING_ORDER.indexOf(b))
    for (const type of types) {
      // Channels take turns over the farm, so every kind of bias and freeze occurs.
      const count = used.get(type) ?? 0
      used.set(type, count + 1)
      const { channels } = FAULT_TRAITS[type]
      const channel = channels[count % channels.length]!
      const fault = place(own, { type, channel }, { history, trainingSteps, placed })
      if (fault) placed.push(fault)
    }
    return placed.sort((a, b) => a.from - b.from)
  })
}
