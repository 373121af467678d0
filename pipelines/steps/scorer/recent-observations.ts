// The newest observations of a series as they came: they warm up another version of the model.
import { z } from 'zod'
import { Problem } from '../../../core/errors.ts'
import { decodeBytes, decodeFloat64, encodeNumbers } from './base64.ts'

export const RecentSchema = z.object({ values: z.string(), filled: z.string() })

export class RecentObservations {
  readonly #channels: number
  readonly #capacity: number
  /** Twice the capacity: when it is full, the newest observations move to the front. */
  readonly #values: Float64Array
  readonly #filled: Uint8Array
  #end = 0

  constructor (capacity: number, channels: number) {
    this.#capacity = capacity
    this.#channels = channels
    this.#values = new Float64Array(2 * capacity * channels)
    this.#filled = new Uint8Array(2 * capacity * channels)
  }

  /**
   * @param values shape [channels], NaN is missing
   * @param filled shape [channels], 1 for each value that the imputer has filled
   */
  push (values: ArrayLike<number>, filled: Uint8Array | undefined): void {
    const width = this.#channels
    if (this.#end === 2 * this.#capacity) {
      for (const array of [this.#values, this.#filled]) array.copyWithin(0, (this.#end - this.#capacity + 1) * width)
      this.#end = this.#capacity - 1
    }
    this.#values.set(values, this.#end * width)
    if (filled === undefined) this.#filled.fill(0, this.#end * width, (this.#end + 1) * width)
    else this.#filled.set(filled, this.#end * width)
    this.#end++
  }

  /** Oldest first; copies. */
  rows (): Array<{ readonly values: Float64Array, readonly filled: Uint8Array }> {
    const width = this.#channels
    return Array.from({ length: this.#count }, (_, i) => {
      const at = (this.#end - this.#count + i) * width
      return { values: this.#values.slice(at, at + width), filled: this.#filled.slice(at, at + width) }
    })
  }

  save (): z.output<typeof RecentSchema> {
    const [from, to] = [(this.#end - this.#count) * this.#channels, this.#end * this.#channels]
    return {
      values: encodeNumbers(this.#values.subarray(from, to)),
      filled: encodeNumbers(this.#filled.subarray(from, to)),
    }
  }

  /** @throws Problem invalid-state */
  restore (saved: z.output<typeof RecentSchema>): void {
    const [values, filled] = [decodeFloat64(saved.values), decodeBytes(saved.filled)]
    const width = this.#channels
    if (values.length !== filled.length || values.length % width !== 0) {
      throw new Problem(
        'invalid-state',
        "The saved observations do not fit the model's channels: the state is damaged."
      )
    }
    for (let at = 0; at < values.length; at += width) {
      this.push(values.subarray(at, at + width), filled.subarray(at, at + width))
    }
  }

  get #count (): number {
    return Math.min(this.#end, this.#capacity)
  }
}
