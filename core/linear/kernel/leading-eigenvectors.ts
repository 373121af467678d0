// The leading eigenvectors of a large symmetric matrix, as precise as a full decomposition but cheaper: Householder's
// tridiagonal form, QL steps, inverse iteration (Golub and Van Loan, Matrix Computations, 8.3–8.4). 64-bit + − × ÷ and
// √ in a fixed order give the same bits on every machine.
import { createRandom } from '../../random.ts'
import { claimMemory, float64At, kernelFunctions } from './kernel-memory.ts'

interface ScalarProducts {
  readonly size: number
  /** The symmetric matrix in the kernel's memory, lower triangle, rows of `stride` values. */
  readonly address: number
  readonly stride: number
  /** Addresses of two vectors of `stride` values behind the matrix. */
  readonly room: readonly [number, number]
}

interface Tridiagonal {
  readonly diagonal: Float64Array
  /** Entry i couples i − 1 and i; the first is 0. */
  readonly coupling: Float64Array
  /** Householder vectors: row i holds one of i entries, shape [size × size]. */
  readonly reflectors: Float64Array
  /** 2 / vᵀv of each vector; 0 if there is nothing to reflect. */
  readonly factors: Float64Array
}

const BYTES = 8
/** Couplings up to this share of the trace are rounding. */
const NEGLIGIBLE = 1e-16
/** An eigenvalue takes one or two sweeps; the limit ends the loop for NaN. */
const MOST_SWEEPS = 60
/** Replaces 0 in a denominator: smaller than the rounding of the trace. */
const RESOLUTION = 1e-17
/** Eigenvalues closer than this part of the largest form a cluster. */
const CLUSTER = 1e-3
const SEPARATION = 1e-15
const ROUNDS = 3
const TILE = 4

/** A table of numbers: value (row, column) lies at row · rowStride + column · columnStride. */
interface Table {
  readonly values: Float64Array
  readonly rows: number
  readonly columns: number
  readonly rowStride: number
  readonly columnStride: number
}

/** Scalar products of all pairs of columns. */
export function scalarProducts ({ values, rows, columns, rowStride, columnStride }: Table): ScalarProducts {
  const panels = Math.ceil(columns / TILE)
  const stride = panels * TILE
  const { addresses } = claimMemory({}, [
    stride * stride * BYTES,
    stride * BYTES,
    stride * BYTES,
    panels * rows * TILE * BYTES,
  ])
  const [address, first, second, packed] = addresses as [number, number, number, number]
  const panelled = float64At(packed, panels * rows * TILE)
  panelled.fill(0)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      panelled[((j >> 2) * rows + i) * TILE + (j & 3)] = values[i * rowStride + j * columnStride]!
    }
  }
  const panel = rows * TILE * BYTES
  for (let i = 0; i < panels; i++) {
    for (let j = 0; j <= i; j++) {
      kernelFunctions.tile(
        packed + i * panel,
        packed + j * panel,
        rows,
        address + (i * stride + j) * TILE * BYTES,
        stride * BYTES
      )
    }
  }
  return { size: columns, address, stride, room: [first, second] }
}

/**
 * Orthonormal eigenvectors of a positive semidefinite matrix, the largest eigenvalue first; overwrites the matrix.
 * @param share the fewest eigenvectors whose eigenvalues reach this share of the trace
 * @param rank eigenvalues up to this share of the trace are rounding and left out
 */
export function leadingEigenvectors (matrix: ScalarProducts, share: number, rank: number): Float64Array[] {
  const { size, address, stride } = matrix
  const rows = float64At(address, stride * stride)
  let trace = 0
  for (let i = 0; i < size; i++) trace += rows[i * stride + i]!
  // Divided by the trace, eigenvalues are shares of it, and nothing overflows.
  for (let i = 0; i < rows.length; i++) rows[i]! /= trace
  const form = tridiagonalise(matrix)
  const all = eigenvalues(form)
  const values: number[] = []
  for (let reached = 0, k = 0; reached < share && all[k]! > rank; k++) {
    values.push(all[k]!)
    reached += all[k]!
  }
  const vectors = eigenvectorsOf(form, values)
  reflectBack(form, vectors)
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
    const half = factor * factor * inner(vector.subarray(0, i), product) / 2
    for (let j = 0; j < i; j++) product[j] = factor * product[j]! - half * vector[j]!
    kernelFunctions.update(address, stride * BYTES, u, p, i)
  }
  return form
}

function emptyForm (size: number): Tridiagonal {
  const [diagonal, coupling, factors] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)]
  return { diagonal, coupling, factors, reflectors: new Float64Array(size * size) }
}

/** All eigenvalues, largest first: implicit QL steps with Wilkinson's shift, without the vectors. */
function eigenvalues (form: Tridiagonal): Float64Array {
  const size = form.diagonal.length
  const values = form.diagonal.slice()
  // Entry i couples i and i + 1.
  const couplings = new Float64Array(size)
  couplings.set(form.coupling.subarray(1))
  for (let first = 0; first < size; first++) {
    for (let last = first + 1, sweeps = 0; last > first && sweeps < MOST_SWEEPS; sweeps++) {
      last = blockEnd(values, couplings, first)
      if (last > first) sweep(values, couplings, first, last)
    }
  }
  return values.sort().reverse()
}

/** The end of the unreduced block that begins at `first`. */
function blockEnd (values: Float64Array, couplings: Float64Array, first: number): number {
  let end = first
  while (
    Math.abs(couplings[end]!) > Number.EPSILON * (Math.abs(values[end]!) + Math.abs(values[end + 1]!)) + NEGLIGIBLE
  ) end++
  return end
}

/** One QL step on a block: moves the bulge from its end to its beginning. */
function sweep (values: Float64Array, couplings: Float64Array, first: number, last: number): void {
  const half = (values[first + 1]! - values[first]!) / (2 * couplings[first]!)
  const root = Math.sqrt(half * half + 1)
  let along = values[last]! - values[first]! + couplings[first]! / (half + (half < 0 ? -root : root))
  let [sine, cosine, moved] = [1, 1, 0]
  for (let i = last - 1; i >= first; i--) {
    const bulge = sine * couplings[i]!
    const coupling = cosine * couplings[i]!
    along = nonZero(along)
    const length = Math.sqrt(bulge * bulge + along * along)
    couplings[i + 1] = length
    sine = bulge / length
    cosine = along / length
    const value = values[i + 1]! - moved
    const turned = (values[i]! - value) * sine + 2 * cosine * coupling
    moved = sine * turned
    values[i + 1] = value + moved
    along = cosine * turned - coupling
  }
  values[first]! -= moved
  couplings[first] = along
  couplings[last] = 0
}

/** Inverse iteration; vectors of a cluster are kept orthogonal to each other. */
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
  const scale = 1 / largest
  let squares = 0
  for (let j = 0; j < vector.length; j++) {
    vector[j]! *= scale
    squares += vector[j]! * vector[j]!
  }
  const factor = 1 / Math.sqrt(squares)
  for (let j = 0; j < vector.length; j++) vector[j]! *= factor
}

/** Removes from `vector` its part along a unit vector. */
function project (vector: Float64Array, unit: Float64Array): void {
  const part = inner(vector, unit)
  for (let j = 0; j < vector.length; j++) vector[j]! -= part * unit[j]!
}

/** Scalar product of `a` with the beginning of `b`; four sums, because each addition to one sum waits for the last. */
function inner (a: Float64Array, b: Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  let j = 0
  for (; j + 3 < a.length; j += 4) {
    s0 += a[j]! * b[j]!
    s1 += a[j + 1]! * b[j + 1]!
    s2 += a[j + 2]! * b[j + 2]!
    s3 += a[j + 3]! * b[j + 3]!
  }
  for (; j < a.length; j++) s0 += a[j]! * b[j]!
  return (s0 + s1) + (s2 + s3)
}

/** Gaussian elimination of T − shift·I with row exchanges. The returned function solves in place. */
function factorise ({ diagonal, coupling }: Tridiagonal, shift: number): (vector: Float64Array) => void {
  const size = diagonal.length
  // Row i of the upper factor: pivots, and the two entries right of it.
  const [pivots, right, further, multipliers] = [
    new Float64Array(size),
    new Float64Array(size),
    new Float64Array(size),
    new Float64Array(size),
  ]
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
      const upper = vector[i + exchanged[i]!]!
      const lower = vector[i + 1 - exchanged[i]!]!
      vector[i] = upper
      vector[i + 1] = lower - multipliers[i]! * upper
    }
    for (let i = size - 1; i >= 0; i--) {
      vector[i] = (vector[i]! - right[i]! * (vector[i + 1] ?? 0) - further[i]! * (vector[i + 2] ?? 0)) / pivots[i]!
    }
  }
}

const nonZero = (pivot: number): number => Math.abs(pivot) < RESOLUTION ? RESOLUTION : pivot

/** Turns eigenvectors of the tridiagonal form into those of the matrix, in place. */
function reflectBack ({ reflectors, factors }: Tridiagonal, vectors: readonly Float64Array[]): void {
  for (let i = 1; i < factors.length; i++) {
    if (factors[i] === 0) continue
    const reflector = reflectors.subarray(i * factors.length, i * factors.length + i)
    for (const vector of vectors) {
      const part = factors[i]! * inner(reflector, vector)
      for (let j = 0; j < i; j++) vector[j]! -= part * reflector[j]!
    }
  }
}
