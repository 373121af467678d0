// Thresholds of one view of a channel: of single residuals, and of their means.
import { SPANS, type Thresholds } from '../model.ts'
import { boundedBy } from '../prediction.ts'
import { BOUND_SHARE, means, squaresOf } from '../sustained.ts'
import { tailThreshold } from './tail-threshold.ts'

/** A series must hold so many spans to tell how far their means go. */
const LEAST_SPANS = 6

export interface ThresholdOptions {
  /** Runs above a threshold per observation. */
  readonly rate: number
  /** Whether means are trailing or centred. */
  readonly causal: boolean
  /** First row of each series, and the number of rows. */
  readonly edges: readonly number[]
  /** Blocks of 8 left out of a tail, for points and for means. */
  readonly leftOut: number
  readonly leftOutSustained: number
  /** Most independent peaks. */
  readonly mostPeaks: number
  /** Thresholds are multiplied by this, and `slack` is added. */
  readonly margin: number
  readonly slack: number
  /** Smallest threshold: smaller residuals are rounding. */
  readonly least: number
}

/**
 * The thresholds for residuals of normal rows that the model has not seen.
 * @param included 1 for each row that counts
 * @returns null if no row counts
 * @example
 * const residuals = Float64Array.from({ length: 500 }, createRandom('thresholds').normal)
 * const tail = { rate: 1e-5, leftOut: 0, leftOutSustained: 0, mostPeaks: Infinity }
 * const options = { ...tail, causal: false, edges: [0, 500], margin: 1, slack: 0, least: 0 }
 * thresholdsOf(residuals, new Uint8Array(500).fill(1), options).point > 4 // true
 */
export function thresholdsOf (
  residuals: Float64Array,
  included: Uint8Array,
  options: ThresholdOptions
): Thresholds | null {
  const { rate, leftOut, leftOutSustained, mostPeaks, margin, slack, least, edges, causal } = options
  const widened = (threshold: number): number => Math.max(least, threshold * margin + slack)
  const point = widened(
    tailThreshold(toSizes(residuals.slice()), included, { rate, dependence: 1, mostPeaks, squared: true, leftOut })
  )
  if (point === Infinity) return null
  const bounded = boundedBy(BOUND_SHARE * point, residuals)
  const squares = squaresOf(bounded)
  const sustained = (terms: Float64Array, toEvidence: (means: Float64Array) => Float64Array): Array<number | null> =>
    SPANS.map((span) => {
      if (span * LEAST_SPANS > residuals.length) return null
      const evidence = toEvidence(meansOfSeries(terms, span, { edges, causal }))
      const tail = { rate, dependence: span / 2, mostPeaks, squared: false, leftOut: leftOutSustained }
      return widened(tailThreshold(evidence, included, tail))
    })
  return { point, mean: sustained(bounded, toSizes), power: sustained(squares, toRoots) }
}

/** Makes values positive, in place. */
function toSizes (values: Float64Array): Float64Array {
  for (let t = 0; t < values.length; t++) values[t] = Math.abs(values[t]!)
  return values
}

/** Takes square roots, in place. */
function toRoots (values: Float64Array): Float64Array {
  for (let t = 0; t < values.length; t++) values[t] = Math.sqrt(values[t]!)
  return values
}

function meansOfSeries (
  terms: Float64Array,
  span: number,
  { edges, causal }: Pick<ThresholdOptions, 'edges' | 'causal'>
): Float64Array {
  const out = new Float64Array(terms.length)
  for (let s = 0; s + 1 < edges.length; s++) {
    out.set(means(terms.subarray(edges[s], edges[s + 1]), span, causal), edges[s])
  }
  return out
}
