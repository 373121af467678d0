// Fills short gaps one observation at a time, looking back only; so a stream and a batch are filled alike.

/** What an imputer makes of one observation. The arrays are reused by the next call. */
export interface ImputedObservation {
  /** Values without NaN where `complete`, shape [channels]. */
  readonly values: Float64Array
  /** 1 where the value was missing and has been filled, shape [channels]. */
  readonly imputed: Uint8Array
  /** False when a channel has been missing for more than `maxGap` observations, or was never seen: not to be scored. */
  readonly complete: boolean
}

/** Holds the last value of each channel for at most `maxGap` observations (last observation carried forward). */
export class HoldImputer {
  readonly #maxGap: number
  readonly #last: Float64Array
  readonly #missingFor: Float64Array
  readonly #values: Float64Array
  readonly #imputed: Uint8Array

  /** @param maxGap longest run of missing observations to fill, in observations */
  constructor (channels: number, maxGap: number) {
    this.#maxGap = maxGap
    this.#last = new Float64Array(channels).fill(NaN)
    this.#missingFor = new Float64Array(channels)
    this.#values = new Float64Array(channels)
    this.#imputed = new Uint8Array(channels)
  }

  /** @param values the next observation, shape [channels], beginning at index `at` */
  next (values: ArrayLike<number>, at = 0): ImputedObservation {
    let complete = true
    for (let c = 0; c < this.#last.length; c++) {
      const value = values[at + c]!
      const missing = !Number.isFinite(value)
      this.#missingFor[c] = missing ? this.#missingFor[c]! + 1 : 0
      if (!missing) this.#last[c] = value
      const filled = this.#last[c]!
      this.#values[c] = filled
      const known = this.#missingFor[c]! <= this.#maxGap && !Number.isNaN(filled)
      this.#imputed[c] = missing && known ? 1 : 0
      complete &&= known
    }
    return { values: this.#values, imputed: this.#imputed, complete }
  }
}
