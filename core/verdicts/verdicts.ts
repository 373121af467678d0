// From scores to verdicts: the observations that count as anomalous, by rules that change no score.
import { evidenceOf } from '../evidence/model.ts'
import { PATTERN } from '../evidence/model.ts'
import type { Detection } from '../scoring/detection.ts'
import { isAnomalous } from '../scoring/threshold.ts'
import type { Series } from '../series/series.ts'

/** The side of the expected value on which the observed value must lie. */
export type Direction = 'both' | 'above' | 'below'

export interface VerdictRules {
  /** Scores above it are anomalous. Default 1. */
  readonly threshold?: number
  /** The most contributing channel must lie on this side of its expected value. Shape [channels]. */
  readonly direction?: readonly Direction[]
  /**
   * The most contributing channel must lie at least this far from its expected value, in its unit; 0: any distance.
   * Shape [channels].
   */
  readonly minDeviation?: readonly number[]
  /**
   * How far evidence reaches that is a mean. Side and distance are those of the largest departure within reach, because
   * most of the observations in a mean are ordinary. All other evidence is of the observation alone, as is everything
   * by default.
   */
  readonly reach?: { readonly pattern: Reach, readonly sustained: Reach }
}

/** Observations behind and ahead that enter the evidence of one. */
interface Reach {
  readonly behind: number
  readonly ahead: number
}

const ALONE: Reach = { behind: 0, ahead: 0 }

export const NORMAL = 0
export const ANOMALOUS = 1
export const NOT_SCORED = -1

/**
 * The verdict on every observation. Direction and deviation only take verdicts away. They are not satisfied if the most
 * contributing channel has no value within reach.
 * @returns shape [length]: ANOMALOUS, NORMAL or NOT_SCORED
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, 9, 1] } })
 * const [contributions, expected] = [Float64Array.of(1, 1, 1), Float64Array.of(1, 1, 1)]
 * const detection = { score: Float64Array.of(NaN, 2, 0.5), contributions, expected, evidence: new Uint8Array(3) }
 * judge(series, detection, { direction: ['above'] }) // [-1, 1, 0]
 */
export function judge (
  series: Series,
  detection: Pick<Detection, 'score' | 'contributions' | 'expected' | 'evidence'>,
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
  detection: Pick<Detection, 'contributions' | 'expected' | 'evidence'>,
  { direction, minDeviation, reach }: VerdictRules,
  t: number
): boolean {
  if (direction === undefined && minDeviation === undefined) return true
  const channels = series.channels.length
  const { contributions } = detection
  let top = 0
  for (let c = 1; c < channels; c++) if (contributions[t * channels + c]! > contributions[t * channels + top]!) top = c
  const { behind, ahead } = reachOf(detection.evidence[t]!, reach)
  const from = Math.max(0, t - behind)
  const to = Math.min(series.length - 1, t + ahead)
  const departure = farthestDeparture(series, detection, from * channels + top, to * channels + top)
  return liesOn(direction?.[top], departure) && isAtLeast(minDeviation?.[top], departure)
}

function reachOf (code: number, reach: VerdictRules['reach']): Reach {
  if (reach === undefined) return ALONE
  if (code === PATTERN) return reach.pattern
  const { kind } = evidenceOf(code)
  return kind === 'mean' || kind === 'power' ? reach.sustained : ALONE
}

/**
 * The largest departure of one channel, observed less expected; NaN if no value is known.
 * @param from index of its first value
 * @param to index of its last value, inclusive
 */
function farthestDeparture (
  { values, channels }: Series,
  { expected }: Pick<Detection, 'expected'>,
  from: number,
  to: number
): number {
  let farthest = NaN
  for (let i = from; i <= to; i += channels.length) {
    const departure = values[i]! - expected[i]!
    if (Math.abs(departure) > Math.abs(farthest) || Number.isNaN(farthest)) farthest = departure
  }
  return farthest
}

function liesOn (side: Direction = 'both', departure: number): boolean {
  return side === 'both' || (side === 'above' ? departure > 0 : departure < 0)
}

const isAtLeast = (least = 0, departure: number): boolean => least === 0 || Math.abs(departure) >= least
