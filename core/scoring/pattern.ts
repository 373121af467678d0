// Causal scoring: observe() for streams, and the same for a whole series. Looks back only; knows no file, clock or
// tensor.
import { standardisedRuns } from '../series/runs.ts'
import { HoldImputer } from '../series/impute.ts'
import { standardise, unscale } from '../series/scaler.ts'
import type { Series } from '../series/series.ts'
import { WindowBuffer } from '../series/window.ts'
import { isAnomalous } from './threshold.ts'
import { combineErrors } from './combine.ts'
import { type Detection, type PatternModel, emptyDetection, type Member, type Verdict } from './detection.ts'
import { type PatternState, packState, unpackState } from './pattern-state.ts'
import { errorsByRun } from './errors-by-run.ts'
import { LevelWindow } from './level.ts'
import {
  type Autoencoder,
  errorsOfRun,
  errorsOfWindows,
  type RunErrors,
  type RunOfErrors,
  type RunOptions,
} from './reconstruction-error.ts'
import { splitScore, TrailingSmoother } from './score.ts'

/** Turns the errors of successive windows into scores; remembers the newest errors and scores. */
class CausalScorer {
  readonly #channels: number
  readonly #threshold: number
  readonly #smoother: TrailingSmoother
  readonly #level: LevelWindow | undefined

  constructor ({ channels, causal }: PatternModel) {
    this.#channels = channels.length
    this.#threshold = causal.threshold
    this.#smoother = new TrailingSmoother(channels.length, causal.smoothing)
    this.#level = causal.level.span === 0 ? undefined : new LevelWindow(causal.level)
  }

  /** A gap: smoothing starts afresh. */
  clear (): void {
    this.#smoother.clear()
  }

  /** An observation without a score: the remembered scores grow older. */
  skip (): void {
    this.#level?.push(NaN)
  }

  /**
   * @param parts the combined error of the window that ends at this observation, split over channels; shape [channels],
   * beginning at index `partsAt`
   * @param contributions receives each channel's share, shape [channels], beginning at index `at`
   * @returns the score
   */
  next (parts: Float64Array, contributions: Float64Array, partsAt: number, at: number): number {
    this.#smoother.next(parts, contributions, partsAt, at)
    const score = splitScore(contributions, this.#channels, this.#threshold, at)
    if (this.#level === undefined) return score
    this.#level.push(score)
    return score / this.#level.divisor
  }

  save (): { errors: Float64Array, level: Float64Array } {
    return { errors: this.#smoother.save(), level: this.#level?.save() ?? new Float64Array(0) }
  }

  restore ({ errors, level }: { readonly errors: Float64Array, readonly level: Float64Array }): void {
    this.#smoother.restore(errors)
    this.#level?.restore(level)
  }
}

/** The members' errors of the same windows, combined, and their mean reconstruction; both [windows × channels]. */
interface CombinedErrors {
  /** Each channel's part of the combined errors. */
  readonly parts: Float64Array
  /** Mean reconstruction of the windows' newest observations, in each channel's unit. */
  readonly expected: Float64Array
}

function combinedErrors (
  { members, scaler, channels }: PatternModel,
  found: ReadonlyArray<Pick<RunErrors, 'errors' | 'newest'>>
): CombinedErrors {
  const parts = combineErrors(
    found.map(({ errors }, m) => ({ parts: errors, scale: members[m]!.scale.causal, weight: members[m]!.weight })),
    channels.length
  )
  const expected = new Float64Array(parts.length)
  const reconstructions = found.flatMap(({ newest }) => newest === undefined ? [] : [newest])
  for (const newest of reconstructions) {
    for (let i = 0; i < expected.length; i++) expected[i]! += newest[i]! / reconstructions.length
  }
  for (let c = 0; c < channels.length; c++) {
    for (let i = c; i < expected.length; i += channels.length) expected[i] = unscale(scaler, c, expected[i]!)
  }
  return { parts, expected }
}

function optionsOf ({ channels, weights }: PatternModel, { windowLength, tail }: Member): RunOptions {
  return { channels: channels.length, windowLength, stride: 1, tail, weights, summed: false }
}

/** Scores one series as it comes, observation by observation; remembers its newest window, errors and scores. */
export class PatternDetector {
  readonly #model: PatternModel
  readonly #autoencoders: readonly Autoencoder[]
  readonly #options: readonly RunOptions[]
  readonly #imputer: HoldImputer
  readonly #buffer: WindowBuffer
  readonly #scorer: CausalScorer

  /**
   * @param autoencoders one for each member of the model
   * @param saved the result of save() of a detector of the same model: the next verdicts are those that this detector
   * would have given, bit for bit
   * @throws Problem invalid-state if the saved state is damaged or belongs to another model
   */
  constructor (model: PatternModel, autoencoders: readonly Autoencoder[], saved?: unknown) {
    this.#model = model
    this.#autoencoders = autoencoders
    this.#options = model.members.map((member) => optionsOf(model, member))
    this.#imputer = new HoldImputer(model.channels.length, model.maxGap)
    this.#buffer = new WindowBuffer(model.windowLength, model.channels.length)
    this.#scorer = new CausalScorer(model)
    if (saved === undefined) return
    const memory = unpackState(model, saved)
    this.#imputer.restore(memory)
    this.#buffer.restore(memory.window)
    this.#scorer.restore(memory)
  }

  /** The state with which another detector of the same model goes on after the observations so far. */
  save (): PatternState {
    return packState(this.#model, { ...this.#imputer.save(), window: this.#buffer.save(), ...this.#scorer.save() })
  }

  /**
   * The verdict on the next observation.
   * @param observation shape [channels] in the model's order and units; NaN is missing
   * @param filled 1 if the caller filled a missing value, shape [channels]. Filling with the last value gives the same
   * verdict as NaN, bit for bit.
   */
  observe (observation: ArrayLike<number>, filled?: Uint8Array): Verdict {
    return this.observeAll([observation], filled && [filled])[0]!
  }

  /** The verdicts of observe() on each observation in turn, bit for bit, with a single call of each autoencoder. */
  observeAll (
    observations: ReadonlyArray<ArrayLike<number>>,
    filled: ReadonlyArray<Uint8Array | undefined> = []
  ): Verdict[] {
    const channels = this.#model.channels.length
    const batches = this.#options.map(({ windowLength }) =>
      new Float32Array(observations.length * windowLength * channels)
    )
    let count = 0
    const steps = observations.map((row, i) => {
      const step = this.#take(row, filled[i])
      const isWindow = step.window !== undefined && batches.length > 0
      if (isWindow) {
        // Shorter windows are the newest part of the longest.
        batches.forEach((batch, m) => {
          batch.set(
            step.window!.subarray(-this.#options[m]!.windowLength * channels),
            count * this.#options[m]!.windowLength * channels
          )
        })
      }
      return { ...step, at: isWindow ? count++ : -1 }
    })
    const { parts, expected } = combinedErrors(
      this.#model,
      batches.map((batch, m) => {
        const options = this.#options[m]!
        return errorsOfWindows(
          this.#autoencoders[m]!,
          batch.subarray(0, count * options.windowLength * channels),
          count,
          options
        )
      })
    )
    // One array for all: making many small arrays takes longer than filling them.
    const shares = new Float64Array(count * channels)
    return steps.map(({ imputed, complete, at }) => {
      if (!complete) this.#scorer.clear()
      if (at < 0) {
        this.#scorer.skip()
        return { score: null, anomalous: null, contributions: null, expected: null, evidence: 0, imputed }
      }
      const [from, to] = [at * channels, (at + 1) * channels]
      const score = this.#scorer.next(parts, shares, from, from)
      return {
        score,
        anomalous: isAnomalous(score),
        contributions: shares.subarray(from, to),
        expected: expected.subarray(from, to),
        evidence: 0,
        imputed,
      }
    })
  }

  #take (
    row: ArrayLike<number>,
    filled: Uint8Array | undefined
  ): { imputed: Uint8Array, complete: boolean, window: Float32Array | undefined } {
    const { values, imputed, complete } = this.#imputer.next(row, 0, filled)
    if (complete) standardise(this.#model.scaler, values, this.#buffer.next())
    else this.#buffer.clear()
    return { imputed: imputed.slice(), complete, window: this.#buffer.window }
  }
}

/**
 * Causal scoring of a whole series: the verdicts of observe() on its observations in turn, bit for bit.
 * @example
 * const wave = Array.from({ length: 60 }, (_, t) => Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * patternCausal(model, autoencoders, series).score.slice(0, 4) // [NaN, NaN, NaN, NaN]
 */
export function patternCausal (model: PatternModel, autoencoders: readonly Autoencoder[], series: Series): Detection {
  const channels = model.channels.length
  const detection = emptyDetection(series.length, channels)
  const scorer = new CausalScorer(model)
  let next = 0
  const skipTo = (t: number): void => { for (; next < t; next++) scorer.skip() }
  for (const run of standardisedRuns(series, model.scaler, model.maxGap, detection.imputed)) {
    scorer.clear()
    if (model.members.length === 0) continue
    if (run.values.length < model.windowLength * channels) continue
    // All members score the same observations: those at which a longest window ends.
    const found = model.members.map((member, m) => {
      const skipped = (model.windowLength - member.windowLength) * channels
      return errorsOfRun(autoencoders[m]!, run.values.subarray(skipped), optionsOf(model, member))
    })
    const { parts, expected } = combinedErrors(model, found)
    const first = run.from + model.windowLength - 1
    detection.expected.set(expected, first * channels)
    skipTo(first)
    for (let w = 0; w < parts.length / channels; w++) {
      detection.score[first + w] = scorer.next(parts, detection.contributions, w * channels, (first + w) * channels)
    }
    next = first + parts.length / channels
  }
  return detection
}

/**
 * The errors of the members from which causalScores() makes the scores of patternCausal().
 * @returns one entry for each gap-free run: parts of the error of each window, by member
 * @example
 * const wave = Float64Array.from({ length: 300 }, (_, t) => Math.sin(t * t))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * causalErrors(model, autoencoders, series)[0].parts.length // 3
 */
export function causalErrors (
  model: PatternModel,
  autoencoders: readonly Autoencoder[],
  series: Series
): RunOfErrors[] {
  return errorsByRun(model, series, (values, m) =>
    errorsOfRun(autoencoders[m]!, values, optionsOf(model, model.members[m]!)).errors
  )
}

/**
 * The scores of patternCausal() from the errors of a series, bit for bit.
 * @param length observations in the series
 * @example
 * const wave = Float64Array.from({ length: 300 }, (_, t) => Math.sin(t * t))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * causalScores(model, causalErrors(model, autoencoders, series), 300).slice(0, 4) // [NaN, NaN, NaN, NaN]
 */
export function causalScores (model: PatternModel, runs: readonly RunOfErrors[], length: number): Float64Array {
  const channels = model.channels.length
  const scores = new Float64Array(length).fill(NaN)
  const shares = new Float64Array(channels)
  const scorer = new CausalScorer(model)
  let next = 0
  for (const run of runs) {
    scorer.clear()
    if (run.length < model.windowLength) continue
    const parts = combineErrors(
      model.members.map(({ windowLength, scale, weight }, m) => ({
        parts: run.parts[m]!.subarray((model.windowLength - windowLength) * channels),
        scale: scale.causal,
        weight,
      })),
      channels
    )
    const first = run.from + model.windowLength - 1
    for (; next < first; next++) scorer.skip()
    for (let w = 0; w * channels < parts.length; w++) scores[next++] = scorer.next(parts, shares, w * channels, 0)
  }
  return scores
}
