// Residuals of rows in the three views: from level and season, from the channel's own past, from the other channels.
import { type Baseline, type ChannelEvidence, type EvidenceFit, LARGEST_PLAIN_RATIO, type Rows } from './model.ts'
import { medianInPlace } from '../quantile.ts'
import { beyondMissing, ownResiduals, relationResidual, type Span } from './prediction.ts'
import { levelsOf } from './running-level.ts'
import { phaseOf } from './season.ts'

/** Residual of any departure of a channel that never varied, and of the smallest one of a channel of two values. */
const DEPARTURE = 12
/** Relative difference up to which two values are equal. */
const EQUAL = 64 * Number.EPSILON

/** One channel of rows, seen from its baseline. */
export interface BaselineResiduals {
  /** 0 where the value is missing or there is no level; shape [rows]. */
  readonly residuals: Float64Array
  /** What a residual of 1 is worth, and the value without a residual, in the channel's unit; shape [rows] each. */
  readonly units: Float64Array
  readonly usual: Float64Array
}

/**
 * Residuals of a series from the channel's baseline.
 * @param span rows of one series
 * @param causal whether the level looks back only
 * @example
 * const baseline = { base: 5, level: 0, multiplicative: false, period: 1, profile: [0], scale: [2] }
 * const rows = rowsOf([fromColumns({ start: 0, interval: 1000, columns: { a: [5, 9] } })])
 * const span = { from: 0, to: 2 }
 * baselineResiduals({ baseline, constant: false, pair: null }, rows, { c: 0, span, causal: false }).residuals // [0, 2]
 */
export function baselineResiduals (
  { baseline, constant, pair }: Pick<ChannelEvidence, 'baseline' | 'constant' | 'pair'>,
  rows: Rows,
  { c, span: { from, to }, causal }: { readonly c: number, readonly span: Span, readonly causal: boolean }
): BaselineResiduals {
  const residuals = new Float64Array(to - from)
  const units = new Float64Array(to - from)
  const usual = new Float64Array(to - from)
  const values = rows.columns[c]!.subarray(from, to)
  const missing = rows.missing[c]!.subarray(from, to)
  const levels = baseline.level === 0
    ? undefined
    : levelsOf(baseline, values, { missing, index: rows.index.subarray(from, to), causal })
  for (let t = 0; t < values.length; t++) {
    const level = levels?.[t] ?? baseline.base
    const found = residualAt({ baseline, constant, pair }, rows.index[from + t]!, values[t]!, level)
    units[t] = found.unit
    usual[t] = found.usual
    residuals[t] = missing[t] === 1 ? 0 : found.residual
  }
  return { residuals, units, usual }
}

/**
 * The residual of one value, the worth of a residual of 1, and the value without a residual; without a level, the
 * residual is 0.
 * @param index number of the observation on the grid of all times
 * @param level running level, NaN if there is none
 * @example
 * const baseline = { base: 5, level: 0, multiplicative: false, period: 2, profile: [0, 3], scale: [1, 2] }
 * residualAt({ baseline, constant: false, pair: null }, 1, 12, 5) // { residual: 2, unit: 2, usual: 8 }
 */
export function residualAt (
  { baseline, constant, pair }: Pick<ChannelEvidence, 'baseline' | 'constant' | 'pair'>,
  index: number,
  value: number,
  level: number
): { residual: number, unit: number, usual: number } {
  const { base, multiplicative, period, profile, scale } = baseline
  if (constant) {
    return { residual: isEqual(value, base) ? 0 : Math.sign(value - base) * DEPARTURE, unit: 0, usual: base }
  }
  if (pair !== null) return { residual: beyondPair(pair, value), unit: 0, usual: base }
  const phase = phaseOf(index, period)
  const known = Number.isNaN(level) ? base : level
  const worth = unitOf(baseline, known)
  const unit = scale[phase]! * worth
  const usual = multiplicative ? (profile[phase]! + base) * worth : known + profile[phase]!
  if (Number.isNaN(level)) return { residual: 0, unit, usual }
  const residual = standardise(flatten(value, level, base, multiplicative), profile[phase]!, scale[phase]!)
  return { residual, unit, usual }
}

/**
 * A value without its level.
 * @example
 * flatten(12, 10, 8, false) // 2
 * flatten(12, 10, 8, true) // 1.6…
 */
export function flatten (value: number, level: number, base: number, multiplicative: boolean): number {
  return multiplicative ? value * base / boundedLevel(level, base) - base : value - level
}

/** What a unit of a flattened value is worth, in the channel's unit. */
const unitOf = ({ multiplicative, base }: Baseline, level: number): number =>
  multiplicative ? boundedLevel(level, base) / base : 1

/** A level near 0 must not blow ratios up. */
const boundedLevel = (level: number, base: number): number => Math.max(level, 0.05 * base)

/** Larger residuals are bounded, so that sums of them are numbers. */
const LARGEST_RESIDUAL = 1e100

/**
 * A value in units of a scale from a centre, bounded.
 * @example
 * standardise(9, 5, 2) // 2
 * standardise(1e200, 0, 1) // 1e100
 */
export const standardise = (value: number, center: number, scale: number): number =>
  Math.max(-LARGEST_RESIDUAL, Math.min(LARGEST_RESIDUAL, (value - center) / scale))

/** Beyond this residual (of a fill value such as 1e20), the difference to the value would be rounding. */
const FARTHEST_RESIDUAL = 1e9

/**
 * What is expected where a value has a residual.
 * @param unit what a residual of 1 is worth
 * @param usual what the baseline expects
 * @example
 * expectedOf(9, 2, { unit: 3, usual: 4 }) // 3
 * expectedOf(1e20, 5e19, { unit: 2, usual: 4 }) // 4
 */
export function expectedOf (
  value: number,
  residual: number,
  { unit, usual }: { readonly unit: number, readonly usual: number }
): number {
  const expected = Math.abs(residual) <= FARTHEST_RESIDUAL ? value - residual * unit : usual
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, expected))
}

/**
 * The usual value of a channel that has only one or two, the nearest to a value; undefined for other channels.
 * @example
 * const baseline = { base: 1, level: 0, multiplicative: false, period: 1, profile: [0], scale: [1] }
 * usualValue({ baseline, constant: false, pair: [0, 1] }, 9) // 1
 */
export function usualValue (
  { baseline, constant, pair }: Pick<ChannelEvidence, 'baseline' | 'constant' | 'pair'>,
  value: number
): number | undefined {
  if (constant) return baseline.base
  if (pair === null) return undefined
  const [low, high] = pair
  return Math.abs(value - low) <= Math.abs(value - high) ? low : high
}

/** A value this many times the distance of a pair beyond it is no switch. */
const FAR = 3

/** DEPARTURE for a value just far below or above both values of a pair, in proportion beyond that; else 0. */
function beyondPair ([low, high]: readonly [number, number], value: number): number {
  const beyond = value - Math.max(low, Math.min(high, value))
  const share = beyond / (FAR * (high - low))
  return Math.abs(share) > 1 ? standardise(DEPARTURE * share, 0, 1) : 0
}

/**
 * Ratio of a departure of a channel with one or two values to its threshold.
 * @param residual not 0
 * @example
 * departureRatio(-12) // 3
 * departureRatio(240) // 60
 */
export const departureRatio = (residual: number): number => LARGEST_PLAIN_RATIO * Math.abs(residual) / DEPARTURE

/**
 * Whether two values differ by rounding only.
 * @example
 * isEqual(1, 1 + 1e-15) // true
 */
export const isEqual = (a: number, b: number): boolean => Math.abs(a - b) <= EQUAL * Math.max(Math.abs(a), Math.abs(b))

/** Residuals of one series in all views that were fitted; shape [channels][rows]. */
export interface ViewResiduals {
  readonly season: readonly Float64Array[]
  readonly own: ReadonlyArray<Float64Array | null>
  readonly relation: ReadonlyArray<Float64Array | null>
  /** As `season`, but missing values are what the channel's own prediction expects. */
  readonly filled: readonly Float64Array[]
}

/**
 * How far the relation of each channel may err where another one is missing: what is expected of a missing value may
 * be wrong by as much as is no evidence in its channel.
 * @returns in units of the baseline's scale, shape [channels][related]; null for a channel without a relation
 * @example
 * allowancesOf({ channels: [{ relation: null }], related: [], raw: { center: [], scale: [] } }) // [null]
 */
export function allowancesOf ({ channels, related, raw }: EvidenceFit): ReadonlyArray<Float64Array | null> {
  const ownErrors = related.map((c) => {
    const { season, own } = channels[c]!
    return Math.min(season?.point ?? LARGEST_RESIDUAL, own?.thresholds.point ?? LARGEST_RESIDUAL)
  })
  const units = related.map((c, j) => {
    const { scale } = channels[c]!.baseline
    return medianInPlace(Float64Array.from(scale), scale.length) / raw.scale[j]!
  })
  return channels.map(({ relation }) => relation && Float64Array.from(related, (_, j) =>
    Math.abs(relation.prediction.weights[j]!) * ownErrors[j]! * (relation.raw ? units[j]! * relation.factor : 1)
  ))
}

/**
 * Residuals of one series in the other views, from those of the baseline.
 * @param season residuals from the baseline of each channel, shape [rows] each
 * @param allowances of allowancesOf(); undefined while there are no thresholds
 * @example
 * const season = [Float64Array.of(0, 1)]
 * const rows = rowsOf([fromColumns({ start: 0, interval: 1000, columns: { a: [5, 9] } })])
 * const fit = { channels: [{ own: null, relation: null }], related: [], raw: { center: [], scale: [] } }
 * viewResiduals(fit, season, { rows, span: { from: 0, to: 2 }, causal: true }).own // [null]
 */
export function viewResiduals (
  fit: EvidenceFit,
  season: readonly Float64Array[],
  { rows, span, causal, allowances }: {
    readonly rows: Rows
    readonly span: Span
    readonly causal: boolean
    readonly allowances?: ReadonlyArray<Float64Array | null>
  }
): ViewResiduals {
  const views = fit.channels.map((channel, c) => channel.own && ownResiduals(channel.own, season[c]!, {
    missing: rows.missing[c]!.subarray(span.from, span.to),
    causal,
  }))
  const own = views.map((view) => view && view.residuals)
  const filled = views.map((view, c) => view === null ? season[c]! : view.filled)
  const relation: Array<Float64Array | null> = fit.channels.map((channel) =>
    channel.relation && new Float64Array(span.to - span.from)
  )
  if (relation.some((found) => found !== null)) {
    const residuals = new Float64Array(fit.related.length)
    const raw = new Float64Array(fit.related.length)
    const missing = new Uint8Array(fit.related.length)
    for (let t = span.from; t < span.to; t++) {
      fit.related.forEach((c, j) => {
        residuals[j] = filled[c]![t - span.from]!
        raw[j] = standardise(rows.columns[c]![t]!, fit.raw.center[j]!, fit.raw.scale[j]!)
        missing[j] = rows.missing[c]![t]!
      })
      const isComplete = !missing.includes(1)
      fit.related.forEach((c, j) => {
        const relationOf = fit.channels[c]!.relation
        if (relationOf === null || missing[j] === 1) return
        const residual = relationOf.raw
          ? relationResidual(relationOf.prediction, raw, j) * relationOf.factor
          : relationResidual(relationOf.prediction, residuals, j)
        relation[c]![t - span.from] = isComplete || allowances === undefined
          ? residual
          : beyondMissing(residual, allowances[c]!, missing)
      })
    }
  }
  return { season, own, relation, filled }
}
