// From errors to scores: the geometric mean over members, exact sums over time, and the split over channels.
import fc from 'fast-check'
import t from 'tap'
import { combineErrors } from '../combine.ts'
import { createRandom } from '../../random.ts'
import { centredMean, LARGEST_ERROR, meanOverCoveringWindows, splitScores, TrailingSmoother } from '../score.ts'

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0)

/** Sizes from 1e-9 to 1e7, spread evenly over the powers of ten. */
const size = fc.double({ min: -9, max: 7, noNaN: true }).map((exponent) => 10 ** exponent)

/** The combined error of members with one channel each. */
const combined = (errors: readonly number[], weights = errors.map(() => 1)): number =>
  combineErrors(errors.map((error, m) => ({ parts: Float64Array.of(error), scale: 1, weight: weights[m]! })), 1)[0]!

t.test('the error is the weighted geometric mean', async (t) => {
  const weight = fc.double({ min: 0.1, max: 3, noNaN: true })
  fc.assert(fc.property(fc.array(fc.tuple(size, weight), { minLength: 2, maxLength: 6 }), (list) => {
    const [values, weights] = [list.map(([value]) => value), list.map(([, heavy]) => heavy)]
    const exact = Math.exp(sum(values.map((value, i) => weights[i]! * Math.log(value))) / sum(weights))
    return Math.abs(combined(values, weights) / Math.min(LARGEST_ERROR, exact) - 1) < 1e-12
  }), { numRuns: 500 })
  t.equal(combined([1, 1, 1]), 1)
})

t.test('the error lies between the least and the largest, and grows with each', async () => {
  const small = fc.double({ min: -9, max: 3, noNaN: true }).map((exponent) => 10 ** exponent)
  fc.assert(fc.property(fc.array(small, { minLength: 2, maxLength: 5 }), fc.nat(4), (values, which) => {
    const found = combined(values)
    const grown = combined(values.map((value, i) => i === which % values.length ? 2 * value : value))
    return found >= Math.min(...values) * (1 - 1e-12) && found <= Math.max(...values) * (1 + 1e-12) && grown > found
  }))
})

/** Members of three channels with errors of all sizes, zeros among them. */
const members = fc.array(
  fc.record({
    parts: fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 4, noNaN: true })), {
      minLength: 12,
      maxLength: 12,
    }).map((list) => Float64Array.from(list)),
    scale: fc.double({ min: 1e-3, max: 5, noNaN: true }),
    weight: fc.constantFrom(0.25, 1, 2),
  }),
  { minLength: 2, maxLength: 4 }
)

t.test('contributions add up to the combined error, by the weighted mean of the members\' shares', async () => {
  fc.assert(fc.property(members, (list) => {
    const combined = combineErrors(list, 3)
    const weights = sum(list.map(({ weight }) => weight))
    for (let at = 0; at < 12; at += 3) {
      const sums = list.map(({ parts }) => sum(parts.subarray(at, at + 3)))
      const error = Math.min(
        LARGEST_ERROR,
        list.reduce(
          (product, { scale, weight }, m) => product * Math.pow(Math.max(1e-9, sums[m]! / scale), weight / weights),
          1
        )
      )
      const parts = combined.subarray(at, at + 3)
      if (Math.abs(sum(parts) / error - 1) > 1e-9 || !parts.every((part) => part >= 0)) return false
      const shares = [0, 1, 2].map((c) =>
        sum(list.map(({ parts, weight }, m) => weight * (sums[m] === 0 ? 1 / 3 : parts[at + c]! / sums[m]!))) / weights
      )
      if (shares.some((share, c) => Math.abs(parts[c]! - share * error) > 1e-9 * error)) return false
    }
    return true
  }))
})

t.test('an anomaly must stand out in all members; one that sees nothing does not silence the others', async (t) => {
  const combine = (...errors: number[]): number => combined(errors)
  t.ok(Math.abs(combine(9, 1) - 3) < 1e-12)
  t.ok(combine(9, 9) > combine(9, 1))
  t.ok(combine(4, 0) > 0)
  const lone = Float64Array.of(1, 2)
  t.equal(combineErrors([{ parts: lone, scale: 7, weight: 1 }], 2), lone, 'a lone member is left as it is')
})

t.test('the combined error is bounded like that of one member, however small a member\'s scale', async (t) => {
  const parts = Float64Array.of(LARGEST_ERROR / 2, LARGEST_ERROR / 2)
  const member = { parts, scale: 1e-3, weight: 1 }
  t.ok(Math.abs(sum(combineErrors([member, member], 2)) / LARGEST_ERROR - 1) < 1e-12)
})

const wild = fc.oneof(
  fc.constantFrom(0, LARGEST_ERROR, 1e300, 2 ** -33, 3 * 2 ** -33),
  fc.double({ min: 0, max: 2, noNaN: true })
)

/** Errors of two channels. */
const errors = fc.array(fc.tuple(wild, wild), { minLength: 1, maxLength: 60, size: 'max' })

t.test('a trailing mean is that of the newest errors alone, bit for bit, whatever came before', async () => {
  fc.assert(fc.property(errors, errors, fc.integer({ min: 1, max: 9 }), (before, list, span) => {
    const [fresh, used] = [new TrailingSmoother(2, span), new TrailingSmoother(2, span)]
    for (const pair of before) used.next(Float64Array.from(pair), new Float64Array(2))
    return list.every((pair, i) => {
      const [a, b] = [new Float64Array(2), new Float64Array(2)]
      fresh.next(Float64Array.from(pair), a)
      used.next(Float64Array.from(pair), b)
      return i + 1 < span || a.every((value, c) => Object.is(value, b[c]))
    })
  }))
})

/** Errors are bounded by their sum and rounded to whole units. */
function rounded (pair: readonly [number, number]): [number, number] {
  const factor = Math.min(1, LARGEST_ERROR / (pair[0] + pair[1]))
  return pair.map((part) => Math.round((factor < 1 ? part * factor : part) * 2 ** 32)) as [number, number]
}

t.test('a trailing mean is the mean; after a gap it begins again', async () => {
  fc.assert(fc.property(errors, fc.integer({ min: 1, max: 9 }), fc.nat(59), (list, span, gap) => {
    const smoother = new TrailingSmoother(2, span)
    return list.every((pair, i) => {
      if (i === gap) smoother.clear()
      const out = new Float64Array(2)
      smoother.next(Float64Array.from(pair), out)
      const held = list.slice(Math.max(i - span + 1, i >= gap ? gap : 0, 0), i + 1).map(rounded)
      return out.every((mean, c) => mean === sum(held.map((one) => one[c]!)) / 2 ** 32 / held.length)
    })
  }))
})

t.test('a centred mean is that of the values around, bit for bit wherever the series begins', async () => {
  const error = fc.double({ min: 0, max: LARGEST_ERROR, noNaN: true })
  const bounded = fc.array(error, { minLength: 2, maxLength: 120, size: 'max' })
  fc.assert(fc.property(bounded, fc.constantFrom(1, 3, 9, 61), fc.nat(59), (list, span, from) => {
    const values = Float64Array.from(list).subarray(0, list.length - list.length % 2)
    const length = values.length / 2
    const reach = (span - 1) / 2
    const whole = centredMean(values, 2, span)
    const naive = values.every((_, i) => {
      const t = Math.floor(i / 2)
      const around = Array.from({ length }, (_, u) => u).filter((u) => Math.abs(u - t) <= reach).map((u) =>
        Math.round(values[2 * u + i % 2]! * 2 ** 32)
      )
      return whole[i] === sum(around) / 2 ** 32 / around.length
    })
    const late = centredMean(values.slice(2 * from), 2, span)
    return naive && late.subarray(2 * reach).every((mean, i) => Object.is(mean, whole[2 * (from + reach) + i]!))
  }))
})

t.test('the mean over covering windows counts exactly those that cover', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 30 }),
      fc.nat(),
      (windowLength, stride, windows, seed) => {
        const random = createRandom(seed)
        const step = Math.min(stride, windowLength)
        const length = windowLength + (windows - 1) * step
        const starts = Array.from({ length: windows }, (_, w) => w * step)
        const list = starts.map((): [
          number,
          number
        ] => [5 * random.uniform(), random.integer(5) === 0 ? 1e200 : random.uniform()])
        const covering = { starts, windowLength, channels: 2, length }
        const means = meanOverCoveringWindows(Float64Array.from(list.flat()), covering)
        const units = list.map(rounded)
        return Array.from({ length }, (_, t) => t).every((t) => {
          const covering = units.filter((_, w) => starts[w]! <= t && t < starts[w]! + windowLength)
          return [0, 1].every((c) =>
            means[2 * t + c] === sum(covering.map((one) => one[c]!)) / 2 ** 32 / covering.length
          )
        })
      }
    )
  )
})

t.test('a score is the sum over the threshold, its contributions the shares', async (t) => {
  const parts = Float64Array.of(1, 3, 0, 0, 2, 0)
  t.strictSame(splitScores(parts, 2, 2), Float64Array.of(2, 0, 1))
  t.strictSame(parts, Float64Array.of(0.25, 0.75, 0.5, 0.5, 1, 0))
})

t.test('without members there are no errors', async (t) => {
  t.equal(combineErrors([], 2).length, 0)
})
