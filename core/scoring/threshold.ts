// The threshold: how it is chosen from calibration scores, and the only rule that compares a score with it.
import { quantile } from '../quantile.ts'

/** A threshold is `factor` times the `quantile` of the scores on normal data that the model has not seen. */
export interface ThresholdRule {
  readonly quantile: number
  readonly factor: number
}

/**
 * Smallest threshold, in standard deviations of the training data: smaller reconstruction errors are rounding, which
 * must not become anomalies in a perfectly regular series.
 */
export const THRESHOLD_FLOOR = 1e-3

/**
 * The threshold for held-out scores of blocked cross-validation (core/fitting/fit.ts).
 * @example
 * chooseThreshold({ quantile: 0.5, factor: 2 }, [1, 2, 3]) // 4
 */
export function chooseThreshold (rule: ThresholdRule, calibrationScores: ArrayLike<number>): number {
  const level = quantile(calibrationScores, rule.quantile)
  return Number.isNaN(level) ? THRESHOLD_FLOOR : Math.max(rule.factor * level, THRESHOLD_FLOOR)
}

/**
 * The only rule that turns a score into a decision (docs/decisions/0004-score-above-threshold.md). NaN is not
 * anomalous. Do not pass this function to `map` or `filter`: they would pass an index as the threshold.
 * @param threshold in units of the model's own threshold, which is score 1
 * @example
 * isAnomalous(1) // false
 * isAnomalous(1.5, 1.2) // true
 */
export function isAnomalous (score: number, threshold = 1): boolean {
  return score > threshold
}
