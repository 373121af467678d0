// Whether recent scores are still those of the calibration.
import fc from 'fast-check'
import t from 'tap'
import { driftVerdict } from '../drift.ts'
import { createRandom } from '../../random.ts'
import { fitTail } from '../../scoring/tail.ts'

/** Autocorrelated scores about 0.6, forgotten within about ten observations. */
function scoresOf (seed: string, length: number): Float64Array {
  const random = createRandom(seed)
  let x = 0
  return Float64Array.from({ length }, () => {
    x = 0.9 * x + Math.sqrt(1 - 0.81) * random.normal()
    return Math.max(0, 0.6 + 0.1 * x)
  })
}

const tail = fitTail(scoresOf('calibration', 20_000))

t.test('the same process is stable, however few or many scores there are', async (t) => {
  for (const length of [1000, 4000, 40_000]) {
    const drifting = Array.from({ length: 20 }, (_, seed) => driftVerdict(tail, scoresOf(`${length}/${seed}`, length)))
      .filter((one) => one.drifting)
    t.ok(drifting.length <= 1, `${length} scores: ${drifting.length} of 20`)
  }
})

t.test('higher or wider scores drift, and the statistic tells by how much', async (t) => {
  for (let seed = 0; seed < 10; seed++) {
    const recent = scoresOf(`recent/${seed}`, 4000)
    t.match(driftVerdict(tail, recent.map((score) => score + 0.1)), {
      verdict: 'drifting',
      drifting: true,
      scores: 4000,
    }, 'by one deviation')
    t.ok(driftVerdict(tail, recent.map((score) => 0.6 + 2.5 * (score - 0.6))).drifting, 'wider')
    const small = driftVerdict(tail, recent.map((score) => score + 0.01))
    t.ok(!small.drifting && small.statistic < small.limit, 'a tenth of a deviation')
  }
})

t.test('too few scores, or none in the calibration, say nothing', async (t) => {
  t.match(driftVerdict(tail, new Float64Array(0)), { verdict: 'unknown', drifting: false, scores: 0 })
  t.match(driftVerdict(tail, scoresOf('few', 20)), { verdict: 'unknown', scores: 20 })
  t.match(driftVerdict(tail, new Float64Array(5000).fill(NaN)), { verdict: 'unknown', scores: 0 })
  t.match(driftVerdict(fitTail(new Float64Array(0)), scoresOf('many', 5000)), { verdict: 'unknown', scores: 5000 })
})

t.test('equal scores are stable against themselves and drift when they move', async (t) => {
  const same = fitTail(new Float64Array(500).fill(0.5))
  t.equal(driftVerdict(same, new Float64Array(1e5).fill(0.5)).verdict, 'stable')
  t.equal(driftVerdict(same, new Float64Array(1e5).fill(0.6)).verdict, 'drifting')
})

t.test('the numbers are finite, and missing scores change nothing', async () => {
  const anyScores = fc.array(
    fc.oneof(fc.constant(NaN), fc.constant(Infinity), fc.double({ min: 0, max: 2, noNaN: true })),
    { maxLength: 200, size: 'max' }
  ).map((list) => Float64Array.from(list))
  fc.assert(fc.property(anyScores, anyScores, (calibration, recent) => {
    const found = driftVerdict(fitTail(calibration), recent)
    const without = driftVerdict(fitTail(calibration), recent.filter((score) => !Number.isNaN(score)))
    return Number.isFinite(found.statistic) && Number.isFinite(found.limit) && found.statistic >= 0 &&
      JSON.stringify(found) === JSON.stringify(without)
  }))
})
