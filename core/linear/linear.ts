// The exactly solved linear autoencoders as the detector runs them: by the kernel, straight from the run.
import { createMaskedKernel, createSubspaceKernel, type LinearKernel } from './linear-kernel.ts'
import type { Masked } from './masked.ts'
import type { Autoencoder, RunErrors, RunOptions } from '../scoring/reconstruction-error.ts'
import type { Subspace } from './subspace.ts'

export function subspaceAutoencoder (subspace: Subspace, channels: number): Autoencoder {
  return kernelAutoencoder(channels, (values) => createSubspaceKernel(subspace, values))
}

export function maskedAutoencoder (masked: Masked, channels: number): Autoencoder {
  return kernelAutoencoder(channels, (values) => createMaskedKernel(masked, values))
}

/** @param create the kernel that takes so many values as one observation */
function kernelAutoencoder (channels: number, create: (values: number) => LinearKernel): Autoencoder {
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
 * Windows at a stride of s are windows at a stride of 1 over longer observations: s of them, one after another, count
 * as one with s times as many channels. The stride divides the window's length.
 */
function strided (
  kernel: LinearKernel,
  run: Float32Array,
  { channels, windowLength, stride, tail, weights, summed }: RunOptions
): RunErrors {
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

/** Sums over the observations of which each long one is made. */
function addGroups (parts: Float64Array, stride: number, channels: number): Float64Array {
  const sums = new Float64Array(parts.length / stride)
  for (let w = 0; w * channels < sums.length; w++) {
    for (let s = 0; s < stride; s++) {
      for (let c = 0; c < channels; c++) sums[w * channels + c]! += parts[(w * stride + s) * channels + c]!
    }
  }
  return sums
}

function lastGroups (values: Float32Array, stride: number, channels: number): Float32Array {
  const last = new Float32Array(values.length / stride)
  for (let w = 0; w * channels < last.length; w++) {
    for (let c = 0; c < channels; c++) last[w * channels + c] = values[((w + 1) * stride - 1) * channels + c]!
  }
  return last
}
