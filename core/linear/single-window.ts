// One window at a time, as a stream asks for: the kernel's lanes are directions and positions instead of windows, and
// the weights stay in its memory. Each sum takes its products in the order of the kernel for many windows, so the bits
// are the same.
import type { RunErrors } from '../scoring/reconstruction-error.ts'
import type { Packed } from './pack.ts'
import { float32At, kernelFunctions, reside } from './kernel/kernel-memory.ts'

/** A 32-bit sum takes at most this many products before it is added to the total. */
export const GROUP = 128

/** Directions that the kernel computes together. */
const TOGETHER = 16
const FLOAT = 4

/** The errors of windows that are reconstructed. */
export type ReconstructionErrors = RunErrors & { readonly newest: Float32Array }

export interface RunErrorOptions {
  /** Only the newest `tail` observations of each window count. */
  readonly tail: number
  /** Weight of each channel's squared residual, shape [channels]. */
  readonly weights: readonly number[]
  /** Whether to sum the reconstructions of each observation; needs tail = window length. */
  readonly expected: boolean
}

type Addresses = readonly [number, number, number, number, number, number]

/**
 * The errors of the only window of a run.
 * @returns undefined if the run holds other windows, if expected values are wanted, or if the weights are too many to
 * stay in the kernel's memory
 * @example
 * const windows = sampleWindows([Float32Array.of(0, 0, 1, 1, 2, 2)], 2, 1, 3)
 * const options = { tail: 1, weights: [1, 1], expected: false }
 * singleWindow(pack(fitSubspace(windows, 1), 2), Float32Array.of(3, 5), options).newest // [3.99…, 3.99…]
 */
export function singleWindow (
  packed: Packed,
  run: Float32Array,
  options: RunErrorOptions
): ReconstructionErrors | undefined {
  const { channels, length } = packed
  if (run.length !== channels * length || options.expected) return undefined
  const addresses = reside<Packed, Addresses>(packed, sizesOf, fill)
  if (addresses === undefined) return undefined
  const x = float32At(addresses[0], run.length)
  for (let c = 0; c < channels; c++) for (let t = 0; t < length; t++) x[c * length + t] = run[t * channels + c]!
  if (!packed.masked) encode(packed, addresses)
  const quads = Math.ceil(options.tail / 4)
  decode(packed, addresses, quads)
  const residuals = float32At(addresses[5], channels * 4 * quads)
  const squares = new Float64Array(channels)
  const newest = new Float32Array(channels)
  for (let c = 0; c < channels; c++) {
    const end = (c + 1) * 4 * quads
    squares[c] = sumOfSquares(residuals, end, options.tail)
    newest[c] = run[(length - 1) * channels + c]! - residuals[end - 1]!
  }
  const errors = new Float64Array(channels)
  splitErrors(squares, 1, options, errors)
  return { errors, sums: undefined, newest }
}

/** Sizes of the window, its code, the mean, the directions for encoding and for decoding, and the residuals. */
function sizesOf ({ channels, length, components, mean: { length: width } }: Packed): number[] {
  const padded = Math.ceil(components / TOGETHER) * TOGETHER
  return [width, padded, width, padded * width, components * width, channels * 4 * Math.ceil(length / 4)]
    .map((size) => size * FLOAT)
}

function fill (
  { components, mean, directions, masked }: Packed,
  addresses: Addresses
): void {
  const [, , means, encoding, decoding] = addresses
  const width = mean.length
  float32At(means, width).set(mean)
  const rows = float32At(decoding, components * width)
  const blocks = float32At(encoding, Math.ceil(components / TOGETHER) * TOGETHER * width).fill(0)
  for (let d = 0; d < components; d++) {
    for (let p = 0; p < width; p++) {
      const value = directions[((d >> 2) * width + p) * 4 + (d & 3)]!
      rows[d * width + p] = value
      if (!masked) blocks[((d - d % TOGETHER) * width) + p * TOGETHER + d % TOGETHER] = value
    }
  }
}

/** z = Vᵀ(x − m), group by group. A group lies within a channel, or holds several whole ones. */
function encode ({ channels, length, components, mean, offsets }: Packed, [x, z, , encoding]: Addresses): void {
  const width = mean.length
  const blocks = Math.ceil(components / TOGETHER)
  float32At(z, blocks * TOGETHER).set(offsets.subarray(0, components))
  if (blocks === 0) return
  const [piece, most] = length > GROUP ? [length, GROUP] : [width, Math.floor(GROUP / length) * length]
  for (let from = 0; from < channels * length; from += piece) {
    for (let position = from; position < from + piece; position += most) {
      kernelFunctions.encodeOne(
        x + position * FLOAT,
        encoding + position * TOGETHER * FLOAT,
        width * TOGETHER * FLOAT,
        z,
        blocks,
        Math.min(most, from + piece - position)
      )
    }
  }
}

/** The residuals of each channel's newest observations, four at a time. */
function decode (
  { channels, length, components, masked, mean }: Packed,
  [x, z, means, , decoding, residuals]: Addresses,
  quads: number
): void {
  // If the length is not a multiple of four, the first four begin before the window. Nothing reads what they give.
  const first = (length - 4 * quads) * FLOAT
  kernelFunctions.decodeOne(
    x + first,
    means + first,
    decoding + first,
    mean.length * FLOAT,
    masked ? x : z,
    components,
    channels,
    length * FLOAT,
    quads,
    residuals
  )
}

/** The sum of the squares of the `tail` residuals before `end`, in the order of the kernel: newest first, by fours. */
function sumOfSquares (residuals: Float32Array, end: number, tail: number): number {
  let sum = 0
  let at = end
  for (; at - 4 >= end - tail; at -= 4) {
    sum += Math.fround(pairOfSquares(residuals, at - 4) + pairOfSquares(residuals, at - 2))
  }
  for (; at > end - tail; at--) sum += square(residuals, at - 1)
  return sum
}

function square (residuals: Float32Array, i: number): number {
  return Math.fround(residuals[i]! * residuals[i]!)
}

function pairOfSquares (residuals: Float32Array, i: number): number {
  return Math.fround(square(residuals, i) + square(residuals, i + 1))
}

/**
 * Splits each window's error over channels, as reconstructionError() does, from the sums of squares.
 * @param parts sums of squares, of window w and channel c at [c · padded + w]
 * @param errors receives the shares, shape [windows × channels]
 * @example
 * const errors = new Float64Array(2)
 * splitErrors(Float64Array.of(2, 6), 1, { tail: 1, weights: [1, 1], expected: false }, errors)
 * errors // [0.5, 1.5]
 */
export function splitErrors (
  parts: Float64Array,
  padded: number,
  { tail, weights }: RunErrorOptions,
  errors: Float64Array
): void {
  const channels = weights.length
  for (let w = 0; w * channels < errors.length; w++) {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += errors[w * channels + c] = weights[c]! * parts[c * padded + w]!
    const factor = sum === 0 ? 0 : Math.sqrt(sum / (tail * channels)) / sum
    for (let c = 0; c < channels; c++) errors[w * channels + c]! *= factor
  }
}
