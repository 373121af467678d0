// Irregular rows → a series on a regular grid: sorted, deduplicated, snapped to the nearest grid time. No value is
// invented.
import type { Table } from '../table/csv.ts'
import { formatDuration } from '../table/duration.ts'
import { pointer, Problem } from '../errors.ts'
import type { Series } from './series.ts'

interface ResampleOptions {
  /** Sampling interval of the grid in milliseconds. Default: inferInterval(). */
  readonly interval?: number | undefined
  /** strict refuses timestamps that do not ascend; repair sorts them and merges those of one grid time. */
  readonly order: 'strict' | 'repair'
  /** Longest grid, in observations. */
  readonly maxObservations: number
}

/** Missing, repeated and late values of one channel. */
export interface ChannelQuality {
  /** Grid times without a value. */
  readonly missing: number
  /** Values for a grid time that already had one; the last value counts. */
  readonly duplicates: number
  /** Values that came after a value of a later time. */
  readonly outOfOrder: number
}

interface Resampled {
  readonly series: Series
  /** One entry for each channel. */
  readonly quality: readonly ChannelQuality[]
}

/** Intervals that clocks and historians use, in milliseconds. A jittered median is rounded to one of them. */
const USUAL_INTERVALS = [
  1, 2, 5, 10, 20, 50, 100, 200, 250, 500,
  ...[1, 2, 5, 10, 15, 20, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 4, 6, 8, 12, 24, 168].map((hours) => hours * 3_600_000),
]

/** Share of the interval by which jitter may move a median or an origin. */
const JITTER = 0.05

/**
 * The sampling interval of the times: their median distance, rounded to a usual interval if one is near.
 * @param timestamps milliseconds, in any order
 * @returns NaN for fewer than two distinct times
 * @example
 * inferInterval(Float64Array.of(0, 59_800, 120_100)) // 60000
 * inferInterval(Float64Array.of(5)) // NaN
 */
export function inferInterval (timestamps: Float64Array): number {
  const sorted = firstBack(timestamps) < 0 ? timestamps : timestamps.slice().sort()
  const between = new Float64Array(sorted.length)
  let count = 0
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]! > sorted[i - 1]!) between[count++] = sorted[i]! - sorted[i - 1]!
  }
  if (count === 0) return NaN
  const distances = between.subarray(0, count).sort()
  const median = distances[distances.length >> 1]!
  return USUAL_INTERVALS.find((usual) => Math.abs(usual - median) <= JITTER * usual) ?? Math.round(median)
}

/**
 * Puts a table's rows on a regular grid.
 * @throws Problem timestamps-not-ascending (strict: times do not ascend, or two rows share a grid time),
 * interval-mismatch (not the wanted interval, or too few times to find one), series-too-long
 * @example
 * const table = readTable('time,a\n2026-01-01T00:00:20Z,1\n2026-01-01T00:00:00Z,0\n2026-01-01T00:00:10Z,2')
 * resample(table, { order: 'repair', maxObservations: 100 }).series.values // [0, 2, 1]
 * resample(table, { order: 'strict', maxObservations: 100 }) // throws timestamps-not-ascending
 */
export function resample (table: Table, options: ResampleOptions): Resampled {
  const order = rowOrder(table.timestamps, options.order)
  const interval = chooseInterval(table.timestamps, options.interval)
  const times = new Float64Array(order.length)
  for (let i = 0; i < order.length; i++) times[i] = table.timestamps[order[i]!]!
  const start = gridOrigin(times, interval)
  const length = Math.round((times[times.length - 1]! - start) / interval) + 1
  if (length > options.maxObservations) {
    throw new Problem(
      'series-too-long',
      `From first to last time there are ${length} sampling intervals, more than the limit of ` +
        `${options.maxObservations}; ` +
        'check the timestamps, or send the series in parts.',
      { extensions: { limit: options.maxObservations, got: length } }
    )
  }
  const channels = table.channels.length
  const values = new Float64Array(length * channels).fill(NaN)
  const duplicates = table.channels.map(() => 0)
  let before = -1
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!
    const t = Math.round((times[i]! - start) / interval)
    if (t === before && options.order === 'strict') throw sameGridTime(row, interval)
    before = t
    for (let c = 0; c < channels; c++) {
      const value = table.values[row * channels + c]!
      if (Number.isNaN(value)) continue
      if (!Number.isNaN(values[t * channels + c]!)) duplicates[c]!++
      values[t * channels + c] = value
    }
  }
  const late = outOfOrder(table)
  const quality = table.channels.map((_, c) => ({
    missing: countMissing(values, channels, c),
    duplicates: duplicates[c]!,
    outOfOrder: late[c]!,
  }))
  return { series: { channels: table.channels, start, interval, length, values }, quality }
}

function chooseInterval (timestamps: Float64Array, wanted: number | undefined): number {
  const found = inferInterval(timestamps)
  const interval = wanted ?? found
  if (Number.isNaN(interval)) {
    throw new Problem(
      'interval-mismatch',
      'The sampling interval cannot be found from fewer than two times; post more rows.'
    )
  }
  if (Number.isNaN(found) || Math.abs(found - interval) <= 2 * JITTER * interval) return interval
  throw new Problem(
    'interval-mismatch',
    `The times are ${formatDuration(found)} apart, but the sampling interval is to be ${formatDuration(interval)}; ` +
      'resample the series to that, or use a model of its interval.',
    { extensions: { got: formatDuration(found), want: formatDuration(interval) } }
  )
}

/** First row whose time is not after that of the row before; −1 if the times ascend. */
function firstBack (timestamps: Float64Array): number {
  for (let row = 1; row < timestamps.length; row++) if (timestamps[row]! <= timestamps[row - 1]!) return row
  return -1
}

/** Rows in order of time; of equal times the later row comes last, so its values count. */
function rowOrder (timestamps: Float64Array, order: ResampleOptions['order']): Uint32Array {
  const rows = new Uint32Array(timestamps.length)
  for (let row = 0; row < rows.length; row++) rows[row] = row
  const back = firstBack(timestamps)
  if (back < 0) return rows
  if (order === 'repair') return rows.sort((a, b) => timestamps[a]! - timestamps[b]! || a - b)
  throw new Problem(
    'timestamps-not-ascending',
    `The timestamp at index ${back} is not after the one before it; sort them, or set options.timestamps to "repair".`,
    {
      items: [{ pointer: pointer('timestamps', back), detail: 'not after the one before' }],
      extensions: { index: back },
    }
  )
}

function sameGridTime (index: number, interval: number): Problem {
  return new Problem(
    'timestamps-not-ascending',
    `The timestamp at index ${index} and the one before it fall on one observation of the grid of ` +
      `${formatDuration(interval)}; ` +
      'leave one out, or set options.timestamps to "repair".',
    {
      items: [{ pointer: pointer('timestamps', index), detail: 'on the same grid time as the one before' }],
      extensions: { index },
    }
  )
}

/** First grid time: the rows' median offset from the grid is 0. A multiple of the interval if jitter allows it. */
function gridOrigin (times: Float64Array, interval: number): number {
  const first = times[0]!
  const offsets = times.map((time) => time - first - Math.round((time - first) / interval) * interval).sort()
  const origin = first + offsets[offsets.length >> 1]!
  const multiple = Math.round(origin / interval) * interval
  return Math.abs(origin - multiple) <= JITTER * interval ? multiple : origin
}

function outOfOrder ({ timestamps, values, channels }: Table): number[] {
  const counts = channels.map(() => 0)
  let latest = -Infinity
  timestamps.forEach((time, row) => {
    if (time < latest) {
      for (let c = 0; c < counts.length; c++) if (!Number.isNaN(values[row * counts.length + c]!)) counts[c]!++
    }
    latest = Math.max(latest, time)
  })
  return counts
}

/**
 * Number of missing values of channel c in values of shape [length × channels].
 * @example
 * countMissing(Float64Array.of(1, NaN, 2, NaN), 2, 1) // 2
 */
export function countMissing (values: Float64Array, channels: number, c: number): number {
  let missing = 0
  for (let i = c; i < values.length; i += channels) if (Number.isNaN(values[i]!)) missing++
  return missing
}
