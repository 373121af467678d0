// Probes: a stretch of normal data, and offsets that a detector finds in it and others that it does not. They prove a
// loaded detector by its verdicts alone, in milliseconds: it is as sensitive as it was when the sheet was measured.
import { Problem } from '../errors.ts'
import type { Scoring } from '../scoring/detection.ts'
import { isAnomalous } from '../scoring/threshold.ts'
import { fitScaler } from '../series/scaler.ts'
import { channelValues, fromColumns, type Series } from '../series/series.ts'
import { stretchAt, surroundingsFor } from './held-out.ts'
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
  readonly probes: readonly Probe[]
}

/** Most values that a check scores: it must take milliseconds. */
const VALUES = 100_000
/** Stretches that are tried until one is normal. */
const STRETCHES = 60
/** Scores of a normal stretch are below this, so that rounding on another backend does not raise them above 1. */
const CALM = 0.98
/** Offsets that are asked about, in observations: a spike and a level. */
const LENGTHS = [1, 30] as const
/** Sizes from 2⁻⁴ to 2⁷ deviations are searched in so many steps. */
const [SMALLEST, LARGEST, STEPS] = [-4, 7, 10]
/** `found` and `missed` are this factor above and below the smallest size that is found. */
const MARGIN = 1.06

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
  const { series, from } = calmStretch(judge, training)
  const scaler = fitScaler(training.map(({ values }) => values), judge.channels.length)
  const most = Math.floor(VALUES / series.values.length / 2) - 1
  const probes: Probe[] = []
  for (const place of placesIn(series, from, varying(scaler))) {
    if (probes.length >= most) break
    const probe = probeAt(judge, series, place, scaler.scale[place.c]!)
    if (probe !== undefined) probes.push(probe)
  }
  if (probes.length === 0) {
    throw new Problem(
      'sensitivity-differs',
      `The detector finds no offset of up to ${2 ** LARGEST} deviations in any channel of its own training data, so ` +
        'it would find no anomaly. Train on more data, or with other parameters.'
    )
  }
  const columns = series.channels.map((name, c) => [name, toJson(channelValues(series, c))])
  return { start: series.start, values: Object.fromEntries(columns), probes }
}

const toJson = (values: Float64Array): Array<number | null> =>
  Array.from(values, (value) => Number.isNaN(value) ? null : value)

interface ProbePlace {
  readonly scoring: Scoring
  readonly c: number
  readonly from: number
  readonly length: number
}

/** First every channel once, by turns in both scorings; then what is left. */
function placesIn (series: Series, from: number, channels: readonly number[]): ProbePlace[] {
  return LENGTHS.flatMap((length) =>
    [0, 1].flatMap((turn) =>
      channels.map((c) => ({
        scoring: SCORINGS[(turn + c) % 2]!,
        c,
        from,
        length: Math.min(length, series.length - from),
      }))
    )
  )
}

function isFound (judge: Judge, series: Series, { scoring, c, from, length }: ProbePlace, offset: number): boolean {
  const values = series.values.slice()
  shift(values, series.channels.length, { c, from, length }, offset)
  return outcomeAt(judge.detect(scoring, { ...series, values }), { from, length }, [c]).named
}

/** Undefined if no size is found, if all are, or if it is found at some sizes above one at which it is not. */
function probeAt (judge: Judge, series: Series, place: ProbePlace, deviation: number): Probe | undefined {
  let [low, high] = [SMALLEST, LARGEST]
  const offsetAt = (exponent: number): number => deviation * 2 ** exponent
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2
    if (isFound(judge, series, place, offsetAt(middle))) high = middle
    else low = middle
  }
  const [found, missed] = [offsetAt(high) * MARGIN, offsetAt(low) / MARGIN]
  if (!isFound(judge, series, place, found) || isFound(judge, series, place, missed)) return undefined
  const { scoring, c, from, length } = place
  return { scoring, channel: series.channels[c]!, from, length, found, missed }
}

/**
 * A stretch in which nothing is found, with a place in it.
 * @throws Problem sensitivity-differs
 */
function calmStretch (judge: Judge, training: readonly Series[]): { readonly series: Series, readonly from: number } {
  const surroundings = surroundingsFor(judge.windowLength)
  const length = Math.max(...LENGTHS)
  const rows = surroundings.before + length
  let best = { highest: Infinity, stretch: undefined as ReturnType<typeof stretchAt> | undefined }
  for (const series of training) {
    const last = Math.max(0, series.length - length - surroundings.after)
    const first = Math.min(last, surroundings.before)
    const count = Math.max(1, Math.floor(STRETCHES / training.length))
    for (let k = 0; k < count; k++) {
      // The newest first: they are most like what will come.
      const from = last - Math.floor(k * (last - first) / count)
      const stretch = stretchAt(series, { from, length }, surroundings)
      const highest = highestScore(judge, stretch.series)
      if (highest < CALM) return stretch
      if (highest < best.highest) best = { highest, stretch }
    }
  }
  throw new Problem(
    'sensitivity-differs',
    `The detector finds anomalies in every one of ${STRETCHES} stretches of ${rows} observations of its own training ` +
      `data; the calmest has the score ${best.highest.toPrecision(3)}. Train on normal data, or on more of them.`
  )
}

/** Infinity if nothing is scored. */
function highestScore (judge: Judge, series: Series): number {
  const scores = SCORINGS.flatMap((scoring) => [...judge.detect(scoring, series).score])
  const known = scores.filter((score) => !Number.isNaN(score))
  return known.length === 0 ? Infinity : Math.max(...known)
}

/**
 * Checks a detector by its probes.
 * @throws Problem sensitivity-differs naming the first probe that fails
 * @example
 * const noise = Array.from({ length: 400 }, createRandom(1).normal)
 * const series = fromColumns({ start: 0, interval: 1000, columns: { noise } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * checkProbes(judgeOf(model, autoencoders), { start: 0, values: {}, probes: [] }) // throws sensitivity-differs
 */
export function checkProbes (judge: Judge, { start, values, probes }: Probes): void {
  if (probes.length === 0) throw differs('it has no probe that could prove it')
  const columns = Object.fromEntries(judge.channels.map((name) => [name, values[name] ?? []]))
  const series = fromColumns({ start, interval: judge.interval, columns })
  for (const scoring of SCORINGS) {
    const { score } = judge.detect(scoring, series)
    const alarm = score.findIndex((value) => isAnomalous(value))
    if (alarm >= 0) throw differs(`it finds an anomaly in normal data (${scoring}, observation ${alarm})`)
    if (score.every(Number.isNaN)) throw differs(`it scores no observation of the probes (${scoring})`)
  }
  for (const { channel, found, missed, ...place } of probes) {
    const c = judge.channels.indexOf(channel)
    const what = (offset: number): string =>
      `an offset of ${offset.toPrecision(3)} over ${place.length} observations in ${channel} (${place.scoring})`
    if (!isFound(judge, series, { ...place, c }, found)) {
      throw differs(`it does not find ${what(found)}, or names another channel first`)
    }
    if (isFound(judge, series, { ...place, c }, missed)) throw differs(`it finds ${what(missed)}, which it must not`)
  }
}

function differs (fault: string): Problem {
  return new Problem(
    'sensitivity-differs',
    `The model is not as sensitive as its sensitivity sheet says: ${fault}. The package is damaged, or this backend ` +
      'computes wrongly: try TFJS_BACKEND=wasm, or train again.'
  )
}
