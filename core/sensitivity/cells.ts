// What the sensitivity sheet asks about: kinds of anomaly at several sizes or lengths.
import { autocorrelationPeriod } from '../metrics/period.ts'
import type { Scaler } from '../series/scaler.ts'
import { channelValues, type Series, slice } from '../series/series.ts'
import { type InjectedKind, isPossible, varying } from './inject.ts'

/** A kind at one size and length, and the channels that it is injected into. */
export interface Cell {
  readonly kind: InjectedKind
  /** In deviations of the channel; null for kinds that have no size but their length. */
  readonly size: number | null
  /** Observations. */
  readonly length: number
  readonly channels: readonly number[]
}

type Asked = Omit<Cell, 'channels'>

const sized = (kind: InjectedKind, length: number, sizes: readonly number[]): Asked[] =>
  sizes.map((size) => ({ kind, size, length }))

const lasting = (kind: InjectedKind, lengths: readonly number[]): Asked[] =>
  lengths.map((length) => ({ kind, size: null, length }))

/** What is injected into every channel that varies. */
const ASKED: readonly Asked[] = [
  ...sized('spike', 1, [2, 4, 6, 10]),
  ...sized('level', 30, [1, 2, 4]),
  ...sized('drift', 60, [2, 4, 8]),
  ...lasting('quiet', [10, 30, 90]),
  ...lasting('swap', [10, 30]),
]

/** A channel has cycles if its values correlate at least this much with those one cycle earlier. */
const CYCLIC = 0.5
/** Observations that cycles are looked for in, at most. */
const MOST_SEARCHED = 4000

/**
 * The kinds and sizes for these data; each anomaly is at most half as long as the part that it is injected into.
 * @param seen training series
 * @param room observations of the longest part to inject into
 * @example
 * const wave = Array.from({ length: 200 }, (_, t) => Math.sin(2 * Math.PI * t / 12))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * cellsFor([series], fitScaler([series.values], 1), 50).at(-1)
 * // { kind: 'missing-cycle', size: null, length: 12, channels: [0] }
 */
export function cellsFor (seen: readonly Series[], scaler: Scaler, room: number): Cell[] {
  const channels = varying(scaler)
  const cells = ASKED.filter(({ kind }) => isPossible(kind, channels.length)).map((asked) => ({ ...asked, channels }))
  return [...cells, ...cyclesOf(seen, channels)].filter(({ length, channels: of }) =>
    of.length > 0 && 2 * length <= room
  )
}

/** A missing cycle for each length of cycles that channels have. */
function cyclesOf (seen: readonly Series[], channels: readonly number[]): Cell[] {
  const longest = seen.toSorted((a, b) => b.length - a.length)[0]!
  const searched = slice(longest, Math.max(0, longest.length - MOST_SEARCHED), longest.length)
  const byLength = new Map<number, number[]>()
  for (const c of channels) {
    const length = cycleOf(channelValues(searched, c))
    if (length !== undefined) byLength.set(length, [...byLength.get(length) ?? [], c])
  }
  return [...byLength].sort(([a], [b]) => a - b)
    .map(([length, of]) => ({ kind: 'missing-cycle', size: null, length, channels: of }))
}

function cycleOf (values: Float64Array): number | undefined {
  const period = autocorrelationPeriod(values)
  return correlationAt(values, period) >= CYCLIC ? period : undefined
}

/** Correlation of the values with those `lag` observations earlier, around their common mean; NaN is skipped. */
function correlationAt (values: Float64Array, lag: number): number {
  const known = values.filter((value) => !Number.isNaN(value))
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  let [product, square] = [0, 0]
  for (let t = lag; t < values.length; t++) {
    const [now, before] = [values[t]! - mean, values[t - lag]! - mean]
    if (Number.isNaN(now) || Number.isNaN(before)) continue
    product += now * before
    square += (now * now + before * before) / 2
  }
  return square === 0 ? 0 : product / square
}
