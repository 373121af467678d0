// Causal scoring: observe() for streams, and the same for a whole series. Looks back only; knows no file, clock or
// tensor.
import { type ChannelRatios, emptyRatios, PATTERN } from '../evidence/model.ts'
import { EvidenceStream } from '../evidence/stream.ts'
import type { Detection, Verdict } from '../scoring/detection.ts'
import { patternCausal, PatternDetector } from '../scoring/pattern.ts'
import type { PatternState } from '../scoring/pattern-state.ts'
import type { Autoencoder } from '../scoring/reconstruction-error.ts'
import { isAnomalous } from '../scoring/threshold.ts'
import { HoldImputer } from '../series/impute.ts'
import { type Series, timeOf } from '../series/series.ts'
import type { DetectorModel } from './model.ts'
import { type DetectorState, packState, type UnpackedState, unpackState } from './detector-state.ts'
import { PatternGate, reachOf } from './smears.ts'
import { scoreOf, shareEvidence } from './union.ts'

/** An observation of a stream. */
interface Observation {
  /** Milliseconds since the epoch, on the model's grid, after the observation before. */
  readonly time: number
  /** Shape [channels] in the model's order and units; NaN is missing. */
  readonly values: ArrayLike<number>
  /**
   * 1 if the caller filled a missing value, shape [channels]. Filling with the last value gives the same verdict as
   * NaN, bit for bit.
   */
  readonly filled?: Uint8Array | undefined
}

/** Adds the evidence of channels to pattern scores, observation after observation. */
class CausalUnion {
  /** The newest score, NaN if the observation is not scored, and the code of its evidence. */
  score = NaN
  evidence = 0
  readonly #model: DetectorModel
  readonly #imputer: HoldImputer
  readonly #stream: EvidenceStream
  readonly #gate: PatternGate
  readonly #missing: Uint8Array
  readonly #found: ChannelRatios

  constructor (model: DetectorModel, saved?: UnpackedState) {
    const { length: channels } = model.channels
    this.#model = model
    this.#imputer = new HoldImputer(channels, model.maxGap)
    this.#stream = saved?.evidence ?? new EvidenceStream(model.evidence.causal!)
    const { smoothing } = model.causal
    this.#gate = new PatternGate({ reach: reachOf(model, smoothing), smoothing, channels })
    this.#missing = new Uint8Array(channels)
    this.#found = emptyRatios(channels)
    if (saved === undefined) return
    this.#imputer.restore(saved.pattern)
    this.#gate.restore(saved.gate)
  }

  /**
   * Judges the next observation.
   * @param next its values begin at index `at`
   * @param pattern pattern score, NaN without one
   * @param out contributions of the pattern score, which become those of the union, and expected values; from `at`
   */
  next (next: Observation, at: number, pattern: number, out: Pick<Detection, 'contributions' | 'expected'>): void {
    const isComplete = this.#take(next, at)
    const strongest = isComplete ? this.#strongest() : 0
    const isEvident = strongest > 1
    const isShut = this.#gate.isShut(pattern, strongest)
    // Without a full window the silence of the channels does not mean that all is well.
    const isWarm = !Number.isNaN(pattern) || this.#model.members.length === 0
    if (!isEvident && !(isComplete && isWarm)) {
      this.#leaveOut(out, at)
      return
    }
    out.expected.set(this.#found.expected, at)
    if (!isEvident && !Number.isNaN(pattern)) {
      this.score = scoreOf(pattern, 0, isShut)
      this.evidence = PATTERN
      return
    }
    const top = shareEvidence(this.#found, out.contributions, at)
    this.score = scoreOf(pattern, this.#found.ratio[top]!, isShut)
    this.evidence = this.#found.code[top]!
  }

  /** Finds the evidence of the channels. @returns whether all have a value */
  #take ({ time, values, filled }: Observation, at: number): boolean {
    const row = this.#imputer.next(values, at, filled)
    const { channels } = this.#model.evidence.causal!
    for (let c = 0; c < channels.length; c++) {
      this.#missing[c] = !Number.isFinite(values[at + c]!) || filled?.[c] === 1 ? 1 : 0
      if (Number.isNaN(row.values[c]!)) row.values[c] = channels[c]!.baseline.base
    }
    const index = Math.floor(time / this.#model.interval)
    this.#stream.next({ index, values: row.values, missing: this.#missing }, this.#found)
    return row.complete
  }

  #strongest (): number {
    const { ratio } = this.#found
    let most = 0
    for (let c = 0; c < ratio.length; c++) if (ratio[c]! > most) most = ratio[c]!
    return most
  }

  #leaveOut ({ contributions, expected }: Pick<Detection, 'contributions' | 'expected'>, at: number): void {
    contributions.fill(NaN, at, at + this.#missing.length)
    expected.fill(NaN, at, at + this.#missing.length)
    this.score = NaN
    this.evidence = 0
  }

  /** Adds what it remembers to the state of the pattern scores. */
  save (pattern: PatternState): DetectorState {
    return packState(pattern, this.#gate.save(), this.#stream)
  }
}

/** Scores one series as it comes, observation by observation; remembers what the next verdicts need. */
export class Detector {
  readonly #model: DetectorModel
  readonly #pattern: PatternDetector
  readonly #union: CausalUnion

  /**
   * @param autoencoders one for each member of the model
   * @param saved the result of save() of a detector of the same model: the next verdicts are those that this detector
   * would have given, bit for bit
   * @throws Problem invalid-state if the saved state is damaged or belongs to another model
   */
  constructor (model: DetectorModel, autoencoders: readonly Autoencoder[], saved?: unknown) {
    this.#model = model
    const state = saved === undefined ? undefined : unpackState(model, saved)
    this.#pattern = new PatternDetector(model, autoencoders, state?.pattern)
    this.#union = new CausalUnion(model, state)
  }

  /** The state with which another detector of the same model goes on after the observations so far. */
  save (): DetectorState {
    return this.#union.save(this.#pattern.save())
  }

  /** The verdict on the next observation. */
  observe (next: Observation): Verdict {
    return this.observeAll([next])[0]!
  }

  /** The verdicts of observe() on each observation in turn, bit for bit, with a single call of each autoencoder. */
  observeAll (observations: readonly Observation[]): Verdict[] {
    const channels = this.#model.channels.length
    const patterns = this.#pattern.observeAll(
      observations.map(({ values }) => values),
      observations.map(({ filled }) => filled)
    )
    const union = this.#union
    return observations.map((next, i): Verdict => {
      const { score: pattern, contributions: shares, imputed } = patterns[i]!
      const contributions = shares ?? new Float64Array(channels)
      const expected = new Float64Array(channels)
      union.next(next, 0, pattern ?? NaN, { contributions, expected })
      const { score, evidence } = union
      if (Number.isNaN(score)) {
        return { score: null, anomalous: null, contributions: null, expected: null, evidence: 0, imputed }
      }
      return { score, anomalous: isAnomalous(score), contributions, expected, evidence, imputed }
    })
  }
}

/**
 * Causal scoring of a whole series: the verdicts of observe() on its observations in turn, bit for bit.
 * @throws TypeError if the model has no evidence for causal scoring
 * @example
 * const wave = Array.from({ length: 60 }, (_, t) => t === 50 ? 9 : Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series, { rows: 48 })
 * detectCausal(model, autoencoders, series).score[50] > 1 // true
 */
export function detectCausal (model: DetectorModel, autoencoders: readonly Autoencoder[], series: Series): Detection {
  const channels = model.channels.length
  const detection = patternCausal(model, autoencoders, series)
  const union = new CausalUnion(model)
  const { values } = series
  for (let t = 0; t < series.length; t++) {
    union.next({ time: timeOf(series, t), values }, t * channels, detection.score[t]!, detection)
    detection.score[t] = union.score
    detection.evidence[t] = union.evidence
  }
  return detection
}
