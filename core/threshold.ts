// From calibration scores to the threshold that is stored in the manifest.

/** How a threshold is chosen: `factor` times the `quantile` of the scores on normal data that the model has not seen. */
export interface ThresholdRule {
  readonly quantile: number
  readonly factor: number
}

/**
 * Smallest threshold, in standard deviations of the training data: below it a reconstruction error is rounding, and what a
 * perfectly regular series leaves over must not become an anomaly.
 */
export const THRESHOLD_FLOOR = 1e-3

/**
 * Quantile with linear interpolation between order statistics (Hyndman and Fan 1996, type 7); NaN is skipped.
 * @returns NaN where there is no value
 * @example
 * quantile([1, 2, 3, 4], 0.5) // 2.5
 */
export function quantile (values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(values).filter((value) => !Number.isNaN(value)).sort()
  return sorted.length === 0 ? NaN : quantileOfSorted(sorted, q)
}

/** quantile() of ascending values without NaN, at least one. */
export function quantileOfSorted (sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1)
  const below = Math.floor(at)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (high - low) * (at - below)
}

/** Threshold for scores of blocked cross-validation (core/fit.ts). */
export function chooseThreshold (rule: ThresholdRule, calibrationScores: ArrayLike<number>): number {
  const level = quantile(calibrationScores, rule.quantile)
  return Number.isNaN(level) ? THRESHOLD_FLOOR : Math.max(rule.factor * level, THRESHOLD_FLOOR)
}
