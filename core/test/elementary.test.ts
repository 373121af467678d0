// Logarithm, exponential, power and sine from sums, products and quotients.
import fc from 'fast-check'
import t from 'tap'
import { exp, ln, pow, sinPi } from '../elementary.ts'

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

t.test('a power agrees with that of the language', async (t) => {
  fc.assert(fc.property(size, fc.double({ min: -1, max: 1, noNaN: true }), (x, power) =>
    Math.abs(pow(x, power) / x ** power - 1) < 1e-12))
  t.equal(pow(10, 400), exp(700), 'the largest power is finite')
  t.same([pow(0, 2), pow(0, -2), pow(Infinity, 2), pow(Infinity, -2)], [0, Infinity, Infinity, 0])
})

t.test('the sine of half turns agrees with that of the language to rounding', async (t) => {
  fc.assert(fc.property(fc.double({ min: -2, max: 2, noNaN: true }), (x) =>
    Math.abs(sinPi(x) - Math.sin(Math.PI * x)) < 1e-15), { numRuns: 2000 })
  t.same([-0.5, 0, 0.5, 1.5].map(sinPi), [-1, 0, 1, -1])
})
