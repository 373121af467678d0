// From reconstruction errors to scores: means over time of the errors' parts per channel. All sums are taken afresh in order
// of time, so that a score depends on the observations in its reach alone, not on how long the series was before.

/** Mean of the newest `span` errors, part by part. */
export class TrailingSmoother {
  readonly #channels: number
  readonly #span: number
  readonly #ring: Float64Array
  #count = 0

  /** @param span errors in the mean; fewer while fewer have come */
  constructor (channels: number, span: number) {
    this.#channels = channels
    this.#span = span
    this.#ring = new Float64Array(span * channels)
  }

  clear (): void {
    this.#count = 0
  }

  /** Takes the parts of the newest error and writes the mean of each part into `out` (both shape [channels]). */
  next (parts: Float64Array, out: Float64Array): void {
    const channels = this.#channels
    this.#ring.set(parts, (this.#count % this.#span) * channels)
    this.#count++
    const held = Math.min(this.#count, this.#span)
    out.fill(0)
    for (let age = held; age >= 1; age--) {
      const from = ((this.#count - age) % this.#span) * channels
      for (let c = 0; c < channels; c++) out[c]! += this.#ring[from + c]!
    }
    for (let c = 0; c < channels; c++) out[c]! /= held
  }
}

/**
 * For every observation the mean error of the windows that cover it, part by part.
 * @param errors parts of the errors of consecutive windows (stride 1), shape [windows × channels]
 * @returns shape [(windows + windowLength − 1) × channels]
 */
export function meanOverCoveringWindows (errors: Float64Array, channels: number, windowLength: number): Float64Array {
  const windows = errors.length / channels
  return runningMean(errors, channels, windows + windowLength - 1, (t) => [Math.max(0, t - windowLength + 1), Math.min(windows - 1, t)])
}

/**
 * Centred mean over `span` observations (odd), part by part; fewer at the edges.
 * @param values shape [length × channels]
 */
export function centredMean (values: Float64Array, channels: number, span: number): Float64Array {
  const length = values.length / channels
  const reach = (span - 1) >> 1
  return runningMean(values, channels, length, (t) => [Math.max(0, t - reach), Math.min(length - 1, t + reach)])
}

function runningMean (values: Float64Array, channels: number, length: number, range: (t: number) => [number, number]): Float64Array {
  const means = new Float64Array(length * channels)
  for (let t = 0; t < length; t++) {
    const [from, to] = range(t)
    for (let i = from; i <= to; i++) {
      for (let c = 0; c < channels; c++) means[t * channels + c]! += values[i * channels + c]!
    }
    for (let c = 0; c < channels; c++) means[t * channels + c]! /= to - from + 1
  }
  return means
}

/**
 * The served score of one observation and its split: the sum of the parts over the threshold, and each part's share of it.
 * @param parts smoothed error, part by part; becomes the contributions (≥ 0, sum 1; equal where there is no error at all)
 */
export function splitScore (parts: Float64Array, threshold: number): number {
  let sum = 0
  for (let c = 0; c < parts.length; c++) sum += parts[c]!
  for (let c = 0; c < parts.length; c++) parts[c] = sum === 0 ? 1 / parts.length : parts[c]! / sum
  return sum / threshold
}
