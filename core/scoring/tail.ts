// The tail of calibration scores, and thresholds from it: for a budget of false alarms, or for a sensitivity.
//
// Peaks over threshold (for anomaly thresholds Siffer et al. 2017): smoothed scores come in runs, so a Pareto
// distribution is fitted to the peaks of runs, and alarms are counted as runs.
import { exp, pow } from '../elementary.ts'
import { Problem } from '../errors.ts'
import { excessAt, fitPareto, peaksAbove } from '../pareto.ts'
import { quantiles } from '../quantile.ts'

/** Probabilities of `ScoreTail.quantiles`; the Pareto distribution holds above the last quantile. */
export const TAIL_PROBABILITIES: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]

/** A summary of normal scores, in units of the default threshold; plain JSON, part of the manifest. */
export interface ScoreTail {
  /** Number of scores in the fit. */
  readonly count: number
  /** Scores at `TAIL_PROBABILITIES`, ascending. */
  readonly quantiles: readonly number[]
  /** Runs of scores above each of `quantiles`, per observation. */
  readonly runs: readonly number[]
  /** Shape ξ of the peaks above the last quantile: 0 is an exponential tail, a positive shape a heavier one. */
  readonly shape: number
  /** Scale σ of those peaks, > 0. */
  readonly scale: number
}

const MEDIAN = TAIL_PROBABILITIES.indexOf(0.5)
const DAY_MS = 86_400_000

/** Smaller exponents make a share of peaks that is as good as none. */
const LEAST_EXPONENT = -700
/** Smallest scale, in units of the default threshold: a thinner tail is rounding. */
const SMALLEST_SCALE = 0.01
/** Bound on scores that keeps sums finite; far beyond every threshold. */
const LARGEST_SCORE = 1e6
const SMALLEST_THRESHOLD = 1e-3
const SHAPE_BOUNDS = { lowest: -0.5, highest: 0.5, prior: 20 }
/** Runs per observation at sensitivity 0: once in 19 years of ten-minute means. */
const RAREST = 1e-6
/** Runs per observation for a budget of 0. */
const NEVER = 1e-12

/** The tail without any scores: it expects no run above the default threshold. */
export const NO_SCORES: ScoreTail = {
  count: 0,
  quantiles: TAIL_PROBABILITIES.map(() => 1),
  runs: TAIL_PROBABILITIES.map(() => 0),
  shape: 0,
  scale: SMALLEST_SCALE,
}

/**
 * Fits the tail of scores of normal data.
 * @param scores in order of time, in units of the default threshold; NaN is not scored and ends a run
 * @returns NO_SCORES if there are no scores
 * @example
 * fitTail(Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5)).quantiles[4] // 0.3
 */
export function fitTail (scores: Float64Array): ScoreTail {
  const bounded = new Float64Array(scores.length)
  let count = 0
  for (let i = 0; i < scores.length; i++) {
    bounded[i] = Math.min(scores[i]!, LARGEST_SCORE)
    if (!Number.isNaN(scores[i]!)) count++
  }
  if (count === 0) return NO_SCORES
  const levels = quantiles(bounded, TAIL_PROBABILITIES)
  const level = levels.at(-1)!
  const { shape, scale } = fitPareto(peaksAbove(bounded, level).map((peak) => peak - level), SHAPE_BOUNDS)
  return {
    count,
    quantiles: levels,
    runs: runsAbove(bounded, levels).map((runs) => runs / count),
    shape,
    scale: Math.max(SMALLEST_SCALE, scale),
  }
}

/** Number of runs of scores above each of some ascending levels. */
function runsAbove (scores: Float64Array, levels: readonly number[]): number[] {
  const runs = levels.map(() => 0)
  // Number of levels that the previous score exceeds.
  let below = 0
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!
    while (below > 0 && !(score > levels[below - 1]!)) below--
    while (below < levels.length && score > levels[below]!) runs[below++]!++
  }
  return runs
}

/** Share of peaks over the level that lie more than `excess` above it. */
function survival ({ shape, scale }: ScoreTail, excess: number): number {
  if (shape === 0) return exp(Math.max(LEAST_EXPONENT, -excess / scale))
  return pow(Math.max(0, 1 + shape * excess / scale), -1 / shape)
}

/**
 * Runs per observation above each quantile from the median up. Rates never rise with the threshold: the rate at a
 * quantile is the highest rate at or above it. Quantiles below the median are left out: there all scores form one run,
 * so few runs would not mean few alarms.
 */
function fallingRuns ({ quantiles, runs }: ScoreTail): Array<{ threshold: number, rate: number }> {
  const points: Array<{ threshold: number, rate: number }> = []
  let rate = 0
  for (let i = quantiles.length - 1; i >= MEDIAN; i--) {
    rate = Math.max(rate, runs[i]!)
    points.push({ threshold: quantiles[i]!, rate })
  }
  return points
}

/**
 * Expected false alarms (runs of normal scores above the threshold) per day.
 * @param threshold in units of the default threshold
 * @param interval sampling interval in milliseconds
 * @throws Problem invalid-settings
 * @example
 * const tail = fitTail(Float64Array.from({ length: 1000 }, (_, t) => t % 100 / 100))
 * expectedFalseAlarmsPerDay(tail, 0.9, 60_000) // 14.4
 * expectedFalseAlarmsPerDay(tail, 0, 60_000) // throws invalid-settings
 */
export function expectedFalseAlarmsPerDay (tail: ScoreTail, threshold: number, interval: number): number {
  check(threshold > 0, `The threshold must be a number above 0, not ${threshold}.`)
  return runRate(tail, threshold) * observationsPerDay(interval)
}

function runRate (tail: ScoreTail, threshold: number): number {
  const points = fallingRuns(tail)
  const level = points[0]!
  if (threshold >= level.threshold) return level.rate * survival(tail, threshold - level.threshold)
  const below = points.findIndex((point) => point.threshold <= threshold)
  if (below < 0) return points.at(-1)!.rate
  const [low, high] = [points[below]!, points[below - 1]!]
  return low.rate + (high.rate - low.rate) * (threshold - low.threshold) / (high.threshold - low.threshold)
}

/**
 * The threshold at which normal data give about `falseAlarmsPerDay` alarms (runs) per day: a larger budget gives a
 * lower threshold. The lowest is the one with the most runs; a budget of 0 means one run in 10¹² observations. A budget
 * below one run in all scores of the fit never lowers the default threshold.
 * @param interval sampling interval in milliseconds
 * @returns in units of the default threshold
 * @throws Problem invalid-settings
 * @example
 * const tail = fitTail(Float64Array.from({ length: 1000 }, (_, t) => t % 100 / 100))
 * thresholdForBudget(tail, 14.4, 60_000) // 0.94…
 */
export function thresholdForBudget (tail: ScoreTail, falseAlarmsPerDay: number, interval: number): number {
  check(falseAlarmsPerDay >= 0, `falseAlarmsPerDay must be 0 or more, not ${falseAlarmsPerDay}.`)
  return thresholdForRate(tail, falseAlarmsPerDay / observationsPerDay(interval))
}

function thresholdForRate (tail: ScoreTail, rate: number): number {
  const points = fallingRuns(tail)
  const level = points[0]!
  // Where the scores are too few to tell such a rate: at least the default threshold.
  const least = rate * tail.count < 1 ? 1 : SMALLEST_THRESHOLD
  if (level.rate === 0 && least === 1) return Math.max(1, level.threshold)
  if (rate < level.rate) return Math.max(least, level.threshold + excessAt(tail, Math.max(rate, NEVER) / level.rate))
  let above = level
  for (const point of points) {
    if (point.rate > rate) {
      const share = (point.rate - rate) / (point.rate - above.rate)
      return atLeast(point.threshold + (above.threshold - point.threshold) * share)
    }
    // Of thresholds with the same rate, the highest counts.
    if (point.rate > above.rate) above = point
  }
  return atLeast(above.threshold)
}

const atLeast = (threshold: number): number => Math.max(threshold, SMALLEST_THRESHOLD)

/**
 * The threshold of a sensitivity s in [0, 1]: m^(2s − 1) for s ≥ ½ and f^(1 − 2s) below, where m ≤ 1 is the median of
 * normal scores and f ≥ 1 the score that normal data exceed once in a million observations. So ½ gives exactly 1, the
 * default threshold; 1 gives the median; 0 gives f. A higher sensitivity never raises the threshold.
 * @returns in units of the default threshold
 * @throws Problem invalid-settings
 * @example
 * const tail = fitTail(Float64Array.from({ length: 1000 }, (_, t) => t % 100 / 100))
 * thresholdForSensitivity(tail, 0.5) // 1
 * thresholdForSensitivity(tail, 1) // 0.49…
 */
export function thresholdForSensitivity (tail: ScoreTail, sensitivity: number): number {
  check(sensitivity >= 0 && sensitivity <= 1, `sensitivity must be a number from 0 to 1, not ${sensitivity}.`)
  if (sensitivity >= 0.5) return pow(Math.min(1, atLeast(tail.quantiles[MEDIAN]!)), 2 * sensitivity - 1)
  return pow(Math.max(1, thresholdForRate(tail, RAREST)), 1 - 2 * sensitivity)
}

function observationsPerDay (interval: number): number {
  check(interval > 0 && interval < Infinity, `interval must be a number of milliseconds above 0, not ${interval}.`)
  return DAY_MS / interval
}

function check (holds: boolean, message: string): void {
  if (!holds) throw new Problem('invalid-settings', message)
}
