// The tail of normal scores: thresholds for a budget of false alarms and for a sensitivity.
import fc from 'fast-check'
import t from 'tap'
import { createRandom } from '../../random.ts'
import {
  expectedFalseAlarmsPerDay,
  fitTail,
  TAIL_PROBABILITIES,
  thresholdForBudget,
  thresholdForSensitivity,
} from '../tail.ts'

const TEN_MINUTES = 600_000

/** Scores like those of a healthy process: an autoregression that forgets within about ten observations. */
function normalScores (seed: string, length: number): Float64Array {
  const random = createRandom(seed)
  let x = 0
  return Float64Array.from({ length }, () => {
    x = 0.9 * x + Math.sqrt(1 - 0.81) * random.normal()
    return Math.max(0, 0.6 + 0.15 * x)
  })
}

const runsAbove = (scores: Float64Array, threshold: number): number =>
  scores.reduce((runs, score, i) => runs + (score > threshold && !(scores[i - 1]! > threshold) ? 1 : 0), 0)

const anyScores = fc.array(
  fc.oneof(
    fc.constant(NaN),
    fc.constant(0.5),
    fc.double({ min: 0, noNaN: true }),
    fc.double({ min: 0, max: 2, noNaN: true })
  ),
  { maxLength: 80, size: 'max' }
)
  .map((list) => Float64Array.from(list))
const budget = fc.oneof(fc.double({ min: 0, noNaN: true }), fc.double({ min: 0, max: 50, noNaN: true }))
const share = fc.double({ min: 0, max: 1, noNaN: true })

t.test('the rate of alarms on new normal data is within a factor of three of the budget', async (t) => {
  const fresh = normalScores('live', 100_000)
  for (const length of [8_000, 40_000]) {
    for (const perDay of [1 / 7, 1, 4]) {
      const threshold = thresholdForBudget(fitTail(normalScores(`calibration/${length}`, length)), perDay, TEN_MINUTES)
      const ratio = runsAbove(fresh, threshold) / (perDay * fresh.length / 144)
      t.ok(ratio > 1 / 3 && ratio < 3, `${perDay} a day from ${length} scores: ${ratio} times the budget`)
    }
  }
})

t.test('the shape of a Pareto tail is found again', async (t) => {
  const random = createRandom('pareto')
  // Uniform scores end at 1 (shape −1, bound −½); of the inverse square root of uniforms the shape is ½.
  t.ok(Math.abs(fitTail(Float64Array.from({ length: 20_000 }, () => random.uniform())).shape + 0.5) < 0.05)
  const heavy = fitTail(Float64Array.from({ length: 20_000 }, () => 0.1 / Math.sqrt(random.uniform() + 1e-12)))
  t.ok(Math.abs(heavy.shape - 0.5) < 0.1, `${heavy.shape}`)
  const exponential = fitTail(Float64Array.from({ length: 20_000 }, () => -0.2 * Math.log(1 - random.uniform())))
  t.ok(
    Math.abs(exponential.shape) < 0.1 && Math.abs(exponential.scale / 0.2 - 1) < 0.1,
    `${exponential.shape} ${exponential.scale}`
  )
})

t.test('more alarms allowed, never a higher threshold; always finite, above 0', async () => {
  fc.assert(fc.property(anyScores, budget, budget, fc.integer({ min: 1, max: 1e9 }), (scores, a, b, interval) => {
    const tail = fitTail(scores)
    const [few, many] = [Math.min(a, b), Math.max(a, b)].map((allowed) => thresholdForBudget(tail, allowed, interval))
    return many! <= few! && many! > 0 && Number.isFinite(few!)
  }))
})

t.test('more sensitive never removes a verdict, and a half is the default threshold', async () => {
  fc.assert(fc.property(anyScores, share, share, (scores, a, b) => {
    const tail = fitTail(scores)
    const [calm, keen] = [Math.min(a, b), Math.max(a, b)].map((sensitivity) =>
      thresholdForSensitivity(tail, sensitivity)
    )
    return keen! <= calm! && keen! > 0 && Number.isFinite(calm!) && thresholdForSensitivity(tail, 0.5) === 1 &&
      scores.every((score) => !(score > calm!) || score > keen!)
  }))
})

t.test('a budget gives a threshold that expects the budget', async (t) => {
  const tail = fitTail(normalScores('round trip', 20_000))
  for (const perDay of [1e-4, 0.01, 1 / 7, 1, 3, 6]) {
    const expected = expectedFalseAlarmsPerDay(tail, thresholdForBudget(tail, perDay, TEN_MINUTES), TEN_MINUTES)
    t.ok(Math.abs(expected / perDay - 1) < 1e-9, `${perDay}: ${expected}`)
  }
  const most = expectedFalseAlarmsPerDay(tail, 1e-9, TEN_MINUTES)
  t.equal(
    expectedFalseAlarmsPerDay(tail, thresholdForBudget(tail, 1e6, TEN_MINUTES), TEN_MINUTES),
    most,
    'more than there can be asks for all there are'
  )
})

t.test('what is expected falls with the threshold and scales with the interval', async () => {
  const threshold = fc.double({ min: 1e-6, max: 1e9, noNaN: true })
  fc.assert(fc.property(anyScores, threshold, threshold, (scores, a, b) => {
    const tail = fitTail(scores)
    const high = expectedFalseAlarmsPerDay(tail, Math.max(a, b), 1000)
    const low = expectedFalseAlarmsPerDay(tail, Math.min(a, b), 1000)
    return high >= 0 && high <= low * (1 + 1e-12) && Number.isFinite(low) &&
      expectedFalseAlarmsPerDay(tail, a, 500) === 2 * expectedFalseAlarmsPerDay(tail, a, 1000)
  }))
})

t.test('sensitivities between the median and the far tail', async (t) => {
  const tail = fitTail(normalScores('sensitivity', 20_000))
  const median = tail.quantiles[TAIL_PROBABILITIES.indexOf(0.5)]!
  t.equal(thresholdForSensitivity(tail, 1), median)
  t.equal(thresholdForSensitivity(tail, 0.75), Math.sqrt(median))
  t.ok(
    Math.abs(expectedFalseAlarmsPerDay(tail, thresholdForSensitivity(tail, 0), TEN_MINUTES) / 144e-6 - 1) < 1e-9,
    'one run in a million observations'
  )
})

t.test('a tail is plain finite numbers, however few, equal or wild the scores', async (t) => {
  fc.assert(fc.property(anyScores, (scores) => {
    const tail = fitTail(scores)
    const numbers = [tail.count, tail.shape, tail.scale, ...tail.quantiles, ...tail.runs]
    t.same(JSON.parse(JSON.stringify(tail)), tail)
    return numbers.every(Number.isFinite) && tail.scale > 0 && Math.abs(tail.shape) <= 0.5 &&
      tail.runs.every((rate) => rate >= 0 && rate <= 1)
  }))
  const none = fitTail(new Float64Array(5).fill(NaN))
  t.equal(thresholdForBudget(none, 1, 1000), 1, 'nothing known: the default threshold')
  t.equal(thresholdForSensitivity(none, 1), 1)
  const same = fitTail(new Float64Array(50).fill(0.9))
  t.equal(thresholdForBudget(same, 0, 1000), 1, 'equal scores are no evidence of rarer ones: the default threshold')
  t.equal(expectedFalseAlarmsPerDay(same, 1, 1000), 0)
})

t.test('an exponential tail halves the alarms with every ln 2 of its scale', async (t) => {
  const tail = {
    count: 1000,
    quantiles: TAIL_PROBABILITIES.map((p) => p),
    runs: TAIL_PROBABILITIES.map(() => 0.01),
    shape: 0,
    scale: 0.1,
  }
  t.ok(Math.abs(thresholdForBudget(tail, 0.01 * 144 / 8, TEN_MINUTES) - (0.95 + 0.3 * Math.LN2)) < 1e-12)
  t.ok(Math.abs(expectedFalseAlarmsPerDay(tail, 0.95 + 0.2 * Math.LN2, TEN_MINUTES) - 0.36) < 1e-12)
})

t.test('a gap ends a run', async (t) => {
  const scores = Float64Array.from({ length: 100 }, (_, i) => i < 96 ? 0 : 1)
  const cut = scores.slice()
  cut[98] = NaN
  t.equal(fitTail(scores).runs.at(-1), 1 / 100)
  t.equal(fitTail(cut).runs.at(-1), 2 / 99)
})

t.test('impossible budgets, sensitivities, thresholds and intervals are refused', async (t) => {
  const tail = fitTail(normalScores('bad', 500))
  const refused = (run: () => unknown, message: RegExp): unknown => t.throws(run, { code: 'invalid-settings', message })
  for (const bad of [-1, NaN]) refused(() => thresholdForBudget(tail, bad, 1000), /falseAlarmsPerDay must be 0 or more/)
  for (const bad of [0, NaN, Infinity]) refused(() => thresholdForBudget(tail, 1, bad), /interval must be/)
  for (const bad of [-0.1, 1.1, NaN]) refused(() => thresholdForSensitivity(tail, bad), /sensitivity must be .* 0 to 1/)
  refused(() => expectedFalseAlarmsPerDay(tail, 0, 1000), /threshold must be a number above 0/)
})
