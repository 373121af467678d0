// From scores to anomalies: maximal runs of anomalous observations, with their peak and their channels.
import { runsWhere } from '../series/runs.ts'
import { isAnomalous } from '../scoring/threshold.ts'
import type { Detection } from '../scoring/detection.ts'
import { ANOMALOUS, NORMAL } from './verdicts.ts'

/** Bounds on the default of `mergeGap`, in observations. */
const [LEAST_GAP, MOST_GAP] = [3, 20]

export interface AnomalyRules {
  /** Shortest anomaly, in observations; shorter ones are left out. Default 1. */
  readonly minLength?: number
  /**
   * Merges anomalies with at most this many other observations between them. Default: half of the longer one, at least
   * 3 and at most 20, because one event often falls below the threshold in between.
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
  detection: Pick<Detection, 'score' | 'contributions'>,
  rules: AnomalyRules = {},
  verdicts = thresholdVerdicts(detection.score)
): Anomaly[] {
  const { minLength = 1, mergeGap } = rules
  const runs: Array<{ from: number, to: number }> = []
  for (const run of runsWhere(verdicts.length, (t) => verdicts[t] === ANOMALOUS)) {
    const last = runs.at(-1)
    if (last !== undefined && run.from - last.to - 1 <= (mergeGap ?? usualGap(last, run))) last.to = run.to
    else runs.push(run)
  }
  return runs.filter(({ from, to }) => to - from + 1 >= minLength).map((run) => describe(detection, run, verdicts))
}

/** Other observations between two runs that may be one event. */
function usualGap (one: { from: number, to: number }, other: { from: number, to: number }): number {
  const longer = Math.max(one.to - one.from, other.to - other.from) + 1
  return Math.max(LEAST_GAP, Math.min(MOST_GAP, longer / 2))
}

/**
 * The verdicts at the threshold 1.
 * @example
 * thresholdVerdicts(Float64Array.of(0.5, 2, NaN)) // [0, 1, 0]
 */
export const thresholdVerdicts = (score: Float64Array): Int8Array =>
  Int8Array.from(score, (value) => isAnomalous(value) ? ANOMALOUS : NORMAL)

function describe (
  detection: Pick<Detection, 'score' | 'contributions'>,
  { from, to }: { from: number, to: number },
  verdicts: Int8Array
): Anomaly {
  const channels = detection.contributions.length / detection.score.length
  const shares = new Float64Array(channels)
  let peak = from
  let total = 0
  for (let t = from; t <= to; t++) {
    const score = detection.score[t]!
    if (verdicts[t] !== ANOMALOUS) continue
    if (score > detection.score[peak]!) peak = t
    total += score
    for (let c = 0; c < channels; c++) shares[c]! += score * detection.contributions[t * channels + c]!
  }
  const ranked = Array.from(shares, (share, channel) => ({ channel, contribution: share / total }))
  ranked.sort((a, b) => b.contribution - a.contribution || a.channel - b.channel)
  return { from, to, peak, peakScore: detection.score[peak]!, channels: ranked }
}
