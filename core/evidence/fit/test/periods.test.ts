// Periods of a channel: found, refined, and not invented.
import fc from 'fast-check'
import t from 'tap'
import { createRandom } from '../../../random.ts'
import { findPeriods } from '../periods.ts'

/** A season of any shape, repeated, with noise. */
function seasonal (seed: string, length: number, period: number, noise: number): Float64Array {
  const random = createRandom(seed)
  const shape = Array.from({ length: Math.ceil(period) }, random.normal)
  return Float64Array.from({ length }, (_, t) => shape[Math.floor(t % period)]! + noise * random.normal())
}

const sine = (length: number, period: number, noise: number, seed = 'sine'): Float64Array => {
  const random = createRandom(seed)
  return Float64Array.from({ length }, (_, t) => Math.sin(2 * Math.PI * t / period) + noise * random.normal())
}

t.test('the period of a season comes first, whatever its shape', async (t) => {
  for (const period of [5, 7, 12, 24, 60, 96]) {
    t.equal(findPeriods(seasonal(`${period}`, 600, period, 0.1), 200)[0], period, `${period}`)
    t.ok(findPeriods(seasonal(`${period}`, 600, period, 0.5), 200).includes(period), `${period}, more noise`)
  }
})

t.test('a fraction of an observation shows in the multiples', async (t) => {
  const [whole, fraction] = findPeriods(sine(600, 30.4, 0.2), 200)
  t.equal(whole, 30)
  t.ok(Math.abs(fraction! - 30.4) < 0.1, `${fraction}`)
  const long = findPeriods(sine(20_000, 125.66, 0.5), 6000)
  t.equal(long.length, 2, 'and multiples are no periods of their own')
  t.ok(Math.abs(long[1]! - 125.66) < 0.02, `${long[1]}`)
})

t.test('rare pulses, a trend and a wandering level hide no period', async (t) => {
  const random = createRandom('pulses')
  const pulses = Float64Array.from({ length: 600 }, (_, t) => (t % 50 === 7 ? 5 : 0) + 0.1 * random.normal())
  t.equal(findPeriods(pulses, 200)[0], 50)
  t.equal(findPeriods(pulses.map((value) => value > 2 ? 5 : 0), 200)[0], 50, 'most values equal')
  const season = seasonal('trend', 600, 24, 0.2)
  t.equal(findPeriods(season.map((value, t) => value + t / 20), 200)[0], 24, 'trend')
  let level = 0
  const wandering = season.map((value) => value + (level += 0.1 * random.normal()))
  t.ok(findPeriods(wandering, 200).includes(24), 'wandering level')
})

t.test('a few spikes hide no period', async (t) => {
  const spiky = sine(400, 20, 0.2).map((value, t) => t % 97 === 5 ? 1000 : value)
  t.equal(findPeriods(spiky, 130)[0], 20)
})

t.test('a week over a day gives both', async (t) => {
  const random = createRandom('week')
  const hourly = Float64Array.from({ length: 24 * 7 * 6 }, (_, t) => {
    const weekend = Math.floor(t / 24) % 7 > 4
    return Math.sin(2 * Math.PI * t / 24) * (weekend ? 0.2 : 1) - (weekend ? 1 : 0) + 0.1 * random.normal()
  })
  const found = findPeriods(hourly, 336)
  t.ok(found.includes(24) && found.includes(168), `${found}`)
})

t.test('noise, a constant, a line and a few values have no period', async (t) => {
  const random = createRandom('noise')
  t.same(findPeriods(Float64Array.from({ length: 1000 }, random.normal), 333), [])
  t.same(findPeriods(new Float64Array(100).fill(0.1), 33), [])
  t.same(findPeriods(Float64Array.from({ length: 100 }, (_, t) => 0.1 * t + 7), 33), [], 'a line')
  t.same(findPeriods(sine(23, 6, 0), 10), [])
  t.same(findPeriods(sine(24, 6, 0), 10), [6])
  t.same(findPeriods(sine(100, 40, 0), 30), [], 'longer than the longest')
  t.same(findPeriods(Float64Array.from({ length: 2000 }, (_, t) => Math.sin(t / 500)), 600), [], 'a slow wave')
})

t.test('lengths may alternate, and may exceed those that are kept', async (t) => {
  t.same(findPeriods(sine(170_000, 50, 0.1), 200), [50])
  t.same(findPeriods(sine(100, 10, 0.1), 30), [10])
  t.same(findPeriods(sine(3000, 10, 0.1), 30), [10])
  t.same(findPeriods(sine(100, 10, 0.1), 30), [10])
})

/** Subnormal numbers are left out: another unit rounds them. */
const anyValue = fc.oneof(fc.double({ min: -10, max: 10, noNaN: true }), fc.constantFrom(0, 1))
  .map((value) => Math.abs(value) < 1e-200 ? 0 : value)
const anyValues = fc.array(anyValue, { maxLength: 90, size: 'max' }).map((list) => Float64Array.from(list))
const anyLongest = fc.integer({ min: 1, max: 100 })

t.test('periods are distinct, within bounds, at most three, and do not depend on the unit', async () => {
  fc.assert(fc.property(anyValues, anyLongest, fc.integer({ min: -30, max: 30 }), (x, longest, power) => {
    const found = findPeriods(x, longest)
    const scaled = findPeriods(x.map((value) => value * 2 ** power), longest)
    return found.length <= 6 && new Set(found).size === found.length && `${found}` === `${scaled}` &&
      found.every((period) => period > 2 && period <= longest * 1.3 + 2)
  }), { numRuns: 300 })
})

t.test('extreme values are no failure', async (t) => {
  const extreme = Float64Array.from({ length: 200 }, (_, t) => t % 10 === 0 ? 1e300 : t % 10)
  t.equal(findPeriods(extreme, 60)[0], 10)
})
