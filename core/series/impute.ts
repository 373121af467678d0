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

/** What a HoldImputer remembers; both shape [channels]. */
export interface ImputerMemory {
  /** The newest value, NaN before the first. */
  readonly last: Float64Array
  /** Observations since the newest one that had a value of its own. */
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
   * @param values the next observation, shape [channels], beginning at index `at`
   * @param given 1 where somebody else has filled the value, shape [channels]: it is taken as it is, but counts as
   * missing and is marked imputed
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

  /** Goes on as the imputer that saved it, of as many channels. */
  restore ({ last, missingFor }: ImputerMemory): void {
    this.#last.set(last)
    this.#missingFor.set(missingFor)
  }
}

const isGiven = (given: ArrayLike<number> | undefined, c: number): boolean => given !== undefined && given[c] === 1

/**
 * What HoldImputer says of a whole series, channel after channel.
 * @param values shape [length × channels]
 * @param imputed receives 1 where a value was filled, shape [length × channels]
 * @returns the values, those to be scored without NaN, and 1 for each observation that is not, shape [length];
 * undefined where all are
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
