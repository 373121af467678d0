// One score from evidence and pattern: on which side of 1 it lies, whom it blames, and which patterns are smears.
import fc from 'fast-check'
import t from 'tap'
import { PatternGate, reachOf, scoreOf, shareEvidence, shutPatterns } from '../union.ts'

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
  shareEvidence({ ratio: Float64Array.of(0, 0), departure: Float64Array.of(0, 0) }, shares)
  t.same([...shares.subarray(0, 2)], [0.5, 0.5], 'nobody is blamed for nothing')
})

/** 40 zeros, and values in some places. */
function row (places: Record<number, number>): Float64Array {
  const values = new Float64Array(40)
  for (const [t, value] of Object.entries(places)) values[Number(t)] = value
  return values
}
const run = (from: number, to: number, value: number): Record<number, number> =>
  Object.fromEntries(Array.from({ length: to - from + 1 }, (_, i) => [from + i, value]))

t.test('with hindsight, brief peaks and smears are not told; a pattern that is stronger or longer is', async (t) => {
  const options = { reach: reachOf({ windowLength: 4 }, 6), smoothing: 6 }
  const shutIn = (pattern: Float64Array, ratio: Float64Array): number[] =>
    [...shutPatterns(pattern, ratio, options)].flatMap((isShut, t) => isShut === 1 ? [t] : [])
  t.same(shutIn(row({ 5: 2, ...run(20, 23, 2) }), row({})), [5], 'only a brief peak')
  t.same(shutIn(row(run(20, 25, 2)), row({ 15: 3 })), [20, 21, 22, 23, 24, 25], 'a smear of evidence before')
  t.same(shutIn(row(run(20, 25, 9)), row({ 15: 3 })), [], 'three times as strong')
  t.same(shutIn(row(run(20, 25, 2)), row({ 2: 3 })), [], 'too far away')
  t.same(shutIn(row(run(10, 32, 2)), row({ 15: 3 })), [], 'longer than a smear')
  t.same(shutIn(row({ 15: 9 }), row({ 15: 3 })), [], 'brief, but on evidence')
})

t.test('causally, too, and a lone channel repeats its evidence for longer', async (t) => {
  const gate = (channels: number): PatternGate => new PatternGate({ reach: 10, smoothing: 8, channels })
  const told = (of: PatternGate, pattern: Float64Array, ratio: Float64Array): number[] =>
    Array.from(pattern, (value, t) => of.isShut(value, ratio[t]!)).flatMap((isShut, t) =>
      !isShut && pattern[t]! > 1 ? [t] : []
    )
  t.same(told(gate(2), row({ 5: 2, ...run(20, 23, 2) }), row({})), [22, 23], 'a quarter of the mean is brief')
  t.same(told(gate(2), row(run(10, 24, 2)), row({ 9: 3 })), [20, 21, 22, 23, 24], 'a smear reaches so far')
  t.same(told(gate(2), row(run(10, 14, 4)), row({ 9: 3 })), [12, 13, 14], 'stronger than the evidence')
  t.same(told(gate(1), row(run(10, 14, 4)), row({ 9: 3 })), [], 'of a lone channel it must be four times as strong')
  const first = gate(2)
  told(first, row(run(10, 39, 2)), row({ 35: 3 }))
  const second = gate(2)
  second.restore(first.save())
  t.same(second.save(), first.save())
  t.equal(second.isShut(2, 0), first.isShut(2, 0))
})
