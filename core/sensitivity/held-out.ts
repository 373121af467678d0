// The part of the training series that a detector is not fitted on when it is judged, and normal places in it.
import type { Random } from '../random.ts'
import { type Series, slice } from '../series/series.ts'
import { findAnomalies } from '../verdicts/anomalies.ts'
import { type Judge, reachOf, SCORINGS } from './judge.ts'

/**
 * The last share of a series is held out: a detector meets data that come after those it was fitted on, never earlier
 * ones.
 */
export const HELD_OUT_SHARE = 0.25

/**
 * The first observation that is held out.
 * @example
 * heldOutFrom(203) // 153
 */
export function heldOutFrom (length: number): number {
  return length - Math.floor(length * HELD_OUT_SHARE)
}

/** A series whose observations from index `from` on are held out. */
export interface HeldOutSeries {
  readonly series: Series
  readonly from: number
  /** 1 at observations that may be anomalous, shape [length]; they are not used. */
  readonly doubtful: Uint8Array
}

/** A cut of a series around a place at which anomalies are injected. */
interface Stretch {
  readonly series: Series
  /** Index of the first observation of the place. */
  readonly from: number
}

/** Observations that a detector needs before a place to be warm, and after it to see it with hindsight. */
interface Surroundings {
  readonly before: number
  readonly after: number
}

const LEAST_BEFORE = 128
const LEAST_AFTER = 32

/**
 * The surroundings for windows of this length: three before, one after.
 * @example
 * surroundingsFor(8) // { before: 128, after: 32 }
 */
export function surroundingsFor (windowLength: number): Surroundings {
  return { before: Math.max(LEAST_BEFORE, 3 * windowLength), after: Math.max(LEAST_AFTER, windowLength) }
}

/**
 * The stretch around a place, as far as the series goes.
 * @param place `length` observations from index `from`
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { x: [0, 1, 2, 3, 4, 5] } })
 * stretchAt(series, { from: 3, length: 1 }, { before: 2, after: 1 }).series.values // [1, 2, 3, 4]
 */
export function stretchAt (
  series: Series,
  { from, length }: { readonly from: number, readonly length: number },
  { before, after }: Surroundings
): Stretch {
  const first = Math.max(0, from - before)
  return { series: slice(series, first, Math.min(series.length, from + length + after)), from: from - first }
}

/** A normal place, by the series that it lies in. */
export interface NormalPlace {
  readonly series: Series
  readonly from: number
}

/** How many places are tried for each one that is wanted. */
const ATTEMPTS = 4

/**
 * Random places in the held-out parts at which the judge sees nothing, so that what it sees there later was injected.
 * @param length observations of the longest anomaly
 * @returns fewer than wanted if there are not enough
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { x: [0, 0, 0, 0] } })
 * const still = { windowLength: 2, detect: () => emptyDetection(4, 1) }
 * const wanted = { length: 1, wanted: 3, random: createRandom(1) }
 * normalPlaces(still, [{ series, from: 3, doubtful: new Uint8Array(4) }], wanted).map(({ from }) => from) // [3]
 */
export function normalPlaces (
  judge: Judge,
  held: readonly HeldOutSeries[],
  { length, wanted, random }: { readonly length: number, readonly wanted: number, readonly random: Random }
): NormalPlace[] {
  const starts = held.flatMap((one) => startsOf(one, length))
  const found: NormalPlace[] = []
  const tried = new Set<number>()
  for (let attempt = 0; attempt < ATTEMPTS * wanted && found.length < wanted && starts.length > 0; attempt++) {
    const drawn = random.integer(starts.length)
    if (tried.has(drawn)) continue
    tried.add(drawn)
    const place = starts[drawn]!
    if (isQuiet(judge, place, length)) found.push(place)
  }
  return found
}

function startsOf ({ series, from, doubtful }: HeldOutSeries, length: number): NormalPlace[] {
  const starts: NormalPlace[] = []
  for (let at = from; at + length <= series.length; at++) {
    const reach = reachOf({ from: at, length })
    const isDoubtful = doubtful.subarray(Math.max(0, reach.from), reach.to + 1).includes(1)
    if (!isDoubtful) starts.push({ series, from: at })
  }
  return starts
}

function isQuiet (judge: Judge, { series, from }: NormalPlace, length: number): boolean {
  const stretch = stretchAt(series, { from, length }, surroundingsFor(judge.windowLength))
  const reach = reachOf({ from: stretch.from, length })
  return SCORINGS.every((scoring) =>
    findAnomalies(judge.detect(scoring, stretch.series)).every((one) => one.from > reach.to || one.to < reach.from)
  )
}

/**
 * At most so many of the items, evenly spread over them.
 * @example
 * evenly([0, 1, 2, 3, 4], 2) // [0, 2]
 */
export function evenly<T> (items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items]
  return Array.from({ length: most }, (_, i) => items[Math.floor(i * items.length / most)]!)
}
