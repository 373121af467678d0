// Windows over standardised observations: only this code cuts them. Knows nothing of models or scores.

/** Windows laid one after another: window i is `values[i * width, (i + 1) * width)`. */
export interface WindowMatrix {
  /** Shape [count × width]; the observations of a window one after another, oldest first. */
  readonly values: Float32Array
  readonly count: number
  /** Values in a window: window length × channels. */
  readonly width: number
  /** Values in an observation. */
  readonly channels: number
}

/** The newest `length` observations of a stream as one contiguous window. */
export class WindowBuffer {
  readonly #length: number
  readonly #channels: number
  /**
   * Two windows long. A full buffer moves its newest window to the front, so the newest window is always contiguous.
   */
  readonly #ring: Float32Array
  #end = 0

  constructor (length: number, channels: number) {
    this.#length = length
    this.#channels = channels
    this.#ring = new Float32Array(2 * length * channels)
  }

  /** Forgets everything: the next window starts with the next observation. */
  clear (): void {
    this.#end = 0
  }

  /** A place of shape [channels] for the next observation; fill it before the next call. */
  next (): Float32Array {
    const width = this.#channels
    if (this.#end === 2 * this.#length) {
      this.#ring.copyWithin(0, (this.#end - this.#length + 1) * width)
      this.#end = this.#length - 1
    }
    return this.#ring.subarray(this.#end * width, ++this.#end * width)
  }

  /**
   * The newest window, shape [length × channels], or undefined while it is not full (warm-up). A view: copy to keep.
   */
  get window (): Float32Array | undefined {
    if (this.#end < this.#length) return undefined
    return this.#ring.subarray((this.#end - this.#length) * this.#channels, this.#end * this.#channels)
  }

  /** The newest observations, at most a window of them, oldest first; shape [count × channels]. */
  save (): Float32Array {
    return this.#ring.slice(Math.max(0, this.#end - this.#length) * this.#channels, this.#end * this.#channels)
  }

  /** Takes the observations of a saved buffer of the same shape. */
  restore (observations: Float32Array): void {
    this.#ring.set(observations)
    this.#end = observations.length / this.#channels
  }
}

/**
 * Number of windows of `length` observations, stride 1, in a run of `observations`.
 * @example
 * windowCount(10, 4) // 7
 * windowCount(3, 4) // 0
 */
export function windowCount (observations: number, length: number): number {
  return Math.max(0, observations - length + 1)
}

/**
 * At most `maxCount` windows, evenly spaced over all windows (stride 1) of several runs of observations.
 * @param runs gap-free runs of standardised observations, each [observations × channels] row-major
 * @example
 * sampleWindows([Float32Array.of(1, 2, 3, 4)], 1, 2, 2).values // [1, 2, 3, 4]
 */
export function sampleWindows (
  runs: readonly Float32Array[],
  channels: number,
  length: number,
  maxCount: number
): WindowMatrix {
  const width = length * channels
  const counts = runs.map((run) => windowCount(run.length / channels, length))
  const total = counts.reduce((sum, count) => sum + count, 0)
  const count = Math.min(total, maxCount)
  const values = new Float32Array(count * width)
  let run = 0
  let before = 0
  for (let i = 0; i < count; i++) {
    const at = count === 1 ? 0 : Math.floor(i * (total - 1) / (count - 1))
    while (at - before >= counts[run]!) before += counts[run++]!
    const from = (at - before) * channels
    values.set(runs[run]!.subarray(from, from + width), i * width)
  }
  return { values, count, width, channels }
}
