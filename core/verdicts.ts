// From scores to verdicts: which observations count as anomalous, by rules that change no score.
import type { Detection } from './detection.ts'
import type { Series } from './series.ts'

/** Where the observed value must lie, seen from the expected one. */
export type Direction = 'both' | 'above' | 'below'

export interface VerdictRules {
  /** Anomalous is what scores above. Default 1. */
  readonly threshold?: number
  /** Only anomalies whose most contributing channel lies on this side of its expected value. Shape [channels]. */
  readonly direction?: readonly Direction[]
  /** Only where the most contributing channel is at least so far from its expected value, in its unit; 0 asks for nothing. Shape [channels]. */
  readonly minDeviation?: readonly number[]
}

export const NORMAL = 0
export const ANOMALOUS = 1
export const NOT_SCORED = -1

/**
 * The verdict on every observation. Direction and deviation only take verdicts away; an observation whose most contributing
 * channel has no value of its own cannot satisfy them.
 * @returns shape [length]: ANOMALOUS, NORMAL or NOT_SCORED
 */
export function judge (series: Series, detection: Pick<Detection, 'score' | 'contributions' | 'expected'>, rules: VerdictRules = {}): Int8Array {
  const { threshold = 1 } = rules
  const channels = series.channels.length
  const verdicts = new Int8Array(detection.score.length)
  for (let t = 0; t < verdicts.length; t++) {
    const score = detection.score[t]!
    const above = score > threshold
    if (Number.isNaN(score)) verdicts[t] = NOT_SCORED
    else if (above && satisfies(series, detection, rules, t * channels)) verdicts[t] = ANOMALOUS
  }
  return verdicts
}

function satisfies ({ values, channels }: Series, { contributions, expected }: Pick<Detection, 'contributions' | 'expected'>, { direction, minDeviation }: VerdictRules, from: number): boolean {
  if (direction === undefined && minDeviation === undefined) return true
  let top = 0
  for (let c = 1; c < channels.length; c++) if (contributions[from + c]! > contributions[from + top]!) top = c
  const departure = values[from + top]! - expected[from + top]!
  return liesOn(direction?.[top], departure) && isAtLeast(minDeviation?.[top], departure)
}

function liesOn (side: Direction = 'both', departure: number): boolean {
  return side === 'both' || (side === 'above' ? departure > 0 : departure < 0)
}

const isAtLeast = (least = 0, departure: number): boolean => least === 0 || Math.abs(departure) >= least
