// Predictions of a value from others, by the masked linear autoencoder (core/linear/masked.ts): its weights for one
// value are the ridge regression of that value on all the others of the window.
import { fitMasked } from '../linear/masked.ts'
import { quantileInPlace } from '../quantile.ts'
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
  const sizes = new Float64Array(residuals.length)
  let count = 0
  for (let t = 0; t < residuals.length; t++) if (included[t] === 1) sizes[count++] = Math.abs(residuals[t]!)
  const known = sizes.subarray(0, count)
  return boundedBy(Math.max(4, count === 0 ? 0 : 1.5 * quantileInPlace(known, 0.99)), residuals)
}

/**
 * Values within [−most, most].
 * @example
 * boundedBy(2, Float64Array.of(1, -3)) // [1, -2]
 */
export function boundedBy (most: number, values: Float64Array): Float64Array {
  const bounded = new Float64Array(values.length)
  for (let t = 0; t < values.length; t++) bounded[t] = Math.max(-most, Math.min(most, values[t]!))
  return bounded
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
  for (let i = 0; i < starts.length; i++) {
    for (let j = 0; j < width; j++) values[i * width + j] = bounded[starts[i]! + j]!
  }
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
function windowStarts (spans: readonly Span[], width: number, included: Uint8Array | undefined): Int32Array {
  const starts = new Int32Array(spans.reduce((sum, { from, to }) => sum + to - from, 0))
  let count = 0
  for (const { from, to } of spans) {
    let clean = 0
    for (let t = from; t < to; t++) {
      clean = included === undefined || included[t] === 1 ? clean + 1 : 0
      if (clean >= width) starts[count++] = t - width + 1
    }
  }
  return starts.subarray(0, count)
}

function evenly (list: Int32Array, most: number): Int32Array {
  if (list.length <= most) return list
  return Int32Array.from({ length: most }, (_, i) => list[Math.floor(i * (list.length - 1) / (most - 1))]!)
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
  const chosen = evenly(windowStarts([{ from: 0, to: included.length }], 1, included), MOST_WINDOWS)
  const values = new Float32Array(chosen.length * width)
  columns.forEach((column, c) => {
    for (let i = 0; i < chosen.length; i++) values[i * width + c] = column[chosen[i]!]!
  })
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

/** What a channel's own past (and future) tell of a run. */
interface OwnView {
  /** 0 where the value is missing, and where too little is known before (or after) it; shape [rows]. */
  readonly residuals: Float64Array
  /** Residuals from the baseline; of missing values what is expected of them, 0 if nothing is. Shape [rows]. */
  readonly filled: Float64Array
}

/**
 * Residuals of a run: from the past alone, or with hindsight the smaller one of past and future, which keeps a spike on
 * its row. In gaps the prediction goes on with what it expects; after a gap as long as its memory it begins anew.
 * @param residuals from the baseline, shape [rows]
 * @param missing 1 where the value is missing, shape [rows]
 * @example
 * const own = { forward: { offset: 0, weights: [1] }, backward: { offset: 0, weights: [1] }, limit: 9 }
 * const missing = new Uint8Array(5)
 * ownResiduals(own, Float64Array.of(1, 1, 5, 1, 1), { missing, causal: true }).residuals // [0, 0, 4, -4, 0]
 * ownResiduals(own, Float64Array.of(1, 1, 5, 1, 1), { missing, causal: false }).residuals // [0, 0, 4, 0, 0]
 */
export function ownResiduals (
  { forward, backward, limit }: OwnPrediction,
  residuals: Float64Array,
  { missing, causal }: { readonly missing: Uint8Array, readonly causal: boolean }
): OwnView {
  const ahead = oneWay(forward, residuals, { missing, limit, forwards: true })
  const behind = causal ? undefined : oneWay(backward, residuals, { missing, limit, forwards: false })
  const out = new Float64Array(residuals.length)
  const filled = residuals.slice()
  for (let t = 0; t < out.length; t++) {
    const [early, late] = [ahead[t]!, behind?.[t] ?? NaN]
    if (missing[t] === 1) filled[t] = knownMean(early, late)
    else out[t] = smallest(residuals[t]! - early, residuals[t]! - late)
  }
  return { residuals: out, filled }
}

/** The mean of what is known of two expectations; 0 if neither is. */
function knownMean (early: number, late: number): number {
  if (Number.isNaN(early)) return Number.isNaN(late) ? 0 : late
  return Number.isNaN(late) ? early : (early + late) / 2
}

/** The smaller known one of two residuals; 0 if neither is known. */
function smallest (fromPast: number, fromFuture: number): number {
  const nearest = Number.isNaN(fromPast) || Math.abs(fromFuture) <= Math.abs(fromPast) ? fromFuture : fromPast
  return Number.isNaN(nearest) ? 0 : nearest
}

/** What a prediction expects at each row; NaN where it knows too little. */
function oneWay (
  prediction: Prediction,
  residuals: Float64Array,
  { missing, limit, forwards }: { readonly missing: Uint8Array, readonly limit: number, readonly forwards: boolean }
): Float64Array {
  const size = prediction.weights.length
  const { length } = residuals
  const expected = new Float64Array(length).fill(NaN)
  if (length <= size) return expected
  const bounded = boundedBy(limit, residuals)
  const isKnown = fillExpected(prediction, bounded, { missing, limit, forwards })
  const all = expectations(prediction, bounded)
  for (let t = 0; t < length; t++) {
    if (isKnown[t] === 1) expected[t] = all[forwards ? t - size : t + 1]!
  }
  return expected
}

/** What is expected by the values from index `first` on. */
function expectedFrom ({ offset, weights }: Prediction, values: Float64Array, first: number): number {
  let expected = offset
  for (let i = 0; i < weights.length; i++) expected += weights[i]! * values[first + i]!
  return expected
}

/**
 * Fills gaps with what is expected, in place.
 * @returns 1 where the prediction has a full memory
 */
function fillExpected (
  prediction: Prediction,
  bounded: Float64Array,
  { missing, limit, forwards }: { readonly missing: Uint8Array, readonly limit: number, readonly forwards: boolean }
): Uint8Array {
  const size = prediction.weights.length
  const { length } = bounded
  const isKnown = new Uint8Array(length)
  let [count, gap] = [0, size]
  for (let k = 0; k < length; k++) {
    const t = forwards ? k : length - 1 - k
    if (count === size) isKnown[t] = 1
    if (missing[t] === 1) {
      const expected = count === size ? expectedFrom(prediction, bounded, forwards ? t - size : t + 1) : 0
      bounded[t] = Math.max(-limit, Math.min(limit, expected))
    }
    gap = missing[t] === 1 ? Math.min(size, gap + 1) : 0
    count = gap === size ? 0 : Math.min(size, count + 1)
  }
  return isKnown
}

/**
 * What a prediction expects by the values from each row on, as many as it has weights. Four rows at a time: each of
 * their sums still goes in order of the weights.
 * @returns shape [rows − weights + 1]
 */
function expectations ({ offset, weights }: Prediction, values: Float64Array): Float64Array {
  const size = weights.length
  const dense = Float64Array.from(weights)
  const out = new Float64Array(values.length - size + 1).fill(offset)
  let t = 0
  for (; t + 4 <= out.length; t += 4) {
    let a = offset
    let b = offset
    let c = offset
    let d = offset
    for (let i = 0; i < size; i++) {
      const weight = dense[i]!
      a += weight * values[t + i]!
      b += weight * values[t + i + 1]!
      c += weight * values[t + i + 2]!
      d += weight * values[t + i + 3]!
    }
    out[t] = a
    out[t + 1] = b
    out[t + 2] = c
    out[t + 3] = d
  }
  for (; t < out.length; t++) for (let i = 0; i < size; i++) out[t]! += dense[i]! * values[t + i]!
  return out
}

/**
 * What remains of a residual beyond what missing values may explain.
 * @param allowances how far the prediction may err if a value is missing, shape [channels]
 * @param missing 1 where a value is missing, shape [channels]
 * @example
 * beyondMissing(-3, [1, 9], Uint8Array.of(1, 0)) // -2
 */
export function beyondMissing (
  residual: number,
  allowances: ArrayLike<number>,
  missing: ArrayLike<number>
): number {
  let allowed = 0
  for (let j = 0; j < allowances.length; j++) if (missing[j] === 1) allowed += allowances[j]!
  return Math.sign(residual) * Math.max(0, Math.abs(residual) - allowed)
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
