// Evidence with hindsight, for complete series: where it begins and ends, channel by channel.
import { newsOf } from './departures.ts'
import { relativeToUsual } from './guard.ts'
import {
  type ChannelEvidence,
  type ChannelRatios,
  emptyRatios,
  evidenceCode,
  type EvidenceFit,
  isPointCode,
  type Rows,
  SPANS,
  type Thresholds,
  tightestView,
  viewOf,
  type VIEWS,
} from './model.ts'
import { boundedBy, type Span } from './prediction.ts'
import {
  allowancesOf,
  baselineResiduals,
  type BaselineResiduals,
  departureRatio,
  expectedOf,
  usualValue,
  viewResiduals,
} from './residuals.ts'
import { isAsExpected, STILL_SPAN, stillnessOf } from './stillness.ts'
import { runsWhere } from '../series/runs.ts'
import { BOUND_SHARE, means, squaresOf, strongestStretch } from './sustained.ts'

/** Evidence of a mean that has ended in the middle of it: rows that carry less than this share of its peak. */
const LEAST_MEAN = 0.5
const LEAST_POWER = 0.3
/** Highest ratio of a row on which evidence is smeared, but which carries none. */
const BELOW = 0.99

/**
 * Evidence of every row and channel of one or more series.
 * @param given residuals from the baseline that replace those of the model: of its own fit, from other cycles
 * @returns one entry for each channel
 * @example
 * const a = Float64Array.from({ length: 200 }, (_, t) => t === 150 ? 9 : Math.sin(t * t))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a } })
 * const { model } = await fitAdHoc(series)
 * evidenceWithHindsight(model.evidence.batch, rowsOf([series]))[0].ratio[150] > 1 // true
 */
export function evidenceWithHindsight (
  fit: EvidenceFit,
  rows: Rows,
  given?: readonly Float64Array[]
): ChannelRatios[] {
  const length = rows.index.length
  const allowances = allowancesOf(fit)
  const found = fit.channels.map(() => emptyRatios(length))
  for (let s = 0; s + 1 < rows.edges.length; s++) {
    const span = { from: rows.edges[s]!, to: rows.edges[s + 1]! }
    const baselines = fit.channels.map((channel, c) => {
      const own = baselineResiduals(channel, rows, { c, span, causal: false })
      return given === undefined ? own : { ...own, residuals: given[c]!.subarray(span.from, span.to) }
    })
    const season = baselines.map(({ residuals }) => residuals)
    const views = viewResiduals(fit, season, { rows, span, causal: false, allowances })
    fit.channels.forEach((channel, c) => {
      const collected = new Collector(channel, found[c]!, span)
      collected.addViews({ season: views.season[c]!, own: views.own[c]!, relation: views.relation[c]! })
      found[c]!.departure.set(views.season[c]!.map(Math.abs), span.from)
      collected.addStillness(rows, c, views.season[c]!)
      if (fit.adaptive) collected.relate(rows.index[span.from]!)
      collected.expect(rows, c, baselines[c]!)
    })
  }
  return found
}

/**
 * The ratio of the strongest channel at each row.
 * @param length rows
 * @example
 * strongestRatio([{ ratio: [1, 4] }, { ratio: [2, 3] }], 2) // [2, 4]
 */
export function strongestRatio (
  found: ReadonlyArray<{ readonly ratio: ArrayLike<number> }>,
  length: number
): Float64Array {
  const strongest = new Float64Array(length)
  for (const { ratio } of found) {
    for (let t = 0; t < length; t++) strongest[t] = Math.max(strongest[t]!, ratio[t]!)
  }
  return strongest
}

/** Collects the evidence of one channel over one series. */
class Collector {
  readonly #channel: ChannelEvidence
  readonly #ratio: Float64Array
  readonly #code: Uint8Array
  readonly #expected: Float64Array
  readonly #span: Span
  /** Residuals of each view, and of the tightest one. */
  #views: Readonly<Record<typeof VIEWS[number], Float64Array | null>> = { season: null, own: null, relation: null }
  #tightest: Float64Array | undefined

  constructor (channel: ChannelEvidence, { ratio, code, expected }: ChannelRatios, span: Span) {
    this.#channel = channel
    this.#span = span
    this.#ratio = ratio.subarray(span.from, span.to)
    this.#code = code.subarray(span.from, span.to)
    this.#expected = expected.subarray(span.from, span.to)
  }

  addViews (
    views: { readonly season: Float64Array, readonly own: Float64Array | null, readonly relation: Float64Array | null }
  ): void {
    const { constant, pair, season, own, relation } = this.#channel
    this.#views = views
    this.#tightest = views[tightestView(this.#channel)]!
    if (constant || pair !== null) {
      this.#addDepartures(views.season)
      return
    }
    if (season !== null) this.#addView(views.season, season, 'season')
    if (own !== null) this.#addView(views.own!, own.thresholds, 'own')
    if (relation !== null) this.#addView(views.relation!, relation.thresholds, 'relation')
  }

  #addDepartures (residuals: Float64Array): void {
    const code = evidenceCode('departure')
    const news = newsOf(residuals)
    for (let t = 0; t < news.length; t++) if (news[t] === 1) this.#note(t, departureRatio(residuals[t]!), code)
  }

  /** @param season residuals from the baseline */
  addStillness (rows: Rows, c: number, season: Float64Array): void {
    if (this.#channel.stillness === null) return
    const { from, to } = this.#span
    const { frozen, quiet } = stillnessOf(
      this.#channel.stillness,
      rows.columns[c]!.subarray(from, to),
      rows.missing[c]!.subarray(from, to)
    )
    this.#withoutPoints(quiet)
    if (this.#channel.baseline.period > 1) trimExpected(frozen, season)
    for (let t = 0; t < frozen.length; t++) {
      this.#note(t, frozen[t]!, evidenceCode('frozen'))
      this.#note(t, quiet[t]!, evidenceCode('quiet'))
    }
  }

  /** A value that is missing from its usual place makes a short stretch quiet: the point tells it better. */
  #withoutPoints (quiet: Float64Array): void {
    const isPoint = (t: number): boolean => this.#ratio[t]! > 1 && isPointCode(this.#code[t]!)
    for (const { from, to } of runsWhere(quiet.length, (t) => quiet[t]! > 1)) {
      if (to - from >= 2 * STILL_SPAN) continue
      let hasPoint = false
      for (let t = from; t <= to; t++) hasPoint ||= isPoint(t)
      if (hasPoint) quiet.fill(BELOW, from, to + 1)
    }
  }

  /** Divides by what is usual around. @param index number of the first row on the grid of all times */
  relate (index: number): void {
    const passed = this.#ratio.map((ratio) => ratio > 1 ? ratio : 0)
    relativeToUsual(passed, index)
    for (let t = 0; t < passed.length; t++) if (passed[t]! > 0) this.#ratio[t] = passed[t]!
  }

  /**
   * Writes what the view expects that gave the evidence, without evidence the tightest view. For a missing value
   * that is the value which fills the gap.
   */
  expect (rows: Rows, c: number, { units, usual }: BaselineResiduals): void {
    for (let t = 0; t < this.#expected.length; t++) {
      const view = this.#ratio[t]! > 1 ? viewOf(this.#code[t]!) : undefined
      const residuals = view === undefined ? this.#tightest! : this.#views[view]!
      const value = rows.columns[c]![this.#span.from + t]!
      const residual = rows.missing[c]![this.#span.from + t] === 1 ? 0 : residuals[t]!
      this.#expected[t] = usualValue(this.#channel, value) ??
        expectedOf(value, residual, { unit: units[t]!, usual: usual[t]! })
    }
  }

  #addView (residuals: Float64Array, thresholds: Thresholds, view: typeof VIEWS[number]): void {
    const code = evidenceCode('point', view)
    for (let t = 0; t < residuals.length; t++) this.#note(t, Math.abs(residuals[t]!) / thresholds.point, code)
    const bound = BOUND_SHARE * thresholds.point
    const bounded = boundedBy(bound, residuals)
    const squares = squaresOf(bounded)
    SPANS.forEach((span, i) => {
      const mean = thresholds.mean[i]!
      if (mean !== null) this.#addSustained({ kind: 'mean', view, span, threshold: mean }, bounded)
      const power = thresholds.power[i]!
      if (power !== null) this.#addSustained({ kind: 'power', view, span, threshold: power }, squares)
    })
  }

  /** @param terms whose mean is the evidence: residuals, or their squares */
  #addSustained (
    { kind, view, span, threshold }: {
      kind: 'mean' | 'power'
      view: typeof VIEWS[number]
      span: number
      threshold: number
    },
    terms: Float64Array
  ): void {
    const mean = means(terms, span, false)
    const evidence = sizesOf(mean, kind)
    const code = evidenceCode(kind, view)
    for (let t = 0; t < evidence.length; t++) {
      if (!(evidence[t]! > threshold)) {
        this.#note(t, evidence[t]! / threshold, code)
        continue
      }
      let to = t
      let peak = t
      while (to + 1 < evidence.length && evidence[to + 1]! > threshold) {
        to++
        if (evidence[to]! > evidence[peak]!) peak = to
      }
      const from = Math.max(0, t - (span >> 1))
      const stretch = terms.slice(from, Math.min(terms.length, to + (span >> 1) + 1))
      if (mean[peak]! < 0) for (let i = 0; i < stretch.length; i++) stretch[i] = -stretch[i]!
      this.#noteStretch(stretch, from, { ratio: evidence[peak]! / threshold, code, kind })
      for (let i = t; i <= to; i++) this.#note(i, BELOW, code)
      t = to
    }
  }

  /** Notes evidence on the rows that carry it, the more the larger their part. */
  #noteStretch (
    terms: Float64Array,
    from: number,
    { ratio, code, kind }: { readonly ratio: number, readonly code: number, readonly kind: 'mean' | 'power' }
  ): void {
    const short = means(terms, SPANS[0], false)
    let most = 0
    for (let t = 0; t < short.length; t++) most = Math.max(most, kind === 'mean' ? Math.abs(short[t]!) : short[t]!)
    const stretch = strongestStretch(terms, (kind === 'mean' ? LEAST_MEAN : LEAST_POWER) * most)
    let largest = 0
    for (let t = stretch.from; t <= stretch.to; t++) largest = Math.max(largest, terms[t]!)
    for (let t = stretch.from; t <= stretch.to; t++) {
      const share = Math.max(0, terms[t]!) / largest
      this.#note(from + t, 1 + (ratio - 1) * (0.5 + 0.5 * share), code)
    }
  }

  #note (t: number, ratio: number, code: number): void {
    if (ratio > this.#ratio[t]!) {
      this.#ratio[t] = ratio
      this.#code[t] = code
    }
  }
}

function sizesOf (means: Float64Array, kind: 'mean' | 'power'): Float64Array {
  const sizes = new Float64Array(means.length)
  for (let t = 0; t < means.length; t++) sizes[t] = kind === 'mean' ? Math.abs(means[t]!) : Math.sqrt(means[t]!)
  return sizes
}

/** Takes from the ends of frozen runs the values that the season expects, in place. */
function trimExpected (frozen: Float64Array, season: Float64Array): void {
  for (const { from, to } of runsWhere(frozen.length, (t) => frozen[t]! > 1)) {
    let [first, last] = [from, to]
    while (first <= last && isAsExpected(season[first]!)) frozen[first++] = BELOW
    while (last >= first && isAsExpected(season[last]!)) frozen[last--] = BELOW
  }
}
