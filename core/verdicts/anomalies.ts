// From scores to anomalies: maximal runs of anomalous observations, with their peak and their channels.
import { runsWhere } from '../series/runs.ts'
import { isAnomalous } from '../scoring/threshold.ts'
import type { Detection } from '../scoring/detection.ts'
import { ANOMALOUS, NORMAL } from './verdicts.ts'

/** Bounds on the default of `mergeGap`, in observations. */
const [LEAST_GAP, MOST_GAP] = [3, 20]
/** A channel takes part in an anomaly if it contributes at least this share of what the first channel does. */
const PART = 0.25

type Scored = Pick<Detection, 'score' | 'contributions'>

export interface AnomalyRules {
  /** Shortest anomaly, in observations; shorter ones are left out. Default 1. */
  readonly minLength?: number
  /**
   * Merges anomalies with at most this many other observations between them, whatever their channels. Default: half of
   * the longer one, at least 3 and at most 20, because one event often falls below the threshold in between; then the
   * first channel of one takes part in the other, because channels that depart one after another are two events.
   */
  readonly mergeGap?: number
}

/** A maximal run of anomalous observations; indices into the series, both inclusive. */
export interface Anomaly {
  readonly from: number
  readonly to: number
  /** Index of the observation with the most evidence: that of the highest score. */
  readonly peak: number
  readonly peakScore: number
  /** Channels by their share in the anomaly's scores, highest first; shares sum to 1. */
  readonly channels: ReadonlyArray<{ readonly channel: number, readonly contribution: number }>
}

/**
 * All anomalies of a detection, in order of time. Neighbours are merged before short ones are left out.
 * An unscored observation ends a run.
 * @param verdicts the result of judge(), shape [length]; default: score > 1
 * @example
 * const detection = { score: Float64Array.of(0, 2, 4, 0), contributions: new Float64Array(4).fill(1) }
 * findAnomalies(detection) // [{ from: 1, to: 2, peak: 2, peakScore: 4, channels: [{ channel: 0, contribution: 1 }] }]
 */
export function findAnomalies (
  detection: Scored,
  rules: AnomalyRules = {},
  verdicts = thresholdVerdicts(detection.score)
): Anomaly[] {
  const { minLength = 1, mergeGap } = rules
  const runs: Run[] = []
  for (const { from, to } of runsWhere(verdicts.length, (t) => verdicts[t] === ANOMALOUS)) {
    const run = { from, to, shares: sharesIn(detection, from, to) }
    const last = runs.at(-1)
    if (last === undefined || !isOne(last, run, mergeGap)) {
      runs.push(run)
      continue
    }
    last.to = to
    for (let c = 0; c < run.shares.length; c++) last.shares[c]! += run.shares[c]!
  }
  return runs.filter(({ from, to }) => to - from + 1 >= minLength).map((run) => describe(detection, run, verdicts))
}

interface Run {
  readonly from: number
  to: number
  /** Sum of score × contribution of each channel over its anomalous observations; shape [channels]. */
  readonly shares: Float64Array
}

/** @param from first of consecutive anomalous observations @param to the last of them */
function sharesIn ({ score, contributions }: Scored, from: number, to: number): Float64Array {
  const shares = new Float64Array(contributions.length / score.length)
  for (let t = from; t <= to; t++) {
    for (let c = 0; c < shares.length; c++) shares[c]! += score[t]! * contributions[t * shares.length + c]!
  }
  return shares
}

/** Whether two neighbouring runs are one anomaly. */
function isOne (one: Run, other: Run, mergeGap: number | undefined): boolean {
  const gap = other.from - one.to - 1
  if (mergeGap !== undefined) return gap <= mergeGap
  const longer = Math.max(one.to - one.from, other.to - other.from) + 1
  return gap <= Math.max(LEAST_GAP, Math.min(MOST_GAP, longer / 2)) &&
    (takesPart(one.shares, other.shares) || takesPart(other.shares, one.shares))
}

/** Whether the first channel of one run takes part in another. */
function takesPart (one: Float64Array, other: Float64Array): boolean {
  return other[one.indexOf(Math.max(...one))]! >= PART * Math.max(...other)
}

/**
 * The verdicts at the threshold 1.
 * @example
 * thresholdVerdicts(Float64Array.of(0.5, 2, NaN)) // [0, 1, 0]
 */
export const thresholdVerdicts = (score: Float64Array): Int8Array =>
  Int8Array.from(score, (value) => isAnomalous(value) ? ANOMALOUS : NORMAL)

function describe ({ score }: Scored, { from, to, shares }: Run, verdicts: Int8Array): Anomaly {
  let peak = from
  for (let t = from; t <= to; t++) if (verdicts[t] === ANOMALOUS && score[t]! > score[peak]!) peak = t
  const total = shares.reduce((sum, share) => sum + share, 0)
  const ranked = Array.from(shares, (share, channel) => ({ channel, contribution: share / total }))
  ranked.sort((a, b) => b.contribution - a.contribution || a.channel - b.channel)
  return { from, to, peak, peakScore: score[peak]!, channels: ranked }
}
