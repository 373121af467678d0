// Causal evidence, row by row: looks back only. Remembers what a verdict needs, and nothing older.
import { ChannelStream } from './channel-stream.ts'
import { DEPARTURE_MEMORY } from './departures.ts'
import { GUARD_MEMORY } from './guard.ts'
import type { ChannelRatios, EvidenceFit } from './model.ts'
import { beyondMissing, relationResidual } from './prediction.ts'
import { allowancesOf, standardise } from './residuals.ts'
import { boundedValue } from './rows.ts'
import { trustMemory } from './trust.ts'

/**
 * After so many observations without a value, evidence is as if new: more of them change nothing.
 * @example
 * memoryOf({ adaptive: true, channels: [], related: [], raw: { center: [], scale: [] } }) // 550
 */
export function memoryOf ({ channels }: EvidenceFit): number {
  return channels.reduce((longest, { constant, pair, usual, baseline: { level, period } }) => {
    const ofDepartures = constant || pair !== null ? DEPARTURE_MEMORY : 0
    return Math.max(longest, level, ofDepartures, usual > 0 ? trustMemory(period) : 0)
  }, GUARD_MEMORY)
}

/** One row of a series to judge. */
interface EvidenceRow {
  /** Number of the row on the grid of all times; larger than that of the row before. */
  readonly index: number
  /** Gap-filled values, shape [channels]. */
  readonly values: ArrayLike<number>
  /** 1 where the value was missing, shape [channels]. */
  readonly missing: ArrayLike<number>
}

/** The relation of one channel to the others, its weights side by side. */
interface DenseRelation {
  readonly prediction: { readonly offset: number, readonly weights: Float64Array }
  /** Place of the channel among the related ones. */
  readonly at: number
  readonly raw: boolean
  readonly factor: number
  /** How far it may err where another channel is missing, shape [related]. */
  readonly allowances: Float64Array
}

/** Evidence of one series, as it comes. */
export class EvidenceStream {
  readonly #fit: EvidenceFit
  readonly #channels: readonly ChannelStream[]
  readonly #relations: ReadonlyArray<DenseRelation | undefined>
  readonly #residuals: Float64Array
  readonly #raw: Float64Array
  readonly #missing: Uint8Array
  #isComplete = true

  constructor (fit: EvidenceFit) {
    this.#fit = fit
    this.#channels = fit.channels.map((channel) => new ChannelStream(channel, fit.adaptive))
    const allowances = allowancesOf(fit)
    this.#relations = fit.channels.map(({ relation }, c) => relation === null
      ? undefined
      : {
          prediction: { offset: relation.prediction.offset, weights: Float64Array.from(relation.prediction.weights) },
          at: fit.related.indexOf(c),
          raw: relation.raw,
          factor: relation.raw ? relation.factor : 1,
          allowances: allowances[c]!,
        })
    this.#residuals = new Float64Array(fit.related.length)
    this.#raw = new Float64Array(fit.related.length)
    this.#missing = new Uint8Array(fit.related.length)
  }

  /**
   * Judges the next row.
   * @param out receives the ratio, the code and the expectation of each channel; shape [channels] each, from `at`
   */
  next ({ index, values, missing }: EvidenceRow, out: ChannelRatios, at = 0): void {
    const channels = this.#channels
    for (let c = 0; c < channels.length; c++) channels[c]!.take(index, boundedValue(values[c]!), missing[c] === 1)
    this.#relate(values, missing)
    for (let c = 0; c < channels.length; c++) {
      const channel = channels[c]!
      channel.judge(this.#relationOf(c))
      out.ratio[at + c] = channel.strongest.ratio
      out.code[at + c] = channel.strongest.code
      out.expected[at + c] = channel.expected
      out.departure[at + c] = Math.abs(channel.residual)
    }
  }

  /** Puts the related channels of a row side by side. */
  #relate (values: ArrayLike<number>, missing: ArrayLike<number>): void {
    const { related, raw } = this.#fit
    for (let j = 0; j < related.length; j++) {
      const c = related[j]!
      this.#residuals[j] = this.#channels[c]!.filled
      this.#raw[j] = standardise(boundedValue(values[c]!), raw.center[j]!, raw.scale[j]!)
      this.#missing[j] = missing[c]!
    }
    this.#isComplete = !this.#missing.includes(1)
  }

  /** Residual of a channel from the others; 0 if it is not related to them. */
  #relationOf (c: number): number {
    const relation = this.#relations[c]
    if (relation === undefined) return 0
    const residual = relationResidual(relation.prediction, relation.raw ? this.#raw : this.#residuals, relation.at) *
      relation.factor
    return this.#isComplete ? residual : beyondMissing(residual, relation.allowances, this.#missing)
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

  get #memories (): ChannelStream['memories'] {
    return this.#channels.flatMap(({ memories }) => memories)
  }
}
