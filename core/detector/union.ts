// One score from several kinds of evidence: above 1 exactly where some evidence passes its threshold.
//
// The autoencoders rank well over long stretches, the evidence of channels decides sharply. So the evidence decides on
// which side of 1 an observation lies, and the product of both ranks the observations on each side.
import type { ChannelRatios } from '../evidence/model.ts'
import { runsWhere } from '../series/runs.ts'

/** Power of ratios in contributions: the strongest evidence stands out. */
const SHARPNESS = 4
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
      (1 + RISE * Math.log(Math.max(1, ratio / STRONG_RATIO)))
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
    // Shares are relative to the largest ratio, so that their powers are finite.
    const share = largest === 0 || ratio[c] === largest ? 1 : ratio[c]! / largest
    out[at + c] = share ** SHARPNESS * (1 + departure[c]!)
    sum += out[at + c]!
  }
  for (let c = 0; c < ratio.length; c++) out[at + c]! /= sum
  return top
}

/**
 * Observations over which one event smears the pattern score: the mean and the longest window.
 * @param smoothing errors in the mean
 * @example
 * reachOf({ windowLength: 32 }, 61) // 93
 */
export const reachOf = ({ windowLength }: { readonly windowLength: number }, smoothing: number): number =>
  smoothing + windowLength

/** A window spreads an event to both sides, so its smear is at most this many reaches longer than the event. */
const SIDES = 2
/**
 * A pattern score so many times as strong as the evidence nearby is more than its smear. Several channels together may
 * show more than each alone; the pattern of a lone channel mostly repeats it.
 */
const MORE = { batch: 1.5, causal: 1.2, causalLone: 4 }

/** A pattern score must stay above 1 for this part of the span of its mean. */
const BRIEF = { batch: 2, causal: 4 }

/** What separates smears from patterns of their own. */
interface SmearOptions {
  /** Observations over which one event smears the pattern score. */
  readonly reach: number
  /** Errors in the mean of the pattern score. */
  readonly smoothing: number
  readonly channels: number
}

/**
 * With hindsight: runs of pattern scores above 1 that do not count, because they only repeat evidence nearby or are
 * brief: a pattern score is a mean.
 * @param pattern pattern scores, shape [length]
 * @param ratio of the strongest evidence of a channel to its threshold, shape [length]
 * @returns 1 for each observation of such a run
 * @example
 * const patterns = Float64Array.of(0, 2, 2, 2, 0, 0, 0, 0, 0, 2)
 * const ratios = Float64Array.of(0, 0, 3, 0, 0, 0, 0, 0, 0, 0)
 * shutPatterns(patterns, ratios, { reach: 3, smoothing: 1 }) // [0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
 */
export function shutPatterns (
  pattern: Float64Array,
  ratio: Float64Array,
  { reach, smoothing }: Omit<SmearOptions, 'channels'>
): Uint8Array {
  const shut = new Uint8Array(pattern.length)
  const events = runsAbove(ratio, 1)
  let first = 0
  for (const run of runsAbove(pattern, 1)) {
    while (first < events.length && events[first]!.to < run.from - reach) first++
    const { longest, strongest, overlaps } = nearby(events, first, run, reach)
    const length = run.to - run.from + 1
    const isShort = length <= Math.min(longest, reach) + SIDES * reach
    const isSmear = longest > 0 && isShort && run.peak <= MORE.batch * strongest
    if (isSmear || (!overlaps && length <= smoothing / BRIEF.batch)) shut.fill(1, run.from, run.to + 1)
  }
  return shut
}

/** Values above a limit in a row, and the largest of them. */
interface Run {
  readonly from: number
  readonly to: number
  readonly peak: number
}

/** The longest and the strongest evidence within reach of a run, and whether any overlaps it. */
function nearby (
  events: readonly Run[],
  first: number,
  run: Run,
  reach: number
): { longest: number, strongest: number, overlaps: boolean } {
  const found = { longest: 0, strongest: 0, overlaps: false }
  for (let i = first; i < events.length && events[i]!.from <= run.to + reach; i++) {
    const { from, to, peak } = events[i]!
    found.longest = Math.max(found.longest, to - from + 1)
    found.strongest = Math.max(found.strongest, peak * Math.sqrt(Math.sqrt(to - from + 1)))
    found.overlaps ||= from <= run.to && to >= run.from
  }
  return found
}

const runsAbove = (values: Float64Array, limit: number): Run[] =>
  runsWhere(values.length, (t) => values[t]! > limit).map(({ from, to }) =>
    ({ from, to, peak: values.subarray(from, to + 1).reduce((most, value) => Math.max(most, value)) })
  )

/** Reaches after the first of several pieces of evidence in which a pattern score may repeat them, causally. */
const LONGEST = { several: 1, lone: 3 }

/**
 * The same, causally: after evidence of a channel, a pattern score repeats it for as long as one short event smears. If
 * it stays high for longer, or is stronger, it speaks for itself, unless it is only a brief peak.
 */
export class PatternGate {
  readonly #reach: number
  readonly #longest: number
  readonly #brief: number
  readonly #more: number
  /** Observations since the newest evidence, and since the first one without a longer pause; the strongest of them. */
  #since = Infinity
  #first = Infinity
  #strongest = 0
  /** Pattern scores above 1 in a row, counted up to what is brief. */
  #high = 0

  constructor ({ reach, smoothing, channels }: SmearOptions) {
    this.#reach = reach
    this.#longest = (channels === 1 ? LONGEST.lone : LONGEST.several) * reach
    this.#more = channels === 1 ? MORE.causalLone : MORE.causal
    this.#brief = Math.floor(smoothing / BRIEF.causal)
  }

  /**
   * @param ratio of the strongest evidence of a channel to its threshold
   * @returns whether a pattern score above 1 does not count
   */
  isShut (pattern: number, ratio: number): boolean {
    this.#first++
    if (ratio > 1) {
      if (this.#since > this.#reach) {
        this.#first = 0
        this.#strongest = 0
      }
      this.#since = 0
      this.#strongest = Math.max(this.#strongest, ratio)
    } else {
      this.#since++
    }
    this.#high = pattern > 1 ? Math.min(this.#brief + 1, this.#high + 1) : 0
    const isSmear = this.#since <= this.#reach && this.#first <= this.#longest &&
      pattern <= this.#more * this.#strongest
    return isSmear || this.#high <= this.#brief
  }

  save (): [number, number, number, number] {
    return [this.#since, this.#first, this.#strongest, this.#high]
  }

  restore ([since, first, strongest, high]: readonly number[]): void {
    this.#since = since!
    this.#first = first!
    this.#strongest = strongest!
    this.#high = high!
  }
}
