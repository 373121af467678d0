// What the kinds of first tries are drawn with. Row 0 is a Monday at midnight.
import { type Random } from '../../../core/random.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** What is to be found: rows, both ends included, and the channels that a person would name. */
export interface Label {
  readonly from: number
  readonly to: number
  readonly channels: readonly string[]
}

/** A labelled series before it has a name. */
export interface Drawing {
  /** Sampling interval in milliseconds. */
  readonly interval: number
  /** Columns of equal length; `null` is missing. */
  readonly columns: Readonly<Record<string, ReadonlyArray<number | null>>>
  /** In order of time; none if the series is healthy. */
  readonly labels: readonly Label[]
}

/** Draws a series of one kind. All labels lie in its second half, so the first half can be named as normal. */
export type Kind = (random: Random) => Drawing

/** A whole number from `low` to `high`, both included. */
export const whole = (random: Random, low: number, high: number): number => low + random.integer(high - low + 1)

/** A number from `low` to `high`. */
export const real = (random: Random, low: number, high: number): number => low + (high - low) * random.uniform()

/** The results of `value` for rows 0 to length − 1. */
export const rowsOf = (length: number, value: (t: number) => number): number[] =>
  Array.from({ length }, (_, t) => value(t))

/** The first of `length` rows in the second half, with some ordinary rows behind them. */
export function late (random: Random, rows: number, length: number): number {
  return whole(random, Math.ceil(0.55 * rows), Math.floor(0.93 * rows) - length)
}

/** A day in the second half of so many, not the last one. */
export const lateDay = (random: Random, days: number): number => whole(random, Math.ceil(0.55 * days), days - 2)

/** The label of `length` rows. */
export function label (from: number, length: number, ...channels: string[]): Label {
  return { from, to: from + length - 1, channels }
}

/** Stands for no label. */
export const NEVER: Label = { from: -1, to: -2, channels: [] }

export const within = ({ from, to }: Label, t: number): boolean => t >= from && t <= to

/** A bell of height 1 around 0. */
export const bell = (distance: number, width: number): number => Math.exp(-((distance / width) ** 2) / 2)

/** Noise of deviation 1 that remembers: each row keeps the share `memory` of the one before. */
export function wandering (random: Random, length: number, memory: number): number[] {
  let value = random.normal()
  const fresh = Math.sqrt(1 - memory ** 2)
  return rowsOf(length, () => (value = memory * value + fresh * random.normal()))
}

/** A count of events of which `mean` are expected (Poisson), below 700. */
export function count (random: Random, mean: number): number {
  const drawn = random.uniform()
  let share = Math.exp(-mean)
  let reached = share
  let events = 0
  while (drawn > reached && events < 10 * mean + 50) {
    events++
    share *= mean / events
    reached += share
  }
  return events
}
