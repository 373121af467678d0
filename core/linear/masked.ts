// The masked linear window autoencoder, solved exactly: every value of a window is reconstructed from all the others,
// x̂ⱼ = mⱼ + Σ_{i≠j} (xᵢ − mᵢ) Bᵢⱼ. The least-squares optimum under a zero diagonal has a closed form: with P = (C +
// λI)⁻¹, C the covariance of the training windows, Bᵢⱼ = −Pᵢⱼ / Pⱼⱼ (Steck 2019, "Embarrassingly shallow autoencoders";
// Besag 1975 for the Gaussian case). No value is reconstructed from itself, so an anomaly is not reconstructed.
import type { Reconstruct } from '../scoring/reconstruction-error.ts'
import type { WindowMatrix } from '../series/window.ts'
import { claimMemory, float32At, float64At, kernelFunctions } from './kernel/kernel-memory.ts'

/** Widest window for this autoencoder: its weights grow with the square of the width, its fit with the cube. */
export const LARGEST_MASKED_WIDTH = 1024

export interface Masked {
  /** Values in a window. */
  readonly width: number
  /** m − mB, shape [width]: the reconstruction is offset + xB. */
  readonly offset: Float64Array
  /** B, shape [width × width], from row to column; zero diagonal. */
  readonly weights: Float64Array
}

/** Rows and columns of a tile. Tables in the kernel's memory consist of whole tiles, padded with zeros. */
const TILE = 4
const BYTES = 8
const FLOAT = 4

/** Matrices in the kernel's memory. A panel holds four columns, row after row; a table holds whole rows. */
interface Workspace {
  /** Rows and columns of a matrix: the width, rounded up to whole tiles. */
  readonly size: number
  /** The windows, 32-bit, and their mean. */
  readonly windows: number
  readonly mean: number
  /** Panels of the windows minus their mean, and of the same divided by their number; shape [size / 4 × count × 4]. */
  readonly departures: number
  readonly shares: number
  /** Table: the covariance, then its remainder during factorisation, then the inverse; lower triangle. */
  readonly table: number
  /** Panels of L transposed: four rows of L each. */
  readonly lower: number
  /** Panels of L⁻¹. */
  readonly inverted: number
}

/**
 * Solves the autoencoder on the training windows.
 * @param ridge λ as a share of the mean variance of the windows' values, > 0
 * @returns weights that are all 0 if the windows do not vary
 * @example
 * const windows = sampleWindows([Float32Array.of(0, 0, 1, 1, 2, 2)], 2, 1, 3)
 * fitMasked(windows, 0.01).weights // [0, 0.99…, 0.99…, 0]
 */
export function fitMasked (windows: WindowMatrix, ridge: number): Masked {
  const { width } = windows
  const workspace = claimWorkspace(windows)
  const { size } = workspace
  const mean = covary(windows, workspace)
  const weights = new Float64Array(width * width)
  const table = float64At(workspace.table, size * size)
  let trace = 0
  for (let j = 0; j < width; j++) trace += table[j * size + j]!
  if (trace <= 0) return { width, offset: mean, weights }
  for (let j = 0; j < width; j++) table[j * size + j]! += ridge * trace / width
  invertPositive(workspace, width)
  for (let i = 0; i < width; i++) {
    // The inverse is symmetric, and only its lower triangle is stored.
    for (let j = 0; j < i; j++) {
      const value = table[i * size + j]!
      weights[i * width + j] = -value / table[j * size + j]!
      weights[j * width + i] = -value / table[i * size + i]!
    }
  }
  const offset = mean.slice()
  for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) offset[j]! -= mean[i]! * weights[i * width + j]!
  return { width, offset, weights }
}

function claimWorkspace ({ count, width }: WindowMatrix): Workspace {
  const size = Math.ceil(width / TILE) * TILE
  const squares = size * size * BYTES
  const { addresses } = claimMemory({}, [
    width * count * FLOAT,
    size * BYTES,
    size * count * BYTES,
    size * count * BYTES,
    squares,
    squares,
    squares,
  ])
  type Seven = [number, number, number, number, number, number, number]
  const [windows, mean, departures, shares, table, lower, inverted] = addresses as Seven
  return { size, windows, mean, departures, shares, table, lower, inverted }
}

/**
 * Writes the covariance of the windows' values into the table; each entry is summed window after window.
 * @returns the mean window; departures are counted from the first window, so the mean of a constant value is exact
 */
function covary (
  { values, count, width }: WindowMatrix,
  { size, windows, mean, departures, shares, table }: Workspace
): Float64Array {
  float32At(windows, values.length).set(values)
  const panel = TILE * count * BYTES
  for (let i = 0; i < size / TILE; i++) {
    // If the width is not a multiple of the tile, the last tile also reads values of the next window. Nothing reads its
    // results for them.
    kernelFunctions.centre(
      windows + i * TILE * FLOAT,
      width * FLOAT,
      count,
      count,
      mean + i * TILE * BYTES,
      departures + i * panel,
      shares + i * panel
    )
    for (let j = 0; j <= i; j++) {
      kernelFunctions.tile(shares + i * panel, departures + j * panel, count, tileAt(table, size, i, j), size * BYTES)
    }
  }
  return float64At(mean, width).slice()
}

/** Address of a tile of a table, by its row and column of tiles. */
const tileAt = (table: number, size: number, row: number, column: number): number =>
  table + (row * size + column) * TILE * BYTES

/**
 * The autoencoder of a solution; 64-bit inside, 32-bit in and out.
 * @example
 * const masked = { width: 2, offset: Float64Array.of(0, 0), weights: Float64Array.of(0, 1, 1, 0) }
 * maskedReconstruct(masked)(Float32Array.of(3, 5), 1) // [5, 3]
 */
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

/**
 * Replaces the table by its inverse, by its Cholesky factor: A = L Lᵀ, A⁻¹ = L⁻ᵀ L⁻¹. The work goes tile by tile, but
 * each value takes the same steps in the same order as without tiles: its products one after another, then the
 * quotient.
 */
function invertPositive (workspace: Workspace, width: number): void {
  const { size, table, inverted } = workspace
  const panel = TILE * size * BYTES
  factorise(workspace, width)
  invertLower(workspace, width)
  for (let i = 0; i < size / TILE; i++) {
    // Above row 4i the columns of L⁻¹ from 4i on hold zeros.
    const above = i * TILE * TILE * BYTES
    for (let j = 0; j <= i; j++) {
      kernelFunctions.tile(
        inverted + i * panel + above,
        inverted + j * panel + above,
        size - i * TILE,
        tileAt(table, size, i, j),
        size * BYTES
      )
    }
  }
}

/** The Cholesky factor, four columns at a time: the kernel subtracts earlier columns, this code the four themselves. */
function factorise ({ size, table, lower }: Workspace, width: number): void {
  const rows = float64At(table, size * size)
  const factor = float64At(lower, size * size).fill(0)
  const panel = TILE * size * BYTES
  for (let first = 0; first < width; first += TILE) {
    const last = Math.min(first + TILE, width)
    if (first > 0) {
      for (let i = first / TILE; i < size / TILE; i++) {
        kernelFunctions.reduce(
          lower + i * panel,
          lower + first / TILE * panel,
          first,
          tileAt(table, size, i, first / TILE),
          size * BYTES
        )
      }
    }
    for (let i = first; i < width; i++) {
      const own = inPanels(size, i)
      for (let j = first; j < last && j <= i; j++) {
        const other = inPanels(size, j)
        let sum = rows[i * size + j]!
        for (let k = first; k < j; k++) sum -= factor[own + k * TILE]! * factor[other + k * TILE]!
        factor[own + j * TILE] = i === j ? Math.sqrt(sum) : sum / factor[other + j * TILE]!
      }
    }
  }
}

/** Index at which a column begins in panels of `rows` rows; its rows are four apart. */
const inPanels = (rows: number, column: number): number => (column - column % TILE) * rows + column % TILE

/** What invertLower() works on, all [size × size]. */
interface InvertedTables {
  readonly size: number
  /** Table. */
  readonly rows: Float64Array
  /** Panels of L transposed, and of L⁻¹. */
  readonly factor: Float64Array
  readonly inverse: Float64Array
}

/** L⁻¹, four rows at a time, in the same way. */
function invertLower ({ size, table, lower, inverted }: Workspace, width: number): void {
  const rows = float64At(table, size * size)
  const factor = float64At(lower, size * size)
  const inverse = float64At(inverted, size * size).fill(0)
  const tables = { size, rows, factor, inverse }
  const panel = TILE * size * BYTES
  for (let first = 0; first < width; first += TILE) {
    rows.fill(0, first * size, (first + TILE) * size)
    // Above row j the columns of L⁻¹ from j on hold zeros.
    for (let j = 0; j < first; j += TILE) {
      const above = j * TILE * BYTES
      kernelFunctions.reduce(
        lower + first / TILE * panel + above,
        inverted + j / TILE * panel + above,
        first - j,
        tileAt(table, size, first / TILE, j / TILE),
        size * BYTES
      )
    }
    for (let i = first; i < Math.min(first + TILE, width); i++) finishRow(i, tables)
  }
}

/** Row i of L⁻¹, after the kernel has subtracted the rows before its own four. */
function finishRow (i: number, { size, rows, factor, inverse }: InvertedTables): void {
  const own = inPanels(size, i)
  const first = i - i % TILE
  const diagonal = factor[own + i * TILE]!
  for (let j = 0; j < i; j++) {
    const column = inPanels(size, j)
    let sum = rows[i * size + j]!
    for (let k = Math.max(first, j); k < i; k++) sum -= factor[own + k * TILE]! * inverse[column + k * TILE]!
    inverse[column + i * TILE] = sum / diagonal
  }
  inverse[own + i * TILE] = 1 / diagonal
}
