// Turns a clean series into a historian's export: missing values, gaps, jitter, duplicate and late rows.
import type { Random } from '../core/random.ts'
import { timeOf, type Series } from '../core/series/series.ts'
import { STEPS_PER_HOUR } from './channels.ts'

/**
 * One recorded row: a time in whole seconds, as milliseconds since the epoch, and one value per channel (NaN =
 * missing).
 */
export interface Row {
  readonly time: number
  readonly values: Float64Array
}

interface DirtRates {
  /** Share of single values that are missing. */
  readonly missing: number
  /** Runs of missing values in one channel, per 1000 rows. */
  readonly runs: number
  /** Gaps in which whole rows are absent (20 min to 6 h), per 1000 rows. */
  readonly gaps: number
  /** Share of rows whose time is off the grid. */
  readonly jittered: number
  /** Farthest such time, in seconds. */
  readonly jitterSeconds: number
  /** Share of rows recorded twice, half of them with another time. */
  readonly duplicated: number
  /** Share of rows that arrive after one to three later ones. */
  readonly late: number
}

export const DIRT_DEFAULTS: DirtRates = {
  missing: 0.003,
  runs: 0.5,
  gaps: 0.45,
  jittered: 0.9,
  jitterSeconds: 60,
  duplicated: 0.003,
  late: 0.003,
}

/** Starts of `per1000` events per 1000 rows, one in each of equally long parts of the series. */
function starts (random: Random, length: number, per1000: number): number[] {
  const count = Math.round(length * per1000 / 1000)
  return Array.from({ length: count }, (_, i) => Math.floor((i + random.uniform()) * length / count))
}

/** Marks with 1 the observations that are absent altogether. */
function drawGaps (random: Random, length: number, rate: number): Uint8Array {
  const absent = new Uint8Array(length)
  for (const from of starts(random, length, rate)) {
    // Short gaps are common, long ones rare.
    const share = random.uniform()
    absent.fill(1, from, from + 2 + Math.floor(share * share * (6 * STEPS_PER_HOUR - 1)))
  }
  return absent
}

/** A copy of the values with single values and short runs (30 min to 3 h) of one channel missing. */
function drop (random: Random, series: Series, rates: DirtRates): Float64Array {
  const width = series.channels.length
  const values = series.values.map((value) => random.uniform() < rates.missing ? NaN : value)
  for (const from of starts(random, series.length, rates.runs)) {
    const c = random.integer(width)
    const to = Math.min(series.length, from + 3 + random.integer(16))
    for (let t = from; t < to; t++) values[t * width + c] = NaN
  }
  return values
}

/** Lets some rows arrive after one to three later ones. */
function delay (random: Random, rows: readonly Row[], share: number): Row[] {
  const keyed = rows.map((row, i) => ({ row, place: i + (random.uniform() < share ? 1.5 + random.integer(3) : 0) }))
  return keyed.sort((a, b) => a.place - b.place).map(({ row }) => row)
}

/**
 * The rows that a historian would export of `series`. Rounding all times to the grid, sorting and dropping repeats
 * gives the series back, except for missing values.
 * @example
 * addDirt(turbine.series, createRandom('dirt')).length // a little under turbine.series.length
 */
export function addDirt (series: Series, random: Random, rates: DirtRates = DIRT_DEFAULTS): Row[] {
  const width = series.channels.length
  const values = drop(random.fork('missing'), series, rates)
  const absent = drawGaps(random.fork('gaps'), series.length, rates.gaps)
  const clock = random.fork('clock')
  const repeats = random.fork('repeats')
  const stray = (t: number): number =>
    timeOf(series, t) + 1000 * (clock.integer(2 * rates.jitterSeconds + 1) - rates.jitterSeconds)
  const rows: Row[] = []
  for (let t = 0; t < series.length; t++) {
    if (absent[t]) continue
    const row = {
      time: clock.uniform() < rates.jittered ? stray(t) : timeOf(series, t),
      values: values.slice(t * width, (t + 1) * width),
    }
    rows.push(row)
    if (repeats.uniform() < rates.duplicated) rows.push(repeats.uniform() < 0.5 ? row : { ...row, time: stray(t) })
  }
  return delay(random.fork('late'), rows, rates.late)
}
