// The exactly solved linear autoencoders for the detector: the kernel scores a run without laying out its windows.
import type { Reconstruction, RunOptions } from '../scoring/reconstruction-error.ts'
import { createMaskedKernel, createSubspaceKernel, type LinearKernel } from './linear-kernel.ts'
import type { Masked } from './masked.ts'
import type { ReconstructionErrors } from './single-window.ts'
import type { Subspace } from './subspace.ts'

/**
 * The subspace as an autoencoder for the detector.
 * @example
 * const windows = sampleWindows([Float32Array.of(0, 0, 1, 1, 2, 2)], 2, 1, 3)
 * const { reconstruct } = subspaceAutoencoder(fitSubspace(windows, 1), 2)
 * reconstruct(Float32Array.of(2, 0), 1) // [1, 1]
 */
export function subspaceAutoencoder (subspace: Subspace, channels: number): Reconstruction {
  return kernelAutoencoder(channels, (values) => createSubspaceKernel(subspace, values))
}

/**
 * The masked autoencoder for the detector.
 * @example
 * const windows = sampleWindows([Float32Array.of(0, 0, 1, 1, 2, 2)], 2, 1, 3)
 * const { reconstruct } = maskedAutoencoder(fitMasked(windows, 0.01), 2)
 * reconstruct(Float32Array.of(2, 0), 1) // [0.009…, 1.9…]
 */
export function maskedAutoencoder (masked: Masked, channels: number): Reconstruction {
  return kernelAutoencoder(channels, (values) => createMaskedKernel(masked, values))
}

/** @param create makes a kernel for observations of so many values */
function kernelAutoencoder (channels: number, create: (values: number) => LinearKernel): Reconstruction {
  const kernels = new Map<number, LinearKernel>()
  const kernelOf = (stride: number): LinearKernel => {
    const kernel = kernels.get(stride) ?? create(stride * channels)
    kernels.set(stride, kernel)
    return kernel
  }
  return {
    reconstruct: (windows, count) => kernelOf(1).reconstruct(windows, count),
    errorsOfRun: (run, options) => strided(kernelOf(options.stride), run, options),
  }
}

/**
 * Scores windows at a stride of s as windows at a stride of 1 over longer observations: s consecutive observations
 * count as one with s times as many channels. The stride divides the window's length.
 */
function strided (
  kernel: LinearKernel,
  run: Float32Array,
  { channels, windowLength, stride, tail, weights, summed }: RunOptions
): ReconstructionErrors {
  const windows = Math.floor((run.length / channels - windowLength) / stride) + 1
  const covered = run.subarray(0, ((windows - 1) * stride + windowLength) * channels)
  const { errors, sums, newest } = kernel.runErrors(covered, {
    tail: tail / stride,
    weights: stride === 1 ? weights : Array.from({ length: stride }, () => weights).flat(),
    expected: summed,
  })
  if (stride === 1) return { errors, sums, newest }
  return { errors: addGroups(errors, stride, channels), sums, newest: lastGroups(newest, stride, channels) }
}

/** Adds up the parts of the s observations in each long one. */
function addGroups (parts: Float64Array, stride: number, channels: number): Float64Array {
  const sums = new Float64Array(parts.length / stride)
  for (let w = 0; w * channels < sums.length; w++) {
    for (let s = 0; s < stride; s++) {
      for (let c = 0; c < channels; c++) sums[w * channels + c]! += parts[(w * stride + s) * channels + c]!
    }
  }
  return sums
}

/** The last observation of each long one. */
function lastGroups (values: Float32Array, stride: number, channels: number): Float32Array {
  const last = new Float32Array(values.length / stride)
  for (let w = 0; w * channels < last.length; w++) {
    for (let c = 0; c < channels; c++) last[w * channels + c] = values[((w + 1) * stride - 1) * channels + c]!
  }
  return last
}
