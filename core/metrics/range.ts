// Precision and recall of runs instead of single observations. Knows no scores.
import { ratio } from './confusion.ts'
import { assertPaired, type Flags, type Run, runsOf } from './runs.ts'

/** Weight α of a run's being overlapped at all, against the share overlapped. */
const RECALL_EXISTENCE = 0.2
const PRECISION_EXISTENCE = 0

/** Precision and recall over runs, each in [0, 1], and their harmonic mean. */
interface RangeScores {
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

/**
 * Mean over `runs` of α · (overlapped at all) + (1 − α) · (share overlapped) / (number of runs that overlap it).
 * Both lists are sorted and free of overlaps, so one pass over both is enough.
 */
function meanReward (runs: readonly Run[], others: readonly Run[], alpha: number): number {
  let sum = 0
  let next = 0
  for (const run of runs) {
    while (next < others.length && others[next]!.last < run.first) next++
    let covered = 0
    let pieces = 0
    for (let j = next; j < others.length && others[j]!.first <= run.last; j++) {
      covered += Math.min(run.last, others[j]!.last) - Math.max(run.first, others[j]!.first) + 1
      pieces++
    }
    if (pieces > 0) sum += alpha + (1 - alpha) * covered / (run.last - run.first + 1) / pieces
  }
  return ratio(sum, runs.length)
}

/**
 * Range-based precision, recall and F1 (Tatbul, Lee, Zdonik, Alam and Gottschlich, 2018) with flat positional bias,
 * cardinality factor 1/x, and existence weight α = 0.2 for recall and 0 for precision. An unscored observation (NaN,
 * false, 0) counts as not flagged. Edge cases: no labelled run → recall 0; no flagged run → precision 0; either → F1 0;
 * empty input → all three 0. In the example recall is 0.2 + 0.8 · (2/4) / 2, precision (1/2 + 1) / 2.
 * @param labels truth, shape [length]
 * @param flags verdicts, shape [length]
 * @throws Problem `channel-length-mismatch` if the lengths differ
 * @example
 * rangeF1([0, 1, 1, 1, 1, 0], [1, 1, 0, 0, 1, 0]) // { precision: 0.75, recall: 0.4, f1: 0.521… }
 */
export function rangeF1 (labels: Flags, flags: Flags): RangeScores {
  assertPaired(labels, flags)
  const labelled = runsOf(labels)
  const flagged = runsOf(flags)
  const recall = meanReward(labelled, flagged, RECALL_EXISTENCE)
  const precision = meanReward(flagged, labelled, PRECISION_EXISTENCE)
  return { precision, recall, f1: ratio(2 * precision * recall, precision + recall) }
}
