// Order statistics by selection.
import fc from 'fast-check'
import t from 'tap'
import { medianInPlace, placeMiddle, quantile, quantileInPlace, quantiles } from '../quantile.ts'

const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -3, max: 3 }))
const numbers = fc.array(number, { maxLength: 700, size: 'max' })
const share = fc.double({ min: 0, max: 1, noNaN: true })

t.test('quantiles are those of the sorted values, bit for bit, whatever is not a number', async (t) => {
  fc.assert(fc.property(numbers, fc.array(share, { maxLength: 5 }), (values, shares) => {
    const sorted = Float64Array.from(values).sort()
    const last = sorted.length - 1
    const wanted = shares.map((share) => {
      const below = Math.floor(share * last)
      return last < 0 ? NaN : between(sorted[below]!, sorted[Math.min(last, below + 1)]!, share * last - below)
    })
    t.strictSame(quantiles(values.flatMap((value) => [NaN, value]), shares).map(plain), wanted.map(plain))
  }))
})

function between (low: number, high: number, share: number): number {
  return low + (high - low) * share
}

t.test('a quantile in place is that of a copy, bit for bit', async () => {
  fc.assert(fc.property(numbers, share, (values, share) =>
    Object.is(plain(quantileInPlace(Float64Array.from(values), share)), plain(quantile(values, share)))
  ))
})

t.test('a median in place is that of the first values', async () => {
  fc.assert(fc.property(numbers.filter(({ length }) => length > 0), (values) => {
    const sorted = Float64Array.from(values).sort()
    const [low, high] = [sorted[(sorted.length - 1) >> 1]!, sorted[sorted.length >> 1]!]
    const median = medianInPlace(Float64Array.from([...values, -1e300, 1e300]), values.length)
    return plain(median) === plain(sorted.length % 2 === 1 ? high : (low + high) / 2)
  }))
})

t.test('the middle of some values stands as if all were sorted, whatever follows them', async (t) => {
  fc.assert(fc.property(numbers, (values) => {
    const count = values.length
    const placed = Float64Array.from([...values, -1e300, 1e300])
    placeMiddle(placed, count)
    const sorted = Float64Array.from(values).sort()
    const [from, to] = [Math.max(0, (count - 2) >> 1), Math.min(count, (count >> 1) + 1)]
    t.strictSame(Array.from(placed.subarray(from, to), plain), Array.from(sorted.subarray(from, to), plain))
    t.strictSame(Array.from(placed.slice(0, count).sort(), plain), Array.from(sorted, plain), 'no value is lost')
    t.strictSame(Array.from(placed.subarray(count)), [-1e300, 1e300])
  }))
})

/** Zeros of both signs are equal. */
function plain (value: number): number {
  return value + 0
}

/** 0 … length − 1 in an order in which each pivot in the middle is the largest value that is left. */
function unlucky (length: number): Float64Array {
  const places = Array.from({ length }, (_, i) => i)
  const values = new Float64Array(length)
  for (let last = length - 1; last > 0; last--) {
    const middle = last >> 1
    values[places[middle]!] = last
    places[middle] = places[last]!
  }
  return values
}

t.test('an unlucky order of the values is no hindrance', async (t) => {
  const values = unlucky(200)
  t.strictSame(Array.from(values.toSorted().keys()), Array.from(values.toSorted()), 'each value once')
  for (const rank of [0, 1, 100, 150, 198, 199]) {
    t.equal(Math.round(quantileInPlace(values.slice(), rank / 199) * 1e6) / 1e6, rank)
  }
})

t.test('no values have no quantile', async (t) => {
  t.ok(Number.isNaN(quantileInPlace(new Float64Array(0), 0.5)))
})
