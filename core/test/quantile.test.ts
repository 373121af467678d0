// Order statistics in place.
import fc from 'fast-check'
import t from 'tap'
import { placeMiddle, quantile, quantileInPlace } from '../quantile.ts'

const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -3, max: 3 }))
const numbers = fc.array(number, { maxLength: 700 })

t.test('a quantile in place is that of a copy, bit for bit', async (t) => {
  fc.assert(fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) =>
    Object.is(quantileInPlace(Float64Array.from(values), share), quantile(values, share))
  ))
})

t.test('the middle of some values stands as if all were sorted, whatever follows them', async (t) => {
  fc.assert(fc.property(numbers, (values) => {
    const count = values.length
    const placed = Float64Array.from([...values, -1e300, 1e300])
    placeMiddle(placed, count)
    const sorted = Float64Array.from(values).sort()
    const [from, to] = [Math.max(0, (count - 2) >> 1), Math.min(count, (count >> 1) + 1)]
    t.strictSame(plain(placed.subarray(from, to)), plain(sorted.subarray(from, to)))
    t.strictSame(plain(placed.slice(0, count).sort()), plain(sorted), 'no value is lost')
    t.strictSame(Array.from(placed.subarray(count)), [-1e300, 1e300])
  }))
})

/** Zeros of both signs are equal. */
const plain = (values: Float64Array): number[] => Array.from(values, (value) => value + 0)

t.test('no values have no quantile', async (t) => {
  t.ok(Number.isNaN(quantileInPlace(new Float64Array(0), 0.5)))
})
