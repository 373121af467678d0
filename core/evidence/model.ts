// What is fitted for evidence: how each channel usually behaves, and how far from it counts. Plain JSON, part of the
// manifest.
import type { Stillness } from './stillness.ts'

/** Spans of sustained evidence, in observations. */
export const SPANS = [5, 17] as const

/** Largest ratio of evidence that has no size: frozen, quiet, or a departure of a channel that never varied. */
export const LARGEST_PLAIN_RATIO = 3

/** The usual course of one channel: level + season, and how far values usually lie from it. */
export interface Baseline {
  /** Median of the training values, in the channel's unit. */
  readonly base: number
  /** Observations in the running level; 0: the level is `base`. */
  readonly level: number
  /** With hindsight, whether the level is that of a curve, which bends within its window. Default: it does not. */
  readonly curved?: boolean | undefined
  /** Whether season and residuals grow with the level; only for positive values. */
  readonly multiplicative: boolean
  /** Observations in a cycle, possibly a fraction; 1: no season. */
  readonly period: number
  /** Usual departure from the level in each phase of the cycle, in the channel's unit; shape [round(period)]. */
  readonly profile: readonly number[]
  /** Usual size of a residual (as a standard deviation) in each phase; shape [round(period)]. */
  readonly scale: readonly number[]
}

/** A linear prediction of one value from others: offset + Σ weight · value. */
export interface Prediction {
  readonly offset: number
  readonly weights: readonly number[]
}

/** Thresholds of one view of a channel. */
export interface Thresholds {
  /** |residual| that counts as point evidence. */
  readonly point: number
  /** Mean and root mean square of residuals over each of SPANS that count; Infinity is not JSON: null never counts. */
  readonly mean: ReadonlyArray<number | null>
  readonly power: ReadonlyArray<number | null>
}

/** A channel as it usually is. Residuals are in units of the baseline's scale. */
export interface ChannelEvidence {
  readonly baseline: Baseline
  /** The channel did not vary: every departure counts. */
  readonly constant: boolean
  /**
   * Of a channel that switches between two values: the lower and the higher one. Its switches are no evidence, only
   * values far outside.
   */
  readonly pair: readonly [number, number] | null
  /** Residuals from level and season. */
  readonly season: Thresholds | null
  /** For a season that was found in the data: its usual mean |residual|; 0: its phase cannot be lost. */
  readonly usual: number
  /** Residuals from what the channel's own past (and future) predict. */
  readonly own: {
    /** The value after `weights.length` values, oldest first, and the value before them. */
    readonly forward: Prediction
    readonly backward: Prediction
    /** Residuals enter the prediction bounded by this. */
    readonly limit: number
    readonly thresholds: Thresholds
  } | null
  /** Residuals from what the other channels predict. */
  readonly relation: {
    readonly prediction: Prediction
    /** Whether the channels' values are compared, or their residuals. */
    readonly raw: boolean
    /** The residual of values in units of the baseline's scale is that in units of `EvidenceFit.raw` times this. */
    readonly factor: number
    readonly thresholds: Thresholds
  } | null
  readonly stillness: Stillness | null
}

/** Evidence of one scoring. */
export interface EvidenceFit {
  /** Whether evidence counts relative to what has become usual where a channel departs most of the time. */
  readonly adaptive: boolean
  readonly channels: readonly ChannelEvidence[]
  /** Channels that are compared with each other, in the order of the predictions' weights. */
  readonly related: readonly number[]
  /** Centre and scale of the related channels' values; shape [related]. */
  readonly raw: { readonly center: readonly number[], readonly scale: readonly number[] }
}

/** The rows of one or more series, one series after another. */
export interface Rows {
  /** Sampling interval in milliseconds. */
  readonly interval: number
  /** Number of each row on the grid of all times; shape [rows]. */
  readonly index: Float64Array
  /** First row of each series, and the number of rows. */
  readonly edges: readonly number[]
  /** Gap-filled values of each channel, shape [rows] each. */
  readonly columns: readonly Float64Array[]
  /** 1 where the value was missing; shape [rows] each. */
  readonly missing: readonly Uint8Array[]
}

/** Kinds of evidence, and the residuals that gave it. */
export const EVIDENCE = ['none', 'point', 'mean', 'power', 'frozen', 'quiet', 'departure'] as const
export const VIEWS = ['season', 'own', 'relation'] as const
/** Codes of each view. */
const CODES = 8
const POINT = EVIDENCE.indexOf('point')
const POWER = EVIDENCE.indexOf('power')

/**
 * A code for a kind of evidence in a view: index in EVIDENCE + CODES · index in VIEWS.
 * @example
 * evidenceCode('mean', 'own') // 10
 */
export const evidenceCode = (kind: typeof EVIDENCE[number], view: typeof VIEWS[number] = 'season'): number =>
  EVIDENCE.indexOf(kind) + CODES * VIEWS.indexOf(view)

/**
 * The names behind a code.
 * @example
 * evidenceOf(evidenceCode('mean', 'own')) // { kind: 'mean', view: 'own' }
 */
export function evidenceOf (code: number): { kind: typeof EVIDENCE[number], view: typeof VIEWS[number] } {
  return { kind: EVIDENCE[code % CODES]!, view: VIEWS[Math.floor(code / CODES)]! }
}

/**
 * Whether a code is that of point evidence, in any view.
 * @example
 * isPointCode(evidenceCode('point', 'own')) // true
 */
export const isPointCode = (code: number): boolean => code % CODES === POINT

/**
 * The view with the lowest point threshold: it tells best what to expect.
 * @example
 * tightestView({ constant: true, pair: null, season: null, own: null, relation: null }) // 'season'
 */
export function tightestView (
  { constant, pair, season, own, relation }: Omit<ChannelEvidence, 'baseline' | 'stillness' | 'usual'>
): typeof VIEWS[number] {
  if (constant || pair !== null) return 'season'
  const points = [season, own?.thresholds, relation?.thresholds].map((thresholds) => thresholds?.point ?? Infinity)
  return VIEWS[points.indexOf(Math.min(...points))]!
}

/**
 * The view whose residual is the evidence; undefined for evidence that is no residual.
 * @example
 * viewOf(evidenceCode('mean', 'own')) // 'own'
 * viewOf(evidenceCode('frozen')) // undefined
 */
export function viewOf (code: number): typeof VIEWS[number] | undefined {
  const kind = code % CODES
  return kind >= POINT && kind <= POWER ? evidenceOf(code).view : undefined
}

/** The code of pattern evidence: of the members, for all channels of a row together. */
export const PATTERN = 7

/** How strong the evidence is at each row: above 1 it passes its threshold. Shape [rows] each, per channel. */
export interface ChannelRatios {
  readonly ratio: Float64Array
  /** Which evidence is the strongest: evidenceCode(). */
  readonly code: Uint8Array
  /** What the view that gave the evidence expects, without evidence the tightest view; in the channel's unit. */
  readonly expected: Float64Array
  /** |residual| from level and season, in units of its scale. */
  readonly departure: Float64Array
}

/**
 * No evidence yet.
 * @param length rows of a channel, or channels of a row
 * @example
 * emptyRatios(2).ratio // [0, 0]
 */
export const emptyRatios = (length: number): ChannelRatios => ({
  ratio: new Float64Array(length),
  code: new Uint8Array(length),
  expected: new Float64Array(length),
  departure: new Float64Array(length),
})
