// The threshold: how it is chosen from calibration scores, and the one rule by which a score is compared with it.
import { quantile } from '../quantile.ts'

/**
 * How a threshold is chosen: `factor` times the `quantile` of the scores on normal data that the model has not seen.
 */
export interface ThresholdRule {
  readonly quantile: number
  readonly factor: number
}

/**
 * Smallest threshold, in standard deviations of the training data: below it a reconstruction error is rounding, and
 * what a perfectly regular series leaves over must not become an anomaly.
 */
export const THRESHOLD_FLOOR = 1e-3

/** Threshold for scores of blocked cross-validation (core/fitting/fit.ts). */
export function chooseThreshold (rule: ThresholdRule, calibrationScores: ArrayLike<number>): number {
  const level = quantile(calibrationScores, rule.quantile)
  return Number.isNaN(level) ? THRESHOLD_FLOOR : Math.max(rule.factor * level, THRESHOLD_FLOOR)
}

/**
 * The one rule that turns a score into a decision (docs/decisions/0004-score-above-threshold.md). NaN is not anomalous.
 * Not to be passed to `map` or `filter` as it is: they would pass an index as the threshold.
 * @param threshold in units of the model's own threshold, which is score 1
 */
export function isAnomalous (score: number, threshold = 1): boolean {
  return score > threshold
}
