// Logarithm and exponential from sums, products and quotients.
import fc from 'fast-check'
import t from 'tap'
import { exp, ln } from '../elementary.ts'

const size = fc.double({ min: -290, max: 300, noNaN: true }).map((exponent) => 10 ** exponent)

t.test('the logarithm agrees with that of the language to rounding', async (t) => {
  fc.assert(fc.property(size, (x) => Math.abs(ln(x) - Math.log(x)) <= 4e-16 * Math.max(1, Math.abs(Math.log(x)))), {
    numRuns: 2000,
  })
  t.equal(ln(1), 0)
  t.equal(ln(2), Math.LN2)
})

t.test('the exponential agrees with that of the language to rounding', async (t) => {
  fc.assert(
    fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) =>
      Math.abs(exp(x) / Math.exp(x) - 1) <= 3e-16 * Math.max(1, Math.abs(x))),
    { numRuns: 2000 }
  )
  t.equal(exp(0), 1)
})

t.test('one undoes the other', async () => {
  fc.assert(fc.property(size, (x) => Math.abs(exp(ln(x)) / x - 1) < 1e-12))
})
