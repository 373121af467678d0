// The running level of a channel: the line through the medians of a window's two halves. Long anomalies shorter than a
// half window hardly move it.
import { medianInPlace } from '../quantile.ts'
import type { Baseline } from './model.ts'
import { Ring } from './ring.ts'

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
  return levelAround(values, index, { window, least: window })
}

/**
 * @param sizes observations in a window; at least, near the ends of the series: as many as lie on both sides of a knot
 */
function levelAround (
  values: Float64Array,
  index: number,
  { window, least }: { readonly window: number, readonly least: number }
): Float64Array {
  const length = values.length
  const span = Math.min(window, length)
  const step = stepOf(window)
  const level = new Float64Array(length)
  const scratch = new Float64Array(2 * HALF_SAMPLES + 2)
  const at = (t: number): number => {
    const half = Math.min(span >> 1, Math.max(least >> 1, Math.min(t, length - 1 - t)))
    const size = 2 * half + (span & 1)
    const from = Math.min(Math.max(0, t - half), length - size)
    return lineAt(values, { from, span: size }, t, scratch)
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

interface Window {
  readonly from: number
  readonly span: number
}

/**
 * Level of a curve: the level of what the plain level leaves is added to it, and near the ends of the series windows
 * are down to half as long, so that it follows bends more closely.
 */
function curvedLevel (values: Float64Array, index: number, window: number): Float64Array {
  const sizes = { window, least: window >> 1 }
  const level = levelAround(values, index, sizes)
  const rest = levelAround(values.map((value, t) => value - level[t]!), index, sizes)
  for (let t = 0; t < level.length; t++) level[t]! += rest[t]!
  return level
}

/** The line through the medians of the halves of a window, at t. */
function lineAt (values: Float64Array, { from, span }: Window, t: number, scratch: Float64Array): number {
  const half = span >> 1
  if (half === 0) return medianOf(values, { from, span }, 1, scratch)
  const sampling = samplingOf(span)
  const early = medianOf(values, { from, span: half }, sampling, scratch)
  const late = medianOf(values, { from: from + half, span: span - half }, sampling, scratch)
  return (early + late) / 2 + (late - early) * (t - from - (span - 1) / 2) / (span / 2)
}

function medianOf (values: Float64Array, { from, span }: Window, sampling: number, scratch: Float64Array): number {
  let count = 0
  for (let t = from; t < from + span; t += sampling) scratch[count++] = values[t]!
  return medianInPlace(scratch, count)
}

/** Level from the past alone, observation after observation. */
export class TrailingLevel {
  readonly #step: number
  readonly #sampling: number
  /** Every so many-th value of the window, oldest first; NaN is missing. */
  readonly #samples: Ring
  readonly #scratch: Float64Array
  /** Number of the newest sample on the grid of samples. */
  #newest = -Infinity
  #level = NaN

  /** @param window observations */
  constructor (window: number) {
    this.#step = stepOf(window)
    this.#sampling = samplingOf(window)
    const half = Math.max(1, Math.floor(window / this.#sampling / 2))
    this.#samples = new Ring(2 * half, NaN)
    this.#scratch = new Float64Array(half)
  }

  /**
   * Takes the next observation.
   * @param index its number on the grid of all times, larger than the last one
   * @returns the level of the observations before it; NaN while less than half a window is known
   */
  next (index: number, value: number, missing: boolean): number {
    if (index % this.#step === 0) this.#level = this.#line()
    if (index % this.#sampling === 0) {
      const number = index / this.#sampling
      this.#samples.pushAfter(number - this.#newest, missing ? NaN : value)
      this.#newest = number
    }
    return this.#level
  }

  /** The line through the medians of the window's halves, half a sample behind its end. */
  #line (): number {
    const half = this.#scratch.length
    const late = this.#median(half)
    const early = this.#median(0)
    if (Number.isNaN(late)) return NaN
    return Number.isNaN(early) ? late : (early + late) / 2 + (late - early) * (half + 0.5) / half
  }

  /** The median of a half; NaN unless its oldest eighth and half of its values are known. */
  #median (from: number): number {
    const { values, start } = this.#samples
    const half = this.#scratch.length
    let count = 0
    let oldest = half
    for (let i = half - 1; i >= 0; i--) {
      const value = values[start + from + i]!
      if (Number.isNaN(value)) continue
      this.#scratch[count++] = value
      oldest = i
    }
    return count * 2 < half || oldest * 8 > half ? NaN : medianInPlace(this.#scratch, count)
  }

  /** The level, the number of the newest sample, and the samples. */
  save (): number[] {
    return [this.#level, this.#newest, ...this.#samples.save()]
  }

  restore ([level, newest, ...samples]: readonly number[]): void {
    this.#level = level!
    this.#newest = newest!
    this.#samples.restore(samples)
  }
}

/**
 * The level at each observation of one series, with hindsight or from the past alone; NaN where it is not known yet.
 * @param baseline `level` observations; whether `curved`, which counts with hindsight only
 * @param index numbers of the observations on the grid of all times; shape [length]
 * @example
 * const rows = { missing: new Uint8Array(6), index: Float64Array.of(0, 1, 2, 3, 4, 5), causal: false }
 * levelsOf({ level: 4 }, Float64Array.of(0, 1, 2, 3, 4, 5), rows) // [0, 1, 2, 3, 4, 5]
 */
export function levelsOf (
  baseline: Pick<Baseline, 'level' | 'curved'>,
  values: Float64Array,
  { missing, index, causal }: { readonly missing: Uint8Array, readonly index: Float64Array, readonly causal: boolean }
): Float64Array {
  if (values.length === 0) return values.slice()
  if (!causal) return (baseline.curved === true ? curvedLevel : centredLevel)(values, index[0]!, baseline.level)
  const trailing = new TrailingLevel(baseline.level)
  const levels = new Float64Array(values.length)
  for (let t = 0; t < levels.length; t++) levels[t] = trailing.next(index[t]!, values[t]!, missing[t] === 1)
  return levels
}
