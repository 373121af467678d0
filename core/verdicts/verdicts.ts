// From scores to verdicts: which observations count as anomalous, by rules that change no score.
import type { Detection } from '../scoring/detection.ts'
import { isAnomalous } from '../scoring/threshold.ts'
import type { Series } from '../series/series.ts'

/** Where the observed value must lie, seen from the expected one. */
export type Direction = 'both' | 'above' | 'below'

export interface VerdictRules {
  /** Anomalous is what scores above. Default 1. */
  readonly threshold?: number
  /** Only anomalies whose most contributing channel lies on this side of its expected value. Shape [channels]. */
  readonly direction?: readonly Direction[]
  /**
   * Only where the most contributing channel is at least so far from its expected value, in its unit; 0 asks for
   * nothing. Shape [channels].
   */
  readonly minDeviation?: readonly number[]
  /**
   * How far the score of an observation reaches, in observations: its side and its distance are those of the farthest
   * departure within. A score is a mean, and most observations in it are ordinary. Default: none, the observation
   * itself.
   */
  readonly reach?: { readonly behind: number, readonly ahead: number }
}

export const NORMAL = 0
export const ANOMALOUS = 1
export const NOT_SCORED = -1

/**
 * The verdict on every observation. Direction and deviation only take verdicts away; where the most contributing
 * channel has no value within reach they are not satisfied.
 * @returns shape [length]: ANOMALOUS, NORMAL or NOT_SCORED
 */
export function judge (
  series: Series,
  detection: Pick<Detection, 'score' | 'contributions' | 'expected'>,
  rules: VerdictRules = {}
): Int8Array {
  const { threshold = 1 } = rules
  const verdicts = new Int8Array(detection.score.length)
  for (let t = 0; t < verdicts.length; t++) {
    const score = detection.score[t]!
    if (Number.isNaN(score)) verdicts[t] = NOT_SCORED
    else if (isAnomalous(score, threshold) && satisfies(series, detection, rules, t)) verdicts[t] = ANOMALOUS
  }
  return verdicts
}

function satisfies (
  series: Series,
  detection: Pick<Detection, 'contributions' | 'expected'>,
  { direction, minDeviation, reach = { behind: 0, ahead: 0 } }: VerdictRules,
  t: number
): boolean {
  if (direction === undefined && minDeviation === undefined) return true
  const channels = series.channels.length
  const { contributions } = detection
  let top = 0
  for (let c = 1; c < channels; c++) if (contributions[t * channels + c]! > contributions[t * channels + top]!) top = c
  const departure = farthestDeparture(
    series,
    detection,
    top,
    Math.max(0, t - reach.behind),
    Math.min(series.length - 1, t + reach.ahead)
  )
  return liesOn(direction?.[top], departure) && isAtLeast(minDeviation?.[top], departure)
}

/** Of observations [from, to], observed less expected where that is largest; NaN where nothing is known. */
function farthestDeparture (
  { values, channels }: Series,
  { expected }: Pick<Detection, 'expected'>,
  c: number,
  from: number,
  to: number
): number {
  let farthest = NaN
  for (let i = from * channels.length + c; i <= to * channels.length + c; i += channels.length) {
    const departure = values[i]! - expected[i]!
    if (Math.abs(departure) > Math.abs(farthest) || Number.isNaN(farthest)) farthest = departure
  }
  return farthest
}

function liesOn (side: Direction = 'both', departure: number): boolean {
  return side === 'both' || (side === 'above' ? departure > 0 : departure < 0)
}

const isAtLeast = (least = 0, departure: number): boolean => least === 0 || Math.abs(departure) >= least
