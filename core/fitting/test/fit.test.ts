// Fitting: the exact linear solution, blocked cross-validation, thresholds, and training data at their worst.
import fc from 'fast-check'
import t from 'tap'
import { standardisedRuns } from '../../series/runs.ts'
import { quantile, quantiles } from '../../quantile.ts'
import { detectCausal } from '../../detector/detector.ts'
import { normalScores } from '../normal-scores.ts'
import { rowsOf } from '../../evidence/rows.ts'
import { FIT_DEFAULTS, fitDetector, type FitSettings, type MemberToFit } from '../fit.ts'
import { detectBatch } from '../../detector/hindsight.ts'
import { levelFactor, NO_LEVEL } from '../../scoring/level.ts'
import { VARIANCE_SHARE } from '../members.ts'
import { patternCausal } from '../../scoring/pattern.ts'
import { patternBatch } from '../../scoring/pattern-hindsight.ts'
import { type Autoencoder } from '../../scoring/reconstruction-error.ts'
import { CONSTANT_DEPARTURE, fitScaler, standardise } from '../../series/scaler.ts'
import { fromColumns, slice } from '../../series/series.ts'
import { fitSubspace, subspaceReconstruct } from '../../linear/subspace.ts'
import { fitTail } from '../../scoring/tail.ts'
import { chooseThreshold, isAnomalous, THRESHOLD_FLOOR } from '../../scoring/threshold.ts'
import { sampleWindows, type WindowMatrix } from '../../series/window.ts'
import { altered, fitEnsemble, fitLinear, linearMember, SMALL, THREE, waves } from '../../test/synthetic.ts'

const exact = (windows: WindowMatrix): Autoencoder => ({
  reconstruct: subspaceReconstruct(fitSubspace(windows, VARIANCE_SHARE)),
})

t.test('reproduces the reference values of the method', async (t) => {
  // A sine, and a cosine with a sawtooth of period 11; a step of 1.5 in the first channel from 180 to 189.
  const times = Array.from({ length: 240 }, (_, i) => i)
  const series = fromColumns({
    start: 0,
    interval: 1000,
    columns: {
      sine: times.map((i) => Math.sin(2 * Math.PI * i / 12) + (i >= 180 && i < 190 ? 1.5 : 0)),
      cosine: times.map((i) => Math.cos(2 * Math.PI * i / 12) + 0.05 * ((7 * i) % 11 - 5)),
    },
  })
  const settings: FitSettings = {
    ...SMALL,
    causal: { smoothing: 5, quantile: 0.99, factor: 1, levelSpan: 0 },
    batch: { smoothing: 9, quantile: 0.99, factor: 1, levelSpan: 0 },
  }
  const { model, autoencoders } = await fitLinear([slice(series, 0, 160)], settings)
  const near = (found: number, wanted: number, name: string): unknown =>
    t.ok(Math.abs(found - wanted) < 2e-6, `${name}: ${found} is ${wanted}`)
  near(model.batch.threshold, 0.15844418802840507, 'threshold')
  const batch = patternBatch(model, autoencoders, series).score.map((score) => score * model.batch.threshold)
  const causal = patternCausal(model, autoencoders, series).score.map((score) => score * model.causal.threshold)
  const wanted: Array<[number, number]> = [
    [0, 0.14834522167841593],
    [100, 0.15087425708770752],
    [159, 0.14909577369689941],
    [180, 0.8655366367763944],
    [185, 1.1152569188012018],
    [200, 0.15585454305013022],
    [239, 0.1491293334960943],
  ]
  for (const [i, score] of wanted) near(batch[i]!, score, `batch score ${i}`)
  near(causal[100]!, 0.15004100799560546, 'causal score 100')
  near(causal[185]!, 0.8589309692382813, 'causal score 185')
  near(causal[200]!, 0.22310638427734375, 'causal score 200')
})

t.test('the subspace reconstructs what it spans and nothing else', async (t) => {
  const windows = sampleWindows(
    standardisedRuns(waves(300), { center: [0, 0, 0], scale: [1, 1, 1] }, 0).map(({ values }) => values),
    3,
    8,
    1000
  )
  const all = fitSubspace(windows, 1)
  const exact = subspaceReconstruct(all)(windows.values, windows.count)
  t.ok(windows.values.every((value, i) => Math.abs(value - exact[i]!) < 1e-3), 'the whole variance: nothing is lost')
  const few = fitSubspace(windows, 0.5)
  t.ok(few.components >= 1 && few.components < all.components)
  for (let k = 0; k < few.components; k++) {
    const direction = few.directions.subarray(k * few.width, (k + 1) * few.width)
    t.ok(Math.abs(direction.reduce((sum, value) => sum + value * value, 0) - 1) < 1e-9, 'directions have length 1')
  }
  const { values } = windows
  const viaGram = fitSubspace({ values: values.slice(0, 10 * 24), count: 10, width: 24, channels: 3 }, 0.9)
  t.ok(viaGram.components > 0 && viaGram.components < 10, 'fewer windows than columns')
})

t.test('training data without variance give no component, and any departure is an anomaly', async (t) => {
  const flat = fromColumns({
    start: 0,
    interval: 1000,
    columns: { a: Array(200).fill(5.1) as number[], b: Array(200).fill(0) as number[] },
  })
  const { model, autoencoders } = await fitLinear([flat])
  t.same(model.scaler.scale, [0, 0])
  t.equal(model.batch.threshold, THRESHOLD_FLOOR)
  t.ok(detectBatch(model, autoencoders, flat).score.every((score) => score === 0))
  t.same(
    Array.from(detectBatch(model, autoencoders, flat).contributions.subarray(0, 2)),
    [0.5, 0.5],
    'no error blames no channel'
  )
  for (const size of [1e-30, 1, 1e30]) {
    const departed = altered(flat, (values) => { values[100 * 2 + 1] = size })
    t.ok(detectCausal(model, autoencoders, departed).score[100]! > 1, `a departure of ${size} counts in any unit`)
  }
})

t.test('the scaler skips what is missing and knows constants from channels', async (t) => {
  const scaler = fitScaler([Float64Array.from([1, NaN, 7, 3, NaN, 7, 5, NaN, 7])], 3)
  t.same(scaler.center, [3, 0, 7])
  t.ok(Math.abs(scaler.scale[0]! - Math.sqrt(8 / 3)) < 1e-12)
  t.same(scaler.scale.slice(1), [0, 0], 'never seen and never moving count as constant')
  const out = new Float32Array(3)
  standardise(scaler, [3, 0, 6], out)
  t.same(Array.from(out), [0, 0, -CONSTANT_DEPARTURE])
})

t.test('copies of a channel add no direction, and what was fitted for a fold is freed', async (t) => {
  const wave = waves(200, 1).values
  const twice = fromColumns({ start: 0, interval: 1000, columns: { a: wave, b: wave.map((value) => 2 * value) } })
  const runs = standardisedRuns(twice, fitScaler([twice.values], 2), 0).map(({ values }) => values)
  t.equal(fitSubspace(sampleWindows(runs, 2, 4, 1000), 1).components, 4, 'eight columns of rank four')
  let freed = 0
  const counted = (windowLength: number): MemberToFit<Autoencoder> => ({
    ...linearMember(windowLength),
    learn: (windows) => ({
      ...exact(windows),
      dispose: () => {
        freed++
      },
    }),
  })
  await fitDetector([twice], SMALL, [counted(8), counted(4)])
  t.equal(freed, 2 * SMALL.folds)
  for (const failing of [2, 3, 4, 6]) {
    let trainings = 0
    freed = 0
    const members = [8, 4].map((windowLength): MemberToFit<Autoencoder> => ({
      ...counted(windowLength),
      learn: (windows) => {
        if (++trainings === failing) throw new Error('out of memory')
        return { ...exact(windows), dispose: () => { freed++ } }
      },
    }))
    await t.rejects(fitDetector([twice], SMALL, members), { message: 'out of memory' })
    t.equal(freed, failing - 1, `whatever was fitted is freed where training ${failing} fails`)
  }
})

t.test('blocks shorter than a window leave nothing to calibrate on: no model', async (t) => {
  await t.rejects(fitDetector([waves(60)], SMALL, [linearMember(4), linearMember(20)]), {
    code: 'no-training-data',
    message: /needs 20 consecutive observations/,
  })
  await t.rejects(fitDetector([waves(60)], SMALL, [linearMember(4), linearMember(58)]), {
    code: 'no-training-data',
    message: /at least 59 consecutive observations/,
  }, 'nor to learn from without one of them')
})

t.test('values of 1e±160 and 1e±308 are measured like others', async (t) => {
  for (const size of [1e-300, 1e-160, 1e160, 1e307]) {
    const wave = waves(300, 2)
    const scaled = altered(wave, (values) => { for (let i = 0; i < values.length; i += 2) values[i]! *= size })
    const [plain, wild] = [await fitLinear([wave]), await fitLinear([scaled])]
    t.ok(Math.abs(wild.model.scaler.scale[0]! / size / plain.model.scaler.scale[0]! - 1) < 1e-9, `${size}`)
    t.ok(Math.abs(wild.model.batch.threshold / plain.model.batch.threshold - 1) < 1e-5)
    t.ok(wild.model.margins.every(Number.isFinite))
  }
})

t.test('a small movement on a large offset is no constant', async (t) => {
  const values = Float64Array.from({ length: 200 }, (_, i) => 1e9 + 1e-3 * Math.sin(i))
  t.ok(Math.abs(fitScaler([values], 1).scale[0]! / 7.07e-4 - 1) < 0.01)
  t.match(fitScaler([Float64Array.of(1e200, NaN, 3e200)], 1), { center: [2e200] }, 'a missing value among large ones')
})

t.test('channels that only switch weigh less, a lone channel never does', async (t) => {
  const wave = waves(300, 1)
  const switching = Array.from({ length: 300 }, (_, i) => i % 50 < 25 ? 0 : 1)
  const both = fromColumns({ start: 0, interval: 1000, columns: { wave: wave.values, switching } })
  t.same((await fitLinear([both])).model.weights, [1, FIT_DEFAULTS.switchWeight])
  const two = fromColumns({ start: 0, interval: 1000, columns: { switching, other: switching.map((on) => 1 - on) } })
  t.same((await fitLinear([two])).model.weights, [1, 1], 'where all switch, all count')
  const alone = fromColumns({ start: 0, interval: 1000, columns: { switching } })
  t.same((await fitLinear([alone])).model.weights, [1])
  const resting = fromColumns({
    start: 0,
    interval: 1000,
    columns: { wave: wave.values, resting: Array<number>(300).fill(7) },
  })
  t.same(
    (await fitLinear([resting])).model.weights,
    [1, FIT_DEFAULTS.constantWeight],
    'what never moved weighs more: that it moves is news'
  )
  t.same((await fitLinear([both], { ...SMALL, switchWeight: 0 })).model.weights, [1, 0])
  const switches = fromColumns({ start: 0, interval: 1000, columns: { a: switching, b: switching } })
  t.same(
    (await fitLinear([switches], { ...SMALL, switchWeight: 0 })).model.weights,
    [1, 1],
    'where no channel counts, all do'
  )
})

t.test('members are measured by their errors on unseen data, a lone one is not', async (t) => {
  const train = waves(600)
  const lone = await fitLinear([train])
  t.strictSame(lone.model.members, [{ windowLength: 8, tail: 8, scale: { causal: 1, batch: 1 }, weight: 1 }])
  const { model, autoencoders } = await fitEnsemble([train])
  t.strictSame(
    model.members.map(({ windowLength, tail }) => ({ windowLength, tail })),
    THREE.map(({ windowLength, tail }) => ({ windowLength, tail }))
  )
  t.equal(model.windowLength, 12, 'the longest')
  t.equal(autoencoders.length, 3)
  for (const { scale } of model.members) {
    t.ok([scale.causal, scale.batch].every((value) => value > 0.01 && value < 1), JSON.stringify(scale))
  }
  const lengths = model.members.map(({ scale }) => scale.batch)
  t.equal(new Set(lengths).size, 3, 'each its own')
  // Divided by them, errors of normal data are about 1 in every member, so also in their geometric mean.
  const { score } = detectBatch({ ...model, batch: { ...model.batch, threshold: 1 } }, autoencoders, waves(600, 3, 2))
  const median = quantile(score, 0.5)
  t.ok(median > 0.6 && median < 1.2, `${median}`)
})

t.test('a member whose errors are rounding is not measured by them', async (t) => {
  const perfect = (windowLength: number): MemberToFit<Autoencoder> => ({
    windowLength,
    tail: windowLength,
    learn: () => ({ reconstruct: (windows) => windows.slice() }),
  })
  const { model } = await fitDetector([waves(200)], SMALL, [perfect(4), linearMember(8)])
  t.strictSame(model.members[0]!.scale, { causal: 1e-3, batch: 1e-3 })
})

t.test('calibration: held-out scores over the threshold, their tail, and the factor of the level', async (t) => {
  const { model, calibration } = await fitEnsemble([waves(700)])
  for (const scoring of ['causal', 'batch'] as const) {
    const { threshold, scores, level } = model[scoring]
    const { quantile: q, levelSpan } = SMALL[scoring]
    const factor = scoring === 'causal' ? 1.1 : 1.15
    t.ok(threshold > THRESHOLD_FLOOR)
    t.ok(
      Math.abs(quantile(calibration[scoring], q) - 1 / factor) < 1e-12,
      'the threshold is factor times the quantile of calibration'
    )
    t.ok(calibration[scoring].every((score) => Number.isFinite(score) || Number.isNaN(score)))
    const options = { scoring, calibration: calibration[scoring], folds: SMALL.folds }
    const all = normalScores(model, rowsOf([waves(700)]), options)
    t.strictSame(scores, fitTail(all), 'the tail is that of all evidence')
    t.ok(Math.abs(quantile(all, 0.5) - quantile(calibration[scoring], 0.5)) < 0.01, 'below 1 it is the pattern\'s')
    t.equal(level.span, levelSpan)
    t.ok(Math.abs(level.factor - levelFactor(quantile(calibration[scoring], 0.5))) < 1e-12)
  }
  const known = [calibration.batch, calibration.causal].map((list) =>
    list.filter((score) => !Number.isNaN(score)).length
  )
  t.strictSame(
    known,
    [700, 700 - SMALL.folds * 11],
    'every observation of every block; causally, but the warm-up of each'
  )
  t.strictSame([calibration.batch.length, calibration.causal.length], [704, 704], 'and a gap behind each block')
  const without = await fitLinear([waves(300)], {
    ...SMALL,
    causal: { ...SMALL.causal, levelSpan: 0 },
    batch: { ...SMALL.batch, levelSpan: 0 },
  })
  t.strictSame([without.model.causal.level, without.model.batch.level], [NO_LEVEL, NO_LEVEL])
})

t.test('scores of normal rows keep the order of time, whatever the blocks, and leave suspects out', async (t) => {
  const parts = [slice(waves(600), 0, 250), slice(waves(600), 250, 600)]
  const { model, calibration } = await fitLinear(parts)
  const rows = rowsOf(parts)
  const [batch, causal] = (['batch', 'causal'] as const).map((scoring) => (suspects?: readonly Uint8Array[]) =>
    normalScores(model, rows, { scoring, calibration: calibration[scoring], folds: SMALL.folds, suspects }))
  const scores = batch!()
  t.equal(scores.length, 602)
  t.same([scores[250], scores[601]], [NaN, NaN], 'a gap behind each series')
  // Blocks of the first series have 62 or 63 rows, those of the second 87 or 88.
  t.equal(scores[61], calibration.batch[61])
  t.equal(scores[62], calibration.batch[62 + 1 + 87 + 1], 'the second block of the first series')
  t.equal(scores[251], calibration.batch[62 + 1], 'the first block of the second one')
  t.ok(Number.isNaN(causal!()[0]!), 'no causal score before the first full window')
  const suspects = waves(600).channels.map((_, c) => Uint8Array.from({ length: 600 }, (_, t) => c + t === 100 ? 1 : 0))
  const left = batch!(suspects)
  t.same(Array.from(left.keys()).filter((t) => Number.isNaN(left[t]!) && !Number.isNaN(scores[t]!)),
    Array.from({ length: 35 }, (_, i) => 82 + i), 'sixteen rows around each')
})

t.test('several series and gaps are trained on without windows across them', async (t) => {
  const parts = [
    slice(waves(600), 0, 250),
    altered(slice(waves(600), 250, 600), (values) => values.fill(NaN, 100 * 3, 110 * 3)),
  ]
  const { model, autoencoders, calibration } = await fitLinear(parts)
  t.ok(calibration.batch.length > 500)
  t.ok(model.margins.every((margin) => margin > 0 && Number.isFinite(margin)))
  t.ok(detectBatch(model, autoencoders, slice(waves(600), 0, 200)).score.every((score) => score <= 1.2))
})

t.test('too little data is said clearly', async (t) => {
  await t.rejects(fitLinear([]), { code: 'no-training-data' })
  await t.rejects(fitLinear([slice(waves(600), 0, 8)]), { code: 'no-training-data', message: /at least 9 consecutive/ })
  const gone = altered(slice(waves(600), 0, 100), (values) => {
    for (let i = 0; i < values.length; i += 3) values[i] = NaN
  })
  await t.rejects(fitLinear([gone]), { code: 'no-training-data', message: /no value of channel_0 .*--exclude/ })
})

t.test('smoothing by default: in hindsight twice as long where there is one channel alone', async (t) => {
  const [several, one] = [await fitLinear([waves(500)], FIT_DEFAULTS), await fitLinear([waves(500, 1)], FIT_DEFAULTS)]
  t.strictSame([several, one].map(({ model: { causal, batch } }) => [causal.smoothing, batch.smoothing]), [
    [31, 61],
    [31, 121],
  ])
  t.strictSame([SMALL.causal, SMALL.batch].map(({ smoothing }) => smoothing), [5, 9])
  const { model } = await fitLinear([waves(500)])
  t.strictSame([model.causal.smoothing, model.batch.smoothing], [5, 9], 'and otherwise what is asked for')
})

t.test('quantiles are those of the sorted values, whatever their order', async (t) => {
  const sorted = (values: readonly number[], q: number): number => {
    const known = Float64Array.from(values).filter((value) => !Number.isNaN(value)).sort()
    const at = q * (known.length - 1)
    const low = known[Math.floor(at)]!
    return low + (known[Math.min(Math.floor(at) + 1, known.length - 1)]! - low) * (at - Math.floor(at))
  }
  const value = fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 }))
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 200, size: 'max' }).filter((values) => !values.every(Number.isNaN)),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
      (values, shares) => quantiles(values, shares).every((found, i) => Object.is(found, sorted(values, shares[i]!)))
    )
  )
  // The middle value of every part is its smallest: each part is but one value shorter than the one before.
  const places = Array.from({ length: 200 }, (_, i) => i)
  const worst = Array<number>(200)
  for (let first = 0; first < 200; first++) {
    const middle = (first + 199) >> 1
    worst[places[middle]!] = first
    places[middle] = places[first]!
  }
  t.equal(quantile(worst, 1), 199)
  t.equal(quantile(worst, 0.75), sorted(worst, 0.75))
})

t.test('quantile and threshold', async (t) => {
  t.equal(quantile([1, 2, 3, 4], 0.5), 2.5)
  t.equal(quantile([3, NaN, 1], 1), 3)
  t.ok(Number.isNaN(quantile([], 0.5)))
  t.equal(chooseThreshold({ quantile: 0.5, factor: 2 }, [1, 2, 3]), 4)
  t.equal(chooseThreshold({ quantile: 0.5, factor: 2 }, []), THRESHOLD_FLOOR)
  t.strictSame([0.5, 1, 1.01, NaN].map((score) => isAnomalous(score)), [false, false, true, false])
})
