// The common form of all requests, whatever their media type, and their common checks.
import { Problem } from '../../../core/errors.ts'
import type { ChannelQuality } from '../../../core/series/resample.ts'
import { type Series, timeOf } from '../../../core/series/series.ts'
import type { ComputeOptions } from './options.ts'
import { isInstant } from './times.ts'

/** A posted series on the model's grid, its channels in the model's order. */
export interface PostedSeries {
  readonly series: Series
  /** One entry per channel. */
  readonly quality: readonly ChannelQuality[]
}

/** What a model needs of a posted series. */
export interface WantedSeries {
  readonly channels: readonly string[]
  /** In milliseconds; undefined: the interval of the series. */
  readonly interval: number | undefined
  /** Fewest observations. */
  readonly least: number
  /** Clause of the error that says why that many are needed. */
  readonly because: string
}

/** A request before its model is known. */
export interface ComputeInput {
  /** Name of the requested model; undefined: the model with exactly these channels. */
  readonly model: string | undefined
  readonly channels: readonly string[]
  /** Whether every observation came with its time. */
  readonly timestamped: boolean
  /** Whether none did: all times are made up. */
  readonly numbered: boolean
  readonly options: ComputeOptions
  /** @throws Problem if the series does not suit the model */
  toSeries (wanted: WantedSeries, maxValues: number): PostedSeries
}

/** @throws Problem series-too-long or series-too-short */
export function checkLength (wanted: WantedSeries, observations: number, maxValues: number): void {
  const limit = maxObservations(wanted, maxValues)
  if (observations > limit) {
    throw new Problem(
      'series-too-long',
      `The series has ${observations} observations of ${wanted.channels.length} channels; at most ${maxValues} ` +
        `values, that is ${limit} observations, are scored in one request. Send the series in parts that overlap by ` +
        'a window.',
      { extensions: { limit, got: observations } }
    )
  }
  if (observations < wanted.least) {
    throw new Problem(
      'series-too-short',
      `The series has ${observations} observations; ${wanted.because}. Send a longer series.`,
      { extensions: { needed: wanted.least, got: observations } }
    )
  }
}

/** @throws Problem invalid-timestamp if RFC 3339 cannot write a time of the series */
export function checkTimes (series: Series): void {
  if (isInstant(series.start) && isInstant(timeOf(series, series.length - 1))) return
  throw new Problem(
    'invalid-timestamp',
    'The series must lie between the years 0 and 9999, both included; check its first and last time, and the format ' +
      'of the timestamps.'
  )
}

export function maxObservations ({ channels }: Pick<WantedSeries, 'channels'>, maxValues: number): number {
  return Math.floor(maxValues / channels.length)
}
