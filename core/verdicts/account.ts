// What the rows of an anomaly say about its kind, summed up as they come: a stream does not keep the rows.
import { evidenceOf } from '../evidence/model.ts'
import { type ChannelEvidence, PATTERN } from '../evidence/model.ts'
import type { DetectorModel } from '../detector/model.ts'
import type { Scoring } from '../scoring/detection.ts'

/** What the evidence of a row speaks for; a departure from the expected value with its side. */
export const GROUNDS = [
  'point above',
  'point below',
  'mean above',
  'mean below',
  'power above',
  'power below',
  'season above',
  'season below',
  'still',
  'relation',
  'pattern',
] as const
export type Ground = typeof GROUNDS[number]

/** An anomalous row. */
export interface AnomalousRow {
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly score: number
  /** Code of the evidence that decides. */
  readonly evidence: number
  /** Shape [channels] each; a value may be missing (NaN). */
  readonly contributions: ArrayLike<number>
  readonly values: ArrayLike<number>
  readonly expected: ArrayLike<number>
}

interface Sums {
  readonly sum: number
  readonly squares: number
}

/** The rows on which one channel contributes most. Plain JSON. */
export interface ChannelAccount {
  readonly channel: number
  /** Sum of scores by ground; shape [GROUNDS]. */
  readonly weights: readonly number[]
  /** Rows with evidence of the channel itself, not of the members; all below is about them if there is one. */
  readonly rows: number
  /** Times of the first and the last of them, milliseconds since the epoch. */
  readonly from: number
  readonly to: number
  /** Rows of them with a value, and sums and sums of squares over these. */
  readonly known: number
  readonly value: Sums
  readonly expected: Sums
  /** Rows whose value is that of the row before. */
  readonly unchanged: number
  /** Value of the first row, whether it counts as unchanged, and value of the last row. */
  readonly first: { readonly value: number | null, readonly unchanged: boolean }
  readonly last: number | null
  /** The row with the highest score; null is a missing value. */
  readonly top: {
    readonly time: number
    readonly score: number
    readonly evidence: number
    readonly value: number | null
    readonly expected: number | null
  }
}

/** One entry for each channel that contributes most on some row, in the order of channels. */
export type Account = readonly ChannelAccount[]

/** Values that a channel takes at some time of its cycle. */
export interface UsualRange {
  readonly low: number
  readonly high: number
  /** Whether the channel has a season. */
  readonly seasonal: boolean
}

/** A channel with a wandering level takes values in this many training deviations around their mean. */
const WANDERING = 2

/**
 * The usual range of each channel; undefined for one without thresholds.
 * @example
 * const wave = Array.from({ length: 240 }, (_, t) => t % 24)
 * const { model } = await fitAdHoc(fromColumns({ start: 0, interval: 3_600_000, columns: { wave } }))
 * usualRanges(model, 'batch')[0].high > 22 // true
 */
export function usualRanges (model: DetectorModel, scoring: Scoring): Array<UsualRange | undefined> {
  const { center, scale } = model.scaler
  return model.evidence[scoring]!.channels.map((channel, c) => rangeOf(channel, center[c]!, scale[c]!))
}

function rangeOf (
  { baseline: { base, level, period, profile, scale }, season }: ChannelEvidence,
  mean: number,
  deviation: number
): UsualRange | undefined {
  if (season === null) return undefined
  let [low, high] = [Infinity, -Infinity]
  profile.forEach((usual, phase) => {
    const margin = season.point * scale[phase]!
    low = Math.min(low, base + usual - margin)
    high = Math.max(high, base + usual + margin)
  })
  const seasonal = period > 1
  if (level === 0) return { low, high, seasonal }
  const wander = WANDERING * deviation
  return { low: Math.min(low, mean - wander), high: Math.max(high, mean + wander), seasonal }
}

/**
 * The account of one row.
 * @param ranges usual range of each channel
 * @example
 * const row = { time: 0, score: 2, evidence: 1, contributions: [1], values: [9], expected: [3] }
 * accountOf(row, [undefined])[0].weights // [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
 */
export function accountOf (row: AnomalousRow, ranges: ReadonlyArray<UsualRange | undefined>): Account {
  const { time, score, evidence } = row
  const channel = largestOf(row.contributions)
  const pair = { value: row.values[channel]!, expected: row.expected[channel]! }
  const isKnown = Number.isFinite(pair.value) && Number.isFinite(pair.expected)
  const isFrozen = evidenceOf(evidence).kind === 'frozen'
  const ground = groundOf(evidence, pair.value - pair.expected, usualAs(ranges[channel], pair.value))
  const { value, expected } = isKnown ? pair : { value: null, expected: null }
  return [{
    channel,
    weights: GROUNDS.map((name) => name === ground ? score : 0),
    rows: ground === 'pattern' ? 0 : 1,
    from: time,
    to: time,
    known: isKnown ? 1 : 0,
    value: sumsOf(value ?? 0),
    expected: sumsOf(expected ?? 0),
    unchanged: isFrozen ? 1 : 0,
    first: { value, unchanged: isFrozen },
    last: value,
    top: { time, score, evidence, value, expected },
  }]
}

/** Index of the largest; the first of equal ones. */
function largestOf (values: ArrayLike<number>): number {
  let largest = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[largest]!) largest = i
  return largest
}

const sumsOf = (value: number): Sums => ({ sum: value, squares: value * value })

const addSums = (a: Sums, b: Sums): Sums => ({ sum: a.sum + b.sum, squares: a.squares + b.squares })

/** The ground of a departure from a value that the channel takes at other times; undefined if it never does. */
function usualAs (range: UsualRange | undefined, value: number): 'season' | 'relation' | undefined {
  if (range === undefined || !(value >= range.low && value <= range.high)) return undefined
  return range.seasonal ? 'season' : 'relation'
}

/** @param usual from usualAs() */
function groundOf (code: number, departure: number, usual: 'season' | 'relation' | undefined): Ground {
  const { kind, view } = evidenceOf(code)
  const fixed = code === PATTERN ? 'pattern' : FIXED_GROUNDS.get(kind)
  if (fixed !== undefined) return fixed
  if (usual !== undefined && view === 'relation') return 'relation'
  const isOdd = usual === 'season' && view === 'season' && kind !== 'power'
  const name = isOdd ? 'season' : DEPARTURES.find((one) => one === kind) ?? 'point'
  return `${name} ${departure < 0 ? 'below' : 'above'}`
}

const DEPARTURES = ['mean', 'power'] as const

/** Grounds of evidence that has no side. */
const FIXED_GROUNDS = new Map<string, Ground>([['none', 'pattern'], ['frozen', 'still'], ['quiet', 'still']])

/**
 * The account of all rows of two.
 * @param b of later rows
 * @example
 * const row = { time: 0, score: 2, evidence: 1, contributions: [1], values: [9], expected: [3] }
 * const account = accountOf(row, [undefined])
 * joinAccounts(account, account)[0].rows // 2
 */
export function joinAccounts (a: Account, b: Account): Account {
  const joined = new Map(a.map((entry) => [entry.channel, entry]))
  for (const entry of b) {
    const before = joined.get(entry.channel)
    joined.set(entry.channel, before === undefined ? entry : joinEntries(before, entry))
  }
  return Array.from(joined.values()).sort((one, other) => one.channel - other.channel)
}

/** @param b of later rows */
function joinEntries (a: ChannelAccount, b: ChannelAccount): ChannelAccount {
  const weights = a.weights.map((weight, i) => weight + b.weights[i]!)
  if ((a.rows === 0) !== (b.rows === 0)) return { ...a.rows === 0 ? b : a, weights }
  const goesOn = !b.first.unchanged && b.first.value !== null && b.first.value === a.last
  return {
    channel: a.channel,
    weights,
    rows: a.rows + b.rows,
    from: a.from,
    to: b.to,
    known: a.known + b.known,
    value: addSums(a.value, b.value),
    expected: addSums(a.expected, b.expected),
    unchanged: a.unchanged + b.unchanged + (goesOn ? 1 : 0),
    first: a.first,
    last: b.last,
    top: b.top.score > a.top.score ? b.top : a.top,
  }
}
