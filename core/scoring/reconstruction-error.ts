// The distance between windows and their reconstructions, in total and per channel.

/**
 * The contract of every autoencoder: windows in, reconstructions out, both [count × width] flattened. A window's
 * reconstruction depends on that window alone, not on others in the call: otherwise scores would depend on the batch
 * size. Implemented by adapters/tfjs (LayersModels), core/linear/subspace.ts and core/linear/masked.ts.
 */
export type Reconstruct = (windows: Float32Array, count: number) => Float32Array

/** The windows of a run to reconstruct, and the residuals that count in their errors. */
export interface RunOptions {
  readonly channels: number
  /** Observations in a window. */
  readonly windowLength: number
  /** Observations from the start of one window to that of the next. */
  readonly stride: number
  /** Only the newest `tail` observations of a window count. */
  readonly tail: number
  /** Weight of each channel's squared residual, shape [channels]. */
  readonly weights: readonly number[]
  /** Whether to sum the reconstructions of each observation; needs tail = windowLength. */
  readonly summed: boolean
}

export interface RunErrors {
  /** Parts of each window's error, as reconstructionError() splits it; shape [windows × channels]. */
  readonly errors: Float64Array
  /**
   * Sum of each observation's reconstructions by the windows that cover it, standardised; shape [length × channels].
   * undefined unless `summed`, and for a member that reconstructs nothing.
   */
  readonly sums: Float64Array | undefined
  /**
   * Each window's reconstruction of its newest observation, standardised; shape [windows × channels]. undefined for a
   * member that reconstructs nothing.
   */
  readonly newest: Float32Array | undefined
}

/** Errors of all members in a gap-free run of a series. */
export interface RunOfErrors {
  /** Index of the run's first observation in the series. */
  readonly from: number
  /** Observations in the run. */
  readonly length: number
  /** Each member's errors split over channels, empty if the run is shorter than its window. */
  readonly parts: readonly Float64Array[]
}

/** The errors of a run's windows. A window's bits depend on that window alone. */
type ErrorsOfRun = (run: Float32Array, options: RunOptions) => RunErrors

/** A fitted autoencoder of windows. */
export interface Reconstruction {
  readonly reconstruct: Reconstruct
  /** A faster errorsOfRun() of the autoencoder. */
  readonly errorsOfRun?: ErrorsOfRun
  dispose? (): void
}

/** A fitted measure of windows that reconstructs nothing (core/features/). */
export interface Measure {
  readonly reconstruct?: undefined
  readonly errorsOfRun: ErrorsOfRun
  dispose? (): void
}

/** A fitted member of the detector. */
export type Autoencoder = Reconstruction | Measure

/** Windows that go through the autoencoder together; no result depends on it. */
const CHUNK = 512

/**
 * Root of the weighted mean squared residual, e = sqrt(Σ w_c r² / (tail · channels)), split over channels by their
 * share of the sum: the parts add up to e (up to rounding).
 * @param out receives the parts, shape [channels]
 * @example
 * const parts = new Float64Array(2)
 * const options = { channels: 2, windowLength: 1, stride: 1, tail: 1, weights: [1, 1], summed: false }
 * reconstructionError(options, Float32Array.of(3, 1), Float32Array.of(1, 1), parts)
 * parts // [1.41…, 0]
 */
export function reconstructionError (
  { channels, weights, tail }: RunOptions,
  window: Float32Array,
  reconstruction: Float32Array,
  out: Float64Array
): void {
  const first = window.length - tail * channels
  let sum = 0
  for (let c = 0; c < channels; c++) {
    let squares = 0
    for (let i = first + c; i < window.length; i += channels) {
      const residual = window[i]! - reconstruction[i]!
      squares += residual * residual
    }
    out[c] = weights[c]! * squares
    sum += out[c]!
  }
  // An exact reconstruction has no error to split.
  const factor = sum === 0 ? 0 : Math.sqrt(sum / (tail * channels)) / sum
  for (let c = 0; c < channels; c++) out[c]! *= factor
}

/**
 * Reconstructs all windows of a gap-free run.
 * @param run standardised observations, shape [length × channels], at least one window long
 * @example
 * const forgetful = { reconstruct: (windows) => new Float32Array(windows.length) }
 * const options = { channels: 1, windowLength: 2, stride: 1, tail: 1, weights: [1], summed: false }
 * errorsOfRun(forgetful, Float32Array.of(1, 2, 3), options).errors // [2, 3]
 */
export function errorsOfRun (autoencoder: Autoencoder, run: Float32Array, options: RunOptions): RunErrors {
  if (autoencoder.reconstruct === undefined) return autoencoder.errorsOfRun(run, options)
  if (autoencoder.errorsOfRun !== undefined) return autoencoder.errorsOfRun(run, options)
  const { channels, windowLength, stride } = options
  const width = windowLength * channels
  const count = Math.floor((run.length / channels - windowLength) / stride) + 1
  const found = emptyErrors(run, count, options)
  for (let first = 0; first < count; first += CHUNK) {
    const size = Math.min(CHUNK, count - first)
    const windows = new Float32Array(size * width)
    for (let i = 0; i < size; i++) {
      windows.set(run.subarray((first + i) * stride * channels, (first + i) * stride * channels + width), i * width)
    }
    addWindows(found, { first, windows, reconstructions: autoencoder.reconstruct(windows, size) }, options)
  }
  return found
}

function emptyErrors (
  run: Float32Array,
  count: number,
  { channels, summed }: RunOptions
): RunErrors & { readonly newest: Float32Array } {
  return {
    errors: new Float64Array(count * channels),
    sums: summed ? new Float64Array(run.length) : undefined,
    newest: new Float32Array(count * channels),
  }
}

/** Windows of a run and their reconstructions, both [count × windowLength × channels]. */
interface Chunk {
  /** Number of the first window in the run. */
  readonly first: number
  readonly windows: Float32Array
  readonly reconstructions: Float32Array
}

function addWindows (
  { errors, sums, newest }: ReturnType<typeof emptyErrors>,
  { first, windows, reconstructions }: Chunk,
  options: RunOptions
): void {
  const { channels, stride, windowLength } = options
  const width = windowLength * channels
  for (let i = 0; i * width < windows.length; i++) {
    const w = first + i
    const window = windows.subarray(i * width, (i + 1) * width)
    const reconstruction = reconstructions.subarray(i * width, (i + 1) * width)
    reconstructionError(options, window, reconstruction, errors.subarray(w * channels, (w + 1) * channels))
    newest.set(reconstruction.subarray(-channels), w * channels)
    if (sums === undefined) continue
    const at = w * stride * channels
    for (let j = 0; j < width; j++) sums[at + j]! += reconstruction[j]!
  }
}

/**
 * Reconstructs windows that lie one after another without overlap. The result for each window equals that of
 * errorsOfRun() for this window alone, bit for bit.
 * @param windows shape [count × windowLength × channels]
 * @example
 * const forgetful = { reconstruct: (windows) => new Float32Array(windows.length) }
 * const options = { channels: 1, windowLength: 2, stride: 1, tail: 1, weights: [1], summed: false }
 * errorsOfWindows(forgetful, Float32Array.of(1, 2, 3, 4), 2, options).errors // [2, 4]
 */
export function errorsOfWindows (
  autoencoder: Autoencoder,
  windows: Float32Array,
  count: number,
  options: RunOptions
): Pick<RunErrors, 'errors' | 'newest'> {
  const { channels } = options
  const apart = { ...options, stride: options.windowLength }
  if (autoencoder.errorsOfRun === undefined) {
    return count === 0
      ? emptyErrors(windows, 0, options)
      : errorsOfRun(autoencoder, windows, apart)
  }
  const width = options.windowLength * channels
  const found = emptyErrors(windows, count, options)
  const reconstructs = autoencoder.reconstruct !== undefined
  for (let w = 0; w < count; w++) {
    const { errors, newest } = autoencoder.errorsOfRun(windows.subarray(w * width, (w + 1) * width), {
      ...options,
      stride: 1,
    })
    found.errors.set(errors, w * channels)
    if (newest !== undefined) found.newest.set(newest, w * channels)
  }
  return reconstructs ? found : { errors: found.errors, newest: undefined }
}
