// The wind farm as an endless fleet: simulated stretch by stretch, each continuing the previous one.
import { createRandom, type Random } from '../../core/random.ts'
import { slice } from '../../core/series/series.ts'
import { CHANNELS, SAMPLING_INTERVAL_MS, STEPS_PER_DAY } from '../../simulator/channels.ts'
import { addDirt, type Row } from '../../simulator/dirt.ts'
import { farmOrders, turbineOrders } from '../../simulator/operations.ts'
import { simulateTurbine } from '../../simulator/turbine.ts'
import { simulateWeather, type Weather } from '../../simulator/weather.ts'
import { type PlannedFault, planFaults, type PlanOptions } from './fault-plan.ts'

/** Observations of one series for some time. */
export interface Part {
  readonly series: string
  readonly channels: readonly string[]
  /** In the order of arrival; times in milliseconds since 1970, NaN is missing. */
  readonly rows: readonly Row[]
}

/** Observations of all series for some time. */
export type Stretch = readonly Part[]

export interface FleetOptions extends Pick<PlanOptions, 'mode' | 'ordered'> {
  readonly seed: string
  readonly series: number
  /** Time of the first observation, milliseconds since 1970; on the grid. */
  readonly start: number
  /** Milliseconds before live play begins. */
  readonly history: number
  /** Whether observations have gaps, are off the grid, and come twice or late. */
  readonly dirt: boolean
  /** Days of a stretch. Default: twenty; less with many turbines. */
  readonly days?: number
  /** Called with each fault of a stretch before the stretch is played. */
  readonly onFault?: (fault: PlannedFault & { readonly start: number, readonly end: number }) => void
  /** Awaited between two turbines, so that other work can run. */
  readonly pause: () => Promise<unknown>
}

/** Number of turbines of a farm for which the simulator has names. */
const FARM_SIZE = 99
export const MOST_SERIES = 1000

/** Observations simulated before a stretch, so that its temperatures continue those of the previous one. */
const LEAD = STEPS_PER_DAY

/** Twenty days have one storm. With many turbines, stretches are shorter: all turbines are in memory. */
const daysOf = (series: number): number => Math.max(2, Math.min(20, Math.floor(800 / series)))

const two = (n: number): string => String(n).padStart(2, '0')

/** `T01`, `T02`, …; from the hundredth on, turbines belong to further farms: `F02-T01`, … */
export function seriesNames (count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => `${i < FARM_SIZE ? '' : `F${two(Math.floor(i / FARM_SIZE) + 1)}-`}T${two(i % FARM_SIZE + 1)}`
  )
}

const farmOf = (series: string): string => /^F\d+(?=-)/.exec(series)?.[0] ?? 'F01'

/** Never ends. Equal options give equal fleets. */
export async function * fleet (options: FleetOptions): AsyncGenerator<Stretch> {
  const names = seriesNames(options.series)
  const length = (options.days ?? daysOf(options.series)) * STEPS_PER_DAY
  const random = createRandom(options.seed)
  const history = Math.ceil(options.history / SAMPLING_INTERVAL_MS)
  const plan = planFaults({
    ...options,
    series: names,
    history,
    windy: isWindy(weatherOf(random.fork('weather/F01/0'), length, undefined), history),
    interval: SAMPLING_INTERVAL_MS,
    random: random.fork('plan'),
  })
  const farms = new Map<string, Weather>()
  let left = [] as PlannedFault[]
  for (let k = 0; ; k++) {
    const from = k * length
    const faults = [...left, ...takeUntil(plan, from + length)].map((fault) => fitted(fault, from, length))
    // A fault that would cross the end of the stretch begins with the next one.
    left = faults.filter((fault) => fault.from >= from + length)
    const now = faults.filter((fault) => fault.from < from + length)
    for (const fault of now) {
      options.onFault?.({ ...fault, start: timeAt(options, fault.from), end: timeAt(options, fault.to) })
    }
    for (const farm of new Set(names.map(farmOf))) {
      farms.set(farm, weatherOf(random.fork(`weather/${farm}/${k}`), length, farms.get(farm)))
    }
    const parts: Part[] = []
    for (const series of names) {
      const faultsOfIt = now.filter((fault) => fault.series === series).map((fault) => ({
        ...fault,
        from: fault.from - from + LEAD,
        to: fault.to - from + LEAD,
      }))
      parts.push(partOf(options, { series, k, length, faults: faultsOfIt, weather: farms.get(farmOf(series))! }))
      await options.pause()
    }
    yield parts
  }
}

/** Whether rotors turn for three hours after the history. Only the first stretch is known. */
const isWindy = ({ wind }: Weather, history: number): boolean =>
  wind.subarray(LEAD + history, LEAD + history + 18).every((speed) => speed > 5)

const timeAt = ({ start }: FleetOptions, n: number): number => start + n * SAMPLING_INTERVAL_MS

/** Draws from the endless plan. The last fault may be beyond the stretch: the next one uses it. */
function takeUntil (plan: Generator<PlannedFault>, end: number): PlannedFault[] {
  const taken: PlannedFault[] = []
  for (let next = plan.next(); next.done !== true; next = plan.next()) {
    taken.push(next.value)
    if (next.value.from >= end) break
  }
  return taken
}

function fitted (fault: PlannedFault, from: number, length: number): PlannedFault {
  if (fault.from >= from + length || fault.to < from + length) return fault
  return { ...fault, from: from + length, to: fault.to + from + length - fault.from }
}

/** Begins with the last day of the previous weather, and changes to new weather within a quarter of a day. */
function weatherOf (random: Random, length: number, before: Weather | undefined): Weather {
  const own = simulateWeather(random, LEAD + length)
  if (before === undefined) return own
  const joined = (name: keyof Weather): Float64Array => own[name].map((value, t) => {
    if (t < LEAD) return before[name][length + t]!
    const share = Math.min(1, (t - LEAD + 1) / (STEPS_PER_DAY / 4))
    return share * value + (1 - share) * before[name][LEAD + length - 1]!
  })
  return { wind: joined('wind'), ambient: joined('ambient') }
}

interface PartOptions {
  readonly series: string
  readonly k: number
  readonly length: number
  readonly faults: readonly PlannedFault[]
  readonly weather: Weather
}

function partOf ({ seed, start, dirt }: FleetOptions, { series, k, length, faults, weather }: PartOptions): Part {
  const farm = farmOf(series)
  // The turbines of the first farm are those of the training data. Weather and orders are new.
  const individual = createRandom(farm === 'F01' ? seed : `${seed}/${farm}`).fork(series.slice(-3)).fork('individual')
  const own = createRandom(seed).fork(`${series}/${k}`)
  const random: Random = { ...own, fork: (label) => label === 'individual' ? individual : own.fork(label) }
  const orders = turbineOrders(
    own.fork('orders'),
    farmOrders(createRandom(seed).fork(`${farm}/${k}/orders`), LEAD + length)
  )
  const begin = start + (k * length - LEAD) * SAMPLING_INTERVAL_MS
  const run = simulateTurbine({ random, weather, orders, faults, wear: () => 0, start: begin })
  const played = slice(run.series, LEAD, LEAD + length)
  return { series, channels: CHANNELS, rows: dirt ? addDirt(played, own.fork('dirt')) : rowsOf(played) }
}

function rowsOf ({ start, interval, values, length, channels: { length: width } }: ReturnType<typeof slice>): Row[] {
  return Array.from(
    { length },
    (_, t) => ({ time: start + t * interval, values: values.subarray(t * width, (t + 1) * width) as Float64Array })
  )
}
