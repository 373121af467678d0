// The masked linear window autoencoder, solved exactly: every value of a window is reconstructed from all the others, x̂ⱼ = mⱼ +
// Σ_{i≠j} (xᵢ − mᵢ) Bᵢⱼ. The least-squares optimum under a zero diagonal has a closed form: with P = (C + λI)⁻¹, C the covariance
// of the training windows, Bᵢⱼ = −Pᵢⱼ / Pⱼⱼ (Steck 2019, "Embarrassingly shallow autoencoders"; Besag 1975 for the Gaussian case).
// A value cannot vouch for itself, so that an anomaly is not reconstructed along with everything else.
import type { Reconstruct } from './reconstruction-error.ts'
import type { WindowMatrix } from './window.ts'

/** Wider windows than this are not for this autoencoder: its weights and its fit grow with the square and the cube of the width. */
export const LARGEST_MASKED_WIDTH = 1024

export interface Masked {
  /** Values a window. */
  readonly width: number
  /** m − mB, shape [width]: the reconstruction is offset + xB. */
  readonly offset: Float64Array
  /** B, shape [width × width], from row to column; zero diagonal. */
  readonly weights: Float64Array
}

/**
 * @param ridge λ as a share of the mean variance of the windows' values, > 0
 * @returns no weight but 0 where the windows do not vary at all
 */
export function fitMasked (windows: WindowMatrix, ridge: number): Masked {
  const { width } = windows
  const { mean, covariance } = momentsOf(windows)
  const weights = new Float64Array(width * width)
  let trace = 0
  for (let j = 0; j < width; j++) trace += covariance[j * width + j]!
  if (trace <= 0) return { width, offset: mean, weights }
  for (let j = 0; j < width; j++) covariance[j * width + j]! += ridge * trace / width
  const inverse = invertPositive(covariance, width)
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < width; j++) if (i !== j) weights[i * width + j] = -inverse[i * width + j]! / inverse[j * width + j]!
  }
  const offset = mean.slice()
  for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) offset[j]! -= mean[i]! * weights[i * width + j]!
  return { width, offset, weights }
}

/** Mean window, and the covariance of the windows' values, shape [width × width]. */
function momentsOf ({ values, count, width }: WindowMatrix): { mean: Float64Array, covariance: Float64Array } {
  // From the first window on, so that a value that never varies is its own mean to the last bit.
  const mean = Float64Array.from(values.subarray(0, width))
  for (let i = 1; i < count; i++) for (let j = 0; j < width; j++) mean[j]! += (values[i * width + j]! - values[j]!) / count
  const covariance = new Float64Array(width * width)
  const centred = new Float64Array(width)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < width; j++) centred[j] = values[i * width + j]! - mean[j]!
    for (let j = 0; j < width; j++) {
      const factor = centred[j]! / count
      for (let k = 0; k <= j; k++) covariance[j * width + k]! += factor * centred[k]!
    }
  }
  for (let j = 0; j < width; j++) for (let k = 0; k < j; k++) covariance[k * width + j] = covariance[j * width + k]!
  return { mean, covariance }
}

/** The autoencoder of a solution; 64-bit inside, 32-bit in and out. */
export function maskedReconstruct ({ width, offset, weights }: Masked): Reconstruct {
  const sums = new Float64Array(width)
  return (windows, count) => {
    const reconstructions = new Float32Array(count * width)
    for (let i = 0; i < count; i++) {
      sums.set(offset)
      for (let k = 0; k < width; k++) {
        const value = windows[i * width + k]!
        for (let j = 0; j < width; j++) sums[j]! += value * weights[k * width + j]!
      }
      reconstructions.set(sums, i * width)
    }
    return reconstructions
  }
}

/** Inverse of a symmetric positive definite matrix by its Cholesky factor, A = L Lᵀ; shape [n × n], both triangles. */
function invertPositive (matrix: Float64Array, n: number): Float64Array {
  const lower = cholesky(matrix, n)
  const inverted = invertLower(lower, n)
  const inverse = new Float64Array(n * n)
  // A⁻¹ = L⁻ᵀ L⁻¹: row k of L⁻¹ adds its products to every pair of columns up to k.
  for (let k = 0; k < n; k++) {
    for (let i = 0; i <= k; i++) {
      const factor = inverted[k * n + i]!
      for (let j = 0; j <= i; j++) inverse[i * n + j]! += factor * inverted[k * n + j]!
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) inverse[j * n + i] = inverse[i * n + j]!
  return inverse
}

function cholesky (matrix: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j]!
    }
  }
  return lower
}

function invertLower (lower: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    const row = inverse.subarray(i * n, i * n + i)
    for (let k = 0; k < i; k++) {
      const factor = lower[i * n + k]!
      for (let j = 0; j <= k; j++) row[j]! -= factor * inverse[k * n + j]!
    }
    for (let j = 0; j < i; j++) row[j]! /= lower[i * n + i]!
    inverse[i * n + i] = 1 / lower[i * n + i]!
  }
  return inverse
}
