// Metrics that count observations: confusion, F1, false-alarm and missed-alarm rate. Knows neither scores nor runs.
import { assertPaired, type Flags } from './runs.ts'

/** Observations by truth and verdict. */
export interface Confusion {
  /** Anomalous and flagged. */
  readonly tp: number
  /** Normal but flagged. */
  readonly fp: number
  /** Normal and not flagged. */
  readonly tn: number
  /** Anomalous but not flagged. */
  readonly fn: number
}

/** Rates of a confusion; a rate whose denominator is 0 is 0. */
interface PointScores {
  /** TP / (TP + (FP + FN) / 2), in [0, 1]. */
  readonly f1: number
  /** False-alarm rate, FP / (FP + TN), in percent. */
  readonly far: number
  /** Missed-alarm rate, FN / (FN + TP), in percent. */
  readonly mar: number
  /** TP / (TP + FP), in [0, 1]. */
  readonly precision: number
  /** TP / (TP + FN), in [0, 1]. */
  readonly recall: number
}

/**
 * part / whole; 0 if the whole is 0.
 * @example
 * ratio(1, 4) // 0.25
 * ratio(0, 0) // 0
 */
export function ratio (part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

/**
 * Counts observations by label and verdict. An unscored observation (NaN, false, 0) counts as not flagged. Empty input
 * gives four zeros.
 * @param labels truth, shape [length]
 * @param flags verdicts, shape [length]
 * @throws Problem `channel-length-mismatch` if the lengths differ
 * @example
 * confusion([0, 0, 1, 1], [0, 1, 1, NaN]) // { tp: 1, fp: 1, tn: 1, fn: 1 }
 */
export function confusion (labels: Flags, flags: Flags): Confusion {
  assertPaired(labels, flags)
  const counts = { tp: 0, fp: 0, tn: 0, fn: 0 }
  for (let t = 0; t < labels.length; t++) {
    if (labels[t]) counts[flags[t] ? 'tp' : 'fn']++
    else counts[flags[t] ? 'fp' : 'tn']++
  }
  return counts
}

/**
 * Adds the counts of several series; no series give four zeros. Rates of the sum are not means of the rates.
 * @example
 * addConfusions([{ tp: 1, fp: 0, tn: 2, fn: 0 }, { tp: 0, fp: 3, tn: 0, fn: 1 }]) // { tp: 1, fp: 3, tn: 2, fn: 1 }
 */
export function addConfusions (confusions: Iterable<Confusion>): Confusion {
  const sum = { tp: 0, fp: 0, tn: 0, fn: 0 }
  for (const { tp, fp, tn, fn } of confusions) {
    sum.tp += tp
    sum.fp += fp
    sum.tn += tn
    sum.fn += fn
  }
  return sum
}

/**
 * F1, precision and recall as fractions, false-alarm and missed-alarm rate in percent, as the Skoltech Anomaly
 * Benchmark (Katser and Kozitsin, 2020) counts them. Never quote F1 without FAR: flagging everything can score well on
 * the first. Edge cases: without anomalous observations F1, recall and MAR are 0; without normal ones FAR is 0; without
 * flags precision is 0.
 * @example
 * pointScores({ tp: 3, fp: 3, tn: 8, fn: 2 }) // { f1: 0.545…, far: 27.27…, mar: 40, precision: 0.5, recall: 0.6 }
 */
export function pointScores ({ tp, fp, tn, fn }: Confusion): PointScores {
  return {
    f1: ratio(tp, tp + (fp + fn) / 2),
    far: 100 * ratio(fp, fp + tn),
    mar: 100 * ratio(fn, fn + tp),
    precision: ratio(tp, tp + fp),
    recall: ratio(tp, tp + fn),
  }
}
