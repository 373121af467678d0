// What has been sent with values of its own, as stretches: a series that comes regularly is one stretch, however long.
import { z } from 'zod'

export const SentSchema = z.array(z.object({ from: z.int(), to: z.int(), missing: z.array(z.int()) }))

/** Neighbouring instants, of which the same channels had no value. */
type Stretch = z.output<typeof SentSchema>[number]

/** Older ones are forgotten. */
const REMEMBERED = 64

export class SentInstants {
  readonly #stretches: Stretch[]

  constructor (saved: z.output<typeof SentSchema> = []) {
    this.#stretches = [...saved]
  }

  /** @param missing channels without a value of their own, by index, ascending */
  add (instant: number, missing: readonly number[]): void {
    const last = this.#stretches.at(-1)
    if (last?.to === instant - 1 && equal(last.missing, missing)) {
      this.#stretches[this.#stretches.length - 1] = { ...last, to: instant }
      return
    }
    this.#stretches.push({ from: instant, to: instant, missing: [...missing] })
    if (this.#stretches.length > REMEMBERED) this.#stretches.shift()
  }

  /** Whether the instant was sent with a value of every channel that has one here. */
  covers (instant: number, values: Float64Array): boolean {
    const stretch = this.#stretches.findLast(({ from }) => from <= instant)
    return stretch !== undefined && instant <= stretch.to && stretch.missing.every((c) => Number.isNaN(values[c]!))
  }

  save (): z.output<typeof SentSchema> {
    return [...this.#stretches]
  }
}

const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i])
