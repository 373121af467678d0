// Probes: a stretch of normal data, and offsets that a detector finds in it and others that it does not. They prove a
// loaded detector by its verdicts alone, in milliseconds: it is as sensitive as it was when the sheet was measured.
import { Problem } from '../errors.ts'
import type { Scoring } from '../scoring/detection.ts'
import { isAnomalous } from '../scoring/threshold.ts'
import { fitScaler, type Scaler } from '../series/scaler.ts'
import { channelValues, fromColumns, type Series, slice } from '../series/series.ts'
import { evenly } from './held-out.ts'
import { shift, varying } from './inject.ts'
import { type Judge, outcomeAt, SCORINGS } from './judge.ts'

/** An offset that is added to `length` values of one channel, from index `from` of the stretch on. */
interface Probe {
  readonly scoring: Scoring
  readonly channel: string
  readonly from: number
  readonly length: number
  /** In the channel's unit. With `found` the anomaly is found, its channel first; with `missed` it is not. */
  readonly found: number
  readonly missed: number
}

/** A stretch of normal data in which nothing is found, and what is found if it is added. */
export interface Probes {
  /** Time of the first observation. */
  readonly start: number
  /** Channel → its values; null is missing. */
  readonly values: Readonly<Record<string, ReadonlyArray<number | null>>>
  /** Lowest threshold without a false alarm in each third of the stretch; null if nothing is scored there. */
  readonly calmAt: Readonly<Record<Scoring, ReadonlyArray<number | null>>>
  readonly probes: readonly Probe[]
}

/** About as many values a check scores: it must take milliseconds. */
const VALUES = 19_000
/** Fewest channels that are asked about, however many there are. */
const LEAST_CHANNELS = 3
/** Observations before the first place, besides the longest window, and after the last one. */
const [BEFORE, AFTER] = [64, 32]
/** Observations from one place to the next; every channel has its own. */
const APART = 16
/** Offsets that are asked about, in observations: a spike and a level. */
const LENGTHS = [1, 5] as const
/** Stretches that are tried until one is normal. */
const STRETCHES = 60
/** The first stretch with scores below the first is taken, else the calmest if its scores are below the second. */
const [CALM, CALM_ENOUGH] = [0.85, 0.98]
/** Sizes from 2⁻⁴ to 2⁷ deviations are searched in so many steps. */
const [SMALLEST, LARGEST, STEPS] = [-4, 7, 10]
/** Sizes are checked this factor above and below the smallest one that is found. */
const MARGIN = 1.06
/** The same for the threshold without a false alarm. Backends differ by far less. */
const CALM_MARGIN = 1.02
/** Parts of the stretch in which false alarms are looked for. */
const PARTS = 3

/**
 * Probes for a detector. Looks for the smallest offset that it finds, in each channel that varies.
 * @param training normal series with the detector's channels
 * @throws Problem sensitivity-differs if the detector finds something in every stretch of them, or nothing anywhere
 * @example
 * const noise = Array.from({ length: 400 }, createRandom(1).normal)
 * const series = fromColumns({ start: 0, interval: 1000, columns: { noise } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * makeProbes(judgeOf(model, autoencoders), [series]).probes.length // 4
 */
export function makeProbes (judge: Judge, training: readonly Series[]): Probes {
  const scaler = fitScaler(training.map(({ values }) => values), judge.channels.length)
  const before = Math.min(BEFORE + judge.windowLength, Math.floor(Math.max(...training.map((one) => one.length)) / 2))
  const room = VALUES / (2 * SCORINGS.length + SCORINGS.length) / judge.channels.length - before - AFTER
  const channels = evenly(varying(scaler), Math.max(LEAST_CHANNELS, Math.floor(room / APART)))
  const series = calmStretch(judge, training, before + channels.length * APART + AFTER)
  // A short series has room for fewer places.
  const places = channels.map((c, i) => ({ c, from: before + i * APART }))
    .filter(({ from }) => from + Math.max(...LENGTHS) <= series.length)
  const probes: Probe[] = []
  const groups = Math.max(SCORINGS.length, Math.floor((VALUES / series.values.length - SCORINGS.length) / 2))
  for (const { length, scoring } of GROUPS.slice(0, groups)) {
    probes.push(...groupOf(judge, series, { places, length, scoring }, scaler))
  }
  if (probes.length === 0) {
    throw new Problem(
      'sensitivity-differs',
      `The detector finds no offset of up to ${2 ** LARGEST} deviations in any channel of its own training data, so ` +
        'it would find no anomaly. Train on more data, or with other parameters.'
    )
  }
  const columns = series.channels.map((name, c) => [name, toJson(channelValues(series, c))])
  return {
    start: series.start,
    values: Object.fromEntries(columns),
    calmAt: { batch: highestOf(judge, 'batch', series), causal: highestOf(judge, 'causal', series) },
    probes,
  }
}

/** Kinds of probes that are asked about at once, the most important first. */
const GROUPS = LENGTHS.flatMap((length) => SCORINGS.map((scoring) => ({ length, scoring })))

const toJson = (values: Float64Array): Array<number | null> =>
  Array.from(values, (value) => Number.isNaN(value) ? null : value)

interface Wanted {
  readonly places: ReadonlyArray<{ readonly c: number, readonly from: number }>
  readonly length: number
  readonly scoring: Scoring
}

/** Those probes of one kind that hold also if all are asked about at once. */
function groupOf (judge: Judge, series: Series, { places, length, scoring }: Wanted, { scale }: Scaler): Probe[] {
  let group: Probe[] = []
  for (const { c, from } of places) {
    const probe = probeAt(judge, series, { scoring, channel: series.channels[c]!, from, length }, scale[c]!)
    const larger = [...group, probe]
    if (faultOf(judge, series, larger) === undefined) group = larger
  }
  return group
}

type ProbePlace = Omit<Probe, 'found' | 'missed'>

/** Adds each probe's offset to its place, and tells which of them are found, their channel first. */
function findAll (judge: Judge, series: Series, offsets: ReadonlyArray<readonly [ProbePlace, number]>): boolean[] {
  const values = series.values.slice()
  const placed = offsets.map(([{ channel, from, length }, offset]) => {
    const place = { c: judge.channels.indexOf(channel), from, length }
    shift(values, judge.channels.length, place, offset)
    return place
  })
  const detection = judge.detect(offsets[0]![0].scoring, { ...series, values })
  return placed.map((place) => outcomeAt(detection, place, [place.c]).named)
}

/** The smallest size that is found alone, by bisection: larger ones are mostly found, too. */
function probeAt (judge: Judge, series: Series, place: ProbePlace, deviation: number): Probe {
  let [low, high] = [SMALLEST, LARGEST]
  const offsetAt = (exponent: number): number => deviation * 2 ** exponent
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2
    if (findAll(judge, series, [[place, offsetAt(middle)]])[0] === true) high = middle
    else low = middle
  }
  return { ...place, found: offsetAt(high) * MARGIN, missed: offsetAt(low) / MARGIN }
}

/** What is wrong with probes of one scoring that are asked about at once; undefined if nothing is. */
function faultOf (judge: Judge, series: Series, group: readonly Probe[]): string | undefined {
  const what = ({ channel, length, scoring }: Probe, offset: number): string =>
    `an offset of ${offset.toPrecision(3)} over ${length} observations in ${channel} (${scoring})`
  const lost = findAll(judge, series, group.map((probe) => [probe, probe.found])).indexOf(false)
  if (lost >= 0) return `it does not find ${what(group[lost]!, group[lost]!.found)}, or names another channel first`
  const excess = findAll(judge, series, group.map((probe) => [probe, probe.missed])).indexOf(true)
  return excess < 0 ? undefined : `it finds ${what(group[excess]!, group[excess]!.missed)}, which it must not`
}

/**
 * A stretch in which nothing is found, as long as is wanted or as the series is.
 * @throws Problem sensitivity-differs
 */
function calmStretch (judge: Judge, training: readonly Series[], rows: number): Series {
  let calmest = { series: undefined as Series | undefined, highest: Infinity }
  const count = Math.max(1, Math.floor(STRETCHES / training.length))
  for (const series of training) {
    const last = Math.max(0, series.length - rows)
    for (let k = 0; k < count; k++) {
      // The newest first: they are most like what will come.
      const from = last - Math.floor(k * last / count)
      const stretch = slice(series, from, Math.min(series.length, from + rows))
      const highest = highestScore(judge, stretch)
      if (highest < CALM) return stretch
      if (highest < calmest.highest) calmest = { series: stretch, highest }
    }
  }
  if (calmest.series !== undefined && calmest.highest < CALM_ENOUGH) return calmest.series
  throw new Problem(
    'sensitivity-differs',
    `The detector finds anomalies in every one of ${STRETCHES} stretches of ${rows} observations of its own training ` +
      `data; the calmest has the score ${calmest.highest.toPrecision(3)}. Train on normal data, or on more of them.`
  )
}

/** By both scorings; Infinity if nothing is scored. */
function highestScore (judge: Judge, series: Series): number {
  const known = SCORINGS.flatMap((scoring) => highestOf(judge, scoring, series).filter((score) => score !== null))
  return known.length === 0 ? Infinity : Math.max(...known)
}

/** Highest score in each part of the series; null if nothing is scored there. */
function highestOf (judge: Judge, scoring: Scoring, series: Series): Array<number | null> {
  const { score } = judge.detect(scoring, series)
  return Array.from({ length: PARTS }, (_, i) => {
    const [from, to] = [i, i + 1].map((edge) => Math.floor(edge * score.length / PARTS))
    const known = score.subarray(from, to).filter((value) => !Number.isNaN(value))
    return known.length === 0 ? null : Math.max(...known)
  })
}

/**
 * Checks a detector by its probes.
 * @throws Problem sensitivity-differs naming the first probe that fails
 * @example
 * const noise = Array.from({ length: 400 }, createRandom(1).normal)
 * const series = fromColumns({ start: 0, interval: 1000, columns: { noise } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * checkProbes(judgeOf(model, autoencoders), { probes: [] }) // throws sensitivity-differs
 */
export function checkProbes (judge: Judge, { start, values, calmAt, probes }: Probes): void {
  if (probes.length === 0) throw differs('it has no probe that could prove it')
  const columns = Object.fromEntries(judge.channels.map((name) => [name, values[name] ?? []]))
  const series = fromColumns({ start, interval: judge.interval, columns })
  for (const scoring of SCORINGS) {
    const highest = highestOf(judge, scoring, series)
    for (let part = 0; part < PARTS; part++) {
      const fault = calmFaultOf(highest[part]!, calmAt[scoring][part] ?? null)
      if (fault !== undefined) throw differs(`${fault} (${scoring})`)
    }
  }
  for (const { length, scoring } of GROUPS) {
    const group = probes.filter((probe) => probe.length === length && probe.scoring === scoring)
    const fault = group.length === 0 ? undefined : faultOf(judge, series, group)
    if (fault !== undefined) throw differs(fault)
  }
}

/** What is wrong with the highest score of a part of the stretch; undefined if nothing is. */
function calmFaultOf (highest: number | null, calm: number | null): string | undefined {
  if (highest === null) return calm === null ? undefined : 'it scores no observation of normal data'
  if (calm === null) return 'it scores what it did not score'
  const [above, below] = [Math.min(1, calm * CALM_MARGIN), calm / CALM_MARGIN]
  if (isAnomalous(highest, above)) return `it finds an anomaly in normal data at the threshold ${above.toPrecision(3)}`
  if (highest >= below) return undefined
  return `it finds nothing in normal data even at the threshold ${below.toPrecision(3)}`
}

function differs (fault: string): Problem {
  return new Problem(
    'sensitivity-differs',
    `The model is not as sensitive as its sensitivity sheet says: ${fault}. The package is damaged, or this backend ` +
      'computes wrongly: try TFJS_BACKEND=wasm, or train again.'
  )
}
