// The whole farm: one weather, several turbines, and their labelled faults. Pure and seeded.
import { Problem } from '../core/errors.ts'
import { createRandom } from '../core/random.ts'
import { timeOf, type Series } from '../core/series/series.ts'
import { STEPS_PER_DAY, type Channel } from './channels.ts'
import type { Regime } from './controls.ts'
import { scheduleFaults } from './fault-schedule.ts'
import type { Fault, FaultType } from './faults.ts'
import { farmOrders, turbineOrders } from './operations.ts'
import { simulateTurbine, type TurbineInput } from './turbine.ts'
import { simulateWeather } from './weather.ts'

export interface WindFarmOptions {
  readonly seed: string
  readonly turbines: number
  readonly days: number
  /** Days at the beginning without any fault. */
  readonly trainingDays: number
  /** Occurrences of every fault type over the farm. */
  readonly faultsPerType: number
  /**
   * °C by which worn bearings run hotter at full load on the last day; grows evenly from the end of `trainingDays`. Not
   * a fault and not labelled.
   */
  readonly ageing: number
  /** Time of the first observation, milliseconds since the epoch; a midnight. */
  readonly start: number
}

/** The farm that `npm run data` writes. */
export const WIND_FARM_DEFAULTS: WindFarmOptions = {
  seed: 'wind-farm-6',
  turbines: 5,
  days: 120,
  trainingDays: 60,
  faultsPerType: 7,
  ageing: 0,
  start: Date.UTC(2026, 0, 1),
}

interface Turbine {
  /** `T01`, `T02`, … */
  readonly name: string
  readonly series: Series
  /** The true operating regime at every observation. */
  readonly regimes: readonly Regime[]
  readonly faults: readonly Fault[]
}

/** One labelled fault; times in milliseconds since the epoch, both inclusive. */
export interface FaultLabel {
  readonly turbine: string
  readonly fault: FaultType
  readonly channel: Channel
  readonly start: number
  readonly end: number
}

interface Farm {
  readonly turbines: readonly Turbine[]
  /** In the order of turbine and time. */
  readonly labels: readonly FaultLabel[]
}

function check (options: WindFarmOptions): void {
  const { turbines, days, trainingDays, faultsPerType } = options
  for (const [name, value] of Object.entries({ turbines, days, trainingDays, faultsPerType })) {
    if (!Number.isInteger(value) || value < 0) {
      throw new Problem('invalid-settings', `${name} must be a whole number, not ${value}`)
    }
  }
  if (!(options.ageing >= 0 && options.ageing <= 50)) {
    throw new Problem('invalid-settings', `ageing must be 0 to 50 °C, not ${options.ageing}`)
  }
  if (turbines < 1 || turbines > 99) throw new Problem('invalid-settings', `turbines must be 1 to 99, not ${turbines}`)
  if (days < trainingDays) {
    throw new Problem('invalid-settings', `days (${days}) must not be fewer than trainingDays (${trainingDays})`)
  }
}

/**
 * Simulates a farm at ten-minute means; equal options give equal farms on every machine.
 * Each turbine runs twice, first without faults: they are placed at times at which its own history lets them show.
 * @throws Problem `invalid-settings`
 * @example
 * simulateFarm({ ...WIND_FARM_DEFAULTS, turbines: 1, days: 3, trainingDays: 3 }).turbines[0].series.length // 432
 */
export function simulateFarm (options: Partial<WindFarmOptions> = {}): Farm {
  const settings = { ...WIND_FARM_DEFAULTS, ...options }
  check(settings)
  const length = settings.days * STEPS_PER_DAY
  const random = createRandom(settings.seed)
  const weather = simulateWeather(random.fork('weather'), length)
  const wear = wearFrom(settings.trainingDays * STEPS_PER_DAY, length, settings.ageing)
  const farm = farmOrders(random.fork('orders'), length)
  const names = Array.from({ length: settings.turbines }, (_, i) => `T${String(i + 1).padStart(2, '0')}`)
  const inputs = names.map((name): TurbineInput => {
    const own = random.fork(name)
    return {
      random: own,
      weather,
      orders: turbineOrders(own.fork('orders'), farm),
      faults: [],
      wear,
      start: settings.start,
    }
  })
  const healthy = inputs.map(simulateTurbine)
  const faults = scheduleFaults(
    random.fork('faults'),
    healthy,
    settings.trainingDays * STEPS_PER_DAY,
    settings.faultsPerType
  )
  const turbines = names.map((name, i): Turbine => {
    const own = faults[i]!
    return { name, faults: own, ...(own.length > 0 ? simulateTurbine({ ...inputs[i]!, faults: own }) : healthy[i]!) }
  })
  return { turbines, labels: turbines.flatMap(labelsOf) }
}

/** Wear: 0 until `from`, then rising evenly to `end` at the last observation. */
function wearFrom (from: number, length: number, end: number): (t: number) => number {
  return (t) => end * Math.max(0, t - from) / Math.max(1, length - from)
}

function labelsOf ({ name, series, faults }: Turbine): FaultLabel[] {
  return faults.map(({ type, channel, from, to }) => ({
    turbine: name,
    fault: type,
    channel,
    start: timeOf(series, from),
    end: timeOf(series, to),
  }))
}
