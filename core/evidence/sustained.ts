// Sustained evidence: means over a few observations. Each mean is summed afresh in order of time, so it depends on its
// own observations alone.

/** Share of the point threshold at which residuals are bounded before they are averaged: one spike is no level. */
export const BOUND_SHARE = 0.6

/**
 * Squares of bounded residuals: their means are power.
 * @example
 * squaresOf(Float64Array.of(-2, 3)) // [4, 9]
 */
export function squaresOf (values: Float64Array): Float64Array {
  const squares = new Float64Array(values.length)
  for (let t = 0; t < values.length; t++) squares[t] = values[t]! * values[t]!
  return squares
}

/**
 * Means of a run of residuals; fewer observations at its ends count as zeros.
 * @param residuals bounded, shape [length]
 * @param causal whether the mean is trailing; else it is centred (odd spans)
 * @example
 * means(Float64Array.of(3, 3, 3, 3), 3, true) // [1, 2, 3, 3]
 * means(Float64Array.of(3, 3, 3, 3), 3, false) // [2, 3, 3, 2]
 */
export function means (residuals: Float64Array, span: number, causal: boolean): Float64Array {
  const length = residuals.length
  const out = new Float64Array(length)
  const ahead = causal ? 0 : span >> 1
  const behind = span - 1 - ahead
  for (let t = 0; t < length; t++) {
    // Four whole spans at a time: each of their sums still goes in order of time.
    for (; t >= behind && t + 3 + ahead < length; t += 4) {
      // No array is taken apart here: it would be made anew each time.
      let a = 0
      let b = 0
      let c = 0
      let d = 0
      for (let i = t - behind; i <= t + ahead; i++) {
        a += residuals[i]!
        b += residuals[i + 1]!
        c += residuals[i + 2]!
        d += residuals[i + 3]!
      }
      out[t] = a / span
      out[t + 1] = b / span
      out[t + 2] = c / span
      out[t + 3] = d / span
    }
    if (t < length) out[t] = partialMean(residuals, { from: t - behind, to: t + ahead + 1, span })
  }
  return out
}

/** The mean of a span that may reach beyond the run. */
function partialMean (
  residuals: Float64Array,
  { from, to, span }: { readonly from: number, readonly to: number, readonly span: number }
): number {
  let sum = 0
  for (let i = Math.max(0, from); i < Math.min(residuals.length, to); i++) sum += residuals[i]!
  return sum / span
}

/**
 * The stretch of rows that carries a sustained departure: the largest sum of evidence above a share of its peak
 * (Kadane's algorithm).
 * @param evidence per row
 * @param least evidence of a row that neither adds nor takes away
 * @returns first and last row, both inclusive
 * @example
 * strongestStretch(Float64Array.of(0, 3, 1, 3, 0), 1.5) // { from: 1, to: 3 }
 */
export function strongestStretch (evidence: Float64Array, least: number): { from: number, to: number } {
  let best = { from: 0, to: 0 }
  let most = -Infinity
  let sum = 0
  let from = 0
  for (let t = 0; t < evidence.length; t++) {
    if (sum <= 0) {
      sum = 0
      from = t
    }
    sum += evidence[t]! - least
    if (sum > most) {
      most = sum
      best = { from, to: t }
    }
  }
  return best
}
