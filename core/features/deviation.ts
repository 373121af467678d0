// The deviation of a short window against what is usual: calm and unrest, which an autoencoder hardly sees.
import { ln } from '../elementary.ts'
import type { Measure, RunErrors, RunOptions } from '../scoring/reconstruction-error.ts'
import type { WindowMatrix } from '../series/window.ts'
import { splitSquares } from './split-squares.ts'

/** Added to the deviation, so that a frozen window has a logarithm. */
const LEAST_DEVIATION = 0.05
/** The logarithm's deviation in training counts as at least this. */
const LEAST_SPREAD = 0.1

/** The fitted numbers, 32-bit. */
export interface Deviation {
  /** Mean and deviation of each channel's log deviation; shape [channels] each. */
  readonly center: Float32Array
  readonly spread: Float32Array
}

/**
 * Logarithm of the deviation of `length` values that lie `step` apart. Fresh sums: the bits depend on the values alone.
 */
function logDeviation (values: Float32Array, at: number, length: number, step: number): number {
  const end = at + length * step
  let sum = 0
  for (let i = at; i < end; i += step) sum += values[i]!
  const mean = sum / length
  let squares = 0
  for (let i = at; i < end; i += step) {
    const departure = values[i]! - mean
    squares += departure * departure
  }
  return ln(Math.sqrt(squares / length) + LEAST_DEVIATION)
}

/**
 * Fits what is usual for each channel.
 * @example
 * const windows = sampleWindows([Float32Array.of(1, 2, 1, 2, 1, 2)], 1, 2, 5)
 * fitDeviation(windows) // { center: [-0.59…], spread: [0.10…] }
 */
export function fitDeviation ({ values, count, width, channels }: WindowMatrix): Deviation {
  const center = new Float32Array(channels)
  const spread = new Float32Array(channels)
  for (let c = 0; c < channels; c++) {
    const logs = Float64Array.from({ length: count }, (_, i) =>
      logDeviation(values, i * width + c, width / channels, channels))
    const mean = logs.reduce((sum, log) => sum + log, 0) / count
    const squares = logs.reduce((sum, log) => sum + (log - mean) * (log - mean), 0)
    center[c] = mean
    spread[c] = Math.max(LEAST_SPREAD, Math.sqrt(squares / count))
  }
  return { center, spread }
}

/**
 * The log deviation as a member of the detector: a window's error is how many usual deviations its logarithm is off.
 * @example
 * const usual = { center: Float32Array.of(-3), spread: Float32Array.of(2) }
 * const options = { channels: 1, windowLength: 2, stride: 1, tail: 2, weights: [1], summed: false }
 * deviationMember(usual).errorsOfRun(Float32Array.of(5, 5, 5), options).errors // [0.002…, 0.002…]
 */
export function deviationMember (usual: Deviation): Measure {
  return { errorsOfRun: (run, options) => errorsOfRun(usual, run, options) }
}

function errorsOfRun (
  { center, spread }: Deviation,
  run: Float32Array,
  { channels, windowLength, stride, weights }: RunOptions
): RunErrors {
  const count = Math.floor((run.length / channels - windowLength) / stride) + 1
  const errors = new Float64Array(count * channels)
  for (let w = 0; w < count; w++) {
    for (let c = 0; c < channels; c++) {
      const log = logDeviation(run, w * stride * channels + c, windowLength, channels)
      const departure = (log - center[c]!) / spread[c]!
      errors[w * channels + c] = departure * departure
    }
  }
  splitSquares(errors, weights)
  return { errors, sums: undefined, newest: undefined }
}
