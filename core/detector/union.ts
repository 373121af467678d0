// One score from several kinds of evidence: above 1 exactly where some evidence passes its threshold.
//
// The autoencoders rank well over long stretches, the evidence of channels decides sharply. So the evidence decides on
// which side of 1 an observation lies, and the product of both ranks the observations on each side.

/** Pattern score where there is none. */
const USUAL_PATTERN = 0.5
/** Pattern scores up to this are scores as they are. */
const PLAIN = 0.9
/** Evidence raises the rank by the square root of its ratio up to this, beyond by its logarithm. */
const STRONG_RATIO = 16
const RISE = 0.1
/** Ranks of evidence below this lie between 1 and this. */
const LEAST_RANK = 1.1

/**
 * The score of an observation.
 * @param pattern score of the autoencoders; NaN without one
 * @param ratio of the strongest evidence to its threshold
 * @param isSmear whether a pattern score above 1 only repeats evidence that lies nearby
 * @returns above 1 exactly if the ratio is, or the pattern score is and is no smear
 * @example
 * scoreOf(0.4, 0.7, false) // 0.4
 * scoreOf(0.4, 2, false) // 1.05…
 * scoreOf(3, 0.7, true) // 0.97
 */
export function scoreOf (pattern: number, ratio: number, isSmear: boolean): number {
  if (ratio > 1) {
    const rank = (Number.isNaN(pattern) ? USUAL_PATTERN : pattern) * Math.sqrt(Math.min(ratio, STRONG_RATIO)) *
      (1 + RISE * Math.log(Math.max(1, ratio / STRONG_RATIO)))
    return rank > LEAST_RANK ? rank : 1 + rank * (LEAST_RANK - 1) / LEAST_RANK
  }
  const plain = Number.isNaN(pattern) ? ratio : pattern
  if (plain > 1 && !isSmear) return plain
  return plain <= PLAIN ? plain : PLAIN + (1 - PLAIN) * (1 - PLAIN / plain)
}

/** Other ratios are not squared: a square could be too large or too small for a number. */
const [SMALLEST_SQUARED, LARGEST_SQUARED] = [1e-150, 1e150]

/**
 * The contributions of channels where evidence decides: shares of their squared ratios.
 * @param ratio evidence of each channel relative to its threshold, shape [channels]
 * @param out receives the contributions, shape [channels] from index `at`: ≥ 0, sum 1; equal without any evidence
 * @returns the channel with the strongest evidence
 * @example
 * const shares = new Float64Array(2)
 * shareEvidence(Float64Array.of(3, 1), shares) // 0
 * shares // [0.9, 0.1]
 */
export function shareEvidence (ratio: Float64Array, out: Float64Array, at = 0): number {
  let top = 0
  let sum = 0
  for (let c = 0; c < ratio.length; c++) {
    if (ratio[c]! > ratio[top]!) top = c
  }
  const largest = ratio[top]!
  const unit = largest > LARGEST_SQUARED || largest < SMALLEST_SQUARED ? largest : 1
  for (let c = 0; c < ratio.length; c++) {
    out[at + c] = largest === 0 || ratio[c] === Infinity ? 1 : (ratio[c]! / unit) ** 2
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
/** A pattern score so many times as strong as the evidence nearby is more than its smear. */
const MORE = { batch: 1.5, causal: 1.2 }

/**
 * With hindsight: runs of pattern scores above 1 that only repeat evidence nearby.
 * @param pattern pattern scores, shape [length]
 * @param ratio of the strongest evidence of a channel to its threshold, shape [length]
 * @returns 1 for each observation of such a run
 * @example
 * const pattern = Float64Array.of(0, 2, 2, 2, 0, 0, 0, 0, 0, 2)
 * findSmears(pattern, Float64Array.of(0, 0, 3, 0, 0, 0, 0, 0, 0, 0), 3) // [0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
 */
export function findSmears (pattern: Float64Array, ratio: Float64Array, reach: number): Uint8Array {
  const smears = new Uint8Array(pattern.length)
  const events = runsOf(ratio, 1)
  let first = 0
  for (const { from, to, peak } of runsOf(pattern, 1)) {
    while (first < events.length && events[first]!.to < from - reach) first++
    let [longest, strongest] = [0, 0]
    for (let i = first; i < events.length && events[i]!.from <= to + reach; i++) {
      longest = Math.max(longest, events[i]!.to - events[i]!.from + 1)
      strongest = Math.max(strongest, events[i]!.peak)
    }
    const isShort = to - from + 1 <= longest + SIDES * reach
    if (longest > 0 && isShort && peak <= MORE.batch * strongest) smears.fill(1, from, to + 1)
  }
  return smears
}

/** Runs of values above a limit, and the largest value of each. */
function runsOf (values: Float64Array, limit: number): Array<{ from: number, to: number, peak: number }> {
  const runs: Array<{ from: number, to: number, peak: number }> = []
  for (let t = 0; t < values.length; t++) {
    if (!(values[t]! > limit)) continue
    const run = { from: t, to: t, peak: values[t]! }
    while (t + 1 < values.length && values[t + 1]! > limit) run.peak = Math.max(run.peak, values[++t]!)
    run.to = t
    runs.push(run)
  }
  return runs
}

/**
 * The same, causally: after evidence of a channel, a pattern score repeats it for as long as one short event smears. If
 * it stays high for longer, or is stronger, it speaks for itself.
 */
export class TrailingSmear {
  readonly #reach: number
  /** Observations since the newest evidence, and since the first of its kin; the strongest of them. */
  #since = Infinity
  #first = Infinity
  #strongest = 0

  constructor (reach: number) {
    this.#reach = reach
  }

  /**
   * @param ratio of the strongest evidence of a channel to its threshold
   * @returns whether the pattern score only repeats evidence
   */
  next (pattern: number, ratio: number): boolean {
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
    return this.#since <= this.#reach && this.#first <= this.#reach && pattern <= MORE.causal * this.#strongest
  }

  save (): [number, number, number] {
    return [this.#since, this.#first, this.#strongest]
  }

  restore ([since, first, strongest]: readonly number[]): void {
    this.#since = since!
    this.#first = first!
    this.#strongest = strongest!
  }
}
