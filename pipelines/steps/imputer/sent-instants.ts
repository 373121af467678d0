// Remembers which instants have been sent with values of their own, as stretches: a regular series is one stretch,
// however long.
import { z } from 'zod'

export const SentSchema = z.array(z.object({ from: z.int(), to: z.int(), missing: z.array(z.int()) }))

/** Neighbouring instants at which the same channels had no value. */
type Stretch = z.output<typeof SentSchema>[number]

/** Number of stretches; older ones are forgotten. */
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

  /** Whether the instant was sent with values of all channels that have one in `values`. */
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
