// Which pattern scores only repeat the evidence of a channel: mean and window smear an event over its neighbours.
import { runsWhere } from '../series/runs.ts'

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
/** Evidence of one of several channels counts at most so much: a value beyond all measure hides no pattern. */
const MOST = { several: 10, lone: Infinity }
/** A pattern score that stays within this factor when the evidence is taken out is no smear of it. */
const UNMOVED = 0.9

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

/** Pattern scores without the evidence, on stretches of a series; shape [length]. */
type Remainder = (stretches: readonly Stretch[]) => Float64Array

/**
 * With hindsight: pattern scores above 1 that do not count, because they only repeat evidence nearby or are brief: a
 * pattern score is a mean.
 * @param pattern pattern scores, shape [length]
 * @param ratio of the strongest evidence of a channel to its threshold, shape [length]
 * @param remainder what would remain of the scores of a lone channel without the evidence; undefined: not known
 * @returns 1 for each such observation
 * @example
 * const patterns = Float64Array.of(0, 2, 2, 2, 0, 0, 0, 0, 0, 2)
 * const ratios = Float64Array.of(0, 0, 3, 0, 0, 0, 0, 0, 0, 0)
 * shutPatterns(patterns, ratios, { reach: 3, smoothing: 1, channels: 1 }) // [0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
 */
export function shutPatterns (
  pattern: Float64Array,
  ratio: Float64Array,
  options: SmearOptions,
  remainder?: Remainder
): Uint8Array {
  const shut = new Uint8Array(pattern.length)
  const { brief, smears } = doubtful(pattern, ratio, options)
  for (const { from, to } of brief) shut.fill(1, from, to + 1)
  const remains = options.channels === 1 && smears.length > 0 ? remainder?.(smears) : undefined
  const isUnmoved = (t: number): boolean =>
    remains !== undefined && remains[t]! > UNMOVED * pattern[t]! && UNMOVED * remains[t]! < pattern[t]!
  for (const { from, to } of smears) for (let t = from; t <= to; t++) if (!isUnmoved(t)) shut[t] = 1
  return shut
}

/** Runs of pattern scores above 1 that are brief, and those that look like a smear of evidence nearby. */
function doubtful (
  pattern: Float64Array,
  ratio: Float64Array,
  { reach, smoothing, channels }: SmearOptions
): Record<'brief' | 'smears', Run[]> {
  const found: Record<'brief' | 'smears', Run[]> = { brief: [], smears: [] }
  const events = runsAbove(ratio, 1)
  let first = 0
  for (const run of runsAbove(pattern, 1)) {
    while (first < events.length && events[first]!.to < run.from - reach) first++
    const { longest, strongest, overlaps } = nearby(events, first, run, reach)
    const length = run.to - run.from + 1
    const likeSmear = MORE.batch * Math.min(strongest, channels === 1 ? MOST.lone : MOST.several)
    const isShort = length <= Math.min(longest, reach) + SIDES * reach
    if (!overlaps && length <= smoothing / BRIEF.batch) found.brief.push(run)
    else if (longest > 0 && isShort && run.peak <= likeSmear) found.smears.push(run)
  }
  return found
}

/** Observations in a row, the last one included. */
export interface Stretch {
  readonly from: number
  readonly to: number
}

/** Values above a limit in a row, and the largest of them. */
interface Run extends Stretch {
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
