// The running level of a channel: the line through the medians of a window's two halves. Long anomalies shorter than a
// half window hardly move it.

/** Knots in a window: between them the level is held (causal) or interpolated (with hindsight). */
const KNOTS = 16
/** Most values in the median of a half. */
const HALF_SAMPLES = 64

const stepOf = (window: number): number => Math.max(1, Math.floor(window / KNOTS))
const samplingOf = (window: number): number => Math.max(1, Math.ceil(window / (2 * HALF_SAMPLES)))

/**
 * Level with hindsight, of one series: at each knot the line of the window around it; between knots interpolated.
 * @param values without gaps, shape [length]
 * @param index number of the first observation on the grid of all times: knots lie on this grid
 * @param window observations, at most all are used
 * @example
 * centredLevel(Float64Array.of(0, 1, 2, 3, 4, 5), 0, 4) // [0, 1, 2, 3, 4, 5]
 */
export function centredLevel (values: Float64Array, index: number, window: number): Float64Array {
  const length = values.length
  const span = Math.min(window, length)
  const step = stepOf(window)
  const level = new Float64Array(length)
  const scratch = new Float64Array(2 * HALF_SAMPLES + 2)
  const at = (t: number): number => {
    const from = Math.min(Math.max(0, t - (span >> 1)), length - span)
    return lineAt(values, from, span, t, scratch)
  }
  let known = 0
  level[0] = at(0)
  const first = (step - index % step) % step
  for (let t = first === 0 ? step : first; known < length - 1; t += step) {
    const knot = Math.min(t, length - 1)
    const [from, to] = [level[known]!, at(knot)]
    for (let i = known + 1; i <= knot; i++) level[i] = from + (to - from) * (i - known) / (knot - known)
    known = knot
  }
  return level
}

/** The line through the medians of the halves of [from, from + span), at t. */
function lineAt (values: Float64Array, from: number, span: number, t: number, scratch: Float64Array): number {
  const half = span >> 1
  const sampling = samplingOf(span)
  const early = medianOf(values, from, half > 0 ? from + half : from + span, sampling, scratch)
  if (half === 0) return early
  const late = medianOf(values, from + half, from + span, sampling, scratch)
  return (early + late) / 2 + (late - early) * (t - from - (span - 1) / 2) / (span / 2)
}

function medianOf (values: Float64Array, from: number, to: number, sampling: number, scratch: Float64Array): number {
  let count = 0
  for (let t = from; t < to; t += sampling) scratch[count++] = values[t]!
  const sorted = scratch.subarray(0, count).sort()
  return (sorted[(count - 1) >> 1]! + sorted[count >> 1]!) / 2
}

/** Level from the past alone, observation after observation. */
export class TrailingLevel {
  readonly #step: number
  readonly #sampling: number
  /** Every so many-th value of the window, oldest first; NaN is missing. */
  readonly #samples: Float64Array
  readonly #sorted: Float64Array
  /** Number of the newest sample on the grid of samples. */
  #newest = -Infinity
  #level = NaN

  /** @param window observations */
  constructor (window: number) {
    this.#step = stepOf(window)
    this.#sampling = samplingOf(window)
    this.#samples = new Float64Array(2 * Math.max(1, Math.floor(window / this.#sampling / 2))).fill(NaN)
    this.#sorted = new Float64Array(this.#samples.length / 2)
  }

  /**
   * Takes the next observation.
   * @param index its number on the grid of all times, larger than the last one
   * @returns the level of the observations before it; NaN while less than half a window is known
   */
  next (index: number, value: number, missing: boolean): number {
    if (index % this.#step === 0) this.#level = this.#line()
    if (index % this.#sampling === 0) this.#push(index / this.#sampling, missing ? NaN : value)
    return this.#level
  }

  #push (number: number, value: number): void {
    const moved = Math.min(this.#samples.length, number - this.#newest)
    this.#samples.copyWithin(0, moved)
    this.#samples.fill(NaN, this.#samples.length - moved)
    this.#samples[this.#samples.length - 1] = value
    this.#newest = number
  }

  /** The line through the medians of the window's halves, half a sample behind its end. */
  #line (): number {
    const half = this.#samples.length / 2
    const late = this.#median(half)
    const early = this.#median(0)
    if (Number.isNaN(late)) return NaN
    return Number.isNaN(early) ? late : (early + late) / 2 + (late - early) * (half + 0.5) / (2 * half)
  }

  /** The median of a half; NaN unless its oldest eighth and half of its values are known. */
  #median (from: number): number {
    const half = this.#sorted.length
    let count = 0
    let oldest = half
    for (let i = half - 1; i >= 0; i--) {
      const value = this.#samples[from + i]!
      if (Number.isNaN(value)) continue
      this.#sorted[count++] = value
      oldest = i
    }
    if (count * 2 < half || oldest * 8 > half) return NaN
    const sorted = this.#sorted.subarray(0, count).sort()
    return (sorted[(count - 1) >> 1]! + sorted[count >> 1]!) / 2
  }

  /** The level, the number of the newest sample, and the samples. */
  save (): number[] {
    return [this.#level, this.#newest, ...this.#samples]
  }

  restore ([level, newest, ...samples]: readonly number[]): void {
    this.#level = level!
    this.#newest = newest!
    this.#samples.set(samples)
  }
}
