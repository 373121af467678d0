// The laws of scoring: causality, stream = batch, units, channel order, gaps, contributions.
import fc from 'fast-check'
import t from 'tap'
import { isAnomalous } from '../detection.ts'
import { Detector, detectCausal } from '../detector.ts'
import { detectBatch } from '../hindsight.ts'
import { observation, selectChannels, slice, type Series } from '../series.ts'
import { altered, fitLinear, scoresOf, SMALL, waves } from './synthetic.ts'

const TRAIN = 400
const all = waves(700)
const train = slice(all, 0, TRAIN)
const test = slice(all, TRAIN, 700)
const { model, autoencoders } = await fitLinear([train])

/** Seen by the detector: spikes, steps and missing values at random places. */
const dirty = fc.array(fc.record({ at: fc.nat(299), channel: fc.nat(2), what: fc.constantFrom('missing', 'spike', 'hold'), length: fc.integer({ min: 1, max: 6 }) }), { maxLength: 8 })
  .map((changes): Series => altered(test, (values) => {
    for (const { at, channel, what, length } of changes) {
      for (let i = at; i < Math.min(300, at + length); i++) {
        values[i * 3 + channel] = what === 'missing' ? NaN : what === 'spike' ? values[i * 3 + channel]! + 9 : values[at * 3 + channel]!
      }
    }
  }))

t.test('no score before the first window is full, in either scoring of a stream', async (t) => {
  const scores = scoresOf(detectCausal(model, autoencoders, test))
  t.same(scores.slice(0, 7), [null, null, null, null, null, null, null])
  t.type(scores[7], 'number')
  t.equal(scoresOf(detectBatch(model, autoencoders, test)).indexOf(null), -1, 'hindsight scores the first observations too')
  t.same(scoresOf(detectBatch(model, autoencoders, slice(test, 0, 7))), Array(7).fill(null), 'a series shorter than a window stays unscored')
  t.same(scoresOf(detectCausal(model, autoencoders, slice(test, 0, 0))), [])
})

t.test('the causal scores of a prefix are a prefix of the causal scores', async () => {
  fc.assert(fc.property(dirty, fc.nat(300), (series, length) => {
    const whole = scoresOf(detectCausal(model, autoencoders, series))
    const prefix = scoresOf(detectCausal(model, autoencoders, slice(series, 0, length)))
    return JSON.stringify(prefix) === JSON.stringify(whole.slice(0, length))
  }), { numRuns: 40 })
})

t.test('a stream, one observation at a time, gives the causal batch bit for bit', async () => {
  fc.assert(fc.property(dirty, (series) => {
    const batch = detectCausal(model, autoencoders, series)
    const stream = new Detector(model, autoencoders)
    const nothing = [NaN, NaN, NaN]
    const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => Array.from(a).every((value, i) => Object.is(value, b[i]))
    return Array.from({ length: series.length }, (_, i) => i).every((i) => {
      const { score, anomalous, contributions, expected, imputed } = stream.observe(observation(series, i))
      const at = (values: Float64Array | Uint8Array): ArrayLike<number> => values.subarray(i * 3, i * 3 + 3)
      return anomalous === (score === null ? null : isAnomalous(score)) && same([score ?? NaN], batch.score.subarray(i, i + 1)) &&
        same(contributions ?? nothing, at(batch.contributions)) && same(expected ?? nothing, at(batch.expected)) && same(imputed, at(batch.imputed))
    })
  }), { numRuns: 25 })
})

t.test('scores do not depend on what came long before', async (t) => {
  const reach = model.windowLength + model.causal.smoothing
  const late = scoresOf(detectCausal(model, autoencoders, slice(test, 100, 300)))
  t.same(late.slice(reach), scoresOf(detectCausal(model, autoencoders, test)).slice(100 + reach))
  const hindsight = scoresOf(detectBatch(model, autoencoders, slice(test, 100, 300)))
  const edge = model.windowLength + (model.batch.smoothing >> 1)
  t.same(hindsight.slice(edge), scoresOf(detectBatch(model, autoencoders, test)).slice(100 + edge))
})

t.test('contributions are not negative and sum to 1 wherever there is a score', async () => {
  fc.assert(fc.property(dirty, fc.boolean(), (series, hindsight) => {
    const { score, contributions } = (hindsight ? detectBatch : detectCausal)(model, autoencoders, series)
    return score.every((value, i) => {
      const parts = contributions.subarray(i * 3, i * 3 + 3)
      if (Number.isNaN(value)) return parts.every(Number.isNaN)
      return parts.every((part) => part >= 0) && Math.abs(parts.reduce((sum, part) => sum + part, 0) - 1) < 1e-9
    })
  }), { numRuns: 40 })
})

t.test('another unit of a channel, in training and scoring alike, changes no verdict', async () => {
  await fc.assert(fc.asyncProperty(
    fc.nat(2), fc.double({ min: -3, max: 3, noNaN: true }), fc.double({ min: -50, max: 50, noNaN: true }), fc.boolean(),
    async (channel, exponent, shift, hindsight) => {
      const factor = 10 ** exponent
      const inUnit = (series: Series): Series => altered(series, (values) => {
        for (let i = channel; i < values.length; i += 3) values[i] = factor * (values[i]! + shift)
      })
      const series = altered(test, (values) => { for (let i = 150; i < 170; i++) values[i * 3 + channel]! += 4 })
      const other = await fitLinear([inUnit(train)])
      const detect = hindsight ? detectBatch : detectCausal
      const before = detect(model, autoencoders, series).score
      const after = detect(other.model, other.autoencoders, inUnit(series)).score
      return before.every((score, i) => Number.isNaN(score) ? Number.isNaN(after[i]!) : Math.abs(score - 1) < 1e-4 || isAnomalous(score) === isAnomalous(after[i]!))
    }), { numRuns: 12 })
})

t.test('channels in another order give the same scores and permuted contributions', async (t) => {
  const order = [2, 0, 1]
  const names = order.map((c) => train.channels[c]!)
  const other = await fitLinear([selectChannels(train, names)])
  const series = altered(test, (values) => { for (let i = 150; i < 170; i++) values[i * 3 + 1]! += 4 })
  for (const detect of [detectCausal, detectBatch]) {
    const before = detect(model, autoencoders, series)
    const after = detect(other.model, other.autoencoders, selectChannels(series, names))
    const scoresDiffer = before.score.findIndex((score, i) => Math.abs(score - after.score[i]!) > 1e-5)
    t.equal(scoresDiffer, -1)
    const partsDiffer = before.score.findIndex((_, i) => order.some((c, at) => Math.abs(before.contributions[i * 3 + c]! - after.contributions[i * 3 + at]!) > 1e-5))
    t.equal(partsDiffer, -1)
  }
})

t.test('a missing observation never becomes normal in silence', async (t) => {
  const gap = altered(test, (values) => values.fill(NaN, 100 * 3, 105 * 3))
  for (const detect of [detectCausal, detectBatch]) {
    const { score, imputed } = detect(model, autoencoders, gap)
    t.same(Array.from(imputed.subarray(100 * 3, 106 * 3)), [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 'two observations (maxGap) are filled and marked')
    t.same(Array.from(score.subarray(102, 105), Number.isNaN), [true, true, true], 'beyond maxGap there is no score')
  }
  const causal = detectCausal(model, autoencoders, gap).score
  t.ok(causal.subarray(105, 112).every(Number.isNaN), 'warm-up begins again after the gap')
  t.notOk(Number.isNaN(causal[112]!))
  const never = altered(test, (values) => { for (let i = 0; i < values.length; i += 3) values[i] = NaN })
  t.ok(detectBatch(model, autoencoders, never).score.every(Number.isNaN), 'a channel that is never seen leaves everything unscored')
})

t.test('a fault is found, and the channel that has it is blamed', async (t) => {
  const faulty = altered(test, (values) => { for (let i = 150; i < 180; i++) values[i * 3 + 1]! += 3 })
  for (const detect of [detectCausal, detectBatch]) {
    const healthy = detect(model, autoencoders, test)
    t.equal(healthy.score.filter(isAnomalous).length, 0, 'the healthy series is normal')
    const { score, contributions } = detect(model, autoencoders, faulty)
    t.ok(score.subarray(158, 180).filter(isAnomalous).length > 15, 'most of the fault is flagged')
    t.ok(contributions[165 * 3 + 1]! > contributions[165 * 3]! && contributions[165 * 3 + 1]! > contributions[165 * 3 + 2]!)
  }
})

t.test('where nothing is wrong at all, no channel is blamed more than another', async (t) => {
  const flat = altered(train, (values) => values.fill(7))
  const fitted = await fitLinear([flat])
  for (const detect of [detectCausal, detectBatch]) {
    const { score, contributions } = detect(fitted.model, fitted.autoencoders, slice(flat, 0, 20))
    t.equal(score[19], 0)
    t.same(Array.from(contributions.subarray(19 * 3)), [1 / 3, 1 / 3, 1 / 3])
  }
})

t.test('wild values neither break nor poison the scores', async (t) => {
  const wild = altered(test, (values) => {
    values[100 * 3] = 1e300
    values[101 * 3] = -Infinity
  })
  const { score, imputed } = detectCausal(model, autoencoders, wild)
  t.ok(score.every((value) => Number.isNaN(value) || Number.isFinite(value)))
  t.ok(isAnomalous(score[100]!))
  t.equal(imputed[101 * 3], 1, 'what is not finite is missing')
  const reach = model.windowLength + model.causal.smoothing
  t.same(scoresOf({ score: score.slice(102 + reach) }), scoresOf(detectCausal(model, autoencoders, test)).slice(102 + reach))
})
