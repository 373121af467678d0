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

/** Observation t as a view of `series.values`, shape [channels]. */
export function observation (series: Series, t: number): Float64Array {
  const width = series.channels.length
  return series.values.subarray(t * width, (t + 1) * width)
}

/** Time of observation t, milliseconds since the epoch. */
export function timeOf (series: Pick<Series, 'start' | 'interval'>, t: number): number {
  return series.start + t * series.interval
}

/** Observations [from, to) as a series of their own (a view). */
export function slice (series: Series, from: number, to: number): Series {
  const width = series.channels.length
  return {
    ...series,
    start: timeOf(series, from),
    length: to - from,
    values: series.values.subarray(from * width, to * width),
  }
}

/** One channel as an array, shape [length]. */
export function channelValues (series: Series, c: number): Float64Array {
  const width = series.channels.length
  const column = new Float64Array(series.length)
  for (let t = 0; t < series.length; t++) column[t] = series.values[t * width + c]!
  return column
}

/**
 * A series from columns of equal length; `null` and NaN are missing.
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
 * A channel without any value leaves every observation unscored; that is said, not answered with nothing.
 * @throws Problem missing-channel naming the empty channels
 */
export function checkObserved (series: Series): void {
  const empty = emptyChannels([series])
  if (empty.length === 0) return
  throw new Problem(
    'missing-channel',
    `${quoted(empty)} has no value at all, so that nothing can be scored; send its values, or use a model without it.`,
    {
      items: empty.map((channel) => ({ pointer: pointer('channels', channel), detail: 'no value' })),
      extensions: { missing: empty, expected: series.channels },
    }
  )
}

/** Names of the channels that have no value in any of the series. */
export function emptyChannels (series: readonly Series[]): string[] {
  return (series[0]?.channels ?? []).filter((_, c) => series.every(({ values, channels }) => {
    for (let i = c; i < values.length; i += channels.length) if (!Number.isNaN(values[i]!)) return false
    return true
  }))
}

/**
 * The series with exactly the named channels, in that order.
 * @throws Problem unknown-channel or missing-channel
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
