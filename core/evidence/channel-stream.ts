// Causal evidence of one channel, row by row. What it does for each row allocates nothing.
import { DepartureStream } from './departures.ts'
import { TrailingGuard } from './guard.ts'
import {
  type ChannelEvidence,
  evidenceCode,
  isPointCode,
  SPANS,
  tightestView,
  type Thresholds,
  viewOf,
  type VIEWS,
} from './model.ts'
import { forwardResidual } from './prediction.ts'
import { departureRatio, expectedOf, residualAt, usualValue } from './residuals.ts'
import { Ring } from './ring.ts'
import { TrailingLevel } from './running-level.ts'
import { isAsExpected, STILL_SPAN, StillnessStream } from './stillness.ts'
import { BOUND_SHARE } from './sustained.ts'
import { CycleTrust } from './trust.ts'

/** Sustained evidence goes on only while its newest quarter carries this share of it. */
const GATE = 0.7
/** The ratio of sustained evidence that does not go on. */
const BELOW = 0.99

const QUIET = evidenceCode('quiet')
const FROZEN = evidenceCode('frozen')
const DEPARTURE = evidenceCode('departure')

/** Something that remembers a fixed number of numbers. */
interface Memory {
  save (): number[]
  restore (values: readonly number[]): void
}

/** The strongest evidence of a channel at the newest row. */
class Strongest {
  ratio = 0
  code = 0

  clear (): void {
    this.ratio = 0
    this.code = 0
  }

  note (ratio: number, code: number): void {
    if (!(ratio > this.ratio)) return
    this.ratio = ratio
    this.code = code
  }
}

/** Thresholds by span; Infinity never counts. */
const dense = (thresholds: ReadonlyArray<number | null>): Float64Array =>
  Float64Array.from(SPANS, (_, i) => thresholds[i] ?? Infinity)

/** Point and sustained evidence of one view. */
class ViewStream {
  readonly #point: number
  readonly #mean: Float64Array
  readonly #power: Float64Array
  readonly #codes: Readonly<Record<'point' | 'mean' | 'power', number>>
  readonly #bound: number
  readonly #newest = new Ring(SPANS[SPANS.length - 1]!)

  constructor ({ point, mean, power }: Thresholds, view: typeof VIEWS[number]) {
    this.#point = point
    this.#mean = dense(mean)
    this.#power = dense(power)
    this.#codes = {
      point: evidenceCode('point', view),
      mean: evidenceCode('mean', view),
      power: evidenceCode('power', view),
    }
    this.#bound = BOUND_SHARE * point
  }

  next (residual: number, strongest: Strongest): void {
    this.#newest.push(Math.max(-this.#bound, Math.min(this.#bound, residual)))
    strongest.note(Math.abs(residual) / this.#point, this.#codes.point)
    for (let i = 0; i < SPANS.length; i++) {
      if (this.#mean[i]! < Infinity) strongest.note(this.#meanRatio(SPANS[i]!, this.#mean[i]!), this.#codes.mean)
      if (this.#power[i]! < Infinity) strongest.note(this.#powerRatio(SPANS[i]!, this.#power[i]!), this.#codes.power)
    }
  }

  #meanRatio (span: number, threshold: number): number {
    const evidence = Math.abs(this.#newest.mean(span))
    if (evidence / threshold > 1 && Math.abs(this.#newest.mean(newestOf(span))) < GATE * evidence) return BELOW
    return evidence / threshold
  }

  #powerRatio (span: number, threshold: number): number {
    const evidence = Math.sqrt(this.#newest.meanSquare(span))
    if (evidence / threshold > 1 && Math.sqrt(this.#newest.meanSquare(newestOf(span))) < GATE * evidence) return BELOW
    return evidence / threshold
  }

  save (): number[] {
    return this.#newest.save()
  }

  restore (values: readonly number[]): void {
    this.#newest.restore(values)
  }
}

const streamOf = (thresholds: Thresholds | null, view: typeof VIEWS[number]): ViewStream | undefined =>
  thresholds === null ? undefined : new ViewStream(thresholds, view)

const NO_PREDICTION = { offset: 0, weights: [0] }

/** Rows that tell whether sustained evidence goes on. */
const newestOf = (span: number): number => Math.max(2, span >> 2)

/** One channel of a stream: take() the value of each channel first, then judge() each. */
export class ChannelStream {
  readonly #channel: ChannelEvidence
  readonly #level: TrailingLevel | undefined
  readonly #trust: CycleTrust | undefined
  readonly #season: ViewStream | undefined
  readonly #own: ViewStream | undefined
  readonly #relation: ViewStream | undefined
  readonly #forward: { readonly offset: number, readonly weights: Float64Array }
  readonly #past: Ring
  readonly #stillness: StillnessStream | undefined
  readonly #departures: DepartureStream | undefined
  readonly #guard: TrailingGuard | undefined
  readonly #tightest: typeof VIEWS[number]
  #index = 0
  #value = 0
  #missing = false
  readonly #scale = { unit: 0, usual: 0 }
  /** Residuals that #past has taken since it was empty, at most as many as it holds. */
  #pastCount = 0
  /** Missing values up to now: when #past holds no other, it is as if new. */
  #gap: number
  /** Observations since the newest point evidence. */
  #sincePoint = STILL_SPAN
  /** Residual from the baseline at the newest row. */
  residual = 0
  /** The same; of a missing value what the channel's own past expects of it, 0 if it expects nothing. */
  filled = 0
  /** Residuals from the channel's own past, and from the other channels. */
  #fromOwn = 0
  #fromOthers = 0
  /** Evidence at the newest row. */
  readonly strongest = new Strongest()
  expected = 0

  constructor (channel: ChannelEvidence, adaptive: boolean) {
    this.#channel = channel
    const { baseline, season, own, relation, stillness } = channel
    this.#level = baseline.level === 0 ? undefined : new TrailingLevel(baseline.level)
    this.#trust = channel.usual > 0 ? new CycleTrust(baseline.period, channel.usual) : undefined
    this.#season = streamOf(season, 'season')
    this.#own = streamOf(own && own.thresholds, 'own')
    this.#relation = streamOf(relation && relation.thresholds, 'relation')
    this.#departures = channel.constant || channel.pair !== null ? new DepartureStream() : undefined
    this.#guard = adaptive ? new TrailingGuard() : undefined
    const { offset, weights } = own === null ? NO_PREDICTION : own.forward
    this.#forward = { offset, weights: Float64Array.from(weights) }
    this.#past = new Ring(this.#forward.weights.length)
    this.#gap = this.#past.size
    this.#stillness = stillness === null ? undefined : new StillnessStream(stillness)
    this.#tightest = tightestView(channel)
  }

  /** Takes a value. @param index number of the row on the grid of all times */
  take (index: number, value: number, missing: boolean): void {
    this.#index = index
    this.#value = value
    this.#missing = missing
    const level = this.#level === undefined
      ? this.#channel.baseline.base
      : this.#level.next(index, value, missing)
    const { residual, unit, usual } = residualAt(this.#channel, index, value, level)
    this.residual = missing ? 0 : residual
    this.filled = missing ? this.#expectedResidual() : residual
    this.#scale.unit = unit
    this.#scale.usual = usual
    if (this.#stillness !== undefined) this.#stillness.next(value, missing)
  }

  /** Judges the value. @param relation residual from the other channels, in units of the baseline's scale */
  judge (relation: number): void {
    const { strongest } = this
    const { constant, pair } = this.#channel
    strongest.clear()
    if (!constant && pair === null) this.#judgeViews(relation)
    else if (this.#departures?.next(this.#index, this.residual !== 0) === true) {
      strongest.note(departureRatio(this.residual), DEPARTURE)
    }
    if (this.#guard !== undefined) {
      const divisor = this.#guard.next(this.#index, strongest.ratio > 1 ? strongest.ratio : 0)
      if (strongest.ratio > 1) strongest.ratio /= divisor
    }
    this.expected = usualValue(this.#channel, this.#value) ?? expectedOf(this.#value, this.#decisive(), this.#scale)
  }

  /** The residual of the view that gave the evidence, without evidence of the tightest one; 0 for a filled gap. */
  #decisive (): number {
    if (this.#missing) return 0
    const { ratio, code } = this.strongest
    const view = (ratio > 1 ? viewOf(code) : undefined) ?? this.#tightest
    if (view === 'season') return this.residual
    return view === 'own' ? this.#fromOwn : this.#fromOthers
  }

  #judgeViews (relation: number): void {
    const { residual, strongest } = this
    const divisor = this.#trust === undefined ? 1 : this.#trust.next(this.#index, residual)
    if (this.#season !== undefined) this.#season.next(residual / divisor, strongest)
    if (this.#own !== undefined) {
      this.#fromOwn = this.#ownResidual()
      this.#own.next(this.#fromOwn / divisor, strongest)
    }
    if (this.#relation !== undefined) {
      this.#fromOthers = this.#missing ? 0 : relation
      this.#relation.next(this.#fromOthers, strongest)
    }
    this.#judgeStillness()
  }

  /** A value that is missing from its usual place makes a short stretch quiet: the point tells it better. */
  #judgeStillness (): void {
    const { strongest } = this
    if (this.#stillness === undefined) return
    const isPoint = strongest.ratio > 1 && isPointCode(strongest.code)
    this.#sincePoint = isPoint ? 0 : Math.min(STILL_SPAN, this.#sincePoint + 1)
    const rests = this.#channel.baseline.period > 1 && isAsExpected(this.residual)
    if (!rests) strongest.note(this.#stillness.frozen, FROZEN)
    if (this.#sincePoint === STILL_SPAN) strongest.note(this.#stillness.quiet, QUIET)
  }

  /** What the channel's past expects, 0 while it is short. */
  #expectedResidual (): number {
    const { values, start, size } = this.#past
    return this.#pastCount < size ? 0 : -forwardResidual(this.#forward, values, 0, start + size)
  }

  /** Residual from what the channel's past predicts, 0 while it is short; the past takes the new residual. */
  #ownResidual (): number {
    const { limit } = this.#channel.own!
    const { values, start, size } = this.#past
    const isUnknown = this.#missing || this.#pastCount < size
    const own = isUnknown ? 0 : forwardResidual(this.#forward, values, this.residual, start + size)
    this.#past.push(Math.max(-limit, Math.min(limit, this.filled)))
    this.#gap = this.#missing ? Math.min(size, this.#gap + 1) : 0
    this.#pastCount = this.#gap === size ? 0 : Math.min(size, this.#pastCount + 1)
    return own
  }

  /** All that remembers something, in the order of the saved state. */
  get memories (): readonly Memory[] {
    const counts: Memory = {
      save: () => [this.#pastCount, this.#gap, this.#sincePoint],
      restore: ([pastCount, gap, sincePoint]) => {
        this.#pastCount = pastCount!
        this.#gap = gap!
        this.#sincePoint = sincePoint!
      },
    }
    return [
      this.#level,
      this.#trust,
      this.#season,
      this.#own,
      this.#relation,
      this.#past,
      this.#stillness,
      this.#departures,
      this.#guard,
      counts,
    ].filter((one) => one !== undefined)
  }
}
