// The laws of scoring: causality, stream = batch, units, channel order, gaps, contributions.
import fc from 'fast-check'
import t from 'tap'
import { isAnomalous } from '../threshold.ts'
import { type PatternModel, type Verdict } from '../detection.ts'
import { causalErrors, causalScores, PatternDetector, patternCausal } from '../pattern.ts'
import { type FitSettings, type FittedDetector } from '../../fitting/fit.ts'
import { batchErrors, batchScores, patternBatch } from '../pattern-hindsight.ts'
import { withoutLevel } from '../level.ts'
import { createRandom } from '../../random.ts'
import { type Autoencoder } from '../reconstruction-error.ts'
import { observation, selectChannels, slice, type Series } from '../../series/series.ts'
import { altered, fitEnsemble, fitLinear, scoresOf, SMALL, THREE, waves } from '../../test/synthetic.ts'

const TRAIN = 400
const all = waves(700)
const train = slice(all, 0, TRAIN)
const test = slice(all, TRAIN, 700)
const lone = await fitLinear([train])
/** Members of windows 5, 12 and 8. */
const ensemble = await fitEnsemble([train])
/** The same, and members that reconstruct nothing. */
const measured = await fitEnsemble([train], SMALL, [
  ...THREE,
  { architecture: 'filters', windowLength: 16, tail: 16, weight: 0.25 },
  { architecture: 'deviation', windowLength: 10, tail: 10 },
])
const { model, autoencoders } = lone

/** The laws hold for a lone autoencoder, for several, and beside members that reconstruct nothing. */
const DETECTORS = { 'one autoencoder': lone, 'three autoencoders': ensemble, 'with measures': measured } as const

/** Seen by the detector: spikes, steps and missing values at random places. */
const dirty = fc.array(
  fc.record({
    at: fc.nat(299),
    channel: fc.nat(2),
    what: fc.constantFrom('missing', 'spike', 'hold'),
    length: fc.integer({ min: 1, max: 6 }),
  }),
  { maxLength: 8 }
)
  .map((changes): Series =>
    altered(test, (values) => {
      for (const { at, channel, what, length } of changes) {
        for (let i = at; i < Math.min(300, at + length); i++) {
          values[i * 3 + channel] = what === 'missing'
            ? NaN
            : what === 'spike'
              ? values[i * 3 + channel]! + 9
              : values[at * 3 + channel]!
        }
      }
    })
  )

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]))

/** Whether observe() says of each observation what patternCausal() says of the series, bit for bit. */
function streamIsBatch (
  model: PatternModel,
  autoencoders: readonly Autoencoder[],
  series: Series,
  together = 1
): boolean {
  const batch = patternCausal(model, autoencoders, series)
  const stream = new PatternDetector(model, autoencoders)
  const channels = series.channels.length
  const rows = Array.from({ length: series.length }, (_, i) => observation(series, i))
  const verdicts = rows.flatMap((row, i) =>
    together === 1 ? [stream.observe(row)] : i % together === 0 ? stream.observeAll(rows.slice(i, i + together)) : []
  )
  const nothing = Array<number>(channels).fill(NaN)
  return verdicts.length === rows.length &&
    verdicts.every(({ score, anomalous, contributions, expected, imputed }, i) => {
      const at = (values: Float64Array | Uint8Array): ArrayLike<number> =>
        values.subarray(i * channels, (i + 1) * channels)
      return anomalous === (score === null ? null : isAnomalous(score)) &&
        same([score ?? NaN], batch.score.subarray(i, i + 1)) &&
        same(contributions ?? nothing, at(batch.contributions)) && same(expected ?? nothing, at(batch.expected)) &&
        same(imputed, at(batch.imputed))
    })
}

for (const [name, { model, autoencoders }] of Object.entries(DETECTORS)) {
  const warmUp = model.windowLength - 1

  t.test(`${name}: no score before the longest window is full, in either scoring of a stream`, async (t) => {
    const scores = scoresOf(patternCausal(model, autoencoders, test))
    t.same(scores.slice(0, warmUp), Array(warmUp).fill(null))
    t.type(scores[warmUp], 'number')
    t.equal(
      scoresOf(patternBatch(model, autoencoders, test)).indexOf(null),
      -1,
      'hindsight scores the first observations too'
    )
    t.same(
      scoresOf(patternBatch(model, autoencoders, slice(test, 0, warmUp))),
      Array(warmUp).fill(null),
      'a series shorter than a window stays unscored'
    )
    t.same(scoresOf(patternCausal(model, autoencoders, slice(test, 0, 0))), [])
  })

  t.test(`${name}: the causal scores of a prefix are a prefix of the causal scores`, async () => {
    fc.assert(
      fc.property(dirty, fc.nat(300), (series, length) => {
        const whole = scoresOf(patternCausal(model, autoencoders, series))
        const prefix = scoresOf(patternCausal(model, autoencoders, slice(series, 0, length)))
        return JSON.stringify(prefix) === JSON.stringify(whole.slice(0, length))
      }),
      { numRuns: 40 }
    )
  })

  t.test(`${name}: a stream, one observation or several at a time, gives the causal batch bit for bit`, async () => {
    fc.assert(
      fc.property(dirty, fc.constantFrom(1, 1, 7, 150, 300), (series, together) =>
        streamIsBatch(model, autoencoders, series, together)),
      { numRuns: 25 }
    )
  })

  t.test(`${name}: a score depends on nothing beyond window and smoothing, behind it or ahead`, async () => {
    const reach = model.windowLength + model.causal.smoothing - 2
    const edge = model.windowLength + (model.batch.smoothing >> 1) - 1
    const [causal, batch] = [patternCausal(model, autoencoders, test), patternBatch(model, autoencoders, test)]
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 60, max: 100 }), (from, length) => {
        const part = slice(test, from, from + length)
        const here = patternCausal(model, autoencoders, part).score
        const hindsight = patternBatch(model, autoencoders, part).score
        return same(here.subarray(reach), causal.score.subarray(from + reach, from + length)) &&
          same(hindsight.subarray(edge, length - edge), batch.score.subarray(from + edge, from + length - edge))
      }),
      { numRuns: 40 }
    )
  })

  t.test(`${name}: contributions are not negative and sum to 1 wherever there is a score`, async () => {
    fc.assert(
      fc.property(dirty, fc.boolean(), (series, hindsight) => {
        const { score, contributions } = (hindsight ? patternBatch : patternCausal)(model, autoencoders, series)
        return score.every((value, i) => {
          const parts = contributions.subarray(i * 3, i * 3 + 3)
          if (Number.isNaN(value)) return parts.every(Number.isNaN)
          return parts.every((part) => part >= 0) && Math.abs(parts.reduce((sum, part) => sum + part, 0) - 1) < 1e-9
        })
      }),
      { numRuns: 40 }
    )
  })

  t.test(`${name}: what is expected is what the members expect on average, and near what comes`, async (t) => {
    const expected = [patternCausal, patternBatch].map((detect) => detect(model, autoencoders, test).expected)
    for (const [which, values] of expected.entries()) {
      const distance = (from: (i: number) => number): number =>
        test.values.subarray(3 * warmUp).reduce((sum, value, i) => sum + Math.abs(value - from(3 * warmUp + i)), 0)
      t.ok(
        distance((i) => values[i]!) < 0.6 * distance((i) => model.scaler.center[i % 3]!),
        'nearer than the training mean'
      )
      const alone = model.members.flatMap((member, m) => {
        const autoencoder = autoencoders[m]!
        if (autoencoder.reconstruct === undefined) return []
        const single = { ...model, members: [member], windowLength: member.windowLength }
        return [(which === 0 ? patternCausal : patternBatch)(single, [autoencoder], test).expected]
      })
      t.ok(
        values.subarray(3 * warmUp).every((value, i) =>
          Math.abs(value - alone.reduce((sum, one) => sum + one[3 * warmUp + i]!, 0) / alone.length) < 1e-5
        )
      )
    }
  })

  t.test(`${name}: a missing observation never becomes normal in silence`, async (t) => {
    const gap = altered(test, (values) => values.fill(NaN, 100 * 3, 105 * 3))
    for (const detect of [patternCausal, patternBatch]) {
      const { score, imputed } = detect(model, autoencoders, gap)
      t.same(
        Array.from(imputed.subarray(100 * 3, 106 * 3)),
        [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        'two observations (maxGap) are filled and marked'
      )
      t.same(Array.from(score.subarray(102, 105), Number.isNaN), [true, true, true], 'beyond maxGap there is no score')
    }
    const causal = patternCausal(model, autoencoders, gap).score
    t.ok(causal.subarray(105, 105 + warmUp).every(Number.isNaN), 'warm-up begins again after the gap')
    t.notOk(Number.isNaN(causal[105 + warmUp]!))
    const never = altered(test, (values) => {
      for (let i = 0; i < values.length; i += 3) values[i] = NaN
    })
    t.ok(
      patternBatch(model, autoencoders, never).score.every(Number.isNaN),
      'a channel that is never seen leaves everything unscored'
    )
  })

  t.test(`${name}: a fault is found, and the channel that has it is blamed`, async (t) => {
    const faulty = altered(test, (values) => {
      for (let i = 150; i < 180; i++) values[i * 3 + 1]! += 3
    })
    for (const detect of [patternCausal, patternBatch]) {
      const healthy = detect(model, autoencoders, test)
      t.equal(healthy.score.filter((score) => isAnomalous(score)).length, 0, 'the healthy series is normal')
      const { score, contributions } = detect(model, autoencoders, faulty)
      t.ok(score.subarray(158, 180).filter((score) => isAnomalous(score)).length > 15, 'most of the fault is flagged')
      t.ok(
        contributions[165 * 3 + 1]! > contributions[165 * 3]! &&
          contributions[165 * 3 + 1]! > contributions[165 * 3 + 2]!
      )
    }
  })

  t.test(`${name}: wild values neither break nor poison the scores`, async (t) => {
    const wild = altered(test, (values) => {
      values[100 * 3] = 1e300
      values[101 * 3] = -Infinity
      values[102 * 3] = -1e300
    })
    for (const [detect, reach] of [
      [patternCausal, model.windowLength + model.causal.smoothing - 2],
      [patternBatch, model.windowLength + (model.batch.smoothing >> 1) - 1],
    ] as const) {
      const { score, imputed } = detect(model, autoencoders, wild)
      t.ok(score.every((value) => Number.isNaN(value) || Number.isFinite(value)))
      t.ok(isAnomalous(score[100]!))
      t.equal(imputed[101 * 3], 1, 'what is not finite is missing')
      t.ok(
        same(score.subarray(103 + reach), detect(model, autoencoders, test).score.subarray(103 + reach)),
        'bit for bit as if nothing had been'
      )
    }
  })
}

t.test('another unit of a channel, in training and scoring alike, changes no verdict', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(2),
      fc.double({ min: -3, max: 3, noNaN: true }),
      fc.double({ min: -50, max: 50, noNaN: true }),
      fc.boolean(),
      async (channel, exponent, shift, hindsight) => {
        const factor = 10 ** exponent
        const inUnit = (series: Series): Series =>
          altered(series, (values) => {
            for (let i = channel; i < values.length; i += 3) values[i] = factor * (values[i]! + shift)
          })
        const series = altered(test, (values) => {
          for (let i = 150; i < 170; i++) values[i * 3 + channel]! += 4
        })
        const other = await fitLinear([inUnit(train)])
        const detect = hindsight ? patternBatch : patternCausal
        const before = detect(model, autoencoders, series).score
        const after = detect(other.model, other.autoencoders, inUnit(series)).score
        return before.every((score, i) =>
          Number.isNaN(score)
            ? Number.isNaN(after[i]!)
            : Math.abs(score - 1) < 1e-4 || isAnomalous(score) === isAnomalous(after[i]!)
        )
      }
    ),
    { numRuns: 12 }
  )
})

t.test('channels in another order give the same scores and permuted contributions', async (t) => {
  const order = [2, 0, 1]
  const names = order.map((c) => train.channels[c]!)
  const other = await fitLinear([selectChannels(train, names)])
  const series = altered(test, (values) => {
    for (let i = 150; i < 170; i++) values[i * 3 + 1]! += 4
  })
  for (const detect of [patternCausal, patternBatch]) {
    const before = detect(model, autoencoders, series)
    const after = detect(other.model, other.autoencoders, selectChannels(series, names))
    const scoresDiffer = before.score.findIndex((score, i) => Math.abs(score - after.score[i]!) > 1e-5)
    t.equal(scoresDiffer, -1)
    const partsDiffer = before.score.findIndex((_, i) =>
      order.some((c, at) => Math.abs(before.contributions[i * 3 + c]! - after.contributions[i * 3 + at]!) > 1e-5)
    )
    t.equal(partsDiffer, -1)
  }
})

t.test('without any error no channel contributes more than another', async (t) => {
  const flat = altered(train, (values) => values.fill(7))
  const fitted = await fitLinear([flat])
  for (const detect of [patternCausal, patternBatch]) {
    const { score, contributions } = detect(fitted.model, fitted.autoencoders, slice(flat, 0, 20))
    t.equal(score[19], 0)
    t.same(Array.from(contributions.subarray(19 * 3)), [1 / 3, 1 / 3, 1 / 3])
  }
})

/** A series of 1500 observations that is far noisier from 400 on, longer than any level's span. */
const drifted = altered(waves(1500, 3, 2), (values) => {
  const random = createRandom('drift')
  for (let i = 3 * 400; i < values.length; i++) values[i]! += 2 * random.normal()
})

const LEVELLED: FitSettings = {
  ...SMALL,
  causal: { ...SMALL.causal, levelSpan: 601 },
  batch: { ...SMALL.batch, levelSpan: 701 },
}

for (const [name, { model, autoencoders }] of Object.entries({
  'one autoencoder': await fitLinear([train], LEVELLED),
  'three autoencoders': await fitEnsemble([train], LEVELLED),
})) {
  const flat = withoutLevel(model)

  t.test(`${name}: if most scores rise, the level rises too and brings them down to the threshold`, async (t) => {
    for (const detect of [patternCausal, patternBatch]) {
      const [levelled, plain] = [detect(model, autoencoders, drifted), detect(flat, autoencoders, drifted)]
      t.ok(
        plain.score.subarray(1000).filter((score) => isAnomalous(score)).length > 400,
        'without a level the drift would be one anomaly'
      )
      t.ok(levelled.score.subarray(1100).filter((score) => isAnomalous(score)).length < 100, 'with it, it is not')
      t.ok(levelled.score.every((score, i) => !(score > plain.score[i]!)), 'no score is raised')
      t.ok(
        same(levelled.contributions, plain.contributions) && same(levelled.expected, plain.expected),
        'and nothing but the score is touched'
      )
      const spiked = altered(drifted, (values) => {
        for (let i = 1300; i < 1310; i++) values[3 * i + 1]! += 40
      })
      t.ok(Math.max(...detect(model, autoencoders, spiked).score.subarray(1300, 1315)) > 1.5, 'a fault is still found')
    }
    t.ok(
      same(
        patternCausal(model, autoencoders, drifted).score.subarray(0, 400),
        patternCausal(flat, autoencoders, drifted).score.subarray(0, 400)
      ),
      'before the drift nothing changes'
    )
  })

  t.test(`${name}: a stream whose level is raised gives the causal batch bit for bit, gaps included`, async (t) => {
    t.ok(streamIsBatch(model, autoencoders, drifted))
    const holed = altered(drifted, (values) => {
      values.fill(NaN, 3 * 900, 3 * 930)
      values.fill(NaN, 3 * 1200, 3 * 1202)
    })
    t.ok(streamIsBatch(model, autoencoders, holed, 31))
  })

  t.test(`${name}: a score depends on nothing beyond window, smoothing and level span together`, async (t) => {
    const reach = model.windowLength + model.causal.smoothing + model.causal.level.span - 3
    const edge = model.windowLength + (model.batch.smoothing >> 1) + (model.batch.level.span >> 1) - 1
    for (const from of [1, 130, 333]) {
      const late = slice(drifted, from, 1500)
      t.ok(
        same(
          patternCausal(model, autoencoders, late).score.subarray(reach),
          patternCausal(model, autoencoders, drifted).score.subarray(from + reach)
        ),
        `causal from ${from}`
      )
      const whole = patternBatch(model, autoencoders, drifted).score
      t.ok(
        same(patternBatch(model, autoencoders, late).score.subarray(edge), whole.subarray(from + edge)),
        `batch from ${from}`
      )
      t.ok(
        same(
          patternBatch(model, autoencoders, slice(drifted, 0, 1500 - from)).score.subarray(0, 1500 - from - edge),
          whole.subarray(0, 1500 - from - edge)
        ),
        `batch up to ${1500 - from}`
      )
    }
  })
}

t.test('windows at a stride: batch scores have the same bits wherever the series begins and ends', async (t) => {
  const one = waves(1400, 1)
  for (const [name, { model, autoencoders }] of Object.entries({
    'windows of 128': await fitLinear([one], SMALL, 128),
    'windows of 128, masked': await fitEnsemble([one], SMALL, [{
      architecture: 'masked',
      windowLength: 128,
      tail: 4,
    }]),
    'windows of 104 and 33': await fitEnsemble([one], SMALL, [
      { architecture: 'linear', windowLength: 104, tail: 4 },
      { architecture: 'masked', windowLength: 33, tail: 4 },
    ]),
  })) {
    // The first and the last window of a run may begin between whole strides.
    const edge = model.windowLength + (model.batch.smoothing >> 1)
    // Times before 1970, and off the grid of whole intervals, have strides too.
    for (const start of [one.start, one.start + 123_457, -5_000_000_000]) {
      const series = { ...slice(waves(1400, 1, 2), 0, 700), start }
      const whole = patternBatch(model, autoencoders, series).score
      for (const [from, to] of [[1, 700], [7, 650], [8, 333], [131, 699]] as const) {
        const part = patternBatch(model, autoencoders, slice(series, from, to)).score
        t.ok(part.every(Number.isFinite))
        t.ok(
          same(part.subarray(edge, to - from - edge), whole.subarray(from + edge, to - edge)),
          `${name}, ${start}: ${from} to ${to}`
        )
      }
      const holed = patternBatch(model, autoencoders, altered(series, (values) => values.fill(NaN, 300, 309))).score
      t.ok(same(holed.subarray(309 + edge, 700), whole.subarray(309 + edge, 700)), 'also behind a gap')
    }
  }
})

t.test('every observation of a run of one window or more is covered, however the strides fall', async (t) => {
  const { model, autoencoders } = await fitLinear([waves(500, 1)], SMALL, 64)
  for (let length = 64; length < 80; length++) {
    for (let from = 0; from < 5; from++) {
      const { score, expected } = patternBatch(model, autoencoders, slice(waves(500, 1, 2), from, from + length))
      t.ok(
        score.every((value) => value > 0 && Number.isFinite(value)) && expected.every(Number.isFinite),
        `${length} from ${from}`
      )
    }
  }
})

t.test('sums of errors stay exact with tiny scales and extreme values', async (t) => {
  const { model, autoencoders } = ensemble
  const tiny = {
    ...withoutLevel(model),
    members: model.members.map((member) => ({ ...member, scale: { causal: 1e-3, batch: 1e-3 } })),
  }
  const wild = altered(test, (values) => {
    for (let i = 100; i < 160; i++) values[3 * i] = i % 2 === 0 ? 1e300 : -1e300
  })
  for (const detect of [patternCausal, patternBatch]) {
    t.ok(
      same(detect(tiny, autoencoders, wild).score.subarray(180), detect(tiny, autoencoders, test).score.subarray(180))
    )
  }
})

t.test('scores from the errors alone are those of the detection, and an empty series has none', async (t) => {
  const { model, autoencoders } = await fitEnsemble([waves(500)])
  // Some runs between the gaps are too short for the longest window, others are long enough.
  const series = altered(waves(500, 3, 2), (values) => {
    for (const from of [100, 110, 300]) values.fill(NaN, from * 3, (from + 5) * 3)
  })
  const errors = { batch: batchErrors(model, autoencoders, series), causal: causalErrors(model, autoencoders, series) }
  t.strictSame(batchScores(model, errors.batch, 500), patternBatch(model, autoencoders, series).score)
  t.strictSame(causalScores(model, errors.causal, 500), patternCausal(model, autoencoders, series).score)
  t.strictSame(batchScores(model, batchErrors(model, autoencoders, slice(series, 0, 0)), 0), new Float64Array(0))
})

t.test('a model without members has no pattern to score, but says what it filled', async (t) => {
  const none = { ...model, members: [], windowLength: 1 }
  const series = altered(test, (values) => { values[3 * 5 + 1] = NaN })
  t.ok(streamIsBatch(none, [], series) && streamIsBatch(none, [], series, 7))
  for (const { score, imputed } of [patternCausal(none, [], series), patternBatch(none, [], series)]) {
    t.ok(score.every(Number.isNaN))
    t.strictSame([...imputed.keys()].filter((i) => imputed[i] === 1), [3 * 5 + 1])
  }
  t.ok(batchScores(none, batchErrors(none, [], series), 300).every(Number.isNaN))
  t.ok(causalScores(none, causalErrors(none, [], series), 300).every(Number.isNaN))
})

/** Values with the last one in place of each missing one, and 1 for each such place; both [length × channels]. */
function held (series: Series): { values: Float64Array, filled: Uint8Array } {
  const values = series.values.slice()
  const filled = new Uint8Array(values.length)
  for (let i = series.channels.length; i < values.length; i++) {
    if (Number.isFinite(values[i]!) || Number.isNaN(values[i - series.channels.length]!)) continue
    values[i] = values[i - series.channels.length]!
    filled[i] = 1
  }
  return { values, filled }
}

const sameVerdict = (a: Verdict, b: Verdict): boolean =>
  Object.is(a.score, b.score) && a.anomalous === b.anomalous &&
  same(a.contributions ?? [], b.contributions ?? []) && same(a.expected ?? [], b.expected ?? []) &&
  same(a.imputed, b.imputed)

for (const [name, { model, autoencoders }] of Object.entries({
  'one autoencoder': await fitLinear([train], LEVELLED),
  'three autoencoders without a level': { ...ensemble, model: withoutLevel(ensemble.model) },
})) {
  const raised = altered(drifted, (values) => values.copyWithin(0, 3 * 400))
  const part = fc.oneof(fc.constant(slice(raised, 0, 900)), dirty)
  const holes = fc.array(
    fc.record({ at: fc.nat(899), channel: fc.nat(2), whole: fc.boolean(), length: fc.integer({ min: 1, max: 12 }) }),
    { maxLength: 12 }
  )
  const holed = fc.tuple(part, holes).map(([series, list]) =>
    altered(series, (values) => {
      for (const { at, channel, whole, length } of list) {
        for (let i = at; i < Math.min(series.length, at + length); i++) {
          for (let c = 0; c < 3; c++) if (whole || c === channel) values[3 * i + c] = c === 1 ? Infinity : NaN
        }
      }
    })
  )
  const cuts = fc.array(fc.nat(899), { maxLength: 12 }).map((list) =>
    [...list, 0, 3, 7, 8, 11, 12, 13].sort((a, b) => a - b)
  )

  t.test(`${name}: a restored detector goes on bit for bit, and held values give what missing ones give`, async () => {
    fc.assert(
      fc.property(holed, cuts, (series, ends) => {
        const uninterrupted = new PatternDetector(model, autoencoders)
        let [restored, given] = [new PatternDetector(model, autoencoders), new PatternDetector(model, autoencoders)]
        const { values, filled } = held(series)
        let from = 0
        for (const to of [...ends.filter((end) => end <= series.length), series.length]) {
          const indices = Array.from({ length: to - from }, (_, i) => from + i)
          const rows = indices.map((i) => observation(series, i))
          const wanted = uninterrupted.observeAll(rows)
          const after = restored.observeAll(rows)
          const marked = given.observeAll(
            indices.map((i) => values.subarray(3 * i, 3 * i + 3)),
            indices.map((i) => filled.subarray(3 * i, 3 * i + 3))
          )
          if (!wanted.every((verdict, i) => sameVerdict(verdict, after[i]!) && sameVerdict(verdict, marked[i]!))) {
            return false
          }
          restored = new PatternDetector(model, autoencoders, structuredClone(restored.save()))
          given = new PatternDetector(model, autoencoders, given.save())
          from = to
        }
        return true
      }),
      { numRuns: 30 }
    )
  })
}

t.test('a value that the caller filled is taken as it is, up to maxGap in a row', async (t) => {
  const one = new PatternDetector(model, autoencoders)
  const other = new PatternDetector(model, autoencoders)
  const risen = altered(test, (values) => {
    for (let i = 100; i < 104; i++) values[3 * i] = values[3 * 99]! + i - 99
  })
  for (let i = 0; i < 120; i++) {
    const filled = i >= 100 && i < 104 ? Uint8Array.of(1, 0, 0) : undefined
    const [marked, plain] = [one.observe(observation(risen, i), filled), other.observe(observation(risen, i))]
    if (i >= 100 && i < 102) {
      t.ok(Object.is(marked.score, plain.score) && marked.imputed[0] === 1 && plain.imputed[0] === 0)
    }
    if (i >= 102 && i < 104) {
      t.same([marked.score, Array.from(marked.imputed)], [null, [0, 0, 0]], 'beyond maxGap there is no score')
    }
  }
})

type Fitted = Pick<FittedDetector<Autoencoder>, 'model' | 'autoencoders'>

t.test('a state that is damaged or of another model is refused', async (t) => {
  const detector = new PatternDetector(model, autoencoders)
  detector.observeAll(Array.from({ length: 40 }, (_, i) => observation(test, i)))
  const state = detector.save()
  const refuses = (saved: unknown, message: RegExp, by: Fitted = lone): void => {
    const problem = { name: 'Problem', code: 'invalid-state', message }
    t.throws(() => new PatternDetector(by.model, by.autoencoders, saved), problem)
  }
  refuses(null, /does not have the shape/)
  refuses({ ...state, more: 1 }, /more/)
  refuses(state, /belongs to a model/, ensemble)
  refuses({ ...state, last: 'ä' }, /does not have the shape/)
  refuses({ ...state, last: Float64Array.of(1, 2) }, /hold its last/)
  refuses({ ...state, last: Float64Array.of(1, 2, -Infinity) }, /hold its last/)
  refuses({ ...state, missingFor: Float64Array.of(0, 0, 0.5) }, /hold its missingFor/)
  refuses({ ...state, window: new Float32Array(3 * 9) }, /hold its window/)
  refuses({ ...state, window: new Float32Array(4) }, /hold its window/)
  refuses({ ...state, window: Float32Array.of(1, 2, NaN) }, /hold its window/)
  refuses({ ...state, window: Uint8Array.of(1, 2, 3) }, /does not have the shape/)
  refuses({ ...state, errors: Float64Array.of(1, 2, -1) }, /hold its errors/)
  refuses({ ...state, level: new Float64Array(model.causal.level.span + 1) }, /hold its level/)
})
