// Golden scores: proof that a model gives the same scores wherever it is loaded.
import type { DetectorModel } from '../detector/model.ts'
import { detectCausal } from '../detector/detector.ts'
import { Problem } from '../errors.ts'
import { detectBatch } from '../detector/hindsight.ts'
import type { Autoencoder } from '../scoring/reconstruction-error.ts'
import { channelValues, fromColumns, type Series } from '../series/series.ts'
import type { Golden } from './manifest.ts'

/** The golden scores alone: they and the probes are proved one after the other. */
type GoldenScores = Omit<Golden, 'probes'>

/**
 * Largest relative difference between backends, which add 32-bit numbers in different orders. Differences are relative
 * to the golden score, at least LEAST_SCORE.
 */
const GOLDEN_TOLERANCE = 1e-4
const LEAST_SCORE = 0.01

const toJson = (values: Float64Array): Array<number | null> =>
  Array.from(values, (value) => Number.isNaN(value) ? null : value)

/**
 * Scores a series by both scorings, to store the result beside the weights.
 * @example
 * const wave = Array.from({ length: 300 }, (_, t) => Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * makeGolden(model, autoencoders, slice(series, 0, 3)).causal // [null, null, null]
 */
export function makeGolden (model: DetectorModel, autoencoders: readonly Autoencoder[], series: Series): GoldenScores {
  return {
    start: series.start,
    values: Object.fromEntries(series.channels.map((name, c) => [name, toJson(channelValues(series, c))])),
    causal: toJson(detectCausal(model, autoencoders, series).score),
    batch: toJson(detectBatch(model, autoencoders, series).score),
  }
}

/**
 * Scores the golden series again and compares the scores.
 * @returns the largest relative difference, |a − b| / |b|
 * @throws Problem golden-scores-differ beyond GOLDEN_TOLERANCE, or if other observations are scored
 * @example
 * const wave = Array.from({ length: 60 }, (_, t) => Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * reproduceGolden(model, autoencoders, makeGolden(model, autoencoders, series)) // 0
 */
export function reproduceGolden (
  model: DetectorModel,
  autoencoders: readonly Autoencoder[],
  golden: GoldenScores
): number {
  const columns = Object.fromEntries(model.channels.map((name) => [name, golden.values[name] ?? []]))
  const series = fromColumns({ start: golden.start, interval: model.interval, columns })
  const largest = Math.max(
    difference(detectCausal(model, autoencoders, series).score, golden.causal),
    difference(detectBatch(model, autoencoders, series).score, golden.batch)
  )
  if (largest <= GOLDEN_TOLERANCE) return largest
  throw new Problem(
    'golden-scores-differ',
    `The model's golden scores differ by ${largest.toExponential(1)} here (at most ${GOLDEN_TOLERANCE} is allowed); ` +
      'the package is damaged, or this backend computes wrongly: try TFJS_BACKEND=wasm, or train again.'
  )
}

function difference (scores: Float64Array, golden: ReadonlyArray<number | null>): number {
  if (scores.length !== golden.length) return Infinity
  return golden.reduce<number>((largest, wanted, t) => {
    const score = scores[t]!
    if (wanted === null || Number.isNaN(score)) return wanted === null && Number.isNaN(score) ? largest : Infinity
    return Math.max(largest, Math.abs(score - wanted) / Math.max(LEAST_SCORE, Math.abs(wanted)))
  }, 0)
}
