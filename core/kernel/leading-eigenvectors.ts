// The leading eigenvectors of a large symmetric matrix, to the precision of a full decomposition and without one: Householder's
// tridiagonal form, bisection by Sturm counts, inverse iteration (Golub and Van Loan, Matrix Computations, 8.3–8.4). 64 bits, only
// + − × ÷ and √ in a fixed order: every machine finds the same bits.
import { createRandom } from '../random.ts'
import { claimMemory, float64At, kernelFunctions } from './kernel-memory.ts'

export interface ScalarProducts {
  readonly size: number
  /** The symmetric matrix in the kernel's memory, lower triangle, rows of `stride` values. */
  readonly address: number
  readonly stride: number
  /** Room for two vectors of `stride` values behind it. */
  readonly room: readonly [number, number]
}

interface Tridiagonal {
  readonly diagonal: Float64Array
  /** Entry i couples i − 1 and i; the first is 0. */
  readonly coupling: Float64Array
  /** Squares of the couplings. */
  readonly squares: Float64Array
  /** Householder vectors: row i holds one of i entries, shape [size × size]. */
  readonly reflectors: Float64Array
  /** 2 / vᵀv of each; 0 where there is nothing to reflect. */
  readonly factors: Float64Array
}

const BYTES = 8
/** Halvings of an interval of length ≤ 1 until rounding alone is left. */
const HALVINGS = 58
/** What a pivot of nothing is to inverse iteration. */
const RESOLUTION = 1e-17
/** In place of a pivot of exactly nothing. */
const TINY = 1e-300
/** Shares closer than this part of the largest belong together. */
const CLUSTER = 1e-3
const SEPARATION = 1e-15
const ROUNDS = 3
const TILE = 4

/** Scalar products of all pairs of columns; `value(row, column)` is a table of rows × columns. */
export function scalarProducts (rows: number, columns: number, value: (row: number, column: number) => number): ScalarProducts {
  const panels = Math.ceil(columns / TILE)
  const stride = panels * TILE
  const { addresses } = claimMemory({}, [stride * stride * BYTES, stride * BYTES, stride * BYTES, panels * rows * TILE * BYTES])
  const [address, first, second, packed] = addresses as [number, number, number, number]
  const values = float64At(packed, panels * rows * TILE)
  values.fill(0)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) values[((j >> 2) * rows + i) * TILE + (j & 3)] = value(i, j)
  }
  const panel = rows * TILE * BYTES
  for (let i = 0; i < panels; i++) {
    for (let j = 0; j <= i; j++) {
      kernelFunctions.tile(packed + i * panel, packed + j * panel, rows, address + (i * stride + j) * TILE * BYTES, stride * BYTES)
    }
  }
  return { size: columns, address, stride, room: [first, second] }
}

/**
 * Orthonormal eigenvectors of a positive semidefinite matrix, that of the largest eigenvalue first; the matrix is overwritten.
 * @param share the fewest whose eigenvalues reach this share of the trace
 * @param rank eigenvalues of at most this share of the trace are rounding and left out
 */
export function leadingEigenvectors (matrix: ScalarProducts, share: number, rank: number): Float64Array[] {
  const { size, address, stride } = matrix
  const rows = float64At(address, stride * stride)
  let trace = 0
  for (let i = 0; i < size; i++) trace += rows[i * stride + i]!
  // In units of the trace eigenvalues are shares, and nothing overflows.
  for (let i = 0; i < rows.length; i++) rows[i]! /= trace
  const form = tridiagonalise(matrix)
  const values: number[] = []
  for (let reached = 0; values.length < size && reached < share;) {
    const value = eigenvalue(form, values.length, values.at(-1) ?? bound(form))
    if (value <= rank) break
    values.push(value)
    reached += value
  }
  const vectors = eigenvectorsOf(form, values)
  for (const vector of vectors) reflectBack(form, vector)
  return vectors
}

function tridiagonalise ({ size, address, stride, room: [u, p] }: ScalarProducts): Tridiagonal {
  const rows = float64At(address, stride * stride)
  const vector = float64At(u, stride)
  const product = float64At(p, stride)
  const form = emptyForm(size)
  for (let i = size - 1; i >= 0; i--) {
    const row = rows.subarray(i * stride, i * stride + i)
    form.diagonal[i] = rows[i * stride + i]!
    if (i === 0) break
    let beyond = 0
    for (let j = 0; j < i - 1; j++) beyond += row[j]! * row[j]!
    const last = row[i - 1]!
    form.coupling[i] = last
    if (beyond === 0) continue
    // The row becomes (0, …, 0, −sign(last)·norm).
    const norm = Math.sqrt(beyond + last * last)
    form.coupling[i] = last > 0 ? -norm : norm
    vector.fill(0)
    vector.set(row)
    vector[i - 1] = last - form.coupling[i]!
    form.reflectors.set(vector.subarray(0, i), i * size)
    const factor = 2 / (beyond + vector[i - 1]! * vector[i - 1]!)
    form.factors[i] = factor
    product.fill(0)
    kernelFunctions.product(address, stride * BYTES, u, p, i)
    let inner = 0
    for (let j = 0; j < i; j++) inner += vector[j]! * product[j]!
    const half = factor * factor * inner / 2
    for (let j = 0; j < i; j++) product[j] = factor * product[j]! - half * vector[j]!
    kernelFunctions.update(address, stride * BYTES, u, p, i)
  }
  for (let i = 0; i < size; i++) form.squares[i] = form.coupling[i]! * form.coupling[i]!
  return form
}

function emptyForm (size: number): Tridiagonal {
  const [diagonal, coupling, squares, factors] = [new Float64Array(size), new Float64Array(size), new Float64Array(size), new Float64Array(size)]
  return { diagonal, coupling, squares, factors, reflectors: new Float64Array(size * size) }
}

/** No eigenvalue is above (Gershgorin). */
function bound ({ diagonal, coupling }: Tridiagonal): number {
  let largest = 0
  for (let i = 0; i < diagonal.length; i++) largest = Math.max(largest, diagonal[i]! + Math.abs(coupling[i]!) + Math.abs(coupling[i + 1] ?? 0))
  return largest * (1 + 4 * Number.EPSILON)
}

/** The eigenvalue that `index` others are above, by bisection of (0, above]. */
function eigenvalue (form: Tridiagonal, index: number, above: number): number {
  let [low, high] = [0, above]
  for (let halved = 0; halved < HALVINGS; halved++) {
    const middle = (low + high) / 2
    if (countAbove(form, middle) > index) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Eigenvalues above `at`, which are as many as there are positive pivots of T − at·I. */
function countAbove ({ diagonal, squares }: Tridiagonal, at: number): number {
  let count = 0
  let pivot = 1
  for (let i = 0; i < diagonal.length; i++) {
    pivot = diagonal[i]! - at - squares[i]! / pivot
    if (pivot === 0) pivot = -TINY
    if (pivot > 0) count++
  }
  return count
}

/** Inverse iteration; vectors of eigenvalues close to each other are kept orthogonal to those before. */
function eigenvectorsOf (form: Tridiagonal, values: readonly number[]): Float64Array[] {
  const size = form.diagonal.length
  const random = createRandom('leading-eigenvectors')
  const vectors: Float64Array[] = []
  let shift = Infinity
  let cluster = 0
  values.forEach((value, k) => {
    while (values[cluster]! - value > CLUSTER * values[0]!) cluster++
    // Equal shifts would give equal vectors.
    shift = Math.min(value, shift - SEPARATION)
    const solve = factorise(form, shift)
    const vector = Float64Array.from({ length: size }, () => random.uniform() - 0.5)
    for (let round = 0; round < ROUNDS; round++) {
      solve(vector)
      normalise(vector)
      for (let i = cluster; i < k; i++) project(vector, vectors[i]!)
      normalise(vector)
    }
    vectors.push(vector)
  })
  return vectors
}

function normalise (vector: Float64Array): void {
  let largest = 0
  for (let j = 0; j < vector.length; j++) largest = Math.max(largest, Math.abs(vector[j]!))
  let squares = 0
  for (let j = 0; j < vector.length; j++) {
    vector[j]! /= largest
    squares += vector[j]! * vector[j]!
  }
  const norm = Math.sqrt(squares)
  for (let j = 0; j < vector.length; j++) vector[j]! /= norm
}

/** Removes from `vector` its part along a unit vector. */
function project (vector: Float64Array, unit: Float64Array): void {
  let inner = 0
  for (let j = 0; j < vector.length; j++) inner += vector[j]! * unit[j]!
  for (let j = 0; j < vector.length; j++) vector[j]! -= inner * unit[j]!
}

/** Gaussian elimination with row exchanges of T − shift·I; the function solves in place. */
function factorise ({ diagonal, coupling }: Tridiagonal, shift: number): (vector: Float64Array) => void {
  const size = diagonal.length
  // Row i of the upper factor: pivots, and the two entries right of it.
  const [pivots, right, further, multipliers] = [new Float64Array(size), new Float64Array(size), new Float64Array(size), new Float64Array(size)]
  const exchanged = new Uint8Array(size)
  let pivot = diagonal[0]! - shift
  let next = coupling[1] ?? 0
  for (let i = 0; i + 1 < size; i++) {
    const [below, belowPivot, belowNext] = [coupling[i + 1]!, diagonal[i + 1]! - shift, coupling[i + 2] ?? 0]
    if (Math.abs(below) > Math.abs(pivot)) {
      exchanged[i] = 1
      multipliers[i] = pivot / below
      pivots[i] = below
      right[i] = belowPivot
      further[i] = belowNext
      pivot = next - multipliers[i]! * belowPivot
      next = -multipliers[i]! * belowNext
    } else {
      pivots[i] = nonZero(pivot)
      multipliers[i] = below / pivots[i]!
      right[i] = next
      pivot = belowPivot - multipliers[i]! * next
      next = belowNext
    }
  }
  pivots[size - 1] = nonZero(pivot)
  return (vector) => {
    for (let i = 0; i + 1 < size; i++) {
      const [upper, lower] = exchanged[i] === 1 ? [vector[i + 1]!, vector[i]!] : [vector[i]!, vector[i + 1]!]
      vector[i] = upper
      vector[i + 1] = lower - multipliers[i]! * upper
    }
    for (let i = size - 1; i >= 0; i--) {
      vector[i] = (vector[i]! - right[i]! * (vector[i + 1] ?? 0) - further[i]! * (vector[i + 2] ?? 0)) / pivots[i]!
    }
  }
}

const nonZero = (pivot: number): number => Math.abs(pivot) < RESOLUTION ? RESOLUTION : pivot

/** A vector of the tridiagonal form as one of the matrix, in place. */
function reflectBack ({ reflectors, factors }: Tridiagonal, vector: Float64Array): void {
  const size = vector.length
  for (let i = 1; i < size; i++) {
    if (factors[i] === 0) continue
    let inner = 0
    for (let j = 0; j < i; j++) inner += reflectors[i * size + j]! * vector[j]!
    inner *= factors[i]!
    for (let j = 0; j < i; j++) vector[j]! -= inner * reflectors[i * size + j]!
  }
}
