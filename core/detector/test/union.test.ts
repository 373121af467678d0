// One score from evidence and pattern: on which side of 1 it lies, and whom it blames.
import fc from 'fast-check'
import t from 'tap'
import { scoreOf, shareEvidence } from '../union.ts'

const positive = fc.double({ min: 0, max: 1e6, noNaN: true })

t.test('the score is above 1 exactly where the ratio is, or a pattern that is no smear', async (t) => {
  fc.assert(fc.property(fc.oneof(positive, fc.constant(NaN)), positive, fc.boolean(), (pattern, ratio, isShut) => {
    const plain = Number.isNaN(pattern) ? ratio : pattern
    return (scoreOf(pattern, ratio, isShut) > 1) === (ratio > 1 || (plain > 1 && !isShut))
  }))
  const least = 1 + Number.EPSILON
  for (const pattern of [NaN, 0, 0.01, 0.5, 1, 3]) {
    for (const ratio of [least, 1.01, 1.1, 1.3]) t.ok(scoreOf(pattern, ratio, true) > 1, `${pattern}, ${ratio}`)
    t.notOk(scoreOf(pattern, 1, true) > 1, `${pattern}`)
  }
  t.equal(scoreOf(least, 0, false), least, 'a pattern alone')
  t.equal(scoreOf(NaN, 0.7, false), 0.7, 'evidence alone ranks without a pattern')
})

t.test('more evidence never ranks lower, nor does more pattern', async () => {
  fc.assert(fc.property(positive, positive, fc.double({ min: 1, max: 1e3, noNaN: true }), (pattern, ratio, factor) => {
    const score = scoreOf(pattern, ratio, false)
    return (ratio <= 1 || scoreOf(pattern, ratio * factor, false) >= score) &&
      scoreOf(pattern * factor, ratio, false) >= score
  }))
})

t.test('of ratios about as large, the channel that departs from its season has the larger share', async (t) => {
  const shares = new Float64Array(4)
  t.equal(shareEvidence({ ratio: Float64Array.of(3, 2.9), departure: Float64Array.of(0, 5) }, shares, 2), 0)
  t.ok(shares[3]! > shares[2]! && shares[0] === 0, `${shares}`)
  t.equal(shareEvidence({ ratio: Float64Array.of(1, 3), departure: new Float64Array(2) }, new Float64Array(2)), 1)
  shareEvidence({ ratio: Float64Array.of(0, 0), departure: Float64Array.of(0, 0) }, shares)
  t.same([...shares.subarray(0, 2)], [0.5, 0.5], 'nobody is blamed for nothing')
})
