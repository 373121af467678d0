// From reconstruction errors to scores: means over time of the errors' parts per channel.
//
// Errors are rounded to whole multiples of 2⁻³² before they are added up. Sums of whole numbers below 2⁵³ are exact, so
// a running sum equals a fresh one: a score depends on the observations in its reach alone, not on the series before.

const UNITS = 2 ** 32

/** Largest error, in standard deviations: 512 of them still add up exactly. Far beyond every threshold. */
export const LARGEST_ERROR = 2 ** 12

/** The largest error in whole units of 2⁻³², with room for the rounding of its parts. */
export const LARGEST_UNITS = 2 * LARGEST_ERROR * UNITS

/** An error in whole units of 2⁻³². */
function toUnits (error: number): number {
  return Math.round(error * UNITS)
}

/** Bounds the error whose parts begin at index `at`, in place. */
function bound (parts: Float64Array, channels: number, at: number): void {
  let sum = 0
  for (let i = at; i < at + channels; i++) sum += parts[i]!
  if (sum <= LARGEST_ERROR) return
  for (let i = at; i < at + channels; i++) parts[i]! *= LARGEST_ERROR / sum
}

/** Mean of the newest `span` errors, part by part. */
export class TrailingSmoother {
  readonly #channels: number
  readonly #span: number
  readonly #ring: Float64Array
  readonly #sums: Float64Array
  #count = 0

  /** @param span errors in the mean; fewer while fewer have come */
  constructor (channels: number, span: number) {
    this.#channels = channels
    this.#span = span
    this.#ring = new Float64Array(span * channels)
    this.#sums = new Float64Array(channels)
  }

  clear (): void {
    this.#count = 0
    this.#ring.fill(0)
    this.#sums.fill(0)
  }

  /**
   * Takes the parts of the newest error from index `partsAt` and writes the mean of each part into `out` from index
   * `outAt`; both shape [channels].
   */
  next (parts: Float64Array, out: Float64Array, partsAt = 0, outAt = 0): void {
    bound(parts, this.#channels, partsAt)
    const from = (this.#count % this.#span) * this.#channels
    this.#count++
    const held = Math.min(this.#count, this.#span)
    for (let c = 0; c < this.#channels; c++) {
      const units = toUnits(parts[partsAt + c]!)
      this.#sums[c]! += units - this.#ring[from + c]!
      this.#ring[from + c] = units
      out[outAt + c] = this.#sums[c]! / UNITS / held
    }
  }

  /** The errors in the mean, in whole units, oldest first; shape [count × channels]. */
  save (): Float64Array {
    const held = Math.min(this.#count, this.#span)
    const errors = new Float64Array(held * this.#channels)
    const oldest = (this.#count - held) % this.#span * this.#channels
    const tail = this.#ring.subarray(oldest, Math.min(this.#ring.length, oldest + errors.length))
    errors.set(tail)
    errors.set(this.#ring.subarray(0, errors.length - tail.length), tail.length)
    return errors
  }

  /** Takes the errors of a saved smoother of the same span: sums of whole numbers are the same in any order. */
  restore (errors: Float64Array): void {
    this.clear()
    this.#ring.set(errors)
    this.#count = errors.length / this.#channels
    for (let i = 0; i < errors.length; i++) this.#sums[i % this.#channels]! += errors[i]!
  }
}

/** Windows over a run of `length` observations. */
export interface Covering {
  /** First observation of each window, ascending; shape [windows]. */
  readonly starts: ArrayLike<number>
  readonly windowLength: number
  readonly channels: number
  readonly length: number
}

/**
 * The mean error of the windows that cover an observation, for each observation, part by part.
 * @param errors parts of the windows' errors, shape [windows × channels]; bounded in place
 * @returns shape [length × channels]
 * @example
 * const covering = { starts: [0, 1], windowLength: 2, channels: 1, length: 3 }
 * meanOverCoveringWindows(Float64Array.of(1, 3), covering) // [1, 2, 3]
 */
export function meanOverCoveringWindows (
  errors: Float64Array,
  { starts, windowLength, channels, length }: Covering
): Float64Array {
  for (let at = 0; at < errors.length; at += channels) bound(errors, channels, at)
  let behind = 0
  let ahead = 0
  const ends = new Int32Array(2 * length)
  for (let t = 0; t < length; t++) {
    while (ahead < starts.length && starts[ahead]! <= t) ahead++
    while (starts[behind]! < t - windowLength + 1) behind++
    ends[2 * t] = behind
    ends[2 * t + 1] = ahead
  }
  return runningMean(errors, channels, ends)
}

/**
 * Centred mean over `span` observations (odd), part by part; fewer at the edges.
 * @param values shape [length × channels]
 * @example
 * centredMean(Float64Array.of(0, 3, 0, 0), 1, 3) // [1.5, 1, 1, 0]
 */
export function centredMean (values: Float64Array, channels: number, span: number): Float64Array {
  const length = values.length / channels
  const reach = (span - 1) >> 1
  const ends = new Int32Array(2 * length)
  for (let t = 0; t < length; t++) {
    ends[2 * t] = Math.max(0, t - reach)
    ends[2 * t + 1] = Math.min(length, t + reach + 1)
  }
  return runningMean(values, channels, ends)
}

/** @param ends for each time the range [from, to) of values in its mean, shape [length × 2]; both ends only ascend */
function runningMean (values: Float64Array, channels: number, ends: Int32Array): Float64Array {
  const length = ends.length / 2
  const means = new Float64Array(length * channels)
  const units = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) units[i] = toUnits(values[i]!)
  for (let c = 0; c < channels; c++) {
    let sum = 0
    let from = c
    let to = c
    for (let t = 0; t < length; t++) {
      const nextFrom = ends[2 * t]! * channels + c
      const nextTo = ends[2 * t + 1]! * channels + c
      for (; to < nextTo; to += channels) sum += units[to]!
      for (; from < nextFrom; from += channels) sum -= units[from]!
      means[t * channels + c] = sum / UNITS / (ends[2 * t + 1]! - ends[2 * t]!)
    }
  }
  return means
}

/**
 * Errors of one member alone, without smoothing: the sums of their parts as they enter a mean.
 * @param parts shape [length × channels]
 * @param isOpen whether the parts are not bounded yet
 * @returns shape [length]
 * @example
 * soleErrors(Float64Array.of(1, 3, 9000, 0), 2, true) // [4, 4096]
 */
export function soleErrors (parts: Float64Array, channels: number, isOpen: boolean): Float64Array {
  const errors = new Float64Array(parts.length / channels)
  const bounded = isOpen ? parts.slice() : parts
  for (let t = 0; t < errors.length; t++) {
    if (isOpen) bound(bounded, channels, t * channels)
    for (let c = 0; c < channels; c++) errors[t]! += toUnits(bounded[t * channels + c]!) / UNITS
  }
  return errors
}

/**
 * Scores and contributions: the sum of an observation's parts over the threshold, and each part's share of the sum.
 * @param parts smoothed errors, part by part, shape [length × channels]; overwritten by the contributions (≥ 0, sum 1;
 * equal if there is no error)
 * @returns shape [length]
 * @example
 * const parts = Float64Array.of(1, 3)
 * splitScores(parts, 2, 2) // [2]
 * parts // [0.25, 0.75]
 */
export function splitScores (parts: Float64Array, channels: number, threshold: number): Float64Array {
  const scores = new Float64Array(parts.length / channels)
  for (let t = 0; t < scores.length; t++) scores[t] = splitScore(parts, channels, threshold, t * channels)
  return scores
}

/**
 * splitScores() for the observation whose parts begin at index `at`.
 * @example
 * const parts = Float64Array.of(9, 9, 1, 3)
 * splitScore(parts, 2, 2, 2) // 2
 * parts // [9, 9, 0.25, 0.75]
 */
export function splitScore (parts: Float64Array, channels: number, threshold: number, at: number): number {
  let sum = 0
  for (let i = at; i < at + channels; i++) sum += parts[i]!
  for (let i = at; i < at + channels; i++) parts[i] = sum === 0 ? 1 / channels : parts[i]! / sum
  return sum / threshold
}
