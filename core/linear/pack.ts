// Linear autoencoders in the layout of kernel.wat: 32-bit, channel after channel, four codes side by side.
import type { Masked } from './masked.ts'
import type { Subspace } from './subspace.ts'

/** Windows that the kernel computes together. */
export const LANES = 8

/** Windows in a chunk: so many that codes and observations stay in the processor's cache. No result depends on it. */
const LARGEST_CHUNK = 512
const SMALLEST_CHUNK = 32
const CHUNK_VALUES = 1 << 16

/** A linear autoencoder in the kernel's layout. */
export interface Packed {
  /** Whether the window itself is the code, so nothing is encoded. */
  readonly masked: boolean
  readonly channels: number
  readonly length: number
  readonly components: number
  /** Blocks of four directions; the last block is padded with zeros. */
  readonly blocks: number
  /** Channel after channel, shape [channels × length]. */
  readonly mean: Float32Array
  /** Shape [blocks × channels × length × 4]. */
  readonly directions: Float32Array
  /** The code of the zero window, −Vᵀm: shape [blocks × 4]. */
  readonly offsets: Float64Array
  /** Windows in a chunk. */
  readonly chunk: number
}

/**
 * Packs a subspace.
 * @example
 * const windows = sampleWindows([Float32Array.of(0, 0, 1, 1, 2, 2)], 2, 1, 3)
 * pack(fitSubspace(windows, 1), 2).directions // [0.70…, 0, 0, 0, 0.70…, 0, 0, 0]
 */
export function pack ({ width, mean, directions, components }: Subspace, channels: number): Packed {
  const length = width / channels
  const blocks = Math.ceil(components / 4)
  const packed = new Float32Array(blocks * width * 4)
  const means = new Float32Array(width)
  const offsets = new Float64Array(blocks * 4)
  for (let k = 0; k < components; k++) {
    for (let j = 0; j < width; j++) offsets[k]! -= directions[k * width + j]! * mean[j]!
  }
  for (let c = 0; c < channels; c++) {
    for (let t = 0; t < length; t++) {
      const [from, to] = [t * channels + c, c * length + t]
      means[to] = mean[from]!
      for (let k = 0; k < components; k++) packed[((k >> 2) * width + to) * 4 + (k & 3)] = directions[k * width + from]!
    }
  }
  return {
    masked: false,
    channels,
    length,
    components,
    blocks,
    mean: means,
    directions: packed,
    offsets,
    chunk: chunkOf(blocks, channels),
  }
}

function chunkOf (blocks: number, channels: number): number {
  const fitting = Math.floor(CHUNK_VALUES / Math.max(blocks * 4, channels) / LANES) * LANES
  return Math.max(SMALLEST_CHUNK, Math.min(LARGEST_CHUNK, fitting))
}

/**
 * Packs a masked autoencoder. Its codes are the window's values in the kernel's order, channel after channel.
 * @example
 * const masked = { width: 2, offset: Float64Array.of(0, 0), weights: Float64Array.of(0, 1, 1, 0) }
 * packMasked(masked, 2).directions // [0, 1, 0, 0, 1, 0, 0, 0]
 */
export function packMasked ({ width, offset, weights }: Masked, channels: number): Packed {
  const length = width / channels
  const blocks = Math.ceil(width / 4)
  const packed = new Float32Array(blocks * width * 4)
  const places = Int32Array.from({ length: width }, (_, j) => (j % channels) * length + Math.floor(j / channels))
  const means = new Float32Array(width)
  for (let i = 0; i < width; i++) {
    const k = places[i]!
    means[k] = offset[i]!
    const row = (k >> 2) * width * 4 + (k & 3)
    for (let j = 0; j < width; j++) packed[row + places[j]! * 4] = weights[i * width + j]!
  }
  return {
    masked: true,
    channels,
    length,
    components: width,
    blocks,
    mean: means,
    directions: packed,
    offsets: new Float64Array(blocks * 4),
    chunk: chunkOf(blocks, channels),
  }
}
