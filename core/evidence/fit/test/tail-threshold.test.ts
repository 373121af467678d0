// Thresholds from the tail of evidence. Expected numbers come from a separate computation in another language.
import fc from 'fast-check'
import t from 'tap'
import { excessAt, fitPareto, peaksAbove } from '../../../pareto.ts'
import { createRandom } from '../../../random.ts'
import { type TailOptions, tailThreshold } from '../tail-threshold.ts'

const PLAIN: TailOptions = { rate: 1e-5, dependence: 1, mostPeaks: Infinity, squared: true, leftOut: 0 }

/** Exponential values of a generator that is easy to repeat elsewhere (Lehmer 1951). */
function exponential (length: number): Float64Array {
  let state = 1
  return Float64Array.from({ length }, () => {
    state = state * 48_271 % 2_147_483_647
    return -Math.log(state / 2_147_483_647)
  })
}

const all = (length: number): Uint8Array => new Uint8Array(length).fill(1)
const thresholdOf = (values: Float64Array, options: Partial<TailOptions> = {}): number =>
  tailThreshold(values.slice(), all(values.length), { ...PLAIN, ...options })
const runsAbove = (values: Float64Array, level: number): number => peaksAbove(values, level).length

const evidence = fc.array(
  // Not so small that their squares lose bits.
  fc.oneof(fc.double({ min: 1e-100, max: 10, noNaN: true }), fc.constantFrom(0, 1, 2)),
  { maxLength: 120, size: 'max' }
)
  .map((list) => Float64Array.from(list))
const anyOptions: fc.Arbitrary<TailOptions> = fc.record({
  rate: fc.double({ min: 1e-9, max: 0.1, noNaN: true }),
  dependence: fc.constantFrom(1, 2.5, 8.5),
  mostPeaks: fc.constantFrom(4, 30, Infinity),
  squared: fc.boolean(),
  leftOut: fc.constantFrom(0, 1, 2),
})

t.test('thresholds are those of the separate computation', async (t) => {
  const values = exponential(2000)
  const near = (found: number, expected: number): void => {
    t.ok(Math.abs(found - expected) < 1e-9 * expected, `${found}, expected ${expected}`)
  }
  near(thresholdOf(values), 14.67330962936216)
  near(thresholdOf(values, { dependence: 2.5, squared: false }), 15.25201987661468)
  near(thresholdOf(values, { mostPeaks: 8, leftOut: 2 }), 16.26490869941162)
  near(
    thresholdOf(values, { rate: 1e-4, dependence: 8.5, mostPeaks: 30, squared: false, leftOut: 1 }),
    11.605408830623704
  )
  near(
    tailThreshold(values.slice(), Uint8Array.from(values, (_, i) => i % 7 === 3 ? 0 : 1), { ...PLAIN, leftOut: 2 }),
    13.402866783690703
  )
  near(thresholdOf(values.subarray(0, 12), { leftOut: 2 }), 7.37636045027891)
  near(thresholdOf(values.subarray(0, 100).map((value) => value ** 3)), 2054.6615103388995)
})

t.test('noise seldom exceeds its threshold, and exceeds a lower one at about the rate', async (t) => {
  const random = createRandom('tail')
  const noise = (): Float64Array => Float64Array.from({ length: 4000 }, () => Math.abs(random.normal()))
  const fresh = Array.from({ length: 10 }, noise)
  const runs = (options: Partial<TailOptions>): number => {
    const threshold = thresholdOf(noise(), options)
    return fresh.reduce((sum, values) => sum + runsAbove(values, threshold), 0)
  }
  t.equal(runs({ rate: 1e-7 }), 0)
  const usual = runs({ rate: 0.005 })
  t.ok(usual > 80 && usual <= 200, `${usual} runs of at most 200`)
})

t.test('evidence that lies outside of what counts changes nothing', async (t) => {
  const values = exponential(300)
  const included = Uint8Array.from(values, (_, i) => i % 3 === 0 ? 0 : 1)
  t.equal(
    tailThreshold(values.slice(), included, PLAIN),
    tailThreshold(values.map((value, i) => included[i] === 1 ? value : 1e6), included, PLAIN)
  )
})

t.test('without any value nothing is evidence; without variation the value itself is the threshold', async (t) => {
  t.equal(thresholdOf(new Float64Array(0)), Infinity)
  t.equal(tailThreshold(Float64Array.of(1, 2, 3), new Uint8Array(3), PLAIN), Infinity)
  t.equal(thresholdOf(new Float64Array(50)), 0)
  t.equal(thresholdOf(new Float64Array(50).fill(3), { leftOut: 2 }), 3)
  t.equal(thresholdOf(new Float64Array(9).fill(3), { leftOut: 2 }), 3)
})

t.test('a block of anomalous values, or one of few, is left out', async (t) => {
  const values = exponential(800)
  const clean = thresholdOf(values, { leftOut: 1 })
  const faulty = values.map((value, i) => i >= 310 && i < 380 ? 50 + value : value)
  t.ok(thresholdOf(faulty) > 50)
  t.ok(Math.abs(thresholdOf(faulty, { leftOut: 1 }) / clean - 1) < 0.2)
  const few = Float64Array.from({ length: 12 }, (_, i) => i === 5 ? 100 : i % 4)
  t.ok(thresholdOf(few, { leftOut: 1 }) < 30)
  t.ok(thresholdOf(few) > 100)
  const fewer = few.subarray(0, 7)
  t.equal(thresholdOf(fewer, { leftOut: 2 }), thresholdOf(fewer), 'of less than eight, none is left out')
})

t.test('the threshold follows the scale of the values exactly', async () => {
  fc.assert(fc.property(evidence, anyOptions, fc.integer({ min: -40, max: 40 }), (values, options, power) => {
    const scaled = thresholdOf(values.map((value) => value * 2 ** power), options)
    return Object.is(scaled, thresholdOf(values, options) * 2 ** power)
  }))
})

t.test('a higher rate never raises the threshold, and more confidence never lowers it', async () => {
  const anyFactor = fc.double({ min: 1, max: 1000, noNaN: true })
  fc.assert(fc.property(evidence, anyOptions, anyFactor, (values, options, factor) => {
    const threshold = thresholdOf(values, options)
    return thresholdOf(values, { ...options, rate: options.rate * factor }) <= threshold &&
      thresholdOf(values, { ...options, mostPeaks: options.mostPeaks / 2 }) >= threshold
  }))
})

t.test('the threshold is finite for extreme values', async (t) => {
  t.ok(Number.isFinite(thresholdOf(Float64Array.from({ length: 40 }, (_, i) => i % 5 === 0 ? Number.MAX_VALUE : i))))
})

t.test('peaks are the highest values of runs, also of the last one', async (t) => {
  t.same(peaksAbove(Float64Array.of(4, 1, 5, 7, 6, NaN, 8, 2, 9), 3), [4, 7, 8, 9])
  t.same(peaksAbove(Float64Array.of(4, 1), 4), [])
})

t.test('the fitted distribution is the one that the peaks were drawn from', async (t) => {
  const bounds = { lowest: -0.5, highest: 0.8, prior: 0 }
  const random = createRandom('pareto')
  for (const shape of [-0.3, 0, 0.4]) {
    const drawn = Array.from({ length: 20_000 }, () => excessAt({ shape, scale: 2 }, 1 - random.uniform()))
    const fitted = fitPareto(drawn, bounds)
    t.ok(Math.abs(fitted.shape - shape) < 0.03, `shape ${fitted.shape}`)
    t.ok(Math.abs(fitted.scale - 2) < 0.08, `scale ${fitted.scale}`)
  }
  t.same(fitPareto([], bounds), { shape: 0, scale: 0 })
  t.same(fitPareto([3], bounds), { shape: 0, scale: 3 })
  t.same(fitPareto([3, 3, 3], bounds), { shape: -0.5, scale: 4.5 })
  t.same(fitPareto([3, 3, 3], { ...bounds, prior: 3 }), { shape: -0.25, scale: 3.75 })
})
