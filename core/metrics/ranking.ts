// Metrics of the order in which scores rank observations; they need no threshold. Knows nothing of runs.
import { ratio } from './confusion.ts'
import { assertPaired, descendingOrder, type Flags, rankable } from './runs.ts'

/** Observations flagged at one threshold, and the anomalous ones among them. */
interface Cut {
  readonly flagged: number
  readonly found: number
}

/** One cut per distinct score, from the highest to the lowest: equal scores are flagged together. */
function * cuts (labels: Flags, scores: ArrayLike<number>): Generator<Cut> {
  assertPaired(labels, scores)
  const ranked = rankable(scores)
  const order = descendingOrder(ranked)
  let found = 0
  for (let i = 0; i < order.length; i++) {
    if (labels[order[i]!]) found++
    const tied = i + 1 < order.length && ranked[order[i]!] === ranked[order[i + 1]!]
    if (!tied) yield { flagged: i + 1, found }
  }
}

/**
 * Average precision, Σ (R_k − R_{k−1}) · P_k over the distinct scores in descending order: the area under the
 * precision-recall curve without interpolation, ties flagged together (Davis and Goadrich, 2006; the same as
 * scikit-learn's `average_precision_score`). An unscored observation (NaN) ranks below every score. Edge cases: no
 * anomalous observation, or empty input → 0; no normal one → 1; all scores equal → the share of anomalous ones. The
 * example is 1/2 · 1/1 + 1/2 · 2/3.
 * @param labels truth, shape [length]
 * @param scores higher = more anomalous, shape [length]
 * @returns a number in [0, 1]
 * @throws Problem `channel-length-mismatch` if the lengths differ
 * @example
 * averagePrecision([0, 1, 0, 1], [0.1, 0.9, 0.5, 0.4]) // 0.833…
 */
export function averagePrecision (labels: Flags, scores: ArrayLike<number>): number {
  let sum = 0
  let foundBefore = 0
  for (const { flagged, found } of cuts(labels, scores)) {
    sum += (found - foundBefore) * found / flagged
    foundBefore = found
  }
  return ratio(sum, foundBefore)
}

/**
 * The best F1 over all thresholds, counting observations: max 2PR / (P + R + ε). It takes the threshold from the
 * labels, so it is an upper bound for a fixed threshold, not an estimate. An unscored observation (NaN) is
 * flagged last. Edge cases: no anomalous observation, or empty input → 0; all scores equal → F1 of flagging
 * everything. In the example flagging the last three is best.
 * @param labels truth, shape [length]
 * @param scores higher = more anomalous, shape [length]
 * @param epsilon 1e-5 as in the TSB-AD benchmark (Liu and Paparrizos, 2024), with which perfect scores give
 * 2 / 2.00001; 0 for the true F1
 * @returns a number in [0, 1]
 * @throws Problem `channel-length-mismatch` if the lengths differ
 * @example
 * bestF1([0, 1, 0, 1], [0.1, 0.9, 0.5, 0.4], 0) // 0.8
 */
export function bestF1 (labels: Flags, scores: ArrayLike<number>, epsilon = 1e-5): number {
  const all = [...cuts(labels, scores)]
  const positives = all.at(-1)?.found ?? 0
  let best = 0
  for (const { flagged, found } of all) {
    const precision = found / flagged
    const recall = ratio(found, positives)
    best = Math.max(best, ratio(2 * precision * recall, precision + recall + epsilon))
  }
  return best
}
