// Fits evidence on normal rows: baseline, predictions, and a threshold for each kind of evidence, all at one budget of
// false alarms.
import { boundForFit, fitOwn, memoryFor, type Span } from '../prediction.ts'
import { fitBaseline, type FittedBaseline } from './baseline.ts'
import { heldOutResiduals } from './held-out.ts'
import { countOf, LEAST_SHARE, medianOfAll, spreadOf } from './included.ts'
import type { ChannelEvidence, EvidenceFit, Rows, Thresholds } from '../model.ts'
import { completeRows, fitRelations, OPEN, relatedOf } from './relations.ts'
import { isEqual, type ViewResiduals, viewResiduals } from '../residuals.ts'
import { fitStillness } from './stillness.ts'
import { usualDeparture } from '../trust.ts'
import { thresholdsOf, type ThresholdOptions } from './thresholds.ts'

/** Runs of false evidence per observation, over all kinds and channels: at least, and per series. */
const RATE = 2e-5
const SERIES_RATE = 0.02
/** Kinds of evidence besides those of the views: frozen and quiet. */
const OTHER_KINDS = 2
const KINDS_OF_VIEW = 5

/** A view counts if it leaves less than this share of the spread that the baseline leaves. */
const OWN_GAIN = 0.8
const RELATION_GAIN = 0.9

/** Fewest included rows of a channel; else all its rows count. */
const FEWEST_ROWS = 8
/**
 * A channel that rests at its median for this share of rows is resting. In rows that may hold anomalies, up to
 * MOST_DEPARTURES runs are not its way.
 */
const RESTING_SHARE = 0.97
const MOST_DEPARTURES = 2
/** A season tells a channel of two values if it errs in at most this share of rows. */
const REGULAR = 0.01
/** A smaller |residual| is rounding. */
const NO_RESIDUAL = 1e-6
/** A spread below this share of the largest value is rounding. */
const ROUNDING = 64 * Number.EPSILON

const BLOCKS = 8
/** A level that wandered between blocks of the training part may wander on: so many steps of it. */
const WANDER = 4
const LEAST_WANDER_ROWS = 48

/** Smallest threshold, in units of the spread of the values: smaller residuals are rounding. */
const LEAST_THRESHOLD = 1e-3
/** The future of a process varies a little more than a part of its past that is named as normal. */
const NAMED_MARGIN = 1.2
/** Relations between channels change with more than a part of the past shows. */
const RELATION_MARGIN = 1.5
/** A cycle that was found in the data may not hold as exactly in the future. */
const FOUND_MARGIN = 1.15

export interface EvidenceOptions {
  /** Whether levels, means and predictions look back only. */
  readonly causal: boolean
  /** Blocks of 8 that may hold anomalies (0: the rows are known to be normal). */
  readonly leftOut: number
  /** Whether the rows may hold anomalies that are not excluded. */
  readonly robust: boolean
  /** Whether seasons of any period are looked for, or those of the calendar only. */
  readonly anyPeriod: boolean
}

/** A fit, and the residuals of its rows from other cycles. */
interface FittedEvidence {
  readonly fit: EvidenceFit
  /** Shape [channels][rows]. */
  readonly residuals: readonly Float64Array[]
}

/** All that is known about a channel before its thresholds. */
interface Draft extends FittedBaseline {
  readonly included: Uint8Array
  /** Spread of the values, in the channel's unit. */
  readonly rawSpread: number
  readonly constant: boolean
  readonly pair: readonly [number, number] | null
  /** Whether it takes part in predictions. */
  readonly live: boolean
}

/**
 * Fits evidence.
 * @param excluded 1 for each value that is no example of normal behaviour, shape [channels][rows]
 * @example
 * const a = Array.from({ length: 200 }, (_, t) => Math.sin(t * t))
 * const rows = rowsOf([fromColumns({ start: 0, interval: 1000, columns: { a } })])
 * const options = { causal: false, leftOut: 0, robust: false, anyPeriod: true }
 * fitEvidence(rows, [new Uint8Array(200)], options).fit.channels[0].baseline.period // 1
 */
export function fitEvidence (rows: Rows, excluded: readonly Uint8Array[], options: EvidenceOptions): FittedEvidence {
  const drafts = rows.columns.map((_, c) => draftOf(rows, c, excluded[c]!, options))
  const season = drafts.map(({ residuals }, c) => knownOnly(residuals, rows.missing[c]!))
  const related = relatedOf(drafts, rows)
  const withViews = fitViews(rows, drafts, { season, related })
  const spans = spansOf(rows)
  const { causal } = options
  const inSample = joined(rows, spans.map((span) =>
    viewResiduals(withViews, season.map((all) => all.subarray(span.from, span.to)), { rows, span, causal })
  ))
  const complete = completeRows(rows, related, drafts)
  const kept = withoutIdleViews(withViews, inSample, { drafts, complete })
  const held = heldOutResiduals(kept, inSample, { rows, included: drafts.map(({ included }) => included), causal })
  const live = Math.max(1, drafts.filter((draft) => draft.live).length)
  const views = 1 + Number(kept.channels.some(({ own }) => own !== null)) +
    Number(kept.channels.some(({ relation }) => relation !== null))
  const length = rows.index.length
  const rate = Math.max(RATE, SERIES_RATE / length) / ((KINDS_OF_VIEW * views + OTHER_KINDS) * live)
  const channels = kept.channels.map((channel, c): ChannelEvidence => {
    const draft = drafts[c]!
    if (channel.constant || channel.pair !== null) return channel
    return withThresholds(channel, draft, { rows, c, held, rate, options, complete: complete[c]! })
  })
  return { fit: { ...kept, channels }, residuals: season }
}

/** Residuals that are 0 where there is none: without a level, and where the value is missing. */
function knownOnly (residuals: Float64Array, missing: Uint8Array): Float64Array {
  const known = residuals.slice()
  for (let t = 0; t < known.length; t++) if (Number.isNaN(known[t]!) || missing[t] === 1) known[t] = 0
  return known
}

function draftOf (rows: Rows, c: number, excluded: Uint8Array, options: EvidenceOptions): Draft {
  const length = rows.index.length
  const missing = rows.missing[c]!
  const included = new Uint8Array(length)
  for (let t = 0; t < length; t++) included[t] = excluded[t] === 1 || missing[t] === 1 ? 0 : 1
  if (countOf(included) < Math.max(FEWEST_ROWS, LEAST_SHARE * length)) {
    for (let t = 0; t < length; t++) included[t] = 1 - missing[t]!
  }
  const fitted = fitBaseline(rows, c, included, options)
  const { base } = fitted.baseline
  const rawSpread = spreadOf(rows.columns[c]!, included, base)
  const { constant, resting } = restOf(rows.columns[c]!, included, { base, rawSpread, robust: options.robust })
  const pair = constant || isRegular(fitted.residuals, included) ? null : pairOf(rows.columns[c]!, included)
  return { ...fitted, included, rawSpread, constant, pair, live: !constant && !resting && pair === null }
}

/** Whether a channel did not vary but for one or two stretches, or mostly rests at one value. */
function restOf (
  values: Float64Array,
  included: Uint8Array,
  { base, rawSpread, robust }: { readonly base: number, readonly rawSpread: number, readonly robust: boolean }
): { constant: boolean, resting: boolean } {
  let [largest, count, away, runs] = [0, 0, 0, 0]
  let before = false
  for (let t = 0; t < values.length; t++) {
    if (included[t] !== 1) continue
    count++
    largest = Math.max(largest, Math.abs(values[t]!))
    const departs = !isEqual(values[t]!, base)
    if (departs) away++
    if (departs && !before) runs++
    before = departs
  }
  const resting = count - away > RESTING_SHARE * count
  const varies = rawSpread > 0 && rawSpread > ROUNDING * largest
  return { constant: !varies || (robust && resting && runs <= MOST_DEPARTURES), resting }
}

/** Whether the season tells nearly every value exactly. */
function isRegular (residuals: Float64Array, included: Uint8Array): boolean {
  let [wrong, count] = [0, 0]
  for (let t = 0; t < residuals.length; t++) {
    if (included[t] !== 1) continue
    count++
    if (!(Math.abs(residuals[t]!) < NO_RESIDUAL)) wrong++
  }
  return wrong <= REGULAR * count
}

/** The two values of a channel that has no others; null if it has more. */
function pairOf (values: Float64Array, included: Uint8Array): [number, number] | null {
  const seen = new Set<number>()
  for (let t = 0; t < values.length && seen.size <= 2; t++) if (included[t] === 1) seen.add(values[t]!)
  return seen.size > 2 ? null : [Math.min(...seen), Math.max(...seen)]
}

const spansOf = ({ edges }: Rows): Span[] =>
  edges.slice(1).map((to, s) => ({ from: edges[s]!, to }))

/** The residuals of all series, one after another. */
function joined (rows: Rows, parts: readonly ViewResiduals[]): ViewResiduals {
  const join = (pick: (part: ViewResiduals) => Float64Array | null): Float64Array | null => {
    if (parts.some((part) => pick(part) === null)) return null
    const all = new Float64Array(rows.index.length)
    parts.forEach((part, s) => { all.set(pick(part)!, rows.edges[s]!) })
    return all
  }
  const channels = rows.columns.map((_, c) => c)
  return {
    season: channels.map((c) => join(({ season }) => season[c]!)!),
    own: channels.map((c) => join(({ own }) => own[c]!)),
    relation: channels.map((c) => join(({ relation }) => relation[c]!)),
    filled: channels.map((c) => join(({ filled }) => filled[c]!)!),
  }
}

/** The model with its predictions; thresholds are open. */
function fitViews (
  rows: Rows,
  drafts: readonly Draft[],
  { season, related }: {
    readonly season: readonly Float64Array[]
    readonly related: readonly number[]
  }
): EvidenceFit {
  const spans = spansOf(rows)
  const raw = related.map((c) => ({ center: drafts[c]!.baseline.base, scale: drafts[c]!.rawSpread }))
  const bounded = drafts.map(({ included }, c) => boundForFit(season[c]!, included))
  const relations = fitRelations(rows, drafts, { related, bounded, raw })
  return {
    adaptive: true,
    channels: drafts.map(({ baseline, constant, pair, live, included }, c): ChannelEvidence => ({
      baseline,
      constant,
      pair,
      season: null,
      usual: 0,
      own: live
        ? { ...fitOwn(bounded[c]!, included, { spans, memory: memoryFor(rows.index.length) }), thresholds: OPEN }
        : null,
      relation: relations.get(c) ?? null,
      stillness: null,
    })),
    related,
    raw: { center: raw.map(({ center }) => center), scale: raw.map(({ scale }) => scale) },
  }
}

/** Without predictions that leave about as much as the baseline does. */
function withoutIdleViews (
  fit: EvidenceFit,
  views: ViewResiduals,
  { drafts, complete }: { readonly drafts: readonly Draft[], readonly complete: readonly Uint8Array[] }
): EvidenceFit {
  const spread = (residuals: Float64Array, included: Uint8Array): number =>
    spreadOf(boundForFit(residuals, included), included)
  return {
    ...fit,
    channels: fit.channels.map((channel, c) => {
      const { included } = drafts[c]!
      const usual = spread(views.season[c]!, included)
      const { own, relation } = channel
      return {
        ...channel,
        own: own !== null && spread(views.own[c]!, included) < OWN_GAIN * usual ? own : null,
        relation: relation !== null && spread(views.relation[c]!, complete[c]!) < RELATION_GAIN * usual
          ? relation
          : null,
      }
    }),
  }
}

function withThresholds (
  channel: ChannelEvidence,
  draft: Draft,
  { rows, c, held, rate, options, complete }: {
    readonly rows: Rows
    readonly c: number
    readonly held: ViewResiduals
    readonly rate: number
    /** Rows that count for the relation. */
    readonly complete: Uint8Array
    readonly options: EvidenceOptions
  }
): ChannelEvidence {
  const { causal, leftOut, robust } = options
  const { period } = channel.baseline
  const { included } = draft
  const edges = rows.edges
  const shared: ThresholdOptions = {
    rate,
    causal,
    edges,
    leftOut,
    leftOutSustained: Math.max(leftOut, robust ? 1 : 0),
    mostPeaks: period > 1 ? 2 * rows.index.length / period : Infinity,
    margin: robust ? 1 : NAMED_MARGIN,
    slack: 0,
    least: LEAST_THRESHOLD * draft.rawSpread / medianOfAll(Float64Array.from(channel.baseline.scale)),
  }
  const season = {
    ...shared,
    margin: shared.margin * (causal && draft.found ? FOUND_MARGIN : 1),
  }
  const relation = { ...shared, margin: robust ? 1 : RELATION_MARGIN }
  const fitView = (residuals: Float64Array, options: ThresholdOptions, counted = included): Thresholds | null =>
    thresholdsOf(residuals, counted, { ...options, slack: robust ? 0 : wanderOf(residuals) })
  return {
    ...channel,
    season: fitView(held.season[c]!, season),
    usual: causal && draft.found ? usualDeparture(held.season[c]!, included) : 0,
    own: viewWith(channel.own, held.own[c]!, (residuals) => fitView(residuals, shared)),
    relation: viewWith(channel.relation, held.relation[c]!, (residuals) => fitView(residuals, relation, complete)),
    stillness: draft.live ? fitStillness(rows.columns[c]!, included, { rate, leftOut, causal, robust }) : null,
  }
}

/** A view with its thresholds; null without any. */
function viewWith<View> (
  view: View | null,
  residuals: Float64Array | null,
  fit: (residuals: Float64Array) => Thresholds | null
): (View & { readonly thresholds: Thresholds }) | null {
  const thresholds = residuals && fit(residuals)
  return view && thresholds && { ...view, thresholds }
}

/** How far the level may lie from its usual place, by its steps from block to block. */
function wanderOf (residuals: Float64Array): number {
  if (residuals.length < LEAST_WANDER_ROWS) return 0
  const middles = Array.from({ length: BLOCKS }, (_, k) => {
    const block = residuals.subarray(
      Math.floor(k * residuals.length / BLOCKS),
      Math.floor((k + 1) * residuals.length / BLOCKS)
    )
    return medianOfAll(block.slice())
  })
  let squares = 0
  for (let k = 1; k < BLOCKS; k++) squares += (middles[k]! - middles[k - 1]!) ** 2
  return Math.max(0, WANDER * Math.sqrt(squares / (BLOCKS - 1)) - 1)
}
