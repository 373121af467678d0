// The level: the median of a moving set of scores against a sort of each set, and what it never does.
import fc from 'fast-check'
import t from 'tap'
import {
  centredLevels,
  divideByLevels,
  LEAST_EVIDENCE,
  type Level,
  levelFactor,
  LevelWindow,
  NO_LEVEL,
  withoutLevel,
} from '../level.ts'
import { createRandom } from '../../random.ts'

const divideByCentredLevel = (scores: Float64Array, level: Level): void =>
  divideByLevels(scores, centredLevels(scores, level))

/**
 * The divisor, computed afresh: from the lower median of the scores, padded with zeros to LEAST_EVIDENCE.
 */
function divisorOf (scores: readonly number[], factor: number): number {
  const missing = Array<number>(Math.max(0, LEAST_EVIDENCE - scores.length)).fill(0)
  const sorted = Float64Array.from([...scores, ...missing]).sort()
  return Math.max(1, factor * sorted[(sorted.length - 1) >> 1]!)
}

/** Scores that are quiet, loud and in between in turn, with values that repeat. */
function wanderingScores (seed: number, length: number): number[] {
  const random = createRandom(`level/${seed}`)
  let height = 0.5
  return Array.from({ length }, (_, i) => {
    if (i % 97 === 0) height = 3 * random.uniform()
    return Math.round(20 * Math.abs(height + 0.3 * random.normal())) / 20
  })
}

const factors = fc.constantFrom(1, 1.3, 2, 3)
const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-15 * b

t.test('after every push and shift the divisor is that of the sorted set', async () => {
  const spans = fc.constantFrom(260, 499, 500, 501, 640)
  fc.assert(
    fc.property(
      fc.record({
        span: spans,
        factor: factors,
        seed: fc.nat(),
        shifts: fc.constantFrom(0, 0.3, 0.6),
        every: fc.constantFrom(1, 13),
      }),
      ({ span, factor, seed, shifts, every }) => {
        const random = createRandom(seed)
        const window = new LevelWindow({ span, factor })
        let held: number[] = []
        for (const [i, score] of wanderingScores(seed, 1500).entries()) {
          window.push(score)
          held = [...held, score].slice(-span)
          if (held.length > 400 && random.uniform() < shifts) {
            window.shift()
            held.shift()
          }
          if (i % every === 0 && i > 240 && !near(window.divisor, divisorOf(held, factor))) return false
        }
        return true
      }
    ),
    { numRuns: 12 }
  )
})

t.test('a set that is saved and restored goes on as if nothing had been', async (t) => {
  const scores = wanderingScores(3, 1500).map((score, i) => i % 11 === 0 ? NaN : score)
  const whole = new LevelWindow({ span: 640, factor: 1.3 })
  let window = new LevelWindow({ span: 640, factor: 1.3 })
  const raised = scores.map((score, i) => {
    for (const one of [whole, window]) one.push(score)
    if (i % 101 === 0) {
      const saved = window.save()
      window = new LevelWindow({ span: 640, factor: 1.3 })
      window.restore(saved)
    }
    return [window.divisor, whole.divisor]
  })
  t.equal(raised.findIndex(([here, there]) => here !== there), -1)
  t.ok(raised.some(([divisor]) => divisor! > 1))
})

t.test('a set can be emptied and filled again', async (t) => {
  const window = new LevelWindow({ span: 600, factor: 1 })
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 600; i++) window.push(2 + round)
    t.equal(window.divisor, 2 + round)
    for (let i = 0; i < 600; i++) window.shift()
    t.equal(window.divisor, 1)
  }
})

t.test('fewer than half of the least evidence never raise the level, however high', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: LEAST_EVIDENCE / 2 }),
      factors,
      (scores, factor) => {
        const window = new LevelWindow({ span: 2001, factor })
        return scores.every((score) => {
          window.push(score)
          return window.divisor === 1
        })
      }
    )
  )
})

t.test('missing evidence counts as 0: the level of 500 scores at least half of which must be loud', async (t) => {
  const window = new LevelWindow({ span: 1001, factor: 2 })
  const needed: number[] = []
  for (let i = 1; i <= LEAST_EVIDENCE; i++) {
    window.push(4)
    if (window.divisor > 1) needed.push(i)
  }
  t.equal(needed[0], LEAST_EVIDENCE / 2 + 1, 'with 250 the lower median is still a zero')
  t.equal(window.divisor, 8)
  const short = new LevelWindow({ span: 250, factor: 2 })
  for (let i = 0; i < 1000; i++) short.push(4)
  t.equal(short.divisor, 1, 'and a span of no more never sees enough')
})

t.test('a minority of anomalies, and scores up to the reciprocal of the factor, leave the level alone', async () => {
  fc.assert(fc.property(fc.nat(), factors, (seed, factor) => {
    const random = createRandom(seed)
    const window = new LevelWindow({ span: 501, factor })
    for (let i = 0; i < 1200; i++) {
      window.push(i % 2 === 0 ? 1 / factor : random.uniform() / factor + (random.integer(20) === 0 ? 50 : 0))
      if (window.divisor !== 1) return false
    }
    return true
  }), { numRuns: 20 })
})

t.test('the centred level is that of the scores around, those not scored left out', async () => {
  const spans = fc.constantFrom(501, 601, 1201)
  fc.assert(
    fc.property(
      fc.record({
        span: spans,
        factor: factors,
        seed: fc.nat(),
        length: fc.integer({ min: 0, max: 1400 }),
        gapAt: fc.nat(1399),
        gapLength: fc.nat(80),
      }),
      ({ span, factor, seed, length, gapAt, gapLength }) => {
        const raw = Float64Array.from(wanderingScores(seed, length)).fill(NaN, gapAt, gapAt + gapLength)
        const scores = raw.slice()
        divideByCentredLevel(scores, { span, factor })
        const reach = (span - 1) / 2
        for (let i = 0; i < length; i += 7) {
          if (
            Number.isNaN(raw[i]!)
              ? !Number.isNaN(scores[i]!)
              : !near(
                  scores[i]!,
                  raw[i]! / divisorOf(
                    [...raw.subarray(Math.max(0, i - reach), i + reach + 1)].filter((score) => !Number.isNaN(score)),
                    factor
                  )
                )
          ) return false
        }
        return true
      }
    ),
    { numRuns: 15 }
  )
})

t.test('a centred score has the same bits wherever the series begins, beyond the reach of its ends', async () => {
  const level: Level = { span: 601, factor: 1.4 }
  fc.assert(fc.property(fc.nat(), fc.integer({ min: 1, max: 500 }), (seed, from) => {
    const raw = Float64Array.from(wanderingScores(seed, 1800))
    const [whole, late] = [raw.slice(), raw.slice(from)]
    divideByCentredLevel(whole, level)
    divideByCentredLevel(late, level)
    return late.subarray(300).every((score, i) => Object.is(score, whole[from + 300 + i]!))
  }), { numRuns: 20 })
})

t.test('without a level scores stay as they are', async (t) => {
  const scores = Float64Array.from({ length: 2000 }, () => 9)
  divideByCentredLevel(scores, NO_LEVEL)
  t.ok(scores.every((score) => score === 9))
  const raised = scores.slice()
  divideByCentredLevel(raised, { span: 1001, factor: 1 })
  t.ok(raised.every((score) => score === 1), 'and with one a lasting height is the new normal')
  const quiet = new LevelWindow(NO_LEVEL)
  quiet.push(9)
  t.equal(quiet.divisor, 1)
  const level = { span: 1001, factor: 2 }
  t.strictSame(withoutLevel({ name: 'x', causal: { threshold: 2, level }, batch: { level } }), {
    name: 'x',
    causal: { threshold: 2, level: NO_LEVEL },
    batch: { level: NO_LEVEL },
  })
})

t.test('the factor lets the level count above 1.4 times the median of calibration, and is from 1 to 3', async (t) => {
  fc.assert(fc.property(fc.double({ min: 0, noNaN: true }), (median) => {
    const factor = levelFactor(median)
    return factor >= 1 && factor <= 3 && (factor === 1 || factor === 3 || near(factor * 1.4 * median, 1))
  }))
  t.equal(levelFactor(0), 3)
  t.equal(levelFactor(10), 1)
})
