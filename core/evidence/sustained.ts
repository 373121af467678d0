// Sustained evidence: means over a few observations. Each mean is summed afresh in order of time, so it depends on its
// own observations alone.

/** Share of the point threshold at which residuals are bounded before they are averaged: one spike is no level. */
export const BOUND_SHARE = 0.6

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
  for (let t = 0; t < length; t++) {
    const from = Math.max(0, t + ahead - span + 1)
    const to = Math.min(length, t + ahead + 1)
    let sum = 0
    for (let i = from; i < to; i++) sum += residuals[i]!
    out[t] = sum / span
  }
  return out
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
