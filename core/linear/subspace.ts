// The linear window autoencoder, solved exactly: x̂ = m + V Vᵀ (x − m), V spanning the principal subspace of the
// training windows (Baldi and Hornik 1989: the optimum of a linear autoencoder). 64-bit arithmetic without
// transcendental functions gives the same bits on every machine.
import type { Reconstruct } from '../scoring/reconstruction-error.ts'
import type { WindowMatrix } from '../series/window.ts'
import { leadingEigenvectors, scalarProducts } from './kernel/leading-eigenvectors.ts'

export interface Subspace {
  /** Values in a window. */
  readonly width: number
  /** Mean training window, shape [width]. */
  readonly mean: Float64Array
  /** Orthonormal directions one after another, shape [components × width]. */
  readonly directions: Float64Array
  readonly components: number
}

/** Eigenvalues below this share of the total are rounding; their directions have no meaning. */
const RANK_TOLERANCE = 1e-12

/**
 * The fewest principal directions of the windows that reach `varianceShare` of their variance; none if the windows do
 * not vary (otherwise every window would count as reconstructed).
 * @param varianceShare in (0, 1]
 * @example
 * const windows = sampleWindows([Float32Array.of(0, 0, 1, 1, 2, 2)], 2, 1, 3)
 * fitSubspace(windows, 0.8).directions // [0.70…, 0.70…]
 */
export function fitSubspace (windows: WindowMatrix, varianceShare: number): Subspace {
  const { count, width } = windows
  const mean = meanWindow(windows)
  const active = varyingColumns(windows)
  const centred = new Float64Array(count * active.length)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < active.length; j++) {
      centred[i * active.length + j] = windows.values[i * width + active[j]!]! - mean[active[j]!]!
    }
  }
  const kept = active.length === 0 ? [] : principalDirections(centred, count, varianceShare)
  const directions = new Float64Array(kept.length * width)
  kept.forEach((direction, k) => active.forEach((column, j) => { directions[k * width + column] = direction[j]! }))
  return { width, mean, directions, components: kept.length }
}

function meanWindow ({ values, count, width }: WindowMatrix): Float64Array {
  const mean = new Float64Array(width)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < width; j++) mean[j]! += values[i * width + j]!
  }
  return mean.map((sum) => sum / count)
}

function varyingColumns ({ values, count, width }: WindowMatrix): number[] {
  const varying: number[] = []
  for (let j = 0; j < width; j++) {
    for (let i = 1; i < count; i++) {
      if (values[i * width + j] !== values[j]) {
        varying.push(j)
        break
      }
    }
  }
  return varying
}

/** Unit vectors of the leading eigenvectors of XᵀX; computed from the smaller XXᵀ if windows are fewer than columns. */
function principalDirections (centred: Float64Array, count: number, varianceShare: number): Float64Array[] {
  const width = centred.length / count
  const viaWindows = width > count
  const table = { values: centred, rows: count, columns: width, rowStride: width, columnStride: 1 }
  const products = scalarProducts(
    viaWindows ? { values: centred, rows: width, columns: count, rowStride: 1, columnStride: width } : table
  )
  const vectors = leadingEigenvectors(products, varianceShare, RANK_TOLERANCE)
  return vectors.map((vector) => unitVector(viaWindows ? combination(centred, vector) : vector))
}

/** Weighted sum of the windows, Xᵀw. */
function combination (centred: Float64Array, weights: Float64Array): Float64Array {
  const width = centred.length / weights.length
  const sum = new Float64Array(width)
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!
    for (let j = 0; j < width; j++) sum[j]! += weight * centred[i * width + j]!
  }
  return sum
}

/** Scales to length 1 and makes the largest entry positive: an eigenvector's sign is arbitrary. */
function unitVector (vector: Float64Array): Float64Array {
  let [largest, squares] = [0, 0]
  for (let j = 0; j < vector.length; j++) {
    const value = vector[j]!
    if (Math.abs(value) > Math.abs(largest)) largest = value
    squares += value * value
  }
  const norm = Math.sqrt(squares) * Math.sign(largest)
  return vector.map((value) => value / norm)
}

/**
 * The subspace as an autoencoder; 64-bit inside, 32-bit in and out.
 * @example
 * const subspace = { width: 2, mean: Float64Array.of(0, 0), directions: Float64Array.of(1, 0), components: 1 }
 * subspaceReconstruct(subspace)(Float32Array.of(3, 5), 1) // [3, 0]
 */
export function subspaceReconstruct ({ width, mean, directions, components }: Subspace): Reconstruct {
  const code = new Float64Array(components)
  const sums = new Float64Array(width)
  return (windows, count) => {
    const reconstructions = new Float32Array(count * width)
    for (let i = 0; i < count; i++) {
      const window = windows.subarray(i * width, (i + 1) * width)
      encode(window, mean, directions, code)
      sums.set(mean)
      for (let k = 0; k < components; k++) {
        const z = code[k]!
        for (let j = 0; j < width; j++) sums[j]! += z * directions[k * width + j]!
      }
      reconstructions.set(sums, i * width)
    }
    return reconstructions
  }
}

function encode (window: Float32Array, mean: Float64Array, directions: Float64Array, code: Float64Array): void {
  const width = mean.length
  for (let k = 0; k < code.length; k++) {
    let z = 0
    for (let j = 0; j < width; j++) z += (window[j]! - mean[j]!) * directions[k * width + j]!
    code[k] = z
  }
}
