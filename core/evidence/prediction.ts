// Predictions of a value from others, by the masked linear autoencoder (core/linear/masked.ts): its weights for one
// value are the ridge regression of that value on all the others of the window.
import { fitMasked } from '../linear/masked.ts'
import { quantile } from '../quantile.ts'
import type { Prediction } from './model.ts'

/** λ as a share of the mean variance. */
const OWN_RIDGE = 0.03
const RELATION_RIDGE = 0.001
/** Most windows in a fit. */
const MOST_WINDOWS = 2000
/** The longest memory of a channel's own prediction, and its share of the training rows. */
const LONGEST_MEMORY = 16
const MEMORY_SHARE = 12
/** Residuals enter the prediction bounded by this many times the largest one of the fit. */
const LIMIT = 3

/** A prediction whose weights may lie in an array of any kind. */
type Weights = Omit<Prediction, 'weights'> & { readonly weights: ArrayLike<number> }

/** Runs of rows without a break: [from, to). */
export interface Span {
  readonly from: number
  readonly to: number
}

/** What a channel's own residuals predict, in both directions of time. */
interface OwnPrediction {
  readonly forward: Prediction
  readonly backward: Prediction
  readonly limit: number
}

/**
 * Bounds residuals for a fit, at 1.5 times their 99th percentile and at least 4: one outlier must not decide it.
 * @param included 1 for each residual that counts
 * @example
 * boundForFit(Float64Array.of(1, -1, 99), Uint8Array.of(1, 1, 0)) // [1, -1, 4]
 */
export function boundForFit (residuals: Float64Array, included: Uint8Array): Float64Array {
  const known = residuals.filter((_, t) => included[t] === 1).map(Math.abs)
  const most = Math.max(4, known.length === 0 ? 0 : 1.5 * quantile(known, 0.99))
  return residuals.map((value) => Math.max(-most, Math.min(most, value)))
}

/**
 * Memory of a channel's own prediction.
 * @example
 * memoryFor(60) // 5
 */
export const memoryFor = (rows: number): number =>
  Math.max(1, Math.min(LONGEST_MEMORY, Math.floor(rows / MEMORY_SHARE)))

/**
 * Fits what a channel's residuals predict about the next and the previous one.
 * @param bounded the result of boundForFit(), shape [rows]
 * @param included rows of windows that count; if there are too few such windows, all windows do
 * @param spans runs of rows without a break
 * @example
 * const wave = Float64Array.from({ length: 60 }, (_, t) => t % 2)
 * const { forward } = fitOwn(wave, new Uint8Array(60).fill(1), { spans: [{ from: 0, to: 60 }], memory: 1 })
 * forward.weights // [-0.97…]
 */
export function fitOwn (
  bounded: Float64Array,
  included: Uint8Array,
  { spans, memory }: { readonly spans: readonly Span[], readonly memory: number }
): OwnPrediction {
  const width = memory + 1
  const clean = windowStarts(spans, width, included)
  const starts = evenly(clean.length >= 3 * memory ? clean : windowStarts(spans, width, undefined), MOST_WINDOWS)
  const values = new Float32Array(starts.length * width)
  starts.forEach((from, i) => { values.set(bounded.subarray(from, from + width), i * width) })
  let largest = 0
  for (let t = 0; t < bounded.length; t++) largest = Math.max(largest, Math.abs(bounded[t]!))
  const { offset, weights } = fitMasked({ values, count: starts.length, width, channels: 1 }, OWN_RIDGE)
  const column = (j: number): number[] => Array.from({ length: width }, (_, i) => weights[i * width + j]!)
  return {
    forward: { offset: offset[memory]!, weights: column(memory).slice(0, memory) },
    backward: { offset: offset[0]!, weights: column(0).slice(1) },
    limit: LIMIT * largest,
  }
}

/** First rows of the windows that lie within a span and, unless `included` is undefined, hold included rows only. */
function windowStarts (spans: readonly Span[], width: number, included: Uint8Array | undefined): number[] {
  const starts: number[] = []
  for (const { from, to } of spans) {
    let clean = 0
    for (let t = from; t < to; t++) {
      clean = included === undefined || included[t] === 1 ? clean + 1 : 0
      if (clean >= width) starts.push(t - width + 1)
    }
  }
  return starts
}

function evenly (list: readonly number[], most: number): readonly number[] {
  if (list.length <= most) return list
  return Array.from({ length: most }, (_, i) => list[Math.floor(i * (list.length - 1) / (most - 1))]!)
}

/**
 * Fits what the other channels predict about each channel.
 * @param columns bounded values of each channel, shape [rows] each
 * @param included 1 for each row that counts
 * @returns one prediction for each channel; the weight of the channel itself is 0
 * @example
 * const a = Float64Array.of(1, 2, 3, 4)
 * fitRelation([a, a.map((value) => 2 * value)], Uint8Array.of(1, 1, 1, 1))[1].weights // [1.99…, 0]
 */
export function fitRelation (columns: readonly Float64Array[], included: Uint8Array): Prediction[] {
  const width = columns.length
  const rows: number[] = []
  included.forEach((value, t) => { if (value === 1) rows.push(t) })
  const chosen = evenly(rows, MOST_WINDOWS)
  const values = new Float32Array(chosen.length * width)
  chosen.forEach((t, i) => columns.forEach((column, c) => { values[i * width + c] = column[t]! }))
  const { offset, weights } = fitMasked({ values, count: chosen.length, width, channels: width }, RELATION_RIDGE)
  return columns.map((_, j) => ({
    offset: offset[j]!,
    weights: Array.from({ length: width }, (_, i) => weights[i * width + j]!),
  }))
}

/**
 * Residual of the value at `t` from the values before it.
 * @param bounded residuals, bounded by the prediction's limit
 * @example
 * forwardResidual({ offset: 1, weights: [0.5] }, Float64Array.of(2, 5), 5, 1) // 3
 */
export function forwardResidual (
  { offset, weights }: Weights,
  bounded: ArrayLike<number>,
  value: number,
  t: number
): number {
  let expected = offset
  for (let i = 0; i < weights.length; i++) expected += weights[i]! * bounded[t - weights.length + i]!
  return value - expected
}

/**
 * Residuals of a run: from the past alone, or with hindsight the smaller one of past and future, which keeps a spike on
 * its row. The first rows of a causal run have residual 0.
 * @example
 * const own = { forward: { offset: 0, weights: [1] }, backward: { offset: 0, weights: [1] }, limit: 9 }
 * ownResiduals(own, Float64Array.of(1, 1, 5, 1, 1), true) // [0, 0, 4, -4, 0]
 * ownResiduals(own, Float64Array.of(1, 1, 5, 1, 1), false) // [0, 0, 4, 0, 0]
 */
export function ownResiduals (
  { forward, backward, limit }: OwnPrediction,
  residuals: Float64Array,
  causal: boolean
): Float64Array {
  const memory = forward.weights.length
  const length = residuals.length
  const out = new Float64Array(length)
  if (length <= memory) return out
  const bounded = residuals.map((value) => Math.max(-limit, Math.min(limit, value)))
  for (let t = memory; t < length; t++) out[t] = forwardResidual(forward, bounded, residuals[t]!, t)
  if (causal) return out
  for (let t = 0; t < length - memory; t++) {
    let expected = backward.offset
    for (let i = 0; i < memory; i++) expected += backward.weights[i]! * bounded[t + 1 + i]!
    const back = residuals[t]! - expected
    if (t < memory || Math.abs(back) <= Math.abs(out[t]!)) out[t] = back
  }
  return out
}

/**
 * Residual of one channel from the others of the same row.
 * @param row values of the related channels
 * @example
 * relationResidual({ offset: 1, weights: [0, 2] }, Float64Array.of(9, 3), 0) // 2
 */
export function relationResidual ({ offset, weights }: Weights, row: ArrayLike<number>, j: number): number {
  let expected = offset
  for (let i = 0; i < weights.length; i++) expected += weights[i]! * row[i]!
  return row[j]! - expected
}
