// The masked autoencoder against a ridge regression of each value on all others; which members a detector has by
// default, and how they run.
import fc from 'fast-check'
import t from 'tap'
import { maskedAutoencoder, subspaceAutoencoder } from '../linear.ts'
import { fitMasked, LARGEST_MASKED_WIDTH, type Masked, maskedReconstruct } from '../masked.ts'
import {
  defaultMembers,
  defaultTail,
  defaultWindowLength,
  learnerOf,
  RIDGE,
  VARIANCE_SHARE,
} from '../../fitting/members.ts'
import { createRandom } from '../../random.ts'
import {
  errorsOfRun,
  errorsOfWindows,
  type Reconstruction,
  type RunOptions,
} from '../../scoring/reconstruction-error.ts'
import { fitSubspace, subspaceReconstruct } from '../subspace.ts'
import { sampleWindows, type WindowMatrix } from '../../series/window.ts'

/** Windows of correlated values, each column with a size and an offset of its own. */
function correlated (count: number, width: number, seed: number): WindowMatrix {
  const random = createRandom(`masked/${seed}`)
  const loadings = Array.from({ length: 2 * width }, () => random.normal())
  const values = new Float32Array(count * width)
  for (let i = 0; i < count; i++) {
    const [a, b] = [random.normal(), random.normal()]
    for (let j = 0; j < width; j++) {
      values[i * width + j] = (1 + j % 3) * (a * loadings[j]! + b * loadings[width + j]! + 0.2 * random.normal()) + j
    }
  }
  return { values, count, width, channels: 1 }
}

const windows = fc.record({
  count: fc.integer({ min: 2, max: 60 }),
  width: fc.integer({ min: 1, max: 24 }),
  seed: fc.nat(),
})
  .map(({ count, width, seed }) => correlated(count, width, seed))
const ridges = fc.constantFrom(0.001, 0.03, 1)

/** Solves A x = b by Gaussian elimination with pivots. */
function solve (matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!])
  for (let k = 0; k < rows.length; k++) {
    const pivot = rows.slice(k).reduce(
      (best, row, i) => Math.abs(row[k]!) > Math.abs(rows[best]![k]!) ? k + i : best,
      k
    )
    ;[rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!]
    for (const row of rows.slice(k + 1)) {
      const factor = row[k]! / rows[k]![k]!
      for (let j = k; j < row.length; j++) row[j]! -= factor * rows[k]![j]!
    }
  }
  const solution = right.map(() => 0)
  for (let k = rows.length - 1; k >= 0; k--) {
    const known = solution.reduce((sum, value, j) => j > k ? sum + value * rows[k]![j]! : sum, 0)
    solution[k] = (rows[k]!.at(-1)! - known) / rows[k]![k]!
  }
  return solution
}

/**
 * Ridge regression of column j on all others, λ a share of the mean variance: the weights of the others in their order.
 */
function regression ({ values, count, width }: WindowMatrix, ridge: number, j: number): number[] {
  const columns = Array.from({ length: width }, (_, k) => {
    const column = Array.from({ length: count }, (_, i) => values[i * width + k]!)
    const mean = column.reduce((sum, value) => sum + value, 0) / count
    return column.map((value) => value - mean)
  })
  const product = (a: number, b: number): number =>
    columns[a]!.reduce((sum, value, i) => sum + value * columns[b]![i]!, 0) / count
  const lambda = ridge * columns.reduce((sum, _, k) => sum + product(k, k), 0) / width
  const others = Array.from({ length: width }, (_, k) => k).filter((k) => k !== j)
  return solve(
    others.map((a) => others.map((b) => product(a, b) + (a === b ? lambda : 0))),
    others.map((k) => product(k, j))
  )
}

t.test('every column is the ridge regression on all others, and has no weight in itself', async () => {
  fc.assert(
    fc.property(windows, ridges, (matrix, ridge) => {
      const { width, weights } = fitMasked(matrix, ridge)
      return Array.from({ length: width }, (_, j) => j).every((j) => {
        const wanted = regression(matrix, ridge, j)
        const found = Array.from({ length: width }, (_, i) => weights[i * width + j]!)
        return found[j] === 0 &&
          found.filter((_, i) => i !== j).every((weight, i) => Math.abs(weight - wanted[i]!) < 1e-8)
      })
    }),
    { numRuns: 60 }
  )
})

t.test('−B / diag(P) inverts the covariance with its ridge', async () => {
  fc.assert(
    fc.property(windows, ridges, (matrix, ridge) => {
      const { values, count, width } = matrix
      const { weights } = fitMasked(matrix, ridge)
      const mean = Array.from({ length: width }, (_, j) =>
        values.reduce((sum, value, i) => i % width === j ? sum + value / count : sum, 0))
      const covariance = (a: number, b: number): number => {
        let sum = 0
        for (let i = 0; i < count; i++) {
          sum += (values[i * width + a]! - mean[a]!) * (values[i * width + b]! - mean[b]!) / count
        }
        return sum
      }
      const all = Array.from({ length: width }, (_, a) =>
        Array.from({ length: width }, (_, b) => covariance(a, b)))
      const lambda = ridge * all.reduce((sum, row, a) => sum + row[a]!, 0) / width
      const regularised = all.map((row, a) => row.map((value, b) => a === b ? value + lambda : value))
      // (C + λI)(I − B) is diagonal, for I − B = P / diag(P).
      return regularised.every((row, a) =>
        row.every((_, j) => {
          const found = row.reduce((sum, value, i) => sum + value * ((i === j ? 1 : 0) - weights[i * width + j]!), 0)
          return a === j ? found > 0 : Math.abs(found) < 1e-9 * regularised[a]![a]!
        })
      )
    }),
    { numRuns: 60 }
  )
})

t.test('a value does not vouch for itself', async () => {
  fc.assert(fc.property(windows, fc.nat(), fc.double({ min: -1e3, max: 1e3, noNaN: true }), (matrix, at, value) => {
    const reconstruct = maskedReconstruct(fitMasked(matrix, RIDGE))
    const j = at % matrix.width
    const window = matrix.values.slice(0, matrix.width)
    const before = reconstruct(window, 1)[j]
    window[j] = value
    return Object.is(reconstruct(window, 1)[j], before)
  }))
})

t.test('windows that do not vary give the mean and no weight but 0', async (t) => {
  // 0.1 is no 32-bit number, and the mean of seven of them none of 64: what rounding leaves over is no variance.
  for (const value of [0, 0.1, 1e30, -5.1]) {
    const { offset, weights } = fitMasked({
      values: new Float32Array(7 * 6).fill(value),
      count: 7,
      width: 6,
      channels: 2,
    }, RIDGE)
    t.ok(weights.every((weight) => weight === 0), `${value}`)
    t.ok(offset.every((mean) => mean === Math.fround(value)), 'to the last bit')
  }
  const half = correlated(30, 6, 1)
  half.values.forEach((_, i) => { if (i % 6 === 2) half.values[i] = 0.1 })
  const { weights } = fitMasked(half, RIDGE)
  t.ok(
    [0, 1, 3, 4, 5].every((k) => Math.abs(weights[k * 6 + 2]!) < 1e-12 && Math.abs(weights[2 * 6 + k]!) < 1e-12),
    'a constant column neither explains other columns nor is explained by them'
  )
})

t.test('the kernel agrees with 64-bit arithmetic at any stride and tail, for a lone window as in a run', async () => {
  const shapes = fc.constantFrom([8, 1, 8], [8, 1, 3], [6, 2, 6], [12, 4, 12], [32, 2, 32])
  const options = shapes.chain(([windowLength, stride, tail]) =>
    fc.record({
      windowLength: fc.constant(windowLength!),
      stride: fc.constant(stride!),
      tail: fc.constant(tail!),
      channels: fc.integer({ min: 1, max: 3 }),
    })
  )
  fc.assert(
    fc.property(options, fc.boolean(), fc.nat(), (shape, isMasked, seed) => {
      const random = createRandom(seed)
      const { windowLength, stride, tail, channels } = shape
      const given: RunOptions = {
        ...shape,
        weights: Array.from({ length: channels }, () => 0.1 + random.uniform()),
        summed: tail === windowLength,
      }
      const run = Float32Array.from({ length: (windowLength + 40) * channels }, () => random.normal())
      const trained = sampleWindows([run], channels, windowLength, 30)
      const [quick, exact] = isMasked
        ? maskedPair(fitMasked(trained, RIDGE), channels)
        : subspacePair(trained, channels)
      const [found, wanted] = [errorsOfRun(quick, run, given), errorsOfRun(exact, run, given)]
      const near = (a: ArrayLike<number>, b: ArrayLike<number>, limit: number): boolean =>
        a.length === b.length && Array.from(a).every((value, i) => Math.abs(value - b[i]!) < limit)
      const alone = errorsOfWindows(
        quick,
        run.subarray(stride * channels, (stride + windowLength) * channels),
        1,
        given
      )
      return near(found.errors, wanted.errors, 2e-5) && near(found.newest!, wanted.newest!, 2e-5) &&
        (tail === windowLength ? near(found.sums!, wanted.sums!, 1e-3) : found.sums === undefined) &&
        near(
          quick.reconstruct(trained.values, trained.count),
          exact.reconstruct(trained.values, trained.count),
          2e-5
        ) &&
        (stride > 1 || Array.from(alone.errors).every((part, c) => Object.is(part, found.errors[channels + c])))
    }),
    { numRuns: 60 }
  )
})

function maskedPair (masked: Masked, channels: number): [Reconstruction, Reconstruction] {
  return [maskedAutoencoder(masked, channels), { reconstruct: maskedReconstruct(masked) }]
}

function subspacePair (trained: WindowMatrix, channels: number): [Reconstruction, Reconstruction] {
  const subspace = fitSubspace(trained, VARIANCE_SHARE)
  return [subspaceAutoencoder(subspace, channels), { reconstruct: subspaceReconstruct(subspace) }]
}

t.test('members by default: time for one channel, both kinds for several, no masked one for very many', async (t) => {
  const masked = { architecture: 'masked', windowLength: 128, tail: 4, weight: 1 }
  const filters = { architecture: 'filters', windowLength: 96, tail: 96, weight: 1 }
  t.strictSame(defaultMembers(10_000, 1), [
    masked,
    filters,
    { architecture: 'deviation', windowLength: 16, tail: 16, weight: 0.5 },
  ])
  const several = [
    { architecture: 'linear', windowLength: 8, tail: 4, weight: 1 },
    { ...masked, windowLength: 8 },
    { architecture: 'linear', windowLength: 32, tail: 8, weight: 1 },
    { ...filters, windowLength: 64, tail: 64, weight: 0.1 },
  ]
  for (const channels of [2, 25, LARGEST_MASKED_WIDTH / 8]) t.strictSame(defaultMembers(10_000, channels), several)
  t.strictSame(defaultMembers(10_000, LARGEST_MASKED_WIDTH / 8 + 1), [several[0], several[2], several[3]])
  t.strictSame(defaultMembers(255, 1).map(({ architecture }) => architecture), ['masked'], 'features need more rows')
  t.equal(defaultMembers(255, 2).length, 3)
  t.equal(defaultMembers(256, 2)[3]!.windowLength, 16)
})

t.test('windows by default: at most a twelfth of the observations, long ones whole multiples of 8', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 200 }), (observations, channels) =>
      [...defaultMembers(observations, channels), {
        windowLength: defaultWindowLength(observations, channels),
        tail: 1,
      }].every(({ windowLength, tail }) =>
        windowLength >= 1 && windowLength <= Math.max(1, observations / 12) && tail >= 1 && tail <= windowLength &&
        (windowLength < 16 || windowLength % 8 === 0)
      ))
  )
  t.strictSame(
    [[10_000, 1], [10_000, 2], [60, 2], [3, 1], [1260, 1]].map(([observations, channels]) =>
      defaultWindowLength(observations!, channels!)
    ),
    [128, 16, 5, 1, 104]
  )
  t.strictSame([1, 8, 16, 32, 128].map(defaultTail), [1, 8, 8, 8, 32])
})

t.test('learners fit the member that they are named after', async (t) => {
  const matrix = correlated(40, 8, 3)
  for (const [architecture, reconstruct] of [
    ['linear', subspaceReconstruct(fitSubspace(matrix, VARIANCE_SHARE))],
    ['masked', maskedReconstruct(fitMasked(matrix, RIDGE))],
  ] as const) {
    const { reconstruct: learnt } = await learnerOf(architecture)(matrix)
    const exact = reconstruct(matrix.values, matrix.count)
    t.ok(learnt!(matrix.values, matrix.count).every((value, i) => Math.abs(value - exact[i]!) < 1e-4), architecture)
  }
})
