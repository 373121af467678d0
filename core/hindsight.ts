// Batch scoring: every window that covers an observation has a say, later ones too. For series that are there as a whole.
import { type Detection, type DetectorModel, emptyDetection } from './detection.ts'
import { HoldImputer } from './impute.ts'
import { type Reconstruct, reconstructionError } from './reconstruction-error.ts'
import { type Scaler, standardise, unscale } from './scaler.ts'
import { centredMean, meanOverCoveringWindows, splitScore } from './score.ts'
import { observation, type Series } from './series.ts'
import { windowCount } from './window.ts'

/** A gap-free run of observations, standardised: what windows may be cut from. */
export interface Run {
  /** Index of its first observation in the series. */
  readonly from: number
  /** Shape [length × channels]. */
  readonly values: Float32Array
}

/** Windows that go through the autoencoder together; no result depends on it. */
const CHUNK = 512

/**
 * Fills short gaps and cuts the series at long ones.
 * @param imputed receives 1 where a value was filled, shape [length × channels]
 */
export function standardisedRuns (series: Series, scaler: Scaler, maxGap: number, imputed?: Uint8Array): Run[] {
  const channels = series.channels.length
  const imputer = new HoldImputer(channels, maxGap)
  const values = new Float32Array(series.length * channels)
  const runs: Run[] = []
  let from = 0
  const close = (to: number): void => {
    if (to > from) runs.push({ from, values: values.subarray(from * channels, to * channels) })
  }
  for (let t = 0; t < series.length; t++) {
    const step = imputer.next(observation(series, t))
    imputed?.set(step.imputed, t * channels)
    if (step.complete) {
      standardise(scaler, step.values, values.subarray(t * channels, (t + 1) * channels))
    } else {
      close(t)
      from = t + 1
    }
  }
  close(series.length)
  return runs
}

/**
 * Batch scoring of a series: for each observation the mean error of all windows that cover it, then a centred mean.
 * A run shorter than a window stays unscored.
 */
export function detectBatch (model: DetectorModel, reconstruct: Reconstruct, series: Series): Detection {
  const channels = model.channels.length
  const detection = emptyDetection(series.length, channels)
  for (const run of standardisedRuns(series, model.scaler, model.maxGap, detection.imputed)) {
    const length = run.values.length / channels
    if (length < model.windowLength) continue
    const { errors, expected } = reconstructRun(model, reconstruct, run.values)
    detection.expected.set(expected, run.from * channels)
    const parts = centredMean(meanOverCoveringWindows(errors, channels, model.windowLength), channels, model.batch.smoothing)
    for (let t = 0; t < length; t++) {
      const split = parts.subarray(t * channels, (t + 1) * channels)
      detection.score[run.from + t] = splitScore(split, model.batch.threshold)
      detection.contributions.set(split, (run.from + t) * channels)
    }
  }
  return detection
}

/** Errors of all windows of a run, shape [windows × channels], and the mean reconstruction of each observation, unscaled. */
function reconstructRun (model: DetectorModel, reconstruct: Reconstruct, run: Float32Array): { errors: Float64Array, expected: Float64Array } {
  const channels = model.channels.length
  const width = model.windowLength * channels
  const count = windowCount(run.length / channels, model.windowLength)
  const norm = { channels, weights: model.weights, tail: model.windowLength }
  const errors = new Float64Array(count * channels)
  const sums = new Float64Array(run.length)
  for (let first = 0; first < count; first += CHUNK) {
    const size = Math.min(CHUNK, count - first)
    const windows = new Float32Array(size * width)
    for (let i = 0; i < size; i++) windows.set(run.subarray((first + i) * channels, (first + i) * channels + width), i * width)
    const reconstructions = reconstruct(windows, size)
    for (let i = 0; i < size; i++) {
      const at = (first + i) * channels
      const reconstruction = reconstructions.subarray(i * width, (i + 1) * width)
      reconstructionError(norm, windows.subarray(i * width, (i + 1) * width), reconstruction, errors.subarray(at, at + channels))
      for (let j = 0; j < width; j++) sums[at + j]! += reconstruction[j]!
    }
  }
  return { errors, expected: meanReconstruction(model, sums, count) }
}

/** Turns sums over covering windows into means in each channel's unit, in place. */
function meanReconstruction (model: DetectorModel, sums: Float64Array, windows: number): Float64Array {
  const channels = model.channels.length
  for (let i = 0; i < sums.length; i++) {
    const t = Math.floor(i / channels)
    const covering = Math.min(windows - 1, t) - Math.max(0, t - model.windowLength + 1) + 1
    sums[i] = unscale(model.scaler, i % channels, sums[i]! / covering)
  }
  return sums
}
