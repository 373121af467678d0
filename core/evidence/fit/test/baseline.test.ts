// The usual course of a channel: which level and season are chosen, and how far values usually lie from them.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { createRandom } from '../../../random.ts'
import { fromColumns, slice } from '../../../series/series.ts'
import type { Baseline, Rows } from '../../model.ts'
import { rowsOf } from '../../rows.ts'
import { medianOfAll } from '../included.ts'
import { fitBaseline, type FittedBaseline } from '../baseline.ts'

const HOUR = 3_600_000
type Course = (t: number) => number
type Options = Partial<Parameters<typeof fitBaseline>[3]> & { readonly excluded?: (t: number) => boolean }

const rowsFrom = (length: number, course: Course, interval = HOUR): Rows =>
  rowsOf([fromColumns({ start: 0, interval, columns: { a: Array.from({ length }, (_, t) => course(t)) } })])

function fitRows (rows: Rows, options: Options = {}): FittedBaseline {
  const { causal = false, anyPeriod = true, excluded = () => false } = options
  const included = Uint8Array.from(rows.index, (_, t) => excluded(t) ? 0 : 1)
  return fitBaseline(rows, 0, included, { causal, anyPeriod, robust: false })
}

const fit = (length: number, course: Course, options: Options = {}): Baseline =>
  fitRows(rowsFrom(length, course), options).baseline

const day = (t: number): number => Math.sin(2 * Math.PI * t / 24)
const noiseOf = (seed: string): () => number => createRandom(seed).normal

/** A random walk, the same whenever its rows are asked for in turn. */
function walkOf (seed: string, step = 1): Course {
  const noise = noiseOf(seed)
  let at = 0
  return () => (at += step * noise())
}

const plain = (values: Iterable<number>): number[] => Array.from(values, (value) => Math.round(value * 1e9) / 1e9 + 0)

t.test('a channel without a course has a median and a scale', async (t) => {
  const noise = noiseOf('plain')
  const { base, scale, ...course } = fit(600, () => 20 + 3 * noise())
  t.match(course, { period: 1, level: 0, multiplicative: false })
  t.same(plain(course.profile), [0])
  t.ok(Math.abs(base - 20) < 0.5 && Math.abs(scale[0]! - 3) < 0.5, `${base}, ${scale[0]}`)
  const other = noiseOf('plain')
  const spiked = fit(600, (t) => 20 + 3 * other() + (t % 50 === 0 ? 500 : 0))
  t.ok(spiked.scale[0]! < 4, 'spikes hardly widen it')
  const rests = fit(100, (t) => t % 10 === 0 ? 1 : 0, { anyPeriod: false })
  t.same(plain(rests.scale), [0.12533], 'a spread, where most values are the median')
  t.same(fit(60, () => 5).scale, [1], 'a constant channel has none')
})

t.test('a level is followed where it wanders, if there are rows enough to tell', async (t) => {
  for (const [length, level] of [[121, 0], [122, 61], [399, 61], [400, 201], [2000, 250]] as const) {
    t.equal(fitRows(rowsFrom(length, walkOf('walk'), 1000), { anyPeriod: false }).baseline.level, level, `${length}`)
  }
  const { residuals } = fitRows(rowsFrom(600, walkOf('walk'), 1000), { causal: true, anyPeriod: false })
  t.ok(Number.isNaN(residuals[0]!) && !residuals.subarray(201).some(Number.isNaN), 'unknown until half of it is there')
  const walk = walkOf('parts')
  const a = Array.from({ length: 700 }, (_, t) => walk(t))
  const whole = fromColumns({ start: 0, interval: 1000, columns: { a } })
  const parts = rowsOf([slice(whole, 0, 400), slice(whole, 400, 700)])
  const apart = fitRows(parts, { causal: true, anyPeriod: false })
  t.ok(apart.baseline.level > 0 && Number.isNaN(apart.residuals[400]!), 'each series has a level of its own')
})

t.test('day and week are looked for in the calendar, and no other cycle unless it may be any', async (t) => {
  const noise = noiseOf('calendar')
  const weekly: Course = (t) => Math.floor(t / 24) % 7 < 5 ? 10 * day(t) : 0
  t.equal(fit(400, (t) => 10 * day(t) + noise(), { anyPeriod: false }).period, 24)
  t.equal(fit(700, (t) => weekly(t) + noise(), { anyPeriod: false }).period, 168)
  const own: Course = (t) => 10 * Math.sin(2 * Math.PI * t / 13.4) + noise()
  t.equal(fit(400, own, { anyPeriod: false }).period, 1)
  const found = fitRows(rowsFrom(400, own))
  t.ok(found.found && Math.abs(found.baseline.period - 13.4) < 0.1, `${found.baseline.period}`)
  t.notOk(fitRows(rowsFrom(400, (t) => 10 * day(t) + noise())).found, 'a day that is found is that of the calendar')
  t.equal(fit(47, day, { anyPeriod: false }).period, 1, 'less than two cycles')
  t.equal(fit(23, (t) => t % 4).period, 1, 'too few rows to find one')
})

t.test('of few cycles, a season must tell more', async (t) => {
  const noise = noiseOf('few')
  const blurred: Course = (t) => 2.2 * day(t) + 1.2 * noise()
  t.equal(fit(240, blurred, { anyPeriod: false }).period, 24)
  t.equal(fit(60, blurred, { anyPeriod: false }).period, 1)
  t.equal(fit(60, (t) => 9 * day(t) + noise(), { anyPeriod: false }).period, 24)
})

t.test('a season may lie on a level, and grow with it where values are positive', async (t) => {
  const noise = noiseOf('growing')
  const [grows, lies, sinks] = [
    fit(600, (t) => (20 + t / 5) * (2 + day(t)) + 0.5 * noise()),
    fit(600, (t) => 300 + t / 2 + 20 * day(t) + noise()),
    fit(600, (t) => (t / 5 - 60) * (2 + day(t)) + 0.5 * noise()),
  ]
  t.match(grows, { period: 24, multiplicative: true })
  t.ok(grows.level > 0)
  t.match(lies, { period: 24, multiplicative: false })
  t.ok(lies.level > 0)
  t.match(sinks, { multiplicative: false }, 'no growth below 0')
  const hardly = fit(600, (t) => (300 + t / 50) * (1 + day(t) / 15) + noise())
  t.match(hardly, { period: 24, multiplicative: false }, 'a growth that is hardly seen is none')
  t.ok(hardly.level > 0)
  t.match(fit(600, (t) => 9 * day(t) + noise()), { period: 24, level: 0 }, 'no level without need')
})

t.test('a cycle that wanders tells the past, but not the future', async (t) => {
  const noise = noiseOf('wandering')
  const turn = (t: number): number => 2 * Math.PI * t / 20
  const late = (at: number): Course => (t) =>
    10 * (Math.sin(turn(t)) + (t < at ? 1 : -1) * Math.cos(2 * turn(t))) + noise()
  for (const [at, causal, period] of [[300, false, 20], [300, true, 1], [340, true, 20]] as const) {
    t.equal(Math.round(fit(400, late(at), { causal }).period), period, `another shape from ${at} on, causal: ${causal}`)
  }
})

t.test('a cycle that may drift is held out by halves', async (t) => {
  const noise = noiseOf('halves')
  const drifting: Course = (t) => (t < 280 ? 10 : 12) * Math.sin(2 * Math.PI * t / 20) + 0.1 * noise()
  const sizeOf = ({ residuals, baseline: { scale } }: FittedBaseline): number =>
    scale[5]! * medianOfAll(Float64Array.from({ length: 15 }, (_, k) => Math.abs(residuals[105 + 20 * k]!)))
  const [batch, causal] = [false, true].map((causal) => fitRows(rowsFrom(400, drifting), { causal }))
  t.equal(batch!.baseline.period, causal!.baseline.period)
  t.ok(Math.abs(sizeOf(causal!) - 2) < 0.3, `half by half the difference is whole: ${sizeOf(causal!)}`)
  t.ok(sizeOf(batch!) < 0.3, `cycle by cycle it is not: ${sizeOf(batch!)}`)
  t.ok(batch!.residuals.every((residual) => !Number.isNaN(residual)))
})

t.test('periods are looked for in the longest series', async (t) => {
  const noise = noiseOf('longest')
  const a = Array.from({ length: 400 }, (_, t) => t < 60 ? noise() : 10 * Math.sin(2 * Math.PI * t / 10) + noise())
  const series = fromColumns({ start: 0, interval: 1000, columns: { a } })
  const parts = [slice(series, 0, 60), slice(series, 60, 360), slice(series, 360, 400)]
  t.equal(fitRows(rowsOf(parts)).baseline.period, 10)
})

t.test('phases without a value are as the one in the middle; all scales are those of their phase', async (t) => {
  const noise = noiseOf('phases')
  const { period, profile, scale } = fit(480, (t) => 10 * day(t) + (t % 24 === 6 ? 4 : 0.5) * noise(), {
    excluded: (t) => t % 24 === 9,
  })
  t.equal(period, 24)
  t.ok(Math.abs(profile[9]!) < 1 && Math.abs(profile[8]! - 10 * day(8)) < 1, `${profile}`)
  t.ok(scale[6]! > 3 * scale[3]! && scale.every((size) => size > 0))
  const few = fit(96, (t) => 10 * day(t) + (t % 24 === 6 ? 4 : 0.5) * noise()).scale
  t.ok(few[6]! < 3 * few[5]!, 'of few cycles, neighbours share theirs')
  const exact = fit(240, day)
  t.ok(exact.scale.every((size) => size === exact.scale[0] && size > 1e-4), 'what is told exactly has a least scale')
  t.same(new Set(fit(240, (t) => Number.MIN_VALUE * (t % 24)).scale), new Set([1]), 'the smallest numbers have none')
})

t.test('of a long cycle, some phases are enough to judge', async (t) => {
  const noise = noiseOf('long')
  const size = (t: number): number => Math.floor(t / 96) % 7 < 5 ? 10 : 2
  const quarter: Course = (t) => size(t) * Math.sin(2 * Math.PI * t / 96) + noise()
  const { baseline, residuals } = fitRows(rowsFrom(12_100, quarter, HOUR / 4), { anyPeriod: false })
  t.equal(baseline.period, 672)
  t.ok(residuals.every((residual) => !Number.isNaN(residual)), 'all are told in the end')
  t.ok(Math.abs(baseline.profile[24]! - 10) < 1 && Math.abs(baseline.profile[6 * 96 + 24]! - 2) < 1)
})

t.test('another unit changes nothing but the unit', async () => {
  const courses: readonly Course[] = [
    (t) => t % 7,
    (t) => 30 + 10 * day(t) + t * t % 5,
    (t) => (20 + t / 5) * (2 + day(t)) + t * t % 3,
    (t) => Math.sqrt(1 + t) + t * t % 2,
  ]
  const powers = fc.integer({ min: -30, max: 30 })
  fc.assert(fc.property(fc.constantFrom(...courses), powers, fc.boolean(), (course, power, causal) => {
    const one = fitRows(rowsFrom(150, course), { causal })
    const other = fitRows(rowsFrom(150, (t) => 2 ** power * course(t)), { causal })
    const inUnit = (value: number): number => 2 ** power * value
    const { baseline } = one
    return isDeepStrictEqual(other, {
      ...one,
      baseline: {
        ...baseline,
        base: inUnit(baseline.base),
        profile: baseline.profile.map(inUnit),
        scale: baseline.scale.map(inUnit),
      },
    })
  }), { numRuns: 20 })
})
