// The turbine's controller: from wind and orders to power, rotor speed and pitch. Knows no temperatures or sensors.
import { clamp, interpolate } from './arithmetic.ts'

/** Nameplate of the simulated type: 2.05 MW, pitch-regulated, variable speed. */
export const RATED_POWER_KW = 2050
export const CUT_IN_MS = 3
export const RATED_WIND_MS = 12
export const CUT_OUT_MS = 21
/** After a cut-out the turbine waits until the wind has fallen below this. */
const RESTART_MS = 18
export const RATED_ROTOR_RPM = 16
export const GEAR_RATIO = 98.4

const STANDSTILL_PITCH_DEG = 88
const IDLE_PITCH_DEG = 64

const POWER_KW = [
  [3, 0], [4, 95], [5, 232], [6, 430], [7, 705], [8, 1050], [9, 1425], [10, 1755], [11, 1970], [12, 2050],
] as const
const ROTOR_RPM = [[3, 8.6], [4.5, 9.6], [6, 11.6], [8, 14.2], [9.5, 15.4], [11, 15.9], [12, 16]] as const
const PITCH_DEG = [
  [3, 1.2],
  [5, 0],
  [9, 0],
  [10.5, 1],
  [12, 4.4],
  [14, 9.2],
  [17, 14.4],
  [21, 20.3],
  [25, 24.8],
] as const

export type Regime = 'idle' | 'partial-load' | 'rated' | 'curtailed' | 'cut-out' | 'stopped'

/** Power of the type in kW at a wind speed in m/s; the controller handles the cut-out. */
export function powerCurve (wind: number): number {
  return interpolate(POWER_KW, wind)
}

/** The controller's memory between observations. */
export interface ControlState {
  /** True from a cut-out until the wind has calmed. */
  sheltering: boolean
  /** Share of the last ten minutes in which the turbine produced. */
  activity: number
}

interface Conditions {
  /** Wind at the rotor, m/s. */
  readonly wind: number
  /** Share of the wind speed that the blades fail to use (ice, wrong pitch). */
  readonly aeroLoss: number
  /** Degrees between the blades and their set-point. */
  readonly pitchOffset: number
  /** Air density relative to that of the power curve. */
  readonly density: number
  readonly stop: boolean
  /** Highest power allowed, share of rated. */
  readonly cap: number
  /** Power of this turbine relative to the type's curve. */
  readonly efficiency: number
}

export interface Operation {
  readonly power: number
  readonly rotor: number
  readonly pitch: number
  readonly activity: number
  readonly regime: Regime
}

/** Share of ten minutes in which the turbine produces: 0 at standstill, a part around cut-in. */
function targetActivity (conditions: Conditions, standstill: boolean): number {
  return standstill ? 0 : clamp((conditions.wind - CUT_IN_MS + 0.4) / 0.8, 0, 1)
}

function regimeOf (conditions: Conditions, state: ControlState, available: number): Regime {
  if (conditions.stop) return 'stopped'
  if (state.sheltering) return 'cut-out'
  if (state.activity < 0.5) return 'idle'
  if (available > conditions.cap * RATED_POWER_KW) return conditions.cap < 1 ? 'curtailed' : 'rated'
  return available > 0.97 * RATED_POWER_KW ? 'rated' : 'partial-load'
}

/** The operation over one sampling interval: power in kW, rotor speed in rpm, pitch in degrees. Updates `state`. */
export function control (state: ControlState, conditions: Conditions): Operation {
  state.sheltering = conditions.wind > CUT_OUT_MS || (state.sheltering && conditions.wind > RESTART_MS)
  const standstill = conditions.stop || state.sheltering
  // A stop or start falls inside the interval, so the mean mixes both states.
  state.activity += 0.8 * (targetActivity(conditions, standstill) - state.activity)
  const { activity } = state
  const used = conditions.wind * (1 - conditions.aeroLoss)
  // Power is proportional to density: as at a wind speed scaled by its cube root, here by the first-order expansion.
  const available = powerCurve(used * (2 + conditions.density) / 3) * conditions.efficiency
  const allowed = Math.min(available, conditions.cap * RATED_POWER_KW, RATED_POWER_KW)
  const spill = available > 0 ? 1 - allowed / available : 0
  const idleRotor = standstill ? 0 : 0.35 * Math.min(conditions.wind, 4)
  const idlePitch = standstill ? STANDSTILL_PITCH_DEG : IDLE_PITCH_DEG
  const steered = Math.max(interpolate(PITCH_DEG, used), 9 * spill) + conditions.pitchOffset
  return {
    power: activity * allowed,
    rotor: activity * interpolate(ROTOR_RPM, used) * (1 - 0.1 * spill * clamp(2 * spill, 0, 1)) +
      (1 - activity) * idleRotor,
    pitch: activity * steered + (1 - activity) * idlePitch,
    activity,
    regime: regimeOf(conditions, state, available),
  }
}
