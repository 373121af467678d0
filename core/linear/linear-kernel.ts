// Scores windows by a linear autoencoder with kernel.wat, straight from the run that they overlap in: no window is ever
// laid out. 32-bit products, each sum in an order that the position within the window fixes; so a window's bits depend
// on that window alone.
import type { Masked } from './masked.ts'
import type { Reconstruct, RunErrors } from '../scoring/reconstruction-error.ts'
import type { Subspace } from './subspace.ts'
import { LANES, pack, type Packed, packMasked } from './pack.ts'
import { claimMemory, float32At, float64At, kernelFunctions } from './kernel/kernel-memory.ts'

export interface RunErrorOptions {
  /** Only the newest `tail` observations of each window count. */
  readonly tail: number
  /** Weight of each channel's squared residual, shape [channels]. */
  readonly weights: readonly number[]
  /** Whether to sum the reconstructions of each observation; needs tail = window length. */
  readonly expected: boolean
}

export interface LinearKernel {
  /**
   * Scores all windows (stride 1) of a gap-free run.
   * @param run standardised observations, shape [length × channels]; shorter than a window there is nothing to score
   */
  runErrors (run: Float32Array, options: RunErrorOptions): RunErrors
  readonly reconstruct: Reconstruct
}

/** 32-bit sums grow to at most this many products before they are added up. */
const GROUP = 128
/** The same for windows that are laid out one by one, so that turning them stays within the nearest cache. */
const WINDOW_VALUES = 1 << 13
const FLOAT = 4
/** A row of residuals has zeros before and behind the windows: accumulate() reads there. */
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
 */
export function createSubspaceKernel (subspace: Subspace, channels: number): LinearKernel {
  return scorer(pack(subspace, channels))
}

/** The masked autoencoder as a scorer; agrees with maskedReconstruct() likewise. */
export function createMaskedKernel (masked: Masked, channels: number): LinearKernel {
  return scorer(packMasked(masked, channels))
}

function scorer (packed: Packed): LinearKernel {
  return {
    runErrors: (run, options) => runErrors(packed, run, options),
    reconstruct: (windows, count) => reconstruct(packed, windows, count),
  }
}

/** Claims memory for chunks of `windows`, that overlap in a run or are laid out one by one. */
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

function runErrors (packed: Packed, run: Float32Array, options: RunErrorOptions): RunErrors {
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
    decode(packed, layout, size, options, newest.subarray(first * channels, (first + size) * channels))
    for (let i = first * channels; i < (first + size) * channels; i++) {
      newest[i] = run[(length - 1) * channels + i]! - newest[i]!
    }
    splitErrors(packed, layout, options, errors.subarray(first * channels, (first + size) * channels))
    if (sums !== undefined) {
      moveSums(packed, layout, first + size === count ? size + length - 1 : size, sums.subarray(first * channels))
    }
  }
  if (sums !== undefined) turnIntoReconstructions(packed, run, count, sums)
  return { errors, sums, newest }
}

/** Writes a piece of a run channel by channel, zeros behind it. */
function placeRun ({ channels, length }: Packed, { observations, padded }: Layout, piece: Float32Array): void {
  const row = padded + length - 1
  const rows = float32At(observations, channels * row)
  const filled = piece.length / channels
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < filled; i++) rows[c * row + i] = piece[i * channels + c]!
    rows.fill(0, c * row + filled, (c + 1) * row)
  }
}

/** The codes of the windows that are placed. */
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
      for (let t = 0; t < length; t += GROUP) encodeGroup(packed, layout, c, t, 1, Math.min(GROUP, length - t))
    }
  } else {
    const together = Math.floor(GROUP / length)
    for (let c = 0; c < channels; c += together) {
      encodeGroup(packed, layout, c, 0, Math.min(together, channels - c), length)
    }
  }
}

function encodeGroup (
  packed: Packed,
  layout: Layout,
  channel: number,
  step: number,
  channels: number,
  steps: number
): void {
  const position = channel * packed.length + step
  kernelFunctions.encode(
    layout.observations + channel * layout.rowStride + step * layout.stepStride, layout.rowStride, layout.stepStride,
    layout.directions + position * 4 * FLOAT, packed.mean.length * 4 * FLOAT, layout.codes, layout.padded * FLOAT,
    packed.blocks, layout.padded / LANES, channels, steps)
}

/** Residuals of positions [step, step + steps), steps 4 or 1: into the layout's rows and squares. */
function decodeSteps (packed: Packed, layout: Layout, channel: number, step: number, steps: number): void {
  const position = channel * packed.length + step
  const decodeThem = steps === 4 ? kernelFunctions.decode4 : kernelFunctions.decode1
  decodeThem(
    layout.observations + channel * layout.rowStride + step * layout.stepStride,
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

/** Calls `each` for the positions of a channel that count, newest first, four at a time while there are four. */
function newestFirst (length: number, tail: number, each: (step: number, steps: number) => void): void {
  let step = length
  for (; step - 4 >= length - tail; step -= 4) each(step - 4, 4)
  for (; step > length - tail; step--) each(step - 1, 1)
}

/** Squares, sums of residuals where they are wanted, and in `newest` the residuals of the newest observations. */
function decode (
  packed: Packed,
  layout: Layout,
  count: number,
  { tail, expected }: RunErrorOptions,
  newest: Float32Array
): void {
  const { channels, length } = packed
  const { padded, residuals, residualStride } = layout
  const row = residualStride / FLOAT
  const rows = float32At(residuals - BEFORE * FLOAT, 4 * row)
  float64At(layout.squares, channels * padded).fill(0)
  if (expected) rows.fill(0)
  for (let c = 0; c < channels; c++) {
    newestFirst(length, tail, (step, steps) => {
      decodeSteps(packed, layout, c, step, steps)
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

/** Splits each window's error over channels: reconstructionError() of the squares. */
function splitErrors (
  { channels }: Packed,
  { padded, squares }: Layout,
  { tail, weights }: RunErrorOptions,
  errors: Float64Array
): void {
  const parts = float64At(squares, channels * padded)
  for (let w = 0; w * channels < errors.length; w++) {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += errors[w * channels + c] = weights[c]! * parts[c * padded + w]!
    const factor = sum === 0 ? 0 : Math.sqrt(sum / (tail * channels)) / sum
    for (let c = 0; c < channels; c++) errors[w * channels + c]! *= factor
  }
}

/** Moves out the sums of `count` observations that no later chunk adds to, and the others to the front. */
function moveSums ({ channels }: Packed, { sums, sumStride }: Layout, count: number, out: Float64Array): void {
  const row = sumStride / FLOAT
  const rows = float32At(sums, channels * row)
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < count; i++) out[i * channels + c] = rows[c * row + i]!
    rows.copyWithin(c * row, c * row + count, (c + 1) * row)
    rows.fill(0, (c + 1) * row - count, (c + 1) * row)
  }
}

/** An observation's reconstructions are its value less the residuals. */
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
        decodeSteps(packed, layout, c, step, steps)
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

/** Writes windows side by side, position by position, zeros behind them. */
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
