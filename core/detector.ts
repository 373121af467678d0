// THE causal scoring: observe() for streams, and the same on a whole series. Looks back only; knows no file, clock or tensor.
import { combineErrors } from './combine.ts'
import { type Detection, type DetectorModel, emptyDetection, isAnomalous, type Member, type Verdict } from './detection.ts'
import { standardisedRuns } from './hindsight.ts'
import { HoldImputer } from './impute.ts'
import { LevelWindow } from './level.ts'
import { type Autoencoder, errorsOfRun, errorsOfWindows, type RunErrors, type RunOptions } from './reconstruction-error.ts'
import { standardise, unscale } from './scaler.ts'
import { splitScore, TrailingSmoother } from './score.ts'
import { type Series } from './series.ts'
import { WindowBuffer } from './window.ts'

/** What one member says of one window: the parts of its error, and what it expected of the newest observation, standardised. */
interface MemberOpinion {
  readonly parts: Float64Array
  readonly newest: Float32Array
}

/** From the members' opinions on window after window to scores; remembers the newest errors and scores. */
class CausalScorer {
  readonly #model: DetectorModel
  readonly #smoother: TrailingSmoother
  readonly #level: LevelWindow | undefined

  constructor (model: DetectorModel) {
    this.#model = model
    this.#smoother = new TrailingSmoother(model.channels.length, model.causal.smoothing)
    this.#level = model.causal.level.span === 0 ? undefined : new LevelWindow(model.causal.level)
  }

  /** A gap: smoothing begins again. */
  clear (): void {
    this.#smoother.clear()
  }

  /**
   * @param contributions receives each channel's share, shape [channels]
   * @returns the score
   */
  next (opinions: readonly MemberOpinion[], contributions: Float64Array): number {
    const { members, channels, causal } = this.#model
    const errors = combineErrors(opinions.map(({ parts }, m) => ({ parts, scale: members[m]!.scale.causal })), channels.length)
    this.#smoother.next(errors, contributions)
    const score = splitScore(contributions, causal.threshold)
    if (this.#level === undefined) return score
    this.#level.push(score)
    return score / this.#level.divisor
  }

  /** What the members expected on average, in each channel's unit; shape [channels]. */
  expected (opinions: readonly MemberOpinion[]): Float64Array {
    const { scaler, channels } = this.#model
    return Float64Array.from(channels, (_, c) => {
      let sum = 0
      for (const { newest } of opinions) sum += newest[c]!
      return unscale(scaler, c, sum / opinions.length)
    })
  }
}

function optionsOf ({ channels, weights }: DetectorModel, { windowLength, tail }: Member): RunOptions {
  return { channels: channels.length, windowLength, stride: 1, tail, weights }
}

/** The opinion on the window that is the `w`-th of those in `found`. */
function opinionOn ({ errors, newest }: Pick<RunErrors, 'errors' | 'newest'>, w: number, channels: number): MemberOpinion {
  return { parts: errors.subarray(w * channels, (w + 1) * channels), newest: newest.subarray(w * channels, (w + 1) * channels) }
}

/** Scores one series as it comes, observation by observation; remembers its newest window, errors and scores. */
export class Detector {
  readonly #model: DetectorModel
  readonly #autoencoders: readonly Autoencoder[]
  readonly #options: readonly RunOptions[]
  readonly #imputer: HoldImputer
  readonly #buffer: WindowBuffer
  readonly #scorer: CausalScorer

  /** @param autoencoders one for each member of the model */
  constructor (model: DetectorModel, autoencoders: readonly Autoencoder[]) {
    this.#model = model
    this.#autoencoders = autoencoders
    this.#options = model.members.map((member) => optionsOf(model, member))
    this.#imputer = new HoldImputer(model.channels.length, model.maxGap)
    this.#buffer = new WindowBuffer(model.windowLength, model.channels.length)
    this.#scorer = new CausalScorer(model)
  }

  /**
   * The verdict on the next observation.
   * @param observation shape [channels] in the model's order and units; NaN is missing
   */
  observe (observation: ArrayLike<number>): Verdict {
    return this.observeAll([observation])[0]!
  }

  /** observe() for each in turn, bit for bit, with one call of each autoencoder for all. */
  observeAll (observations: ReadonlyArray<ArrayLike<number>>): Verdict[] {
    const channels = this.#model.channels.length
    const batches = this.#options.map(({ windowLength }) => new Float32Array(observations.length * windowLength * channels))
    let count = 0
    const steps = observations.map((row) => {
      const step = this.#take(row)
      if (step.window !== undefined) {
        // Shorter windows are the newest part of the longest.
        batches.forEach((batch, m) => { batch.set(step.window!.subarray(-this.#options[m]!.windowLength * channels), count * this.#options[m]!.windowLength * channels) })
      }
      return { ...step, at: step.window === undefined ? -1 : count++ }
    })
    const found = batches.map((batch, m) => errorsOfWindows(this.#autoencoders[m]!, batch.subarray(0, count * this.#options[m]!.windowLength * channels), count, this.#options[m]!))
    return steps.map(({ imputed, complete, at }) => {
      if (!complete) this.#scorer.clear()
      if (at < 0) return { score: null, anomalous: null, contributions: null, expected: null, imputed }
      const opinions = found.map((one) => opinionOn(one, at, channels))
      const contributions = new Float64Array(channels)
      const score = this.#scorer.next(opinions, contributions)
      return { score, anomalous: isAnomalous(score), contributions, expected: this.#scorer.expected(opinions), imputed }
    })
  }

  #take (row: ArrayLike<number>): { imputed: Uint8Array, complete: boolean, window: Float32Array | undefined } {
    const { values, imputed, complete } = this.#imputer.next(row)
    if (complete) standardise(this.#model.scaler, values, this.#buffer.next())
    else this.#buffer.clear()
    return { imputed: imputed.slice(), complete, window: this.#buffer.window }
  }
}

/** Causal scoring of a whole series: what observe() says of its observations one after another, bit for bit. */
export function detectCausal (model: DetectorModel, autoencoders: readonly Autoencoder[], series: Series): Detection {
  const channels = model.channels.length
  const detection = emptyDetection(series.length, channels)
  const scorer = new CausalScorer(model)
  for (const run of standardisedRuns(series, model.scaler, model.maxGap, detection.imputed)) {
    scorer.clear()
    if (run.values.length < model.windowLength * channels) continue
    // All members look at the same observations: those that the longest window ends at.
    const found = model.members.map((member, m) => {
      const skipped = (model.windowLength - member.windowLength) * channels
      return errorsOfRun(autoencoders[m]!, run.values.subarray(skipped), optionsOf(model, member))
    })
    const windows = run.values.length / channels - model.windowLength + 1
    for (let w = 0; w < windows; w++) {
      const t = run.from + model.windowLength - 1 + w
      const opinions = found.map((one) => opinionOn(one, w, channels))
      detection.score[t] = scorer.next(opinions, detection.contributions.subarray(t * channels, (t + 1) * channels))
      detection.expected.set(scorer.expected(opinions), t * channels)
    }
  }
  return detection
}
