// The level of scores around an observation. If more than half of these scores lie well above those of calibration, the
// process has drifted, and scores are relative to the level instead of the threshold. It depends on `span` observations
// and on nothing else.

export interface Level {
  /**
   * Observations in the median: the newest ones in causal scoring, the surrounding ones (odd) in batch scoring. 0: no
   * level.
   */
  readonly span: number
  /** A score is divided by factor · median if that is above 1. */
  readonly factor: number
}

/** No level: scores are relative to the calibrated threshold alone. */
export const NO_LEVEL: Level = { span: 0, factor: 0 }

/**
 * The same detector with scores relative to the calibrated threshold alone.
 * @example
 * const scoring = { level: { span: 1001, factor: 2 } }
 * withoutLevel({ causal: scoring, batch: scoring }).causal.level // { span: 0, factor: 0 }
 */
export function withoutLevel<
  Model extends { readonly causal: { readonly level: Level }, readonly batch: { readonly level: Level } }
> (model: Model): Model {
  return { ...model, causal: { ...model.causal, level: NO_LEVEL }, batch: { ...model.batch, level: NO_LEVEL } }
}

/** Fewest scores that are evidence of a drift. If there are fewer, the missing ones count as 0. */
export const LEAST_EVIDENCE = 500

/** The median counts once it is MARGIN times that of calibration; the factor that follows is at most LARGEST_FACTOR. */
const MARGIN = 1.4
const LARGEST_FACTOR = 3

/**
 * The factor with which the level counts once the median of scores is 1.4 times the median on unseen normal data.
 * @param median median score of unseen normal data, relative to the threshold
 * @example
 * levelFactor(0.5) // 1.42…
 * levelFactor(0.1) // 3
 */
export function levelFactor (median: number): number {
  return Math.max(1, Math.min(LARGEST_FACTOR, 1 / (MARGIN * median)))
}

/**
 * The median of a moving set of scores, padded with zeros to LEAST_EVIDENCE. O(1) while the median is too low to count.
 */
export class LevelWindow {
  readonly #factor: number
  /** Scores up to this cannot raise the level. */
  readonly #quiet: number
  readonly #values: Float64Array
  /** Index of the oldest observation in `#values`, number of observations, of scores, and of scores above `#quiet`. */
  #first = 0
  #held = 0
  #count = 0
  #loud = 0
  /** Scores in ascending order, kept only while most of them are loud. */
  #sorted: Float64Array | undefined

  constructor ({ span, factor }: Level) {
    this.#factor = factor
    this.#quiet = factor > 0 ? 1 / factor : Infinity
    this.#values = new Float64Array(Math.max(1, span))
  }

  /** Adds the score of the next observation, NaN if it has none. A full set drops its oldest observation. */
  push (score: number): void {
    if (this.#held === this.#values.length) this.shift()
    this.#values[(this.#first + this.#held) % this.#values.length] = score
    this.#held++
    if (Number.isNaN(score)) return
    this.#count++
    if (score > this.#quiet) this.#loud++
    if (this.#sorted !== undefined) insert(this.#sorted, this.#count - 1, score)
  }

  /** Drops the oldest observation. */
  shift (): void {
    const score = this.#values[this.#first]!
    this.#first = (this.#first + 1) % this.#values.length
    this.#held--
    if (Number.isNaN(score)) return
    if (score > this.#quiet) this.#loud--
    if (this.#sorted !== undefined) remove(this.#sorted, this.#count, score)
    this.#count--
  }

  /** The divisor of scores: factor · median, at least 1. */
  get divisor (): number {
    // The lower median of the set and the zeros that stand for missing evidence.
    const rank = ((Math.max(this.#count, LEAST_EVIDENCE) - 1) >> 1) - Math.max(0, LEAST_EVIDENCE - this.#count)
    if (this.#count - this.#loud > rank) {
      this.#sorted = undefined
      return 1
    }
    this.#sorted ??= this.#sort()
    return this.#factor * this.#sorted[rank]!
  }

  /** The scores of the set, oldest first; NaN is not scored. */
  save (): Float64Array {
    const scores = new Float64Array(this.#held)
    for (let i = 0; i < this.#held; i++) scores[i] = this.#values[(this.#first + i) % this.#values.length]!
    return scores
  }

  /** Takes the scores of a saved window of the same span. This window must be new. */
  restore (scores: Float64Array): void {
    for (let i = 0; i < scores.length; i++) this.push(scores[i]!)
  }

  #sort (): Float64Array {
    const sorted = new Float64Array(this.#values.length)
    let at = 0
    for (let i = 0; i < this.#held; i++) {
      const score = this.#values[(this.#first + i) % this.#values.length]!
      if (!Number.isNaN(score)) sorted[at++] = score
    }
    sorted.subarray(0, at).sort()
    return sorted
  }
}

/** Index of the first of `count` ascending values that is not below `value`. */
function lowerBound (sorted: Float64Array, count: number, value: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

function insert (sorted: Float64Array, count: number, value: number): void {
  const at = lowerBound(sorted, count, value)
  sorted.copyWithin(at + 1, at, count)
  sorted[at] = value
}

function remove (sorted: Float64Array, count: number, value: number): void {
  const at = lowerBound(sorted, count, value)
  sorted.copyWithin(at, at + 1, count)
}

/**
 * The level around each score: the divisor from the median of the scores at most (span − 1) / 2 observations away.
 * @param scores in order of time, relative to the threshold; NaN is not scored
 * @returns at least 1, shape [length]; undefined without a level
 * @example
 * const scores = new Float64Array(1000).fill(2).fill(6, 500, 501)
 * centredLevels(scores, { span: 501, factor: 1 }).slice(499, 502) // [2, 2, 2]
 */
export function centredLevels (scores: Float64Array, level: Level): Float64Array | undefined {
  if (level.span === 0) return undefined
  const levels = new Float64Array(scores.length)
  const reach = (level.span - 1) >> 1
  const window = new LevelWindow(level)
  for (let ahead = 0; ahead < scores.length + reach; ahead++) {
    const leaving = ahead - level.span
    if (leaving >= 0) window.shift()
    if (ahead < scores.length) window.push(scores[ahead]!)
    const t = ahead - reach
    if (t >= 0) levels[t] = window.divisor
  }
  return levels
}

/**
 * Divides scores by the level around them, in place.
 * @param levels what centredLevels() returned, shape [length]
 * @example
 * const scores = Float64Array.of(2, 6)
 * divideByLevels(scores, Float64Array.of(1, 2))
 * scores // [2, 3]
 */
export function divideByLevels (scores: Float64Array, levels: Float64Array | undefined): void {
  if (levels === undefined) return
  for (let t = 0; t < scores.length; t++) scores[t]! /= levels[t]!
}
