// Series: channels on a regular time grid. Knows nothing of files, models or scores.
import { pointer, Problem } from '../errors.ts'
import { checkChannels, quoted } from '../table/channels.ts'

/** Channels × a regular grid; a missing value is NaN. */
export interface Series {
  /** Channel names, unique, in the order of the columns of `values`. */
  readonly channels: readonly string[]
  /** Time of the first observation, milliseconds since the epoch (UTC). */
  readonly start: number
  /** Sampling interval in milliseconds. */
  readonly interval: number
  /** Number of observations. */
  readonly length: number
  /** Observations one after another: value of channel c at observation t is `values[t * channels.length + c]`. */
  readonly values: Float64Array
}

/**
 * Observation t as a view of `series.values`, shape [channels].
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, 2], b: [3, 4] } })
 * observation(series, 1) // [2, 4]
 */
export function observation (series: Series, t: number): Float64Array {
  const width = series.channels.length
  return series.values.subarray(t * width, (t + 1) * width)
}

/**
 * Time of observation t, milliseconds since the epoch.
 * @example
 * timeOf({ start: 5000, interval: 1000 }, 2) // 7000
 */
export function timeOf (series: Pick<Series, 'start' | 'interval'>, t: number): number {
  return series.start + t * series.interval
}

/**
 * Observations [from, to) as a series (a view).
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, 2, 3] } })
 * slice(series, 1, 3).values // [2, 3]
 * slice(series, 1, 3).start // 1000
 */
export function slice (series: Series, from: number, to: number): Series {
  const width = series.channels.length
  return {
    ...series,
    start: timeOf(series, from),
    length: to - from,
    values: series.values.subarray(from * width, to * width),
  }
}

/**
 * One channel as an array, shape [length].
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, 2], b: [3, 4] } })
 * channelValues(series, 1) // [3, 4]
 */
export function channelValues (series: Series, c: number): Float64Array {
  const width = series.channels.length
  const column = new Float64Array(series.length)
  for (let t = 0; t < series.length; t++) column[t] = series.values[t * width + c]!
  return column
}

/**
 * A series from columns of equal length; `null` and NaN mean missing.
 * @example
 * fromColumns({ start: 0, interval: 60_000, columns: { temp_c: [20, null, 21] } }).length // 3
 */
export function fromColumns (
  input: { start: number, interval: number, columns: Readonly<Record<string, ArrayLike<number | null>>> }
): Series {
  const channels = Object.keys(input.columns)
  const columns = Object.values(input.columns)
  const length = columns[0]?.length ?? 0
  const values = new Float64Array(length * channels.length)
  columns.forEach((column, c) => {
    for (let t = 0; t < length; t++) values[t * channels.length + c] = column[t] ?? NaN
  })
  return { channels, start: input.start, interval: input.interval, length, values }
}

/**
 * Refuses a series with an empty channel, because it has no scores at all.
 * @throws Problem missing-channel naming the empty channels
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, 2], b: [null, null] } })
 * checkObserved(series) // throws missing-channel
 */
export function checkObserved (series: Series): void {
  const empty = emptyChannels([series])
  if (empty.length === 0) return
  throw new Problem(
    'missing-channel',
    `${quoted(empty)} has no value at all, so nothing can be scored; send its values, or use a model without it.`,
    {
      items: empty.map((channel) => ({ pointer: pointer('channels', channel), detail: 'no value' })),
      extensions: { missing: empty, expected: series.channels },
    }
  )
}

/**
 * Names of the channels that have no value in any of the series.
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, 2], b: [null, null] } })
 * emptyChannels([series]) // ['b']
 */
export function emptyChannels (series: readonly Series[]): string[] {
  return (series[0]?.channels ?? []).filter((_, c) => series.every(({ values, channels }) => {
    for (let i = c; i < values.length; i += channels.length) if (!Number.isNaN(values[i]!)) return false
    return true
  }))
}

/**
 * The series with exactly the named channels, in that order.
 * @throws Problem unknown-channel or missing-channel
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, 2], b: [3, 4] } })
 * selectChannels(series, ['b', 'a']).values // [3, 1, 4, 2]
 * selectChannels(series, ['a']) // throws unknown-channel
 */
export function selectChannels (series: Series, channels: readonly string[]): Series {
  checkChannels(series.channels, channels)
  const from = channels.map((name) => series.channels.indexOf(name))
  if (from.every((column, c) => column === c)) return series
  const width = channels.length
  const values = new Float64Array(series.values.length)
  for (let t = 0; t < series.length; t++) {
    from.forEach((column, c) => {
      values[t * width + c] = series.values[t * width + column]!
    })
  }
  return { ...series, channels, values }
}
