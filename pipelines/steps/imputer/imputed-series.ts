// Puts one series onto the grid: holds waiting instants, fills missing values, remembers what it has sent. Counts in
// instants of the grid; knows no messages and no clock.
import { z } from 'zod'
import type { Arrival } from '../../messages/messages.ts'
import { SentInstants, SentSchema } from './sent-instants.ts'
import type { Filler, Strategy } from './strategies/strategy.ts'

/** The grid of the model, and the imputer's settings for it. */
export interface Grid {
  readonly channels: readonly string[]
  /** Milliseconds between instants. */
  readonly interval: number
  /** Observations in a row that may be filled. */
  readonly maxGap: number
  /** Milliseconds. */
  readonly lateness: number
}

/** A result. Instants are numbers of intervals since 1970. */
export type Output =
  | {
    readonly kind: 'observation',
    readonly instant: number,
    readonly values: Float64Array,
    readonly imputed: readonly number[],
    readonly arrival: Arrival,
  }
  | { readonly kind: 'gap', readonly from: number, readonly to: number, readonly arrival: Arrival }

/** An instant that waits for missing channels, or for the instants before it. */
interface Pending {
  readonly instant: number
  /** Shape [channels], NaN: no value so far. */
  readonly values: Float64Array
  /** Arrival of the latest message with values for it. */
  arrival: Arrival
}

const valueSchema = z.number().nullable()

export const SavedSeriesSchema = z.object({
  last: z.int().nullable(),
  newest: z.int().nullable(),
  missingFor: z.array(z.int()),
  filler: z.unknown(),
  sent: SentSchema,
  pending: z.array(
    z.object({ instant: z.int(), values: z.array(valueSchema), receivedAt: z.number(), trace: z.string().optional() })
  ),
})
type SavedSeries = z.output<typeof SavedSeriesSchema>

/** @param last end of an earlier grid: only instants after it are sent */
export function newSeries (channels: number, last: number | null = null): SavedSeries {
  return { last, newest: null, missingFor: Array<number>(channels).fill(0), filler: undefined, sent: [], pending: [] }
}

export class ImputedSeries {
  /** The last instant that was sent, or reported as part of a gap. */
  #last: number | undefined
  /** The latest instant that has arrived. */
  #newest: number | undefined
  /** Observations since the last one of each channel; shape [channels]. */
  readonly #missingFor: Float64Array
  readonly #filler: Filler
  readonly #sent: SentInstants
  /** In order of time. */
  readonly #pending: Pending[]

  constructor (channels: number, strategy: Strategy, saved: SavedSeries = newSeries(channels)) {
    this.#last = saved.last ?? undefined
    this.#newest = saved.newest ?? undefined
    this.#missingFor = Float64Array.from(saved.missingFor)
    this.#filler = strategy.open(channels, saved.filler)
    this.#sent = new SentInstants(saved.sent)
    this.#pending = saved.pending.map(({ instant, values, ...arrival }) => ({
      instant,
      values: Float64Array.from(values, (value) => value ?? NaN),
      arrival,
    }))
  }

  get last (): number | undefined {
    return this.#last
  }

  get waits (): boolean {
    return this.#pending.length > 0
  }

  /**
   * @param values shape [channels], NaN: no value; the array is kept
   * @returns what happened to the observation
   */
  take (instant: number, values: Float64Array, arrival: Arrival): 'taken' | 'duplicate' | 'late' {
    if (this.#last !== undefined && instant <= this.#last) {
      return this.#sent.covers(instant, values)
        ? 'duplicate'
        : 'late'
    }
    this.#newest = Math.max(instant, this.#newest ?? instant)
    let at = this.#pending.length
    while (at > 0 && this.#pending[at - 1]!.instant >= instant) at--
    const there = this.#pending[at]
    if (there?.instant !== instant) this.#pending.splice(at, 0, { instant, values, arrival })
    else if (merge(there.values, values)) there.arrival = later(there.arrival, arrival)
    else return 'duplicate'
    return 'taken'
  }

  /** Sends the instants that need not wait any longer; with `all`, every waiting instant. */
  release (grid: Grid, all: boolean, send: (output: Output) => void): void {
    for (;;) {
      const [next] = this.#pending
      if (next === undefined || !(all || this.#isReady(next, grid))) return
      this.#pending.shift()
      if (this.#last !== undefined) this.#fillUpTo(next, this.#last, grid, send)
      send({ kind: 'observation', ...this.#filled(next.instant, next.values, undefined, grid), arrival: next.arrival })
      this.#last = next.instant
    }
  }

  save (): SavedSeries {
    return {
      last: this.#last ?? null,
      newest: this.#newest ?? null,
      missingFor: Array.from(this.#missingFor),
      filler: this.#filler.save(),
      sent: this.#sent.save(),
      pending: this.#pending.map(({ instant, values, arrival }) => ({
        instant,
        values: Array.from(values, (value) => Number.isNaN(value) ? null : value),
        ...arrival,
      })),
    }
  }

  #isReady ({ instant, values }: Pending, { interval, lateness }: Grid): boolean {
    // An observation that is late by exactly `lateness` is still in time.
    const isDue = (which: number): boolean => (this.#newest! - which) * interval > lateness
    const follows = this.#last === undefined || instant === this.#last + 1
    return (follows || isDue(instant - 1)) && (isDue(instant) || !values.some(Number.isNaN))
  }

  /**
   * Fills the first missing instants and sends the others as one gap. So maxGap bounds the work, however far away
   * `next` is.
   */
  #fillUpTo (next: Pending, last: number, grid: Grid, send: (output: Output) => void): void {
    const { arrival } = next
    let instant = last + 1
    for (; instant < next.instant && instant - last <= grid.maxGap; instant++) {
      const nothing = new Float64Array(grid.channels.length).fill(NaN)
      const filled = this.#filled(instant, nothing, next, grid)
      if (filled.imputed.length === 0) break
      send({ kind: 'observation', ...filled, arrival })
    }
    if (instant === next.instant) return
    send({ kind: 'gap', from: instant, to: next.instant - 1, arrival })
    for (let c = 0; c < this.#missingFor.length; c++) this.#missingFor[c]! += next.instant - instant
  }

  /** Fills missing values in place, as far as the model's rule allows. */
  #filled (
    instant: number,
    values: Float64Array,
    next: Pending | undefined,
    { interval, maxGap }: Grid
  ): { instant: number, values: Float64Array, imputed: number[] } {
    const missing: number[] = []
    const imputed: number[] = []
    const time = instant * interval
    for (let c = 0; c < values.length; c++) {
      if (!Number.isNaN(values[c]!)) {
        this.#missingFor[c] = 0
        this.#filler.observed(c, { time, value: values[c]! })
        continue
      }
      missing.push(c)
      if (++this.#missingFor[c]! > maxGap) continue
      const value = this.#filler.fill(c, time, knownOf(next, c, interval))
      if (!Number.isFinite(value)) continue
      values[c] = value
      imputed.push(c)
    }
    if (next === undefined) this.#sent.add(instant, missing)
    return { instant, values, imputed }
  }
}

function knownOf (
  pending: Pending | undefined,
  c: number,
  interval: number
): { time: number, value: number } | undefined {
  if (pending === undefined || Number.isNaN(pending.values[c]!)) return undefined
  return { time: pending.instant * interval, value: pending.values[c]! }
}

const later = (a: Arrival, b: Arrival): Arrival => b.receivedAt < a.receivedAt ? a : b

/** Keeps the first value of each channel. @returns whether `more` has a new value */
function merge (values: Float64Array, more: Float64Array): boolean {
  let isNew = false
  for (let c = 0; c < values.length; c++) {
    if (!Number.isNaN(values[c]!) || Number.isNaN(more[c]!)) continue
    values[c] = more[c]!
    isNew = true
  }
  return isNew
}
