// The distance between windows and their reconstructions, whole and per channel.

/**
 * What an autoencoder does, whatever it is made of: windows in, reconstructions out, both [count × width] flattened.
 * A window's reconstruction depends on that window alone, never on its neighbours in the call: scores would otherwise
 * depend on the batch size. Implemented by adapters/tfjs (LayersModels) and core/linear/subspace.ts,
 * core/linear/masked.ts.
 */
export type Reconstruct = (windows: Float32Array, count: number) => Float32Array

/** Which windows of a run are reconstructed, and what counts in their errors. */
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
  /** Whether the reconstructions of each observation are summed; needs tail = windowLength. */
  readonly summed: boolean
}

export interface RunErrors {
  /** Parts of each window's error, as reconstructionError() splits it; shape [windows × channels]. */
  readonly errors: Float64Array
  /**
   * Sums of the reconstructions of each observation by the windows that cover it, standardised; shape [length ×
   * channels]. Only where they are wanted.
   */
  readonly sums: Float64Array | undefined
  /** Each window's reconstruction of its newest observation, standardised; shape [windows × channels]. */
  readonly newest: Float32Array
}

/** A fitted autoencoder: at least it reconstructs. */
export interface Autoencoder {
  readonly reconstruct: Reconstruct
  /** errorsOfRun() by a quicker way, where there is one; a window's bits depend on that window alone here, too. */
  readonly errorsOfRun?: (run: Float32Array, options: RunOptions) => RunErrors
  dispose? (): void
}

/** Windows that go through the autoencoder together; no result depends on it. */
const CHUNK = 512

/**
 * Root of the weighted mean squared residual, e = sqrt(Σ w_c r² / (tail · channels)), split over channels in proportion
 * to their share of the sum, so that the parts add up to e exactly (up to rounding).
 * @param out receives the parts, shape [channels]
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
  // An exact reconstruction blames no channel: equal parts of nothing.
  const factor = sum === 0 ? 0 : Math.sqrt(sum / (tail * channels)) / sum
  for (let c = 0; c < channels; c++) out[c]! *= factor
}

/**
 * Reconstructs all windows of a gap-free run.
 * @param run standardised observations, shape [length × channels], at least one window long
 */
export function errorsOfRun (autoencoder: Autoencoder, run: Float32Array, options: RunOptions): RunErrors {
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
    const reconstructions = autoencoder.reconstruct(windows, size)
    for (let i = 0; i < size; i++) {
      addWindow(
        found,
        first + i,
        windows.subarray(i * width, (i + 1) * width),
        reconstructions.subarray(i * width, (i + 1) * width),
        options
      )
    }
  }
  return found
}

function emptyErrors (run: Float32Array, count: number, { channels, summed }: RunOptions): RunErrors {
  return {
    errors: new Float64Array(count * channels),
    sums: summed ? new Float64Array(run.length) : undefined,
    newest: new Float32Array(count * channels),
  }
}

function addWindow (
  { errors, sums, newest }: RunErrors,
  w: number,
  window: Float32Array,
  reconstruction: Float32Array,
  options: RunOptions
): void {
  const { channels, stride } = options
  reconstructionError(options, window, reconstruction, errors.subarray(w * channels, (w + 1) * channels))
  newest.set(reconstruction.subarray(-channels), w * channels)
  if (sums === undefined) return
  const at = w * stride * channels
  for (let j = 0; j < reconstruction.length; j++) sums[at + j]! += reconstruction[j]!
}

/**
 * Reconstructs windows that lie one after another, not overlapping; bit for bit what errorsOfRun() says of each of them
 * alone.
 * @param windows shape [count × windowLength × channels]
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
  for (let w = 0; w < count; w++) {
    const { errors, newest } = autoencoder.errorsOfRun(windows.subarray(w * width, (w + 1) * width), {
      ...options,
      stride: 1,
    })
    found.errors.set(errors, w * channels)
    found.newest.set(newest, w * channels)
  }
  return found
}
