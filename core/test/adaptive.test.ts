// The threshold that follows slow change, but no fault.
import fc from 'fast-check'
import t from 'tap'
import { ADAPTIVE_DEFAULTS, AdaptiveThreshold, adaptiveThresholds } from '../adaptive.ts'
import { createRandom } from '../random.ts'

/** Scores about `level`, a hundredth of them above 1 where the level is 0.6. */
function scoresAbout (level: (t: number) => number, length: number): Float64Array {
  const random = createRandom('adaptive')
  return Float64Array.from({ length }, (_, t) => Math.max(0, level(t) * (1 + 0.25 * random.normal())))
}

const flaggedShare = (scores: Float64Array, thresholds: Float64Array, from: number, to: number): number =>
  scores.subarray(from, to).filter((score, i) => score > thresholds[from + i]!).length / (to - from)

const anyScores = fc.array(fc.oneof(fc.constant(NaN), fc.constant(Infinity), fc.double({ min: 0, noNaN: true }), fc.double({ min: 0, max: 3, noNaN: true })), { maxLength: 200 })
  .map((list) => Float64Array.from(list))
const quick = { memory: 5, patience: 4, relearning: 2 }

t.test('while nothing drifts it is the calibrated threshold', async (t) => {
  t.ok(adaptiveThresholds(scoresAbout(() => 0.6, 5000)).every((threshold) => threshold < 1.05))
  t.ok(adaptiveThresholds(new Float64Array(100).fill(0.5)).every((threshold) => threshold === 1))
})

t.test('under slow drift false alarms stay few, and a fault stands out', async (t) => {
  const drifting = scoresAbout((t) => 0.6 * (1 + t / 10_000), 20_000)
  const thresholds = adaptiveThresholds(drifting)
  t.ok(flaggedShare(drifting, new Float64Array(20_000).fill(1), 15_000, 20_000) > 0.8, 'the fixed threshold is useless by then')
  t.ok(flaggedShare(drifting, thresholds, 15_000, 20_000) < 0.05)
  const faulty = drifting.map((score, t) => t >= 15_000 && t < 15_200 ? 3 * score : score)
  t.ok(flaggedShare(faulty, adaptiveThresholds(faulty), 15_000, 15_200) > 0.9)
})

t.test('a fault does not teach itself, a shift that lasts does', async (t) => {
  const at = (length: number): Float64Array => scoresAbout((t) => t >= 1000 && t < 1000 + length ? 6 : 0.6, 4000)
  const { patience } = ADAPTIVE_DEFAULTS
  t.ok(adaptiveThresholds(at(patience - 1)).every((threshold) => threshold < 1.05), 'shorter than the patience: as if it had not been')
  const shifted = at(3000)
  const thresholds = adaptiveThresholds(shifted)
  t.equal(flaggedShare(shifted, thresholds, 1000, 1000 + patience), 1)
  t.ok(flaggedShare(shifted, thresholds, 3000, 4000) < 0.1, 'two thousand later it is normal')
})

t.test('with hindsight what is normal before or after is normal', async (t) => {
  const shifted = scoresAbout((t) => t >= 2000 ? 6 : 0.6, 6000)
  t.ok(flaggedShare(shifted, adaptiveThresholds(shifted, { hindsight: true }), 2000, 6000) < 0.05, 'a lasting shift')
  const passing = scoresAbout((t) => t >= 2000 && t < 2300 ? 6 : 0.6, 6000)
  t.equal(flaggedShare(passing, adaptiveThresholds(passing, { hindsight: true }), 2000, 2300), 1, 'a passing one')
})

t.test('the threshold is finite and at least 1, and knows no later score', async () => {
  fc.assert(fc.property(anyScores, fc.nat(), (scores, cut) => {
    const whole = adaptiveThresholds(scores, quick)
    const to = cut % (scores.length + 1)
    const part = adaptiveThresholds(scores.slice(0, to + 1), quick)
    const hindsight = adaptiveThresholds(scores, { ...quick, hindsight: true })
    return whole.every((threshold, t) => threshold >= 1 && Number.isFinite(threshold) && hindsight[t]! >= threshold) && part.every((threshold, t) => threshold === whole[t])
  }))
})

t.test('a stream goes on from its state, and what is not scored teaches nothing', async (t) => {
  fc.assert(fc.property(anyScores, fc.nat(), (scores, cut) => {
    const first = new AdaptiveThreshold(quick)
    const to = cut % (scores.length + 1)
    const before = Array.from(scores.subarray(0, to), (score) => first.next(score))
    const second = new AdaptiveThreshold(quick, JSON.parse(JSON.stringify(first.state())) as ReturnType<AdaptiveThreshold['state']>)
    const after = Array.from(scores.subarray(to), (score) => second.next(score))
    t.same([...before, ...after], Array.from(adaptiveThresholds(scores, quick)))
  }), { numRuns: 30 })
  const threshold = new AdaptiveThreshold()
  const state = threshold.state()
  t.equal(threshold.next(NaN), 1)
  t.same(threshold.state(), state)
})

t.test('settings that make no threshold are refused by name', async (t) => {
  const wrong = [{ quantile: 0 }, { quantile: 1 }, { margin: 1 }, { margin: Infinity }, { memory: 0 }, { patience: 1.5 }, { relearning: NaN }]
  for (const settings of wrong) {
    t.throws(() => new AdaptiveThreshold(settings), { code: 'invalid-settings', message: new RegExp(`^${Object.keys(settings)[0]}`) })
  }
  t.throws(() => adaptiveThresholds(new Float64Array(1), { memory: -1 }), { code: 'invalid-settings' })
})
