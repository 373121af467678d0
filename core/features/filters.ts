// Filter features: how far short filters swing within a window, and which swings go together.
//
// The filters are two of MiniRocket's kernels, nine taps of 2 and −1 at several dilations (Dempster, Schmidt and Webb
// 2021, "MiniRocket: a very fast (almost) deterministic transform for time series classification"). Here a feature is a
// filter's largest or smallest value instead of the share above a bias: exact, and without a bias to choose. A masked
// autoencoder on the features (core/linear/masked.ts; Steck 2019) knows how they go together. A filter's taps add up to
// 0, so features do not depend on the level. Products and sums are 32-bit, in the order that the position within the
// window gives, and extremes are exact: a window's bits depend on that window alone.
import { claimMemory, float32At, kernelFunctions } from '../linear/kernel/kernel-memory.ts'
import { fitMasked } from '../linear/masked.ts'
import type { Measure, RunErrors, RunOptions } from '../scoring/reconstruction-error.ts'
import type { WindowMatrix } from '../series/window.ts'
import { splitSquares } from './split-squares.ts'

/** Observations between the taps of a filter. */
const DILATIONS = [1, 2, 4, 7]
/** Observations that a filter spans, in dilations. */
const SPAN = 8
/** Fewest values of a filter in a window. */
const LEAST_VALUES = 8
/** Features of one dilation: the largest and the smallest value of two filters. */
const FEATURES = 4
/** The shortest window, and what divides its length: the kernel takes four values at a time. */
export const SHORTEST_FILTERED = SPAN + LEAST_VALUES
const FLOAT = 4

/** λ of the masked autoencoder, as a share of the mean variance. */
const RIDGE = 0.1
/**
 * A feature's unit is its deviation, a share of its mean size, and a little more: one that hardly varies must not rule.
 */
const SIZE_SHARE = 0.05
const LEAST_UNIT = 1e-3

/** Most values of a run that the kernel holds at once; no result depends on it. */
const CHUNK_VALUES = 1 << 16

/** The fitted numbers. */
export interface Filters {
  readonly channels: number
  readonly windowLength: number
  /**
   * For each channel the mean of each feature, then the matrix from a window's departures to its residuals in the
   * kernel's order, four columns side by side; shape [channels × (features + features²)].
   */
  readonly maps: Float32Array
}

/** The dilations whose filters have at least eight values in a window. */
function dilationsIn (windowLength: number): number[] {
  return DILATIONS.filter((dilation) => SPAN * dilation + LEAST_VALUES <= windowLength)
}

/**
 * Numbers of a channel in the maps of filters; 0 if no filter fits into the windows.
 * @example
 * mapLength(64) // 272
 */
export function mapLength (windowLength: number): number {
  const features = featuresIn(windowLength)
  return features * (features + 1)
}

const featuresIn = (windowLength: number): number => dilationsIn(windowLength).length * FEATURES

/** Rows in the kernel's memory and the windows in each of them. */
interface Layout {
  readonly windowLength: number
  readonly rows: number
  /** Values in a row, a multiple of 4. */
  readonly length: number
  /** Windows in a row, `stride` values apart. */
  readonly windows: number
  readonly stride: number
}

interface Addresses {
  readonly maps: number
  /** Shape [rows × length], like the two filters' values. */
  readonly values: number
  readonly bumps: number
  readonly edges: number
  /** Shape [rows × windows × features]. */
  readonly features: number
  /** Sums of squared residuals, shape [rows × windows]. */
  readonly sums: number
}

function claim (claimant: object, maps: number, layout: Layout): { addresses: Addresses, kept: boolean } {
  const { rows, length, windows } = layout
  const features = rows * windows * featuresIn(layout.windowLength)
  const sizes = [maps, rows * length, rows * length, rows * length, features, rows * windows]
  const { addresses: [first, values, bumps, edges, found, sums], kept } = claimMemory(
    claimant,
    sizes.map((size) => size * FLOAT)
  )
  return {
    addresses: { maps: first!, values: values!, bumps: bumps!, edges: edges!, features: found!, sums: sums! },
    kept,
  }
}

/** Computes the features of all windows from the values. */
function measure ({ windowLength, rows, length, windows, stride }: Layout, addresses: Addresses): void {
  const { values, bumps, edges, features } = addresses
  const dilations = dilationsIn(windowLength)
  const width = dilations.length * FEATURES * FLOAT
  dilations.forEach((dilation, i) => {
    const span = SPAN * dilation
    kernelFunctions.filter(values, dilation * FLOAT, (rows * length - span) / 4, bumps, edges)
    for (const [filter, from] of [[bumps, 0], [edges, 2]] as const) {
      const at = features + (i * FEATURES + from) * FLOAT
      const quads = (windowLength - span) / 4
      if (windows === 1) kernelFunctions.extremes(filter, length * FLOAT, quads, rows, at, width)
      else {
        for (let row = 0; row < rows; row++) {
          kernelFunctions.extremes(
            filter + row * length * FLOAT,
            stride * FLOAT,
            quads,
            windows,
            at + row * windows * width,
            width
          )
        }
      }
    }
  })
}

/**
 * Fits the features' means and their masked autoencoder, channel by channel.
 * @param windows of a length that is a multiple of 8, at least 16
 * @example
 * const windows = sampleWindows([Float32Array.from({ length: 200 }, (_, t) => Math.sin(t))], 1, 16, 100)
 * fitFilters(windows).maps.length // 20
 */
export function fitFilters ({ values, count, width, channels }: WindowMatrix): Filters {
  const windowLength = width / channels
  const features = featuresIn(windowLength)
  const maps = new Float32Array(channels * mapLength(windowLength))
  const layout = { windowLength, rows: count, length: windowLength, windows: 1, stride: 1 }
  for (let c = 0; c < channels; c++) {
    const { addresses } = claim({}, 0, layout)
    const placed = float32At(addresses.values, count * windowLength)
    for (let i = 0; i < placed.length; i++) placed[i] = values[i * channels + c]!
    measure(layout, addresses)
    const found = float32At(addresses.features, count * features).slice()
    maps.set(mapOf(found, count, features), c * mapLength(windowLength))
  }
  return { channels, windowLength, maps }
}

/** Means of the features, and the map from departures to residuals. */
function mapOf (found: Float32Array, count: number, features: number): Float32Array {
  const map = new Float32Array(features * (features + 1))
  const units = new Float64Array(features)
  for (let f = 0; f < features; f++) {
    let [sum, size, squares] = [0, 0, 0]
    for (let i = f; i < found.length; i += features) {
      sum += found[i]!
      size += Math.abs(found[i]!)
    }
    map[f] = sum / count
    for (let i = f; i < found.length; i += features) squares += (found[i]! - map[f]!) * (found[i]! - map[f]!)
    units[f] = Math.sqrt(squares / count) + SIZE_SHARE * size / count + LEAST_UNIT
  }
  const standard = new Float32Array(found.length)
  for (let i = 0; i < found.length; i++) standard[i] = (found[i]! - map[i % features]!) / units[i % features]!
  const { weights } = fitMasked({ values: standard, count, width: features, channels: 1 }, RIDGE)
  for (let i = 0; i < features; i++) {
    for (let j = 0; j < features; j++) {
      const at = features + (j - j % 4) * features + i * 4 + j % 4
      map[at] = ((i === j ? 1 : 0) - weights[i * features + j]!) / units[i]!
    }
  }
  return map
}

/**
 * The features as a member of the detector: a window's error is the root mean square of its features' residuals.
 * @example
 * const run = Float32Array.from({ length: 200 }, (_, t) => Math.sin(t))
 * const member = filtersMember(fitFilters(sampleWindows([run], 1, 16, 100)))
 * const options = { channels: 1, windowLength: 16, stride: 1, tail: 16, weights: [1], summed: false }
 * member.errorsOfRun(run, options).errors.length // 185
 */
export function filtersMember (filters: Filters): Measure {
  return { errorsOfRun: (run, options) => errorsOfRun(filters, run, options) }
}

function errorsOfRun (filters: Filters, run: Float32Array, options: RunOptions): RunErrors {
  const { channels, windowLength, stride } = options
  const features = featuresIn(windowLength)
  const count = Math.floor((run.length / channels - windowLength) / stride) + 1
  const errors = new Float64Array(count * channels)
  const most = Math.max(1, Math.floor((CHUNK_VALUES / channels - windowLength) / stride))
  for (let first = 0; first < count; first += most) {
    const windows = Math.min(most, count - first)
    const length = Math.ceil(((windows - 1) * stride + windowLength) / 4) * 4
    const layout = { windowLength, rows: channels, length, windows, stride }
    const { addresses, kept } = claim(filters, filters.maps.length, layout)
    if (!kept) float32At(addresses.maps, filters.maps.length).set(filters.maps)
    place(run.subarray(first * stride * channels), layout, addresses)
    measure(layout, addresses)
    residues(layout, features, addresses)
    const sums = float32At(addresses.sums, channels * windows)
    for (let c = 0; c < channels; c++) {
      for (let w = 0; w < windows; w++) errors[(first + w) * channels + c] = sums[c * windows + w]! / features
    }
  }
  splitSquares(errors, options.weights)
  return { errors, sums: undefined, newest: undefined }
}

/** Writes the values of a run channel after channel, zeros behind the last. */
function place (run: Float32Array, { rows: channels, length }: Layout, { values }: Addresses): void {
  const placed = float32At(values, channels * length)
  const filled = Math.min(length, run.length / channels)
  for (let c = 0; c < channels; c++) {
    for (let t = 0; t < filled; t++) placed[c * length + t] = run[t * channels + c]!
    placed.fill(0, c * length + filled, (c + 1) * length)
  }
}

/** Computes the sums of squared residuals; each row has its own map. */
function residues ({ rows, windows }: Layout, features: number, addresses: Addresses): void {
  const map = features * (features + 1) * FLOAT
  if (windows === 1) {
    kernelFunctions.residues(addresses.features, rows, features / 4, addresses.maps, map, addresses.sums)
    return
  }
  for (let row = 0; row < rows; row++) {
    kernelFunctions.residues(
      addresses.features + row * windows * features * FLOAT,
      windows,
      features / 4,
      addresses.maps + row * map,
      0,
      addresses.sums + row * windows * FLOAT
    )
  }
}
