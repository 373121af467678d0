// The usual course of a channel: level + season, chosen by how well other cycles tell each value.
import { ln } from '../../elementary.ts'
import type { Baseline, Rows } from '../model.ts'
import { GAUSSIAN, includedOf, meanAbsolute, medianOf, medianOfAll, spreadOf } from './included.ts'
import { isCurve } from './curve.ts'
import { quantileInPlace } from '../../quantile.ts'
import { findPeriods } from './periods.ts'
import { flatten } from '../residuals.ts'
import { MAD_TO_DEVIATION } from '../../robust.ts'
import { levelsOf } from '../running-level.ts'
import { groupByPhase, phaseMedians, phaseOf, type Phases } from '../season.ts'

const DAY_MS = 86_400_000

/** A season or level is accepted if it leaves less than this share of the mean |residual|. */
const LEVEL_GAIN = 0.8
const MULTIPLICATIVE_GAIN = 0.95
const CALENDAR_GAIN = 0.85
const FOUND_GAIN = 0.5
/** For a season that was found in the data, when half of the rows tells the other half. */
const AHEAD_GAIN = 0.6
/** For a season of fewer cycles than FEW. */
const FEW_GAIN = 0.6
const FEW = 2.8
/** Handicaps when seasons are compared: for a level, for a longer period (per e-fold), for a fraction. */
const HANDICAP = { level: 0.02, period: 0.02, fraction: 0.03 }

/** Rows that judge a candidate: more change no choice. */
const JUDGED_ROWS = 6000
const LEAST_LEVEL = 201
const LEAST_SCALE_ROWS = 12
/** Smallest scale, in units of the spread of the values. */
const LEAST_SCALE = 2e-4

/** Windows of the level of a curve. */
const CURVED_LEVELS = [LEAST_LEVEL, 61, 25]
/** A shorter window is accepted if it leaves less than this share, on average and of large residuals. */
const CURVE_GAIN = 0.6
const LARGE = 0.98
/** Residuals grow with the level if the ratio of large ones to typical ones falls below this share. */
const EVEN_GAIN = 0.7

interface BaselineOptions {
  /** Whether the level looks back only. */
  readonly causal: boolean
  /** Whether periods are looked for in the data; else a season follows the calendar. */
  readonly anyPeriod: boolean
  /** Whether the rows are judged themselves and may hold anomalies: then a curve is followed as it is. */
  readonly robust: boolean
}

/** A fitted baseline, and how the training rows lie around it. */
export interface FittedBaseline {
  readonly baseline: Baseline
  /** Residual of each row from the median of other cycles, in units of the scale; NaN while there is no level. */
  readonly residuals: Float64Array
  /** Whether the period was found in the data, not in the calendar. */
  readonly found: boolean
}

interface Candidate extends Pick<Baseline, 'curved'> {
  readonly period: number
  readonly level: number
  readonly multiplicative: boolean
}

const NO_SEASON: Candidate = { period: 1, level: 0, multiplicative: false }

/** One channel of the training rows. */
interface Column extends Pick<Rows, 'index' | 'edges' | 'interval'> {
  readonly values: Float64Array
  readonly missing: Uint8Array
  readonly included: Uint8Array
}

/**
 * Fits level, season and scale of a channel.
 * @param c the channel
 * @param included 1 for each row that counts as normal
 * @example
 * const wave = Array.from({ length: 96 }, (_, t) => t % 24)
 * const rows = rowsOf([fromColumns({ start: 0, interval: 3_600_000, columns: { wave } })])
 * const options = { causal: false, anyPeriod: false, robust: false }
 * fitBaseline(rows, 0, new Uint8Array(96).fill(1), options).baseline.period // 24
 */
export function fitBaseline (rows: Rows, c: number, included: Uint8Array, options: BaselineOptions): FittedBaseline {
  const column: Column = { ...rows, values: rows.columns[c]!, missing: rows.missing[c]!, included }
  const base = medianOf(column.values, included)
  const trials = new Trials(column, base, options)
  const chosen = chooseCandidate(column, trials, options)
  const { residuals, profile } = trials.fit(chosen)
  const least = LEAST_SCALE * spreadOf(column.values, included, base)
  const scale = scaleOf(column, residuals, { period: chosen.period, least })
  const found = chosen.period > 1 && !calendarPeriods(rows.interval).includes(chosen.period)
  const baseline: Baseline = {
    base,
    ...chosen,
    profile: Array.from(withoutUnknown(profile)),
    scale: Array.from(scale),
  }
  const held = found && options.causal ? trials.acrossHalves(chosen, residuals) : residuals
  const scaled = new Float64Array(residuals.length)
  for (let t = 0; t < scaled.length; t++) scaled[t] = held[t]! / scale[phaseOf(column.index[t]!, chosen.period)]!
  return { baseline, residuals: scaled, found }
}

/** Day and week, in observations, where they are whole numbers of them. */
function calendarPeriods (interval: number): number[] {
  return [DAY_MS / interval, 7 * DAY_MS / interval].filter((period) => period >= 4 && Number.isInteger(period))
}

/** Phases without a value are as the one in the middle. */
function withoutUnknown (profile: Float64Array): Float64Array {
  const middle = medianOfAll(profile.filter((value) => !Number.isNaN(value)))
  return profile.map((value) => Number.isNaN(value) ? middle : value)
}

/** Values without their level, and the rows that count and have one. */
interface Flat {
  readonly flat: Float64Array
  readonly known: Uint8Array
}

interface Fit {
  readonly profile: Float64Array
  readonly residuals: Float64Array
}

/** Level and season of candidates, computed once. */
class Trials {
  readonly #column: Column
  readonly #base: number
  readonly #causal: boolean
  readonly #levels = new Map<string, Float64Array>()
  readonly #phases = new Map<number, Phases>()
  readonly #flats = new Map<string, Flat>()
  readonly #fits = new Map<string, Fit>()
  readonly #losses = new Map<string, number>()

  constructor (column: Column, base: number, { causal }: BaselineOptions) {
    this.#column = column
    this.#base = base
    this.#causal = causal
  }

  /** Mean |residual| of included rows; of long cycles, of an even choice of phases. */
  loss (candidate: Candidate): number {
    return memoised(this.#losses, JSON.stringify(candidate), () => {
      const every = Math.max(1, Math.floor(this.#column.index.length / JUDGED_ROWS))
      const judgesSome = every > 1 && Math.round(candidate.period) >= 32 * every
      const { residuals } = judgesSome ? this.#medians(candidate, every) : this.fit(candidate)
      return meanAbsolute(residuals, this.#column.included)
    })
  }

  /** Typical and large sizes of residuals of included rows. */
  sizes (candidate: Candidate): { middle: number, large: number } {
    const sizes = includedOf(this.fit(candidate).residuals, this.#column.included)
    for (let i = 0; i < sizes.length; i++) sizes[i] = Math.abs(sizes[i]!)
    return { middle: quantileInPlace(sizes, 0.5), large: quantileInPlace(sizes, LARGE) }
  }

  /** The usual value of each phase, NaN where none is known, and the residuals of all rows from other cycles. */
  fit (candidate: Candidate): Fit {
    return memoised(this.#fits, JSON.stringify(candidate), () => this.#medians(candidate, 1))
  }

  /**
   * Residuals of each half of the rows from the profile of the other half: how far a cycle drifts meanwhile.
   * @param residuals where the other half knows no value of a phase
   */
  acrossHalves (candidate: Candidate, residuals: Float64Array): Float64Array {
    const { included, index } = this.#column
    const { flat, known } = this.#flat(candidate)
    const middle = included.length >> 1
    const out = residuals.slice()
    for (const [from, to] of [[0, middle], [middle, included.length]] as const) {
      const { profile } = phaseMedians(flat, known.slice().fill(0, from, to), this.#phasesOf(candidate.period))
      for (let t = from; t < to; t++) {
        const departure = flat[t]! - profile[phaseOf(index[t]!, candidate.period)]!
        if (!Number.isNaN(departure)) out[t] = departure
      }
    }
    return out
  }

  #medians (candidate: Candidate, every: number): Fit {
    const { flat, known } = this.#flat(candidate)
    if (candidate.period > 1) return phaseMedians(flat, known, this.#phasesOf(candidate.period), every)
    const middle = medianOf(flat, known)
    const residuals = new Float64Array(flat.length)
    for (let t = 0; t < flat.length; t++) residuals[t] = flat[t]! - middle
    return { profile: Float64Array.of(middle), residuals }
  }

  #phasesOf (period: number): Phases {
    return memoised(this.#phases, period, () => groupByPhase(this.#column.index, period))
  }

  #flat ({ level, curved, multiplicative }: Candidate): Flat {
    return memoised(this.#flats, `${level} ${curved} ${multiplicative}`, () => {
      const { values, included } = this.#column
      const levels = level === 0
        ? undefined
        : memoised(this.#levels, `${level} ${curved}`, () => levelsOfAll(this.#column, { level, curved }, this.#causal))
      const flat = new Float64Array(values.length)
      const known = included.slice()
      for (let t = 0; t < values.length; t++) {
        flat[t] = levels === undefined
          ? values[t]! - this.#base
          : flatten(values[t]!, levels[t]!, this.#base, multiplicative)
        if (Number.isNaN(flat[t]!)) known[t] = 0
      }
      return { flat, known }
    })
  }
}

function memoised<Key, Value> (known: Map<Key, Value>, key: Key, compute: () => Value): Value {
  const value = known.get(key) ?? compute()
  known.set(key, value)
  return value
}

/** The levels of all series, one after another. */
function levelsOfAll (
  { values, missing, index, edges }: Column,
  level: Pick<Baseline, 'level' | 'curved'>,
  causal: boolean
): Float64Array {
  const levels = new Float64Array(values.length)
  for (let s = 0; s + 1 < edges.length; s++) {
    const [from, to] = [edges[s]!, edges[s + 1]!]
    const series = { missing: missing.subarray(from, to), index: index.subarray(from, to), causal }
    levels.set(levelsOf(level, values.subarray(from, to), series), from)
  }
  return levels
}

function chooseCandidate (column: Column, trials: Trials, options: BaselineOptions): Candidate {
  const { anyPeriod, causal } = options
  const rows = column.index.length
  const calendar = calendarPeriods(column.interval).filter((period) => rows >= 2 * period)
  const found = anyPeriod && rows >= 24 ? findPeriods(longestOf(column), Math.floor(rows / 3)) : []
  const periods = Array.from(new Set([...calendar, ...found])).filter((period) => rows >= 2 * period)
  const plain = choosePlain(column, trials, options)
  if (periods.length === 0) return plain
  const best = chooseSeason(column, trials, { periods, causal })
  const gain = rows < FEW * best.period ? FEW_GAIN : calendar.includes(best.period) ? CALENDAR_GAIN : FOUND_GAIN
  if (!(trials.loss(best) < gain * trials.loss(plain))) return plain
  if (!causal || calendar.includes(best.period)) return best
  // A cycle that wanders tells little about the future.
  const ahead = trials.acrossHalves(best, trials.fit(best).residuals)
  return meanAbsolute(ahead, column.included) < AHEAD_GAIN * trials.loss(plain) ? best : plain
}

function chooseLevel ({ index: { length } }: Column, trials: Trials): Candidate {
  const level = length >= 400 ? Math.max(LEAST_LEVEL, Math.floor(length / 8)) : length >= 122 ? 61 : 0
  if (level === 0) return NO_SEASON
  const withLevel = { ...NO_SEASON, level }
  return trials.loss(withLevel) < LEVEL_GAIN * trials.loss(NO_SEASON) ? withLevel : NO_SEASON
}

/** Without a season. */
function choosePlain (column: Column, trials: Trials, { robust, causal }: BaselineOptions): Candidate {
  const chosen = chooseLevel(column, trials)
  if (!robust || causal || !isCurve(column.values, column.included)) return chosen
  const curve = chooseCurve(column.values.length, trials, chosen)
  if (curve.level === 0 || !isPositive(column.values, column.included)) return curve
  const growing = { ...curve, multiplicative: true }
  const [plain, relative] = [trials.sizes(curve), trials.sizes(growing)]
  return relative.large * plain.middle < EVEN_GAIN * plain.large * relative.middle ? growing : curve
}

/** Of a smooth curve: the level of the shortest window that leaves less everywhere. */
function chooseCurve (rows: number, trials: Trials, chosen: Candidate): Candidate {
  let best = chosen.level > 0 ? { ...chosen, curved: true } : chosen
  const longest = Math.min(rows / 2, chosen.level || Infinity)
  for (const level of CURVED_LEVELS.filter((one) => one <= longest)) {
    const curve = { ...NO_SEASON, level, curved: true }
    // At a step, a short window leaves as much as a long one.
    const isCloser = trials.loss(curve) < CURVE_GAIN * trials.loss(best) &&
      trials.sizes(curve).large < CURVE_GAIN * trials.sizes(best).large
    if (isCloser) best = curve
  }
  return best
}

function chooseSeason (
  { values, included, index }: Column,
  trials: Trials,
  { periods, causal }: { readonly periods: readonly number[], readonly causal: boolean }
): Candidate {
  const rows = index.length
  const shortest = Math.min(...periods)
  const positive = isPositive(values, included)
  const candidates = periods.flatMap((period): Candidate[] => {
    const plain = { period, level: 0, multiplicative: false }
    // Halves of whole periods, of 25 observations at least. A trailing level is known after half a window.
    const whole = 2 * period * Math.max(1, Math.ceil(25 / period))
    const level = Math.round(period >= 25 && rows >= (causal ? 8 : 6) * period ? 2 * whole : whole)
    if (rows < 4 * period || level > (causal ? rows / 2 : rows)) return [plain]
    const additive = { period, level, multiplicative: false }
    return positive ? [plain, additive, { ...additive, multiplicative: true }] : [plain, additive]
  })
  const handicapped = (candidate: Candidate): number => {
    const { period, level } = candidate
    const handicap = (level === 0 ? 0 : HANDICAP.level) + HANDICAP.period * ln(period / shortest) +
      (Number.isInteger(period) ? 0 : HANDICAP.fraction)
    return trials.loss(candidate) * (1 + handicap)
  }
  let best = candidates.reduce((least, one) => handicapped(one) < handicapped(least) ? one : least)
  const additive = { ...best, multiplicative: false }
  if (best.multiplicative && trials.loss(best) > MULTIPLICATIVE_GAIN * trials.loss(additive)) best = additive
  const plain = { ...additive, level: 0 }
  return best.level > 0 && trials.loss(best) > LEVEL_GAIN * trials.loss(plain) ? plain : best
}

/** The values of the longest series: periods are looked for where time is whole. */
function longestOf ({ values, edges }: Column): Float64Array {
  let longest = 0
  for (let s = 1; s + 1 < edges.length; s++) {
    if (edges[s + 1]! - edges[s]! > edges[longest + 1]! - edges[longest]!) longest = s
  }
  return values.subarray(edges[longest], edges[longest + 1])
}

function isPositive (values: Float64Array, included: Uint8Array): boolean {
  for (let t = 0; t < values.length; t++) if (included[t] === 1 && !(values[t]! > 0)) return false
  return true
}

/** Usual size of residuals in each phase. @param least smallest size: smaller ones are rounding */
function scaleOf (
  { index, included }: Column,
  residuals: Float64Array,
  { period, least }: { readonly period: number, readonly least: number }
): Float64Array {
  const spread = spreadOf(residuals, included)
  if (period === 1) {
    const sizes = includedOf(residuals, included)
    for (let i = 0; i < sizes.length; i++) sizes[i] = Math.abs(sizes[i]!)
    const robust = MAD_TO_DEVIATION * medianOfAll(sizes)
    return Float64Array.of(Math.max(least, robust > 0.3 * spread ? robust : spread) || 1)
  }
  const { sums, counts } = sumByPhase(index, included, { residuals, period, most: 4 * spread })
  const bins = sums.length
  const cycles = index.length / bins
  const wanted = cycles >= LEAST_SCALE_ROWS ? 0 : Math.floor(Math.ceil(LEAST_SCALE_ROWS / cycles) / 2) + 1
  const reach = Math.min(wanted, bins >> 2)
  return sums.map((_, b) => {
    let [sum, count] = [0, 0]
    for (let i = b - reach; i <= b + reach; i++) {
      sum += sums[(i + bins) % bins]!
      count += counts[(i + bins) % bins]!
    }
    return Math.max(GAUSSIAN * sum / Math.max(1, count), 0.15 * spread, least) || 1
  })
}

/** Sum of |residual|, each at most `most`, and number of included rows in each phase. */
function sumByPhase (
  index: Float64Array,
  included: Uint8Array,
  { residuals, period, most }: { readonly residuals: Float64Array, readonly period: number, readonly most: number }
): { sums: Float64Array, counts: Float64Array } {
  const sums = new Float64Array(Math.round(period))
  const counts = new Float64Array(sums.length)
  for (let t = 0; t < residuals.length; t++) {
    if (included[t] !== 1 || Number.isNaN(residuals[t]!)) continue
    const b = phaseOf(index[t]!, period)
    sums[b]! += Math.min(Math.abs(residuals[t]!), most)
    counts[b]!++
  }
  return { sums, counts }
}
