// What every request comes down to, whatever its media type, and the checks that all of them share.
import { Problem } from '../../../core/errors.ts'
import type { ChannelQuality } from '../../../core/series/resample.ts'
import { type Series, timeOf } from '../../../core/series/series.ts'
import type { ComputeOptions } from './options.ts'
import { isInstant } from './times.ts'

/** A posted series on the model's grid, its channels in the model's order. */
export interface PostedSeries {
  readonly series: Series
  /** One entry a channel. */
  readonly quality: readonly ChannelQuality[]
}

/** What a posted series must be like for a model. */
export interface WantedSeries {
  readonly channels: readonly string[]
  /** In milliseconds; undefined: whatever the series has. */
  readonly interval: number | undefined
  /** Fewest observations. */
  readonly least: number
  /** What needs that many, for errors. */
  readonly because: string
}

/** A request before its model is known. */
export interface ComputeInput {
  /** Name of the wanted model; undefined: the one with exactly these channels. */
  readonly model: string | undefined
  readonly channels: readonly string[]
  /** Whether every observation came with its time. */
  readonly timestamped: boolean
  /** Whether none did: their times are made up. */
  readonly numbered: boolean
  readonly options: ComputeOptions
  /** @throws Problem where the series does not suit the model */
  toSeries (wanted: WantedSeries, maxValues: number): PostedSeries
}

/** @throws Problem series-too-long or series-too-short */
export function checkLength (wanted: WantedSeries, observations: number, maxValues: number): void {
  const limit = maxObservations(wanted, maxValues)
  if (observations > limit) {
    throw new Problem(
      'series-too-long',
      `The series has ${observations} observations of ${wanted.channels.length} channels; at most ${maxValues} values, ` +
        `that is ${limit} observations, are scored in one request. Send the series in parts that overlap by a window.`,
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

/** @throws Problem invalid-timestamp where an answer could not name the series' times */
export function checkTimes (series: Series): void {
  if (isInstant(series.start) && isInstant(timeOf(series, series.length - 1))) return
  throw new Problem(
    'invalid-timestamp',
    'The series must lie between the years 0 and 9999, both included; check its first and last time, and the format of the timestamps.'
  )
}

export function maxObservations ({ channels }: Pick<WantedSeries, 'channels'>, maxValues: number): number {
  return Math.floor(maxValues / channels.length)
}
