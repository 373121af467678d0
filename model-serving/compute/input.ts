// What every request comes down to, whatever its media type, and the checks that all of them share.
import { type DetectorModel } from '../../core/detection.ts'
import { Problem } from '../../core/errors.ts'
import { type ChannelQuality } from '../../core/resample.ts'
import { type Series, timeOf } from '../../core/series.ts'
import { type ComputeOptions } from './options.ts'
import { isInstant } from './times.ts'

/** A posted series on the model's grid, its channels in the model's order. */
export interface PostedSeries {
  readonly series: Series
  /** One entry a channel. */
  readonly quality: readonly ChannelQuality[]
}

/** A request before its model is known. */
export interface ComputeInput {
  /** Name of the wanted model; undefined: the one with exactly these channels. */
  readonly model: string | undefined
  readonly channels: readonly string[]
  /** Whether every observation came with its time. */
  readonly timestamped: boolean
  readonly options: ComputeOptions
  /** @throws Problem where the series does not suit the model */
  toSeries (model: DetectorModel, maxValues: number): PostedSeries
}

/** @throws Problem series-too-long or series-too-short */
export function checkLength (model: DetectorModel, observations: number, maxValues: number): void {
  const limit = maxObservations(model, maxValues)
  if (observations > limit) {
    throw new Problem('series-too-long', `The series has ${observations} observations of ${model.channels.length} channels; at most ${maxValues} values, ` +
      `that is ${limit} observations, are scored in one request. Send the series in parts that overlap by a window.`, { extensions: { limit, got: observations } })
  }
  if (observations < model.windowLength) {
    throw new Problem('series-too-short', `The series has ${observations} observations; the model needs at least ${model.windowLength}, its window. Send a longer series.`,
      { extensions: { needed: model.windowLength, got: observations } })
  }
}

/** @throws Problem invalid-timestamp where an answer could not name the series' times */
export function checkTimes (series: Series): void {
  if (isInstant(series.start) && isInstant(timeOf(series, series.length - 1))) return
  throw new Problem('invalid-timestamp', 'The series must lie between the years 0 and 9999, both included; check its first and last time, and the format of the timestamps.')
}

export function maxObservations (model: DetectorModel, maxValues: number): number {
  return Math.floor(maxValues / model.channels.length)
}
