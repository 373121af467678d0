// Tells whether recent scores still come from the population of the calibration scores. This concerns the age of the
// model; it is not a verdict on observations.
import { autocorrelationTime } from '../robust.ts'
import { type ScoreTail, TAIL_PROBABILITIES } from '../scoring/tail.ts'

export interface DriftVerdict {
  /** `unknown` if there are too few recent scores, or no calibration scores. */
  readonly verdict: 'stable' | 'drifting' | 'unknown'
  /** verdict is `drifting` */
  readonly drifting: boolean
  /**
   * Population stability index: 0 for equal populations; by convention above 0.1 a small and above 0.25 a large change.
   */
  readonly statistic: number
  /** Drifting above this limit: 0.25, or more if chance alone may exceed it with few independent scores. */
  readonly limit: number
  /** Number of recent scores without NaN. */
  readonly scores: number
}

const LARGE_CHANGE = 0.25
/** A share of 0 would give an infinite index. */
const SMALLEST_SHARE = 1e-3
/** Keeps differences of extreme scores finite; far beyond every threshold. */
const LARGEST_SCORE = 1e6
/** Fewest independent scores for a verdict. */
const FEWEST = 30
/** Standard deviations above the mean of the index that chance explains. */
const CHANCE = 3

/**
 * Compares recent scores with the calibration scores by the population stability index over the calibration's
 * quantiles, Σ (recent − expected share) · ln(recent / expected share). Without a change it is about χ² (bins − 1) ×
 * (1/n + 1/m) for n recent and m calibration scores (Yurdakul 2018), both counted as independent ones by the recent
 * scores' autocorrelation time.
 * @param recentScores in order of time, in units of the default threshold; NaN is skipped
 * @example
 * const tail = fitTail(Float64Array.from({ length: 1000 }, (_, t) => t * 37 % 100 / 100))
 * driftVerdict(tail, Float64Array.from({ length: 300 }, (_, t) => t * 37 % 100 / 100)).verdict // 'stable'
 * driftVerdict(tail, Float64Array.from({ length: 300 }, (_, t) => 2 + t * 37 % 100 / 100)).verdict // 'drifting'
 */
export function driftVerdict (tail: ScoreTail, recentScores: Float64Array): DriftVerdict {
  const scores = recentScores.filter((score) => !Number.isNaN(score)).map((score) => Math.min(score, LARGEST_SCORE))
  const bins = binsOf(tail)
  const time = autocorrelationTime(scores)
  const freedom = bins.length - 1
  const chance = (freedom + CHANCE * Math.sqrt(2 * freedom)) * time *
    (1 / Math.max(1, scores.length) + 1 / Math.max(1, tail.count))
  const limit = Math.max(LARGE_CHANGE, chance)
  if (tail.count === 0 || scores.length < FEWEST * time) {
    return { verdict: 'unknown', drifting: false, statistic: 0, limit, scores: scores.length }
  }
  const statistic = stabilityIndex(bins, scores)
  const drifting = statistic > limit
  return { verdict: drifting ? 'drifting' : 'stable', drifting, statistic, limit, scores: scores.length }
}

/** Upper end (inclusive) and expected share of each bin; equal quantiles share a bin. */
function binsOf ({ quantiles }: ScoreTail): Array<{ to: number, expected: number }> {
  const bins: Array<{ to: number, expected: number }> = []
  let below = 0
  quantiles.forEach((to, i) => {
    if (to === quantiles[i + 1]) return
    bins.push({ to, expected: TAIL_PROBABILITIES[i]! - below })
    below = TAIL_PROBABILITIES[i]!
  })
  return [...bins, { to: Infinity, expected: 1 - below }]
}

function stabilityIndex (bins: ReadonlyArray<{ to: number, expected: number }>, scores: Float64Array): number {
  const counts = bins.map(() => 0)
  for (const score of scores) counts[bins.findIndex(({ to }) => score <= to)]!++
  return bins.reduce((sum, { expected }, i) => {
    const share = Math.max(SMALLEST_SHARE, counts[i]! / scores.length)
    return sum + (share - expected) * Math.log(share / expected)
  }, 0)
}
