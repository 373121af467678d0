// Causal evidence, row by row: looks back only. Remembers what a verdict needs, and nothing older.
import { GUARD_MEMORY, TrailingGuard } from './guard.ts'
import {
  type ChannelEvidence,
  evidenceCode,
  type EvidenceFit,
  LARGEST_PLAIN_RATIO,
  SPANS,
  type Thresholds,
  type VIEWS,
} from './model.ts'
import { relationResidual } from './prediction.ts'
import { residualAt } from './residuals.ts'
import { TrailingLevel } from './running-level.ts'
import { isAsExpected, STILL_SPAN, StillnessStream } from './stillness.ts'
import { BOUND_SHARE } from './sustained.ts'
import { CycleTrust, trustMemory } from './trust.ts'

/** Sustained evidence goes on only while its newest quarter carries this share of it. */
const GATE = 0.7
/** The ratio of sustained evidence that does not go on. */
const BELOW = 0.99

/**
 * After so many observations without a value, evidence is as if new: more of them change nothing.
 * @example
 * memoryOf({ adaptive: true, channels: [], related: [], raw: { center: [], scale: [] } }) // 551
 */
export function memoryOf ({ channels }: EvidenceFit): number {
  return channels.reduce(
    (longest, { baseline: { level, period } }) => Math.max(longest, level, trustMemory(period)),
    GUARD_MEMORY
  )
}

/** One row of a series to judge. */
export interface EvidenceRow {
  /** Number of the row on the grid of all times; larger than that of the row before. */
  readonly index: number
  /** Gap-filled values, shape [channels]. */
  readonly values: ArrayLike<number>
  /** 1 where the value was missing, shape [channels]. */
  readonly missing: ArrayLike<number>
}

/** Something that remembers a fixed number of numbers. */
interface Memory {
  save (): number[]
  restore (values: readonly number[]): void
}

/** The newest values of a sequence; zeros before the first. */
class Ring {
  readonly #values: Float64Array
  #next = 0
  #count = 0

  constructor (size: number) {
    this.#values = new Float64Array(size)
  }

  push (value: number): void {
    this.#values[this.#next] = value
    this.#next = this.#next + 1 === this.#values.length ? 0 : this.#next + 1
    this.#count = Math.min(this.#values.length, this.#count + 1)
  }

  /** Whether as many values have come as it holds. */
  get isFull (): boolean {
    return this.#count === this.#values.length
  }

  /** Sum of f over the newest `count` values, in order of time. */
  mean (count: number, squared: boolean): number {
    const size = this.#values.length
    let at = this.#next - count
    if (at < 0) at += size
    let sum = 0
    for (let i = 0; i < count; i++) {
      const value = this.#values[at]!
      sum += squared ? value * value : value
      at = at + 1 === size ? 0 : at + 1
    }
    return sum / count
  }

  /** Σ weight · value over as many of the newest values as there are weights. */
  dot (weights: readonly number[], offset: number): number {
    const size = this.#values.length
    let at = this.#next - weights.length
    if (at < 0) at += size
    let sum = offset
    for (let i = 0; i < weights.length; i++) {
      sum += weights[i]! * this.#values[at]!
      at = at + 1 === size ? 0 : at + 1
    }
    return sum
  }

  /** The number of values that have come, and the values, oldest first. */
  save (): number[] {
    return [this.#count, ...this.#values.subarray(this.#next), ...this.#values.subarray(0, this.#next)]
  }

  restore ([count, ...values]: readonly number[]): void {
    this.#count = count!
    this.#values.set(values)
    this.#next = 0
  }
}

/** The strongest evidence of a channel at the newest row. */
interface Strongest {
  ratio: number
  code: number
}

function note (strongest: Strongest, ratio: number, code: number): void {
  if (!(ratio > strongest.ratio)) return
  strongest.ratio = ratio
  strongest.code = code
}

/** Point and sustained evidence of one view. */
class ViewStream {
  readonly #thresholds: Thresholds
  readonly #view: typeof VIEWS[number]
  readonly #bound: number
  readonly #newest = new Ring(SPANS[SPANS.length - 1]!)

  constructor (thresholds: Thresholds, view: typeof VIEWS[number]) {
    this.#thresholds = thresholds
    this.#view = view
    this.#bound = BOUND_SHARE * thresholds.point
  }

  next (residual: number, strongest: Strongest): void {
    const { point, mean, power } = this.#thresholds
    this.#newest.push(Math.max(-this.#bound, Math.min(this.#bound, residual)))
    note(strongest, Math.abs(residual) / point, evidenceCode('point', this.#view))
    for (let i = 0; i < SPANS.length; i++) {
      this.#sustained(i, mean[i] ?? null, strongest, false)
      this.#sustained(i, power[i] ?? null, strongest, true)
    }
  }

  #sustained (i: number, threshold: number | null, strongest: Strongest, squared: boolean): void {
    if (threshold === null) return
    const span = SPANS[i]!
    const size = (count: number): number => {
      const mean = this.#newest.mean(count, squared)
      return squared ? Math.sqrt(mean) : Math.abs(mean)
    }
    const evidence = size(span)
    let ratio = evidence / threshold
    if (ratio > 1 && size(Math.max(2, span >> 2)) < GATE * evidence) ratio = BELOW
    note(strongest, ratio, evidenceCode(squared ? 'power' : 'mean', this.#view))
  }

  save (): number[] {
    return this.#newest.save()
  }

  restore (values: readonly number[]): void {
    this.#newest.restore(values)
  }
}

/** One channel of a stream. */
class ChannelStream {
  readonly #channel: ChannelEvidence
  readonly #level: TrailingLevel | undefined
  readonly #trust: CycleTrust | undefined
  readonly #season: ViewStream | undefined
  readonly #own: ViewStream | undefined
  readonly #relation: ViewStream | undefined
  readonly #past: Ring
  readonly #stillness: StillnessStream | undefined
  readonly #guard: TrailingGuard | undefined
  #index = 0
  #value = 0
  #missing = false
  #unit = 0
  /** Observations since the newest point evidence. */
  #sincePoint = STILL_SPAN
  /** Residual from the baseline at the newest row. */
  residual = 0
  /** Evidence at the newest row. */
  readonly strongest: Strongest = { ratio: 0, code: 0 }
  expected = 0

  constructor (channel: ChannelEvidence, adaptive: boolean) {
    this.#channel = channel
    const { baseline, season, own, relation, stillness } = channel
    this.#level = baseline.level === 0 ? undefined : new TrailingLevel(baseline.level)
    this.#trust = channel.usual > 0 ? new CycleTrust(baseline.period, channel.usual) : undefined
    this.#season = season === null ? undefined : new ViewStream(season, 'season')
    this.#own = own === null ? undefined : new ViewStream(own.thresholds, 'own')
    this.#relation = relation === null ? undefined : new ViewStream(relation.thresholds, 'relation')
    this.#guard = adaptive ? new TrailingGuard() : undefined
    this.#past = new Ring(own?.forward.weights.length ?? 1)
    this.#stillness = stillness === null ? undefined : new StillnessStream(stillness)
  }

  /** Takes a value; first all channels take theirs, then they are judged. */
  take (index: number, value: number, missing: boolean): void {
    this.#index = index
    this.#value = value
    this.#missing = missing
    const level = this.#level?.next(index, value, missing) ?? this.#channel.baseline.base
    const { residual, unit } = residualAt(this.#channel, index, value, level)
    this.residual = missing ? 0 : residual
    this.#unit = unit
    this.#stillness?.next(value, missing)
  }

  /** @param relation residual from the other channels, in units of the baseline's scale */
  judge (relation: number): void {
    const { strongest } = this
    strongest.ratio = 0
    strongest.code = 0
    const { constant, votes, own, season, relation: related } = this.#channel
    let tightest = this.residual
    if (votes && constant && this.residual !== 0) note(strongest, LARGEST_PLAIN_RATIO, evidenceCode('departure'))
    if (votes && !constant) {
      const divisor = this.#trust?.next(this.#index, this.residual) ?? 1
      this.#season?.next(this.residual / divisor, strongest)
      let least = season?.point ?? Infinity
      if (own !== null) {
        const residual = this.#past.isFull
          ? this.residual - this.#past.dot(own.forward.weights, own.forward.offset)
          : 0
        this.#own!.next(residual / divisor, strongest)
        if (own.thresholds.point < least) [least, tightest] = [own.thresholds.point, residual]
        this.#past.push(Math.max(-own.limit, Math.min(own.limit, this.residual)))
      }
      if (related !== null) {
        const residual = this.#missing ? 0 : relation
        this.#relation!.next(residual, strongest)
        if (related.thresholds.point < least) tightest = residual
      }
      if (this.#stillness !== undefined) {
        const isPoint = strongest.ratio > 1 && strongest.code % 8 === evidenceCode('point')
        this.#sincePoint = isPoint ? 0 : Math.min(STILL_SPAN, this.#sincePoint + 1)
        if (this.#sincePoint === STILL_SPAN) note(strongest, this.#stillness.quiet, evidenceCode('quiet'))
        if (!isAsExpected(this.residual)) note(strongest, this.#stillness.frozen, evidenceCode('frozen'))
      }
    }
    this.expected = constant ? this.#channel.baseline.base : this.#value - tightest * this.#unit
    const divisor = this.#guard?.next(this.#index, strongest.ratio > 1 ? strongest.ratio : 0) ?? 1
    if (strongest.ratio > 1) strongest.ratio /= divisor
  }

  /** All that remembers something, in the order of the saved state. */
  get memories (): readonly Memory[] {
    const since: Memory = {
      save: () => [this.#sincePoint],
      restore: ([count]) => { this.#sincePoint = count! },
    }
    const all = [this.#level, this.#trust, this.#season, this.#own, this.#relation, this.#past, this.#stillness, this.#guard, since]
    return all.filter((one) => one !== undefined)
  }
}

/** Evidence of one series, as it comes. */
export class EvidenceStream {
  readonly #fit: EvidenceFit
  readonly #channels: readonly ChannelStream[]
  readonly #residuals: Float64Array
  readonly #raw: Float64Array

  constructor (fit: EvidenceFit) {
    this.#fit = fit
    this.#channels = fit.channels.map((channel) => new ChannelStream(channel, fit.adaptive))
    this.#residuals = new Float64Array(fit.related.length)
    this.#raw = new Float64Array(fit.related.length)
  }

  /**
   * Judges the next row.
   * @param out receives the ratio, the code and the expectation of each channel; shape [channels] each, from `at`
   */
  next (
    { index, values, missing }: EvidenceRow,
    out: { readonly ratio: Float64Array, readonly code: Uint8Array, readonly expected: Float64Array },
    at = 0
  ): void {
    const { related, raw, channels } = this.#fit
    this.#channels.forEach((channel, c) => { channel.take(index, values[c]!, missing[c] === 1) })
    for (let j = 0; j < related.length; j++) {
      const c = related[j]!
      this.#residuals[j] = this.#channels[c]!.residual
      this.#raw[j] = (values[c]! - raw.center[j]!) / raw.scale[j]!
    }
    let j = 0
    for (let c = 0; c < channels.length; c++) {
      const { relation } = channels[c]!
      const isRelated = related[j] === c
      let residual = 0
      if (relation !== null) {
        residual = relation.raw
          ? relationResidual(relation.prediction, this.#raw, j) * relation.factor
          : relationResidual(relation.prediction, this.#residuals, j)
      }
      if (isRelated) j++
      const channel = this.#channels[c]!
      channel.judge(residual)
      out.ratio[at + c] = channel.strongest.ratio
      out.code[at + c] = channel.strongest.code
      out.expected[at + c] = channel.expected
    }
  }

  /** What the next rows need: numbers, as many for every state of one fit. */
  save (): Float64Array {
    return Float64Array.from(this.#memories.flatMap((memory) => memory.save()))
  }

  /** @throws RangeError if the saved numbers are too few or too many */
  restore (saved: Float64Array): void {
    let at = 0
    for (const memory of this.#memories) {
      const { length } = memory.save()
      memory.restore(Array.from(saved.subarray(at, at + length)))
      at += length
    }
    if (at !== saved.length) throw new RangeError(`a state of this fit holds ${at} numbers, not ${saved.length}`)
  }

  get #memories (): readonly Memory[] {
    return this.#channels.flatMap(({ memories }) => memories)
  }
}
