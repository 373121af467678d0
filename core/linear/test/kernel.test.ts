// The kernel: what is committed is what its source assembles to; it agrees with 64-bit arithmetic; and a window's bits
// are its own.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import fc from 'fast-check'
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import t from 'tap'
import { kernelBinary } from '../../../scripts/build-kernel.ts'
import { createMaskedKernel, createSubspaceKernel } from '../linear-kernel.ts'
import { maskedReconstruct } from '../masked.ts'
import { createRandom } from '../../random.ts'
import { reconstructionError } from '../../scoring/reconstruction-error.ts'
import { fitSubspace, type Subspace, subspaceReconstruct } from '../subspace.ts'
import { sampleWindows, type WindowMatrix } from '../../series/window.ts'

interface Shape {
  readonly length: number
  readonly channels: number
  readonly components: number
  readonly windows: number
  readonly seed: number
}

/** Window lengths across the group of 128 products, channels and directions across the blocks of four. */
const shapes: fc.Arbitrary<Shape> = fc.record({
  length: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(127, 128, 129, 260)),
  channels: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(17, 40)),
  components: fc.integer({ min: 0, max: 9 }),
  windows: fc.integer({ min: 1, max: 90 }),
  seed: fc.nat(),
})

function example (
  { length, channels, components, windows, seed }: Shape
): { subspace: Subspace, run: Float32Array, weights: number[] } {
  const random = createRandom(seed)
  const width = length * channels
  const used = Math.min(components, width)
  const directions = new Float64Array(used * width)
  for (let k = 0; k < used; k++) {
    const direction = directions.subarray(k * width, (k + 1) * width)
    direction.forEach((_, j) => { direction[j] = random.normal() })
    for (let i = 0; i <= k; i++) {
      const other = directions.subarray(i * width, (i + 1) * width)
      const inner = other.reduce((sum, value, j) => sum + value * direction[j]!, 0)
      direction.forEach((value, j) => { direction[j] = i === k ? value / Math.sqrt(inner) : value - inner * other[j]! })
    }
  }
  return {
    subspace: {
      width,
      mean: Float64Array.from({ length: width }, () => 0.3 * random.normal()),
      directions,
      components: used,
    },
    run: Float32Array.from({ length: (windows + length - 1) * channels }, () => random.normal()),
    weights: Array.from({ length: channels }, () => random.uniform() + 0.05),
  }
}

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]))
const normOf = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))

t.test('the committed binary is what kernel.wat assembles to', async (t) => {
  t.equal(
    await readFile(resolve(import.meta.dirname, '../kernel/kernel-binary.ts'), 'utf8'),
    await kernelBinary(),
    'npm run build:kernel'
  )
})

t.test('errors and reconstructions agree with 64-bit arithmetic to a millionth of the window', async () => {
  fc.assert(
    fc.property(shapes, fc.nat(), (shape, shorter) => {
      const { subspace, run, weights } = example(shape)
      const { length, channels, windows } = shape
      const tail = 1 + shorter % length
      const kernel = createSubspaceKernel(subspace, channels)
      const { errors, sums, newest } = kernel.runErrors(run, { tail, weights, expected: false })
      const parts = new Float64Array(channels)
      return sums === undefined && Array.from({ length: windows }, (_, w) => w).every((w) => {
        const window = run.subarray(w * channels, (w + length) * channels)
        const exact = subspaceReconstruct(subspace)(window, 1)
        reconstructionError(
          { channels, windowLength: length, stride: 1, tail, weights, summed: false },
          window,
          exact,
          parts
        )
        const limit = 1e-6 * (normOf(window) + 1)
        return parts.every((part, c) => Math.abs(part - errors[w * channels + c]!) < limit) &&
          normOf(kernel.reconstruct(window, 1).map((value, j) => value - exact[j]!)) < limit &&
          newest.subarray(w * channels, (w + 1) * channels).every((value, c) =>
            Math.abs(value - exact[(length - 1) * channels + c]!) < limit
          )
      })
    }),
    { numRuns: 60 }
  )
})

t.test('the sum of an observation is that of all windows that cover it', async () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const { subspace, run, weights } = example(shape)
      const { length, channels, windows } = shape
      const { sums } = createSubspaceKernel(subspace, channels).runErrors(run, {
        tail: length,
        weights,
        expected: true,
      })
      const exact = new Float64Array(run.length)
      for (let w = 0; w < windows; w++) {
        subspaceReconstruct(subspace)(run.subarray(w * channels, w * channels + subspace.width), 1).forEach(
          (value, j) => {
            exact[w * channels + j]! += value
          }
        )
      }
      return exact.every((sum, i) => Math.abs(sum - sums![i]!) < 2e-5 * Math.min(length, windows))
    }),
    { numRuns: 40 }
  )
})

t.test('a window has the same bits alone, anywhere in a run, and beside any others', async () => {
  // Enough windows for several chunks of the widest shapes, and of all others in one case below.
  fc.assert(
    fc.property(shapes, fc.nat(), fc.nat(), (shape, one, other) => {
      const { subspace, run, weights } = example(shape)
      const { length, channels, windows } = shape
      const kernel = createSubspaceKernel(subspace, channels)
      const whole = kernel.runErrors(run, { tail: length, weights, expected: true })
      const [from, to] = [one % windows, other % windows].sort((a, b) => a - b) as [number, number]
      const piece = kernel.runErrors(run.subarray(from * channels, (to + length) * channels), {
        tail: length,
        weights,
        expected: false,
      })
      const alone = kernel.reconstruct(run.subarray(from * channels, (from + length) * channels), 1)
      const doubled = new Float32Array(2 * subspace.width)
      doubled.set(run.subarray(from * channels, from * channels + subspace.width), subspace.width)
      return same(piece.errors, whole.errors.subarray(from * channels, (to + 1) * channels)) &&
        same(piece.newest, whole.newest.subarray(from * channels, (to + 1) * channels)) &&
        same(alone.subarray((length - 1) * channels), piece.newest.subarray(0, channels)) &&
        same(kernel.reconstruct(doubled, 2).subarray(subspace.width), alone)
    }),
    { numRuns: 100 }
  )
})

t.test('a masked autoencoder agrees with 64-bit arithmetic, and a lone window has the same bits', async () => {
  fc.assert(
    fc.property(
      fc.record({
        length: fc.integer({ min: 1, max: 20 }),
        channels: fc.integer({ min: 1, max: 5 }),
        windows: fc.integer({ min: 1, max: 60 }),
        seed: fc.nat(),
      }),
      ({ length, channels, windows, seed }) => {
        const random = createRandom(seed)
        const width = length * channels
        const weights = Float64Array.from(
          { length: width * width },
          (_, i) => i % (width + 1) === 0 ? 0 : random.normal() / width
        )
        const masked = { width, offset: Float64Array.from({ length: width }, () => 0.3 * random.normal()), weights }
        const run = Float32Array.from({ length: (windows + length - 1) * channels }, () =>
          random.normal())
        const kernel = createMaskedKernel(masked, channels)
        const options = { tail: length, weights: Array<number>(channels).fill(1), expected: false }
        const { errors, newest } = kernel.runErrors(run, options)
        return Array.from({ length: windows }, (_, w) =>
          w).every((w) => {
          const window = run.subarray(w * channels, (w + length) * channels)
          const exact = maskedReconstruct(masked)(window, 1)
          const alone = kernel.runErrors(window, options)
          return normOf(kernel.reconstruct(window, 1).map((value, j) => value - exact[j]!)) <
                1e-6 * (normOf(window) + 1) &&
              same(alone.errors, errors.subarray(w * channels, (w + 1) * channels)) &&
              same(alone.newest, newest.subarray(w * channels, (w + 1) * channels))
        })
      }
    ),
    { numRuns: 60 }
  )
})

t.test('chunks leave no trace, and models that take turns do not meet', async (t) => {
  const shape = { length: 9, channels: 2, components: 5, windows: 1300, seed: 7 }
  const { subspace, run, weights } = example(shape)
  const kernel = createSubspaceKernel(subspace, 2)
  const whole = kernel.runErrors(run, { tail: 9, weights, expected: true })
  const other = createSubspaceKernel(example({ ...shape, seed: 8 }).subspace, 2)
  for (let w = 0; w < 1300; w += 37) {
    other.reconstruct(run.subarray(0, 18), 1)
    t.ok(
      same(
        kernel.runErrors(run.subarray(w * 2, (w + 9) * 2), { tail: 9, weights, expected: true }).errors,
        whole.errors.subarray(w * 2, w * 2 + 2)
      ),
      `window ${w}`
    )
  }
  // Beyond the reach of what came before, an observation has the sum it would have in a run that begins elsewhere.
  const later = kernel.runErrors(run.subarray(101 * 2), { tail: 9, weights, expected: true })
  t.ok(same(later.sums!.subarray(8 * 2), whole.sums!.subarray(109 * 2)))
})

t.test('a run shorter than a window holds none, and no windows are no reconstructions', async (t) => {
  const { subspace, weights } = example({ length: 5, channels: 2, components: 2, windows: 1, seed: 1 })
  const kernel = createSubspaceKernel(subspace, 2)
  t.same(kernel.runErrors(new Float32Array(8), { tail: 5, weights, expected: true }), {
    errors: new Float64Array(0),
    newest: new Float32Array(0),
    sums: new Float64Array(8),
  })
  t.same(kernel.reconstruct(new Float32Array(0), 0), new Float32Array(0))
})

t.test('an exact reconstruction blames no channel', async (t) => {
  const { subspace, weights } = example({ length: 4, channels: 2, components: 0, windows: 1, seed: 1 })
  const run = Float32Array.from(subspace.mean)
  t.same(
    createSubspaceKernel(subspace, 2).runErrors(run, { tail: 4, weights, expected: false }).errors,
    new Float64Array(2)
  )
})

/** The directions of a full decomposition, largest first, and the eigenvalues. */
function fullDecomposition ({ values, count, width }: WindowMatrix): { vectors: Float64Array[], shares: number[] } {
  const table = Matrix.from1DArray(count, width, Array.from(values))
  const centred = table.center('column')
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(centred.transpose().mmul(centred), {
    assumeSymmetric: true,
  })
  const total = realEigenvalues.reduce((sum, value) => sum + value, 0)
  return {
    vectors: realEigenvalues.map((_, i) => Float64Array.from(eigenvectorMatrix.getColumn(width - 1 - i))),
    shares: realEigenvalues.map((value) => value / total).reverse(),
  }
}

const inner = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, j) => sum + value * b[j]!, 0)

/** How far the subspace is from the span of the vectors: the longest part of a direction outside it. */
function distance ({ directions, width, components }: Subspace, vectors: readonly Float64Array[]): number {
  return Math.max(0, ...Array.from({ length: components }, (_, k) => {
    const direction = directions.slice(k * width, (k + 1) * width)
    for (const vector of vectors) {
      const part = inner(direction, vector)
      direction.forEach((value, j) => { direction[j] = value - part * vector[j]! })
    }
    return Math.sqrt(inner(direction, direction))
  }))
}

function orthonormal ({ directions, width, components }: Subspace): boolean {
  const each = Array.from({ length: components }, (_, k) => directions.subarray(k * width, (k + 1) * width))
  return each.every((a, i) => each.every((b, j) => Math.abs(inner(a, b) - (i === j ? 1 : 0)) < 1e-12))
}

t.test('the directions are those of a full eigen-decomposition', async () => {
  fc.assert(
    fc.property(
      fc.record({
        count: fc.integer({ min: 2, max: 60 }),
        width: fc.integer({ min: 1, max: 40 }),
        rank: fc.integer({ min: 1, max: 40 }),
        decay: fc.constantFrom(1, 0.7, 0.2, 0.01),
        noise: fc.constantFrom(0, 1e-3, 0.3),
        share: fc.constantFrom(0.3, 0.8, 0.95, 0.999),
        seed: fc.nat(),
      }),
      ({ count, width, rank, decay, noise, share, seed }) => {
        const random = createRandom(seed)
        const [factors, loadings] = [rank, rank].map((_, i) =>
          Array.from({ length: rank * (i === 0 ? count : width) }, () => random.normal())
        )
        const values = Float32Array.from({ length: count * width }, (_, at) => {
          let sum = noise * random.normal()
          for (let r = 0, size = 1; r < rank; r++, size *= decay) {
            sum += size * factors![r * count + Math.floor(at / width)]! * loadings![r * width + at % width]!
          }
          return sum
        })
        const windows = { values, count, width, channels: 1 }
        const subspace = fitSubspace(windows, share)
        const { vectors, shares } = fullDecomposition(windows)
        let [expected, reached] = [0, 0]
        while (reached < share && expected < width) reached += shares[expected++]!
        // Where the next eigenvalue is all but equal, or too small, the subspace itself is not determined to 1e-9.
        const gap = shares[expected - 1]! - (shares[expected] ?? 0)
        const determined = gap > 1e-5
        return subspace.components === expected && orthonormal(subspace) &&
          (!determined || distance(subspace, vectors.slice(0, expected)) < 1e-9)
      }
    ),
    { numRuns: 150 }
  )
})

t.test('repeated eigenvalues give as many directions, orthogonal to each other', async (t) => {
  const identity = {
    values: Float32Array.from({ length: 64 * 32 }, (_, i) =>
      Math.floor(i / 64) === i % 32 ? (Math.floor(i / 32) % 2 === 0 ? 1 : -1) : 0),
    count: 64,
    width: 32,
    channels: 1,
  }
  const subspace = fitSubspace(identity, 1)
  t.equal(subspace.components, 32)
  t.ok(orthonormal(subspace))
  t.ok(orthonormal(fitSubspace(identity, 0.5)))
  t.equal(fitSubspace(identity, 0.5).components, 16)
  const pairs = {
    values: Float32Array.from([1, 1, -1, -1, 1, 1, -1, -1, 2, 2, -2, -2]),
    count: 6,
    width: 2,
    channels: 1,
  }
  t.same(fitSubspace(pairs, 1).components, 1)
})

t.test('more columns than windows: by way of the windows', async (t) => {
  const random = createRandom('wide')
  const windows = sampleWindows([Float32Array.from({ length: 60 * 6 }, () => random.normal())], 6, 40, 1000)
  t.equal(windows.width > windows.count, true)
  const subspace = fitSubspace(windows, 0.9)
  const { vectors, shares } = fullDecomposition(windows)
  let [expected, reached] = [0, 0]
  while (reached < 0.9) reached += shares[expected++]!
  t.equal(subspace.components, expected)
  t.ok(distance(subspace, vectors.slice(0, expected)) < 1e-9)
  t.ok(orthonormal(subspace))
})

t.test('all of the variance is as many directions as the windows have', async (t) => {
  const random = createRandom('rank')
  const [a, b] = [0, 1].map(() => Array.from({ length: 50 }, () => Math.fround(random.normal())))
  const values = Float32Array.from(
    { length: 50 * 6 },
    (_, i) => (i % 2 === 0 ? a : b)![Math.floor(i / 6)]! * 2 ** (i % 6)
  )
  const subspace = fitSubspace({ values, count: 50, width: 6, channels: 1 }, 1)
  t.equal(subspace.components, 2)
  t.ok(orthonormal(subspace))
})

t.test('windows that do not vary have no direction', async (t) => {
  t.equal(fitSubspace({ values: new Float32Array(12).fill(3), count: 4, width: 3, channels: 1 }, 0.8).components, 0)
})

t.test('a fit has the same bits whatever was computed before', async (t) => {
  const random = createRandom('bits')
  const windows = sampleWindows([Float32Array.from({ length: 200 * 3 }, () => random.normal())], 3, 8, 150)
  const first = fitSubspace(windows, 0.8)
  createSubspaceKernel(first, 3).reconstruct(windows.values, windows.count)
  t.ok(same(fitSubspace(windows, 0.8).directions, first.directions))
})

t.test('single windows: more models than stay in the memory, or one that never fits, change no bit', async (t) => {
  const random = createRandom('residents')
  const modelOf = (width: number): [ReturnType<typeof createMaskedKernel>, Float32Array] => [
    createMaskedKernel({
      width,
      offset: Float64Array.from({ length: width }, () => random.normal()),
      weights: Float64Array.from({ length: width * width }, (_, i) =>
        i % (width + 1) === 0 ? 0 : random.normal() / width),
    }, 1),
    Float32Array.from({ length: width + 1 }, () => random.normal()),
  ]
  const models = [...Array.from({ length: 16 }, () => modelOf(200)), modelOf(800)]
  const options = { tail: 5, weights: [1], expected: false }
  for (let round = 0; round < 2; round++) {
    for (const [kernel, run] of models) {
      const alone = kernel.runErrors(run.subarray(1), options)
      const both = kernel.runErrors(run, options)
      t.strictSame([alone.errors, alone.newest], [both.errors.slice(1), both.newest.slice(1)])
    }
  }
})
