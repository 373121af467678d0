// An endless plan of faults, drawn from a seed: which turbine, when, and which fault. Counts in observations from the
// beginning of play.
import { STEPS_PER_HOUR } from '../../simulator/channels.ts'
import { FAULT_TRAITS, FAULT_TYPES, type Fault, type FaultType } from '../../simulator/faults.ts'
import { type Random, shuffle } from '../../core/random.ts'

/** demo: one fault at once, then more on all turbines; random: about as rare as in a real farm; none: ordered ones. */
export const FAULT_MODES = ['demo', 'random', 'none'] as const
export type FaultMode = typeof FAULT_MODES[number]

/** A fault that the user orders. */
export interface OrderedFault {
  readonly series: string
  readonly type: FaultType
  /** Milliseconds after live play begins, in the time of the observations. */
  readonly after: number
}

export interface PlannedFault extends Fault {
  readonly series: string
}

export interface PlanOptions {
  readonly mode: FaultMode
  readonly ordered: readonly OrderedFault[]
  readonly series: readonly string[]
  /** Observations before live play begins; no fault is drawn for them. */
  readonly history: number
  readonly interval: number
  /** Whether rotors turn when live play begins. */
  readonly windy: boolean
  readonly random: Random
}

/** Observations of live play before the first one. */
const FIRST_AFTER = 5
/** With wind, a fault that shows within ten observations; else a sensor that is 19 °C off, within thirty. */
const FIRST = {
  windy: { type: 'vibration-burst', channel: 'vibration_mm_s' },
  calm: { type: 'sensor-bias', channel: 'generator_bearing_temp_c' },
} as const

/** Observations between the beginnings of two faults in the fleet, on average. */
const PACE: Record<FaultMode, (series: number) => number> = {
  demo: () => 20 * STEPS_PER_HOUR,
  random: (series) => Math.ceil(25 * 24 * STEPS_PER_HOUR / series),
  none: () => Infinity,
}

/** In the order of their beginnings. Faults of one turbine do not overlap. Ends only in mode `none`. */
export function * planFaults (options: PlanOptions): Generator<PlannedFault> {
  const { ordered, history, interval } = options
  const wanted = ordered.map((fault) => orderedFault(fault, history, interval)).sort((a, b) => a.from - b.from)
  const free = new Map<string, number>()
  for (const fault of merged(wanted, drawn(options))) {
    const from = Math.max(fault.from, free.get(fault.series) ?? 0)
    const moved = { ...fault, from, to: fault.to + from - fault.from }
    free.set(fault.series, moved.to + 12 * STEPS_PER_HOUR)
    yield moved
  }
}

function orderedFault ({ series, type, after }: OrderedFault, history: number, interval: number): PlannedFault {
  const from = history + Math.ceil(after / interval)
  return {
    series,
    type,
    channel: FAULT_TRAITS[type].channels[0]!,
    from,
    to: from + lengthOf(type) - 1,
    severity: 1,
    sign: 1,
  }
}

const lengthOf = (type: FaultType): number => FAULT_TRAITS[type].hours[0] * STEPS_PER_HOUR

/** All turbines in turn, and all types in turn, in independent orders. */
function * drawn ({ mode, series, history, windy, random }: PlanOptions): Generator<PlannedFault> {
  if (mode === 'none') return
  const pace = PACE[mode](series.length)
  const turbines = turns(series, random.fork('turbines'))
  const types = turns(FAULT_TYPES, random.fork('types'))
  let from = history
  if (mode === 'demo') {
    from += FIRST_AFTER
    const first = FIRST[windy ? 'windy' : 'calm']
    yield { ...first, series: turbines.next().value, from, to: from + lengthOf(first.type) - 1, severity: 1, sign: 1 }
  }
  while (true) {
    from += Math.ceil(pace * (0.5 + random.uniform()))
    const type = types.next().value
    const { channels } = FAULT_TRAITS[type]
    yield {
      series: turbines.next().value,
      type,
      channel: channels[random.integer(channels.length)]!,
      from,
      to: from + lengthOf(type) - 1,
      severity: 0.5 + random.uniform() / 2,
      sign: random.uniform() < 0.5 ? -1 : 1,
    }
  }
}

/** Round after round, each item once per round; every round has another order. */
function * turns<T> (items: readonly T[], random: Random): Generator<T, never> {
  while (true) for (const i of shuffle(Uint32Array.from(items.keys()), random)) yield items[i]!
}

function * merged (wanted: readonly PlannedFault[], drawn: Generator<PlannedFault>): Generator<PlannedFault> {
  let next = drawn.next()
  for (const fault of wanted) {
    for (; next.done !== true && next.value.from <= fault.from; next = drawn.next()) yield next.value
    yield fault
  }
  for (; next.done !== true; next = drawn.next()) yield next.value
}
