// One score from several kinds of evidence: above 1 exactly where some evidence passes its threshold.
//
// The autoencoders rank well over long stretches, the evidence of channels decides sharply. So the evidence decides on
// which side of 1 an observation lies, and the product of both ranks the observations on each side.
import { ln } from '../elementary.ts'
import type { ChannelRatios } from '../evidence/model.ts'

/** Pattern score where there is none: then the evidence alone ranks. */
const USUAL_PATTERN = 1
/** Pattern scores up to this are scores as they are. */
const PLAIN = 0.9
/** Evidence raises the rank by the square root of its ratio up to this, beyond by its logarithm. */
const STRONG_RATIO = 16
const RISE = 0.1
/** Ranks of evidence below this lie between 1 and this. */
const LEAST_RANK = 1.1
/** Keeps evidence above 1 where autoencoders make no error at all. */
const LEAST_PATTERN = 1e-9

/**
 * The score of an observation.
 * @param pattern score of the autoencoders; NaN without one
 * @param ratio of the strongest evidence to its threshold
 * @param isShut whether a pattern score above 1 does not count, because it only repeats evidence nearby
 * @returns above 1 exactly if the ratio is, or the pattern score is and is no smear
 * @example
 * scoreOf(0.4, 0.7, false) // 0.4
 * scoreOf(0.4, 2, false) // 1.05…
 * scoreOf(3, 0.7, true) // 0.97
 */
export function scoreOf (pattern: number, ratio: number, isShut: boolean): number {
  if (ratio > 1) {
    const known = Number.isNaN(pattern) ? USUAL_PATTERN : Math.max(LEAST_PATTERN, pattern)
    const rank = known * Math.sqrt(Math.min(ratio, STRONG_RATIO)) *
      (1 + RISE * ln(Math.max(1, ratio / STRONG_RATIO)))
    return rank > LEAST_RANK ? rank : 1 + rank * (LEAST_RANK - 1) / LEAST_RANK
  }
  const plain = Number.isNaN(pattern) ? ratio : pattern
  if (plain > 1 && !isShut) return plain
  return plain <= PLAIN ? plain : PLAIN + (1 - PLAIN) * (1 - PLAIN / plain)
}

/**
 * The contributions of channels where evidence decides. If one channel leaves the others, the
 * relation of each of them to it breaks, too. So of ratios about as large, that of the channel that departs from its
 * own season counts more.
 * @param ratio evidence of each channel relative to its threshold, shape [channels]
 * @param departure |residual| of each channel from level and season, shape [channels]
 * @param out receives the contributions, shape [channels] from index `at`: ≥ 0, sum 1; equal without any evidence
 * @returns the channel with the strongest evidence
 * @example
 * const shares = new Float64Array(2)
 * shareEvidence({ ratio: Float64Array.of(2, 1), departure: Float64Array.of(0, 0) }, shares) // 0
 * shares // [0.94…, 0.05…]
 */
export function shareEvidence (
  { ratio, departure }: Pick<ChannelRatios, 'ratio' | 'departure'>,
  out: Float64Array,
  at = 0
): number {
  let top = 0
  for (let c = 1; c < ratio.length; c++) if (ratio[c]! > ratio[top]!) top = c
  const largest = ratio[top]!
  let sum = 0
  for (let c = 0; c < ratio.length; c++) {
    // The fourth power lets the strongest evidence stand out; relative to the largest ratio it is finite.
    const share = ratio[c] === largest ? 1 : ratio[c]! / largest
    out[at + c] = share * share * (share * share) * (1 + departure[c]!)
    sum += out[at + c]!
  }
  for (let c = 0; c < ratio.length; c++) out[at + c]! /= sum
  return top
}
