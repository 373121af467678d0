// The sensitivity sheet: what a detector finds of anomalies that are injected into its own normal data, measured on
// observations that it was not fitted on.
import { Problem } from '../errors.ts'
import { createRandom } from '../random.ts'
import type { DetectorModel } from '../detector/model.ts'
import type { Scoring } from '../scoring/detection.ts'
import type { Autoencoder } from '../scoring/reconstruction-error.ts'
import { fitScaler, type Scaler } from '../series/scaler.ts'
import { type Series, slice } from '../series/series.ts'
import { findAnomalies } from '../verdicts/anomalies.ts'
import { type Cell, cellsFor } from './cells.ts'
import {
  evenly,
  heldOutFrom,
  type HeldOutSeries,
  type NormalPlace,
  normalPlaces,
  stretchAt,
  surroundingsFor,
} from './held-out.ts'
import { type InjectedKind, injectInto, varying } from './inject.ts'
import { type Judge, judgeOf, outcomeAt, SCORINGS } from './judge.ts'

/** Shares from 0 to 1 of the injected anomalies: found, and found with the right channel first. */
interface FoundShares {
  readonly found: number
  readonly named: number
}

/** What became of the injected anomalies of one kind and size in one channel. */
export interface SensitivityFinding extends Readonly<Record<Scoring, FoundShares>> {
  readonly channel: string
  readonly kind: InjectedKind
  /** In deviations of the channel; null for kinds that have no size but their length. */
  readonly size: number | null
  /** Observations. */
  readonly length: number
  /** How many were injected. */
  readonly injected: number
}

/** What a detector finds, and what it reports for nothing. */
export interface SensitivitySheet {
  /** Observations that were held out and scored; 0: the training part was too short, nothing was measured. */
  readonly observations: number
  /** Anomalies per 1,000 of these observations, without an injection. */
  readonly falseAlarms: Readonly<Record<Scoring, number>>
  /** Kind after kind, size after size, channel after channel. */
  readonly findings: readonly SensitivityFinding[]
}

/** Settings of the measurement. */
interface SheetOptions {
  /** Most values that are scored, by each scoring: it bounds the time. Default: SHEET_VALUES. */
  readonly values?: number
  /** For each series 1 at observations that may be anomalous, shape [length]. Default: all are normal. */
  readonly doubtful?: readonly Uint8Array[]
}

type Fit = (training: readonly Series[]) => Promise<{
  readonly model: DetectorModel
  readonly autoencoders: readonly Autoencoder[]
}>

/** About two seconds on one core. */
export const SHEET_VALUES = 800_000
/** Most anomalies of one kind and size in one channel. */
const MOST_INJECTED = 20
/** Fewest of them: of more channels than that leaves room for, evenly chosen ones are measured. */
const LEAST_INJECTED = 2
/** Fewest normal places for them. */
const LEAST_PLACES = 8
/** Anomalies up to one of these lengths share their places, and so do longer ones. */
const SHARED = [1, 30, 60]
const sharedBy = (length: number): number => SHARED.find((most) => length <= most) ?? Infinity
/** Share of the values that false alarms are counted on. */
const FALSE_ALARM_SHARE = 0.2

/** Fewest observations to inject into: in fewer, all places would be the same. */
const LEAST_ROOM = 24

const NOT_MEASURED: SensitivitySheet = { observations: 0, falseAlarms: { batch: 0, causal: 0 }, findings: [] }

const TOO_LITTLE: readonly string[] = ['no-training-data', 'series-too-short', 'missing-channel']

/**
 * Injects anomalies into the last quarter of the training series, and measures what a detector finds of them that was
 * fitted on the three quarters before. The same data give the same sheet, bit for bit.
 * @param series normal data with the same channels and interval
 * @param fit fits the detector in question on the first three quarters of each series
 * @throws what `fit` throws, unless there is too little data
 * @example
 * const noise = Array.from({ length: 400 }, createRandom(1).normal)
 * const series = fromColumns({ start: 0, interval: 1000, columns: { noise } })
 * const sheet = await measureSensitivity([series], ([part]) => fitAdHoc(part))
 * sheet.findings.find(({ kind, size }) => kind === 'level' && size === 4).batch // { found: 1, named: 1 }
 */
export async function measureSensitivity (
  series: readonly Series[],
  fit: Fit,
  { values = SHEET_VALUES, doubtful }: SheetOptions = {}
): Promise<SensitivitySheet> {
  const held = series.map((one, i): HeldOutSeries => ({
    series: one,
    from: heldOutFrom(one.length),
    doubtful: doubtful?.[i] ?? new Uint8Array(one.length),
  }))
  const room = Math.max(...held.map((one) => one.series.length - one.from))
  if (room < LEAST_ROOM) return NOT_MEASURED
  const seen = held.map(({ series: one, from }) => slice(one, 0, from))
  const fitted = await fit(seen).catch((error: unknown) => {
    if (error instanceof Problem && TOO_LITTLE.includes(error.code)) return undefined
    throw error
  })
  if (fitted === undefined) return NOT_MEASURED
  try {
    const judge = judgeOf(fitted.model, fitted.autoencoders)
    const scaler = fitScaler(seen.map((one) => one.values), judge.channels.length)
    const cells = cellsFor(seen, scaler, room)
    const { normal, ...alarms } = countFalseAlarms(judge, held, values * FALSE_ALARM_SHARE)
    return { ...alarms, findings: findingsOf({ judge, scaler, seen }, normal, cells, values) }
  } finally {
    for (const autoencoder of fitted.autoencoders) autoencoder.dispose?.()
  }
}

const rounded = (share: number): number => Math.round(1000 * share) / 1000

/**
 * In the newest held-out observations, as many as the values allow.
 * @returns also the series as they are, in which false alarms are doubtful, too
 */
function countFalseAlarms (
  judge: Judge,
  held: readonly HeldOutSeries[],
  values: number
): Pick<SensitivitySheet, 'observations' | 'falseAlarms'> & { readonly normal: readonly HeldOutSeries[] } {
  const most = Math.ceil(values / judge.channels.length / held.length)
  const { before } = surroundingsFor(judge.windowLength)
  let observations = 0
  const anomalies = { batch: 0, causal: 0 }
  const normal = held.map((one) => ({ ...one, doubtful: one.doubtful.slice() }))
  for (const [i, { series, from, doubtful }] of held.entries()) {
    const { length } = series
    const counted = Math.max(from, length - most)
    const stretch = stretchAt(series, { from: counted, length: length - counted }, { before, after: 0 })
    const offset = counted - stretch.from
    const isNormal = (a: number, b: number): boolean => !doubtful.subarray(a + offset, b + offset + 1).includes(1)
    for (const scoring of SCORINGS) {
      const detection = judge.detect(scoring, stretch.series)
      for (const { from: a, to: b } of findAnomalies(detection)) {
        if (b >= stretch.from && isNormal(a, b)) anomalies[scoring]++
        normal[i]!.doubtful.fill(1, a + offset, b + offset + 1)
      }
      if (scoring !== 'causal') continue
      for (let t = stretch.from; t < stretch.series.length; t++) {
        if (!Number.isNaN(detection.score[t]!) && isNormal(t, t)) observations++
      }
    }
  }
  const rate = (count: number): number => observations === 0 ? 0 : rounded(1000 * count / observations)
  return { normal, observations, falseAlarms: { batch: rate(anomalies.batch), causal: rate(anomalies.causal) } }
}

/** A detector, and the data that it was fitted on. */
interface Measured {
  readonly judge: Judge
  readonly scaler: Scaler
  readonly seen: readonly Series[]
}

function findingsOf (
  measured: Measured,
  held: readonly HeldOutSeries[],
  cells: readonly Cell[],
  values: number
): SensitivityFinding[] {
  const { judge, scaler } = measured
  const { before, after } = surroundingsFor(judge.windowLength)
  const each = cells.reduce((sum, { length }) => sum + before + length + after, 0) * judge.channels.length
  const channels = varying(scaler)
  const room = values / each
  const wanted = Math.max(LEAST_INJECTED, Math.min(MOST_INJECTED, Math.floor(room / channels.length)))
  const chosen = evenly(channels, Math.max(1, Math.floor(room / wanted)))
  // Long normal places are rarer than short ones.
  const placesBy = new Map([...SHARED, Infinity].flatMap((most, i) => {
    const lengths = cells.map(({ length }) => length).filter((length) => sharedBy(length) === most)
    if (lengths.length === 0) return []
    const random = createRandom(`sensitivity/places/${i}`)
    const places = { length: Math.max(...lengths), wanted: Math.max(LEAST_PLACES, wanted), random }
    return [[most, normalPlaces(judge, held, places)] as const]
  }))
  return cells.flatMap((cell) =>
    chosen.filter((c) => cell.channels.includes(c)).flatMap((c) => {
      const finding = findingOf(measured, placesBy.get(sharedBy(cell.length))!, { cell, c, wanted })
      return finding.injected === 0 ? [] : [finding]
    })
  )
}

function findingOf (
  { judge, scaler, seen }: Measured,
  places: readonly NormalPlace[],
  { cell: { kind, size, length }, c, wanted }: { readonly cell: Cell, readonly c: number, readonly wanted: number }
): SensitivityFinding {
  const random = createRandom(`sensitivity/${kind}/${size}/${length}/${c}`)
  const surroundings = surroundingsFor(judge.windowLength)
  const tally = { batch: { found: 0, named: 0 }, causal: { found: 0, named: 0 } }
  let injected = 0
  // Channels begin at different places, so that few anomalies for each of many channels still see all places.
  for (let k = 0; k < wanted && places.length > 0; k++) {
    const { series, from } = places[(k + c) % places.length]!
    const stretch = stretchAt(series, { from, length }, surroundings)
    const normal = stretch.series.values
    const values = normal.slice()
    const place = { c, from: stretch.from, length }
    injectInto({ values, scaler, random, elsewhere: seen[0]! }, kind, place, size ?? 0)
    const changed = changedChannels(normal, values, judge.channels.length)
    if (changed.length === 0) continue
    injected++
    for (const scoring of SCORINGS) {
      const outcome = outcomeAt(judge.detect(scoring, { ...stretch.series, values }), place, changed)
      if (outcome.found) tally[scoring].found++
      if (outcome.named) tally[scoring].named++
    }
  }
  const shares = (scoring: Scoring): FoundShares => ({
    found: rounded(tally[scoring].found / injected),
    named: rounded(tally[scoring].named / injected),
  })
  return {
    channel: judge.channels[c]!,
    kind,
    size,
    length,
    injected,
    batch: shares('batch'),
    causal: shares('causal'),
  }
}

function changedChannels (before: Float64Array, after: Float64Array, channels: number): number[] {
  const changed = new Set<number>()
  for (let i = 0; i < after.length; i++) if (!Object.is(before[i], after[i])) changed.add(i % channels)
  return [...changed]
}
