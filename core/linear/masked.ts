// The masked linear window autoencoder, solved exactly: every value of a window is reconstructed from all the others,
// x̂ⱼ = mⱼ + Σ_{i≠j} (xᵢ − mᵢ) Bᵢⱼ. The least-squares optimum under a zero diagonal has a closed form: with P = (C +
// λI)⁻¹, C the covariance of the training windows, Bᵢⱼ = −Pᵢⱼ / Pⱼⱼ (Steck 2019, "Embarrassingly shallow autoencoders";
// Besag 1975 for the Gaussian case). A value cannot vouch for itself, so that an anomaly is not reconstructed along
// with everything else.
import { claimMemory, float32At, float64At, kernelFunctions } from './kernel/kernel-memory.ts'
import type { Reconstruct } from '../scoring/reconstruction-error.ts'
import type { WindowMatrix } from '../series/window.ts'

/**
 * Wider windows than this are not for this autoencoder: its weights and its fit grow with the square and the cube of
 * the width.
 */
export const LARGEST_MASKED_WIDTH = 1024

export interface Masked {
  /** Values a window. */
  readonly width: number
  /** m − mB, shape [width]: the reconstruction is offset + xB. */
  readonly offset: Float64Array
  /** B, shape [width × width], from row to column; zero diagonal. */
  readonly weights: Float64Array
}

/** Tables in the kernel's memory are cut into tiles of so many rows and columns, and filled up with zeros. */
const TILE = 4
const BYTES = 8
const FLOAT = 4

/**
 * Matrices in the kernel's memory. A panel is four columns side by side, all their rows one after another; a table is
 * row after row.
 */
interface Workspace {
  /** Rows and columns of a matrix: the width, in whole tiles. */
  readonly size: number
  /** The windows, 32-bit, and their mean. */
  readonly windows: number
  readonly mean: number
  /** Panels of the windows less their mean, and of the same over their number; shape [size / 4 × count × 4]. */
  readonly departures: number
  readonly shares: number
  /** Table: the covariance, then what is left of it, then the inverse; lower triangle. */
  readonly table: number
  /** Panels of L transposed: those of four rows of L. */
  readonly lower: number
  /** Panels of L⁻¹. */
  readonly inverted: number
}

/**
 * @param ridge λ as a share of the mean variance of the windows' values, > 0
 * @returns no weight but 0 where the windows do not vary at all
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
    // The inverse is symmetric; its lower triangle is there.
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
  const [windows, mean, departures, shares, table, lower, inverted] = addresses as [
    number,
    number,
    number,
    number,
    number,
    number,
    number
  ]
  return { size, windows, mean, departures, shares, table, lower, inverted }
}

/**
 * Writes the covariance of the windows' values into the table, each value summed window after window.
 * @returns mean window: from the first one on, so that a value that never varies is its own mean to the last bit
 */
function covary (
  { values, count, width }: WindowMatrix,
  { size, windows, mean, departures, shares, table }: Workspace
): Float64Array {
  float32At(windows, values.length).set(values)
  const panel = TILE * count * BYTES
  for (let i = 0; i < size / TILE; i++) {
    // Where the width is no whole number of tiles, the last one sees values of the next window: what it makes of them
    // nobody reads.
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

/**
 * The table becomes its inverse, by its Cholesky factor: A = L Lᵀ, A⁻¹ = L⁻ᵀ L⁻¹. Tile by tile, but each value by the
 * same steps in the same order as alone: its products one after another, then the quotient.
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

/**
 * The Cholesky factor, four columns at a time: what those before have to say by the kernel, what they say to each other
 * here.
 */
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

/** Where a column begins in panels of `rows` rows; its rows follow four apart. */
const inPanels = (rows: number, column: number): number => (column - column % TILE) * rows + column % TILE

/** L⁻¹, four rows at a time, likewise. */
function invertLower ({ size, table, lower, inverted }: Workspace, width: number): void {
  const rows = float64At(table, size * size)
  const factor = float64At(lower, size * size)
  const inverse = float64At(inverted, size * size).fill(0)
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
    for (let i = first; i < Math.min(first + TILE, width); i++) finishRow(i, rows, factor, inverse, size)
  }
}

/** Row i of L⁻¹ from what the rows before its own four have left of it. */
function finishRow (i: number, rows: Float64Array, factor: Float64Array, inverse: Float64Array, size: number): void {
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
