// The faults: their effects on the physics of a turbine, or on one of its sensors, and their strength.
import { clamp, rise } from './arithmetic.ts'
import { CHANNELS, STEPS_PER_HOUR, type Channel } from './channels.ts'

export const FAULT_TYPES = [
  'bearing-overheating', 'oil-pump-loss', 'frozen-sensor', 'sensor-bias', 'icing', 'pitch-fault', 'vibration-burst',
] as const

export type FaultType = typeof FAULT_TYPES[number]

/** One fault of one turbine over observations [from, to]. */
export interface Fault {
  readonly type: FaultType
  /** The channel that shows it first. */
  readonly channel: Channel
  readonly from: number
  readonly to: number
  /** Strength within the range of its type: 0 mild, 1 severe. */
  readonly severity: number
  /** Direction of a biased sensor. */
  readonly sign: 1 | -1
}

/** Effects of faults on the physics at one observation; without a fault 0, oil flow 1. */
export interface Effects {
  readonly aeroLoss: number
  readonly pitchOffset: number
  readonly oilFlow: number
  readonly gearboxFriction: number
  readonly generatorFriction: number
  readonly shaking: number
}

const HEALTHY: Effects = {
  aeroLoss: 0,
  pitchOffset: 0,
  oilFlow: 1,
  gearboxFriction: 0,
  generatorFriction: 0,
  shaking: 0,
}

interface FaultTraits {
  /** Channels that may show it first; one is drawn. */
  readonly channels: readonly Channel[]
  /** Shortest and longest duration in hours. */
  readonly hours: readonly [number, number]
}

export const FAULT_TRAITS: Readonly<Record<FaultType, FaultTraits>> = {
  'bearing-overheating': { channels: ['gearbox_bearing_temp_c', 'generator_bearing_temp_c'], hours: [30, 72] },
  'oil-pump-loss': { channels: ['gearbox_oil_temp_c'], hours: [10, 24] },
  'frozen-sensor': {
    channels: [
      'gearbox_oil_temp_c',
      'generator_bearing_temp_c',
      'rotor_rpm',
      'gearbox_bearing_temp_c',
      'wind_speed_ms',
      'generator_rpm',
      'power_kw',
    ],
    hours: [30, 72]
  },
  'sensor-bias': {
    channels: ['gearbox_oil_temp_c', 'ambient_temp_c', 'generator_bearing_temp_c', 'wind_speed_ms', 'nacelle_temp_c'],
    hours: [36, 72],
  },
  icing: { channels: ['power_kw'], hours: [12, 26] },
  'pitch-fault': { channels: ['pitch_deg'], hours: [14, 36] },
  'vibration-burst': { channels: ['vibration_mm_s'], hours: [5, 12] },
}

/** Offset of a biased sensor at severity 0 and 1, in the unit of its channel. */
const BIAS: Partial<Record<Channel, readonly [number, number]>> = {
  wind_speed_ms: [4.5, 6],
  ambient_temp_c: [12, 15],
  nacelle_temp_c: [11, 15],
  gearbox_oil_temp_c: [13, 17],
  generator_bearing_temp_c: [15, 19],
}

/** Progress of a fault at t: rises within `hours` from its start, and falls again before its end if it heals. */
function progress (fault: Fault, t: number, hours: number, heals: boolean): number {
  const steps = hours * STEPS_PER_HOUR
  const up = rise((t - fault.from + 1) / steps)
  return heals ? Math.min(up, rise((fault.to - t + 1) / steps)) : up
}

function mix (range: readonly [number, number], severity: number): number {
  return range[0] + (range[1] - range[0]) * severity
}

const PHYSICS: Partial<Record<FaultType, (fault: Fault, t: number) => Partial<Effects>>> = {
  'bearing-overheating': (fault, t) => {
    const drift = clamp((t - fault.from + 1) / (0.6 * (fault.to - fault.from + 1)), 0, 1)
    const friction = mix([19, 26], fault.severity) * drift
    const shaking = 0.35 * drift
    return fault.channel === 'gearbox_bearing_temp_c'
      ? { gearboxFriction: friction, shaking }
      : { generatorFriction: friction, shaking }
  },
  'oil-pump-loss': (fault, t) => ({ oilFlow: 1 - mix([0.9, 1], fault.severity) * progress(fault, t, 0.5, false) }),
  icing: (fault, t) => {
    const ice = progress(fault, t, 3, true)
    return { aeroLoss: mix([0.28, 0.4], fault.severity) * ice, shaking: mix([0.9, 1.4], fault.severity) * ice }
  },
  'pitch-fault': (fault, t) => {
    const offset = mix([8, 13], fault.severity) * progress(fault, t, 0.5, false)
    return { pitchOffset: offset, aeroLoss: 0.024 * offset, shaking: 0.12 * offset }
  },
  'vibration-burst': (fault, t) => ({ shaking: mix([1.6, 2.8], fault.severity) * progress(fault, t, 0.7, true) }),
}

/**
 * Effects of a turbine's faults on its physics at observation t; faults never overlap, so the first active one counts.
 */
export function effectsAt (faults: readonly Fault[], t: number): Effects {
  const active = faults.find(({ from, to }) => from <= t && t <= to)
  const physics = active && PHYSICS[active.type]
  return active && physics ? { ...HEALTHY, ...physics(active, t) } : HEALTHY
}

/**
 * Applies sensor faults to `values` (shape [length × channels], in place): a frozen sensor keeps its value at the
 * onset, a biased one is off by a constant.
 */
export function falsify (
  values: Float64Array,
  faults: readonly Fault[],
  write: (channel: Channel, value: number) => number
): void {
  const width = CHANNELS.length
  for (const fault of faults) {
    const c = CHANNELS.indexOf(fault.channel)
    const stuck = values[fault.from * width + c]!
    const offset = fault.sign * mix(BIAS[fault.channel] ?? [0, 0], fault.severity)
    for (let t = fault.from; t <= fault.to; t++) {
      const i = t * width + c
      if (fault.type === 'frozen-sensor') values[i] = stuck
      if (fault.type === 'sensor-bias') {
        values[i] = write(fault.channel, Math.max(values[i]! + offset, fault.channel === 'wind_speed_ms' ? 0 : -60))
      }
    }
  }
}
