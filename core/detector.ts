// THE causal scoring: observe() for streams, and the same on a whole series. Looks back only; knows no file, clock or tensor.
import { type Detection, type DetectorModel, emptyDetection, isAnomalous, type Verdict } from './detection.ts'
import { HoldImputer } from './impute.ts'
import { type ErrorNorm, type Reconstruct, reconstructionError } from './reconstruction-error.ts'
import { standardise, unscale } from './scaler.ts'
import { splitScore, TrailingSmoother } from './score.ts'
import { observation, type Series } from './series.ts'
import { WindowBuffer } from './window.ts'

/** Observations that go through the autoencoder together in a batch; no result depends on it. */
const CHUNK = 512

/** Scores one series as it comes, observation by observation; remembers its newest window and errors. */
export class Detector {
  readonly #model: DetectorModel
  readonly #reconstruct: Reconstruct
  readonly #norm: ErrorNorm
  readonly #imputer: HoldImputer
  readonly #buffer: WindowBuffer
  readonly #smoother: TrailingSmoother

  constructor (model: DetectorModel, reconstruct: Reconstruct) {
    const channels = model.channels.length
    this.#model = model
    this.#reconstruct = reconstruct
    this.#norm = { channels, weights: model.weights, tail: model.causal.tail }
    this.#imputer = new HoldImputer(channels, model.maxGap)
    this.#buffer = new WindowBuffer(model.windowLength, channels)
    this.#smoother = new TrailingSmoother(channels, model.causal.smoothing)
  }

  /**
   * The verdict on the next observation.
   * @param observation shape [channels] in the model's order and units; NaN is missing
   */
  observe (observation: ArrayLike<number>): Verdict {
    return this.observeAll([observation])[0]!
  }

  /** observe() for each in turn, bit for bit, with one call of the autoencoder for all. */
  observeAll (observations: ReadonlyArray<ArrayLike<number>>): Verdict[] {
    const width = this.#model.windowLength * this.#model.channels.length
    const windows = new Float32Array(observations.length * width)
    let count = 0
    const steps = observations.map((row) => {
      const step = this.#take(row)
      if (step.window !== undefined) windows.set(step.window, count++ * width)
      return { imputed: step.imputed, complete: step.complete, at: step.window === undefined ? -1 : count - 1 }
    })
    const reconstructions = count === 0 ? windows : this.#reconstruct(windows.subarray(0, count * width), count)
    return steps.map(({ imputed, complete, at }) => {
      if (!complete) this.#smoother.clear()
      if (at < 0) return { score: null, anomalous: null, contributions: null, expected: null, imputed }
      const from = at * width
      return this.#judge(windows.subarray(from, from + width), reconstructions.subarray(from, from + width), imputed)
    })
  }

  #take (row: ArrayLike<number>): { imputed: Uint8Array, complete: boolean, window: Float32Array | undefined } {
    const { values, imputed, complete } = this.#imputer.next(row)
    if (complete) standardise(this.#model.scaler, values, this.#buffer.next())
    else this.#buffer.clear()
    return { imputed: imputed.slice(), complete, window: this.#buffer.window }
  }

  #judge (window: Float32Array, reconstruction: Float32Array, imputed: Uint8Array): Verdict {
    const channels = this.#norm.channels
    const parts = new Float64Array(channels)
    reconstructionError(this.#norm, window, reconstruction, parts)
    const contributions = new Float64Array(channels)
    this.#smoother.next(parts, contributions)
    const score = splitScore(contributions, this.#model.causal.threshold)
    const newest = reconstruction.length - channels
    const expected = parts.map((_, c) => unscale(this.#model.scaler, c, reconstruction[newest + c]!))
    return { score, anomalous: isAnomalous(score), contributions, expected, imputed }
  }
}

/** Causal scoring of a whole series: a series is a short stream, so this is observe() in a loop. */
export function detectCausal (model: DetectorModel, reconstruct: Reconstruct, series: Series): Detection {
  const detector = new Detector(model, reconstruct)
  const channels = model.channels.length
  const detection = emptyDetection(series.length, channels)
  for (let from = 0; from < series.length; from += CHUNK) {
    const rows = Array.from({ length: Math.min(CHUNK, series.length - from) }, (_, i) => observation(series, from + i))
    detector.observeAll(rows).forEach((verdict, i) => {
      detection.imputed.set(verdict.imputed, (from + i) * channels)
      if (verdict.score === null) return
      detection.score[from + i] = verdict.score
      detection.contributions.set(verdict.contributions!, (from + i) * channels)
      detection.expected.set(verdict.expected!, (from + i) * channels)
    })
  }
  return detection
}
