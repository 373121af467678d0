// Scores the overlapping windows of a run by a linear autoencoder with kernel.wat, without laying out any window.
// Products are 32-bit. The position within the window fixes the order of each sum, so a window's bits depend on that
// window alone.
import type { Reconstruct } from '../scoring/reconstruction-error.ts'
import type { Masked } from './masked.ts'
import type { Subspace } from './subspace.ts'
import { LANES, pack, type Packed, packMasked } from './pack.ts'
import { GROUP, type ReconstructionErrors, type RunErrorOptions, singleWindow, splitErrors } from './single-window.ts'
import { claimMemory, float32At, float64At, kernelFunctions } from './kernel/kernel-memory.ts'

export interface LinearKernel {
  /**
   * Scores all windows (stride 1) of a gap-free run.
   * @param run standardised observations, shape [length × channels]; a run shorter than a window has no scores
   */
  runErrors (run: Float32Array, options: RunErrorOptions): ReconstructionErrors
  readonly reconstruct: Reconstruct
}

/** Most values of laid-out windows in a chunk: transposing them stays within the first-level cache. */
const WINDOW_VALUES = 1 << 13
const FLOAT = 4
/** Zeros before and behind the windows in a row of residuals, which accumulate() reads. */
const BEFORE = 4
const BEHIND = 12

/** The kernel's memory for chunks of at most `padded` windows: addresses, and strides in bytes between neighbours. */
interface Layout {
  readonly padded: number
  readonly mean: number
  readonly directions: number
  /** Position (channel, step) of window w lies at channel · rowStride + step · stepStride + w · 4. */
  readonly observations: number
  readonly rowStride: number
  readonly stepStride: number
  readonly codes: number
  readonly residuals: number
  readonly residualStride: number
  readonly squares: number
  readonly sums: number
  readonly sumStride: number
}

/**
 * The subspace as a scorer; agrees with subspaceReconstruct() to 32-bit rounding (a millionth of the window's norm).
 * @param channels values of an observation; the subspace's width is a multiple of it
 * @example
 * const windows = sampleWindows([Float32Array.of(0, 0, 1, 1, 2, 2)], 2, 1, 3)
 * const { reconstruct } = createSubspaceKernel(fitSubspace(windows, 1), 2)
 * reconstruct(Float32Array.of(3, 3), 1) // [2.99…, 2.99…]
 */
export function createSubspaceKernel (subspace: Subspace, channels: number): LinearKernel {
  return scorer(pack(subspace, channels))
}

/**
 * The masked autoencoder as a scorer; agrees with maskedReconstruct() to 32-bit rounding.
 * @example
 * const windows = sampleWindows([Float32Array.of(0, 0, 1, 1, 2, 2)], 2, 1, 3)
 * const { reconstruct } = createMaskedKernel(fitMasked(windows, 0.01), 2)
 * reconstruct(Float32Array.of(2, 2), 1) // [1.9…, 1.9…]
 */
export function createMaskedKernel (masked: Masked, channels: number): LinearKernel {
  return scorer(packMasked(masked, channels))
}

function scorer (packed: Packed): LinearKernel {
  return {
    runErrors: (run, options) => singleWindow(packed, run, options) ?? runErrors(packed, run, options),
    reconstruct: (windows, count) => reconstruct(packed, windows, count),
  }
}

/** Claims memory for chunks of `windows` that overlap in a run, or that are laid out one by one. */
function layOut (packed: Packed, windows: number, overlapping: boolean): Layout {
  const { channels, length, mean, directions, blocks } = packed
  const padded = Math.ceil(windows / LANES) * LANES
  const row = overlapping ? padded + length - 1 : padded * length
  const residualRow = BEFORE + padded + BEHIND
  const sumRow = padded + length + LANES
  const sizes = [
    mean.length,
    directions.length,
    channels * row,
    blocks * 4 * padded,
    4 * residualRow,
    channels * padded * 2,
    channels * sumRow,
  ]
  const { addresses, kept } = claimMemory(packed, sizes.map((size) => size * FLOAT))
  const at = (index: number): number => addresses[index]!
  if (!kept) {
    float32At(at(0), mean.length).set(mean)
    float32At(at(1), directions.length).set(directions)
  }
  return {
    padded,
    mean: at(0),
    directions: at(1),
    observations: at(2),
    rowStride: row * FLOAT,
    stepStride: (overlapping ? 1 : padded) * FLOAT,
    codes: at(3),
    residuals: at(4) + BEFORE * FLOAT,
    residualStride: residualRow * FLOAT,
    squares: at(5),
    sums: at(6),
    sumStride: sumRow * FLOAT,
  }
}

function runErrors (packed: Packed, run: Float32Array, options: RunErrorOptions): ReconstructionErrors {
  const { channels, length, chunk } = packed
  const count = Math.max(0, run.length / channels - length + 1)
  const errors = new Float64Array(count * channels)
  const newest = new Float32Array(count * channels)
  const sums = options.expected ? new Float64Array(run.length) : undefined
  if (count === 0) return { errors, sums, newest }
  const layout = layOut(packed, Math.min(chunk, count), true)
  if (sums !== undefined) float32At(layout.sums, channels * layout.sumStride / FLOAT).fill(0)
  for (let first = 0; first < count; first += chunk) {
    const size = Math.min(chunk, count - first)
    placeRun(packed, layout, run.subarray(first * channels, (first + size + length - 1) * channels))
    encode(packed, layout)
    decode(packed, layout, options, newest.subarray(first * channels, (first + size) * channels))
    for (let i = first * channels; i < (first + size) * channels; i++) {
      newest[i] = run[(length - 1) * channels + i]! - newest[i]!
    }
    const squares = float64At(layout.squares, channels * layout.padded)
    splitErrors(squares, layout.padded, options, errors.subarray(first * channels, (first + size) * channels))
    if (sums !== undefined) {
      moveSums(packed, layout, first + size === count ? size + length - 1 : size, sums.subarray(first * channels))
    }
  }
  if (sums !== undefined) turnIntoReconstructions(packed, run, count, sums)
  return { errors, sums, newest }
}

/** Writes a piece of a run channel by channel, followed by zeros. */
function placeRun ({ channels, length }: Packed, { observations, padded }: Layout, piece: Float32Array): void {
  const row = padded + length - 1
  const rows = float32At(observations, channels * row)
  const filled = piece.length / channels
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < filled; i++) rows[c * row + i] = piece[i * channels + c]!
    rows.fill(0, c * row + filled, (c + 1) * row)
  }
}

/** Computes the codes of the windows in the layout. */
function encode (packed: Packed, layout: Layout): void {
  if (packed.masked) copyCodes(packed, layout)
  else project(packed, layout)
}

/** z = x. */
function copyCodes (
  { channels, length, mean, offsets }: Packed,
  { codes, padded, observations, rowStride, stepStride }: Layout
): void {
  const out = float32At(codes, offsets.length * padded)
  for (let c = 0; c < channels; c++) {
    for (let t = 0; t < length; t++) {
      const k = c * length + t
      out.set(float32At(observations + c * rowStride + t * stepStride, padded), k * padded)
    }
  }
  out.fill(0, mean.length * padded)
}

/** z = Vᵀ(x − m). */
function project (packed: Packed, layout: Layout): void {
  const { channels, length, offsets } = packed
  const codes = float32At(layout.codes, offsets.length * layout.padded)
  for (let k = 0; k < offsets.length; k++) codes.fill(offsets[k]!, k * layout.padded, (k + 1) * layout.padded)
  if (length > GROUP) {
    for (let c = 0; c < channels; c++) {
      for (let t = 0; t < length; t += GROUP) encodeGroup(packed, layout, c * length + t, Math.min(GROUP, length - t))
    }
  } else {
    const together = Math.floor(GROUP / length)
    for (let c = 0; c < channels; c += together) {
      encodeGroup(packed, layout, c * length, Math.min(together, channels - c) * length)
    }
  }
}

/**
 * Adds the products of `count` positions to the codes.
 * @param position of the first: channel · length + step
 * @param count positions of one channel, or of several whole channels
 */
function encodeGroup (packed: Packed, layout: Layout, position: number, count: number): void {
  kernelFunctions.encode(
    addressOf(packed, layout, position),
    layout.rowStride,
    layout.stepStride,
    layout.directions + position * 4 * FLOAT,
    packed.mean.length * 4 * FLOAT,
    layout.codes,
    layout.padded * FLOAT,
    packed.blocks,
    layout.padded / LANES,
    Math.ceil(count / packed.length),
    Math.min(count, packed.length)
  )
}

/** Address of a position, channel · length + step, of the first window. */
function addressOf ({ length }: Packed, { observations, rowStride, stepStride }: Layout, position: number): number {
  const step = position % length
  return observations + (position - step) / length * rowStride + step * stepStride
}

/**
 * Writes residuals of `steps` positions, 4 or 1, into the layout's rows, and adds to its squares.
 * @param position of the first: channel · length + step
 */
function decodeSteps (packed: Packed, layout: Layout, position: number, steps: number): void {
  const channel = Math.floor(position / packed.length)
  const decodeThem = steps === 4 ? kernelFunctions.decode4 : kernelFunctions.decode1
  decodeThem(
    addressOf(packed, layout, position),
    layout.stepStride,
    layout.mean + position * FLOAT,
    layout.directions + position * 4 * FLOAT,
    packed.mean.length * 4 * FLOAT,
    layout.codes,
    layout.padded * FLOAT,
    packed.components,
    layout.padded / LANES,
    layout.residuals,
    layout.residualStride,
    layout.squares + channel * layout.padded * 2 * FLOAT
  )
}

/** Calls `each` for the steps that count, newest first, four at a time while four are left. */
function newestFirst (length: number, tail: number, each: (step: number, steps: number) => void): void {
  let step = length
  for (; step - 4 >= length - tail; step -= 4) each(step - 4, 4)
  for (; step > length - tail; step--) each(step - 1, 1)
}

/**
 * Computes the squares and, if they are wanted, the sums of residuals.
 * @param newest receives the residuals of each window's newest observation, shape [windows × channels]
 */
function decode (
  packed: Packed,
  layout: Layout,
  { tail, expected }: RunErrorOptions,
  newest: Float32Array
): void {
  const { channels, length } = packed
  const count = newest.length / channels
  const { padded, residuals, residualStride } = layout
  const row = residualStride / FLOAT
  const rows = float32At(residuals - BEFORE * FLOAT, 4 * row)
  float64At(layout.squares, channels * padded).fill(0)
  if (expected) rows.fill(0)
  for (let c = 0; c < channels; c++) {
    newestFirst(length, tail, (step, steps) => {
      decodeSteps(packed, layout, c * length + step, steps)
      if (step + steps === length) {
        const from = (steps - 1) * row + BEFORE
        for (let w = 0; w < count; w++) newest[w * channels + c] = rows[from + w]!
      }
      if (!expected) return
      if (steps < 4) rows.fill(0, row)
      for (let p = 0; p < steps; p++) rows.fill(0, p * row + BEFORE + count, p * row + BEFORE + padded)
      kernelFunctions.accumulate(
        layout.sums + c * layout.sumStride + step * FLOAT,
        residuals,
        residualStride,
        padded / 4 + 1
      )
    })
  }
}

/** Moves the sums of `count` observations that no later chunk adds to into `out`, and the others to the front. */
function moveSums ({ channels }: Packed, { sums, sumStride }: Layout, count: number, out: Float64Array): void {
  const row = sumStride / FLOAT
  const rows = float32At(sums, channels * row)
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < count; i++) out[i * channels + c] = rows[c * row + i]!
    rows.copyWithin(c * row, c * row + count, (c + 1) * row)
    rows.fill(0, (c + 1) * row - count, (c + 1) * row)
  }
}

/** Turns sums of residuals into sums of reconstructions: value − residual for each covering window. */
function turnIntoReconstructions (
  { channels, length }: Packed,
  run: Float32Array,
  windows: number,
  sums: Float64Array
): void {
  for (let t = 0; t * channels < run.length; t++) {
    const covering = Math.min(windows - 1, t) - Math.max(0, t - length + 1) + 1
    for (let i = t * channels; i < (t + 1) * channels; i++) sums[i] = covering * run[i]! - sums[i]!
  }
}

function reconstruct (packed: Packed, windows: Float32Array, count: number): Float32Array {
  const { channels, length, mean: { length: width } } = packed
  const reconstructions = new Float32Array(windows.length)
  const chunk = Math.max(LANES, Math.min(packed.chunk, Math.floor(WINDOW_VALUES / width / LANES) * LANES, count))
  const layout = layOut(packed, chunk, false)
  const { padded } = layout
  for (let first = 0; first < count; first += padded) {
    const size = Math.min(padded, count - first)
    const part = windows.subarray(first * width, (first + size) * width)
    const out = reconstructions.subarray(first * width, (first + size) * width)
    placeWindows(packed, layout, part)
    encode(packed, layout)
    const row = layout.residualStride / FLOAT
    const residuals = float32At(layout.residuals, 4 * row - BEFORE)
    for (let c = 0; c < channels; c++) {
      newestFirst(length, length, (step, steps) => {
        decodeSteps(packed, layout, c * length + step, steps)
        for (let p = 0; p < steps; p++) {
          for (let w = 0; w < size; w++) {
            const i = w * width + (step + p) * channels + c
            out[i] = part[i]! - residuals[p * row + w]!
          }
        }
      })
    }
  }
  return reconstructions
}

/** Writes windows side by side, position by position, followed by zeros. */
function placeWindows ({ channels, length }: Packed, { observations, padded }: Layout, windows: Float32Array): void {
  const width = channels * length
  const places = float32At(observations, width * padded)
  if (windows.length < padded * width) places.fill(0)
  for (let w = 0; w * width < windows.length; w++) {
    for (let t = 0; t < length; t++) {
      for (let c = 0; c < channels; c++) places[(c * length + t) * padded + w] = windows[w * width + t * channels + c]!
    }
  }
}
