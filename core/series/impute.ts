// Fills short gaps one observation at a time, looking back only: streams and batches are filled in the same way.

/** One observation after imputation. The next call reuses the arrays. */
interface ImputedObservation {
  /** Values, without NaN if `complete`; shape [channels]. */
  readonly values: Float64Array
  /** 1 if the value was missing and has been filled, shape [channels]. */
  readonly imputed: Uint8Array
  /** False if a channel has been missing for more than `maxGap` observations, or always: no score is possible. */
  readonly complete: boolean
}

/** The memory of a HoldImputer; both arrays of shape [channels]. */
export interface ImputerMemory {
  /** The newest value, NaN before the first. */
  readonly last: Float64Array
  /** Observations since the newest measured value. */
  readonly missingFor: Float64Array
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

  /**
   * Fills the next observation.
   * @param values shape [channels], beginning at index `at`
   * @param given 1 if the caller filled the value, shape [channels]: the value stays, but counts as missing and is
   * marked imputed
   */
  next (values: ArrayLike<number>, at = 0, given?: ArrayLike<number>): ImputedObservation {
    let complete = true
    for (let c = 0; c < this.#last.length; c++) {
      const value = values[at + c]!
      const present = Number.isFinite(value)
      const missing = !present || isGiven(given, c)
      this.#missingFor[c] = missing ? this.#missingFor[c]! + 1 : 0
      if (present) this.#last[c] = value
      const filled = this.#last[c]!
      this.#values[c] = filled
      const known = this.#missingFor[c]! <= this.#maxGap && !Number.isNaN(filled)
      this.#imputed[c] = missing && known ? 1 : 0
      complete &&= known
    }
    return { values: this.#values, imputed: this.#imputed, complete }
  }

  save (): ImputerMemory {
    return { last: this.#last.slice(), missingFor: this.#missingFor.slice() }
  }

  /** Takes the memory of a saved imputer of as many channels. */
  restore ({ last, missingFor }: ImputerMemory): void {
    this.#last.set(last)
    this.#missingFor.set(missingFor)
  }
}

const isGiven = (given: ArrayLike<number> | undefined, c: number): boolean => given !== undefined && given[c] === 1

/**
 * Fills a whole series as HoldImputer does, channel after channel.
 * @param values shape [length × channels]
 * @param imputed receives 1 for each filled value, shape [length × channels]
 * @returns the filled values, and 1 for each incomplete observation, shape [length]; undefined if all are complete
 * @example
 * fillGaps(Float64Array.of(1, NaN, NaN, 4), 1, 1) // { filled: [1, 1, NaN, 4], incomplete: [0, 0, 1, 0] }
 */
export function fillGaps (
  values: Float64Array,
  channels: number,
  maxGap: number,
  imputed?: Uint8Array
): { filled: Float64Array, incomplete: Uint8Array | undefined } {
  if (allFinite(values)) return { filled: values, incomplete: undefined }
  const filled = values.slice()
  const incomplete = new Uint8Array(values.length / channels)
  for (let c = 0; c < channels; c++) {
    let last = NaN
    let missingFor = 0
    for (let i = c; i < filled.length; i += channels) {
      const value = filled[i]!
      if (Number.isFinite(value)) {
        last = value
        missingFor = 0
      } else if (++missingFor <= maxGap && !Number.isNaN(last)) {
        filled[i] = last
        if (imputed !== undefined) imputed[i] = 1
      } else {
        incomplete[(i - c) / channels] = 1
      }
    }
  }
  return { filled, incomplete }
}

function allFinite (values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) return false
  return true
}
