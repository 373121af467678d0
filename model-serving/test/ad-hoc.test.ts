// Models fitted on the posted series itself, and the options that change verdicts but never scores.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { fitAdHoc } from '../../core/fitting/ad-hoc.ts'
import { detectBatch } from '../../core/detector/hindsight.ts'
import { createRandom } from '../../core/random.ts'
import { type Series } from '../../core/series/series.ts'
import { canonicalJson } from '../../adapters/tfjs/saved-models.ts'
import { type ComputeAnswer, ComputeAnswerSchema, type OptionsRequest } from '../schemas/compute.ts'
import { describeSheet } from '../schemas/sensitivity.ts'
import { csvOf, jsonOf, smallModel, STEP_MS, testApp, timesOf, windSeries } from './fixture.ts'

const app = await testApp([smallModel])
t.teardown(() => app.close())

const post = (payload: string | object, headers: Record<string, string> = {}, query = '') =>
  app.inject({ method: 'POST', url: `/compute${query}`, payload, headers })
async function answerOf (
  payload: string | object,
  headers?: Record<string, string>,
  query?: string
): Promise<ComputeAnswer> {
  const response = await post(payload, headers, query)
  if (response.statusCode !== 200) throw new Error(response.body)
  return ComputeAnswerSchema.parse(response.json())
}
const csv = { 'content-type': 'text/csv' }

/** Wind and power under names that no model has, with a spike of power from 400 to 410. */
function strange (length = 600) {
  const series = windSeries(length, 'strange')
  for (let k = 400; k < 410; k++) series.values[2 * k + 1]! += 500
  return { ...series, channels: ['a', 'b'] }
}

t.test('channels that no model has are scored by a model of the series itself', async (t) => {
  const series = strange()
  const answer = await answerOf(jsonOf(series))
  const { model, autoencoders } = await fitAdHoc(series, { scoring: 'batch' })
  const hash = createHash('sha256').update(canonicalJson(model))
  for (const { weights } of autoencoders) for (const values of weights) hash.update(values)
  t.same(answer.model, {
    name: 'ad-hoc',
    version: '1',
    digest: `sha256:${hash.digest('hex')}`,
    architecture: 'ensemble',
  })
  t.same(answer.score, Array.from(detectBatch(model, autoencoders, series).score))
  const worst = answer.anomalies!.reduce((worst, anomaly) => anomaly.peakScore > worst.peakScore ? anomaly : worst)
  const at = (Date.parse(worst.peak) - series.start) / series.interval
  t.ok(at >= 400 && at < 410, `the spike is found: ${at}`)
  t.ok(Date.parse(worst.end) - Date.parse(worst.start) < 15 * series.interval, 'and not much beside it')
})

t.test('the first part can be named as what is normal, by number and by time, in JSON and in tables', async (t) => {
  const series = strange()
  const byRows = await answerOf({ ...jsonOf(series), options: { fit: { rows: 300 } } })
  const until = timesOf(series)[300]!
  t.same(await answerOf({ ...jsonOf(series), options: { fit: { until } } }), byRows)
  const { timestamps, ...table } = await answerOf(csvOf(series), csv, '?fitRows=300')
  t.same(table, byRows, 'the interval is told by the times')
  t.equal(timestamps!.length, 600)
  t.same((await answerOf(csvOf(series), csv, `?fitUntil=${until}`)).model, byRows.model)
  t.notSame((await answerOf(jsonOf(series))).model.digest, byRows.model.digest)
})

t.test('ad-hoc can be named even if a model is served; any interval and constant channels are fine', async (t) => {
  const series = windSeries(200)
  t.equal((await answerOf(jsonOf(series))).model.name, 'small')
  t.equal((await answerOf({ model: 'ad-hoc', ...jsonOf(series) })).model.name, 'ad-hoc')
  t.equal((await answerOf(csvOf(series), csv, '?model=ad-hoc')).model.name, 'ad-hoc')
  const seconds = {
    start: '2026-01-01T00:00:00Z',
    step: 'PT7S',
    channels: { x: Array.from({ length: 100 }, (_, t) => t % 5), still: Array(100).fill(3) },
  }
  t.match(await answerOf(seconds), { step: 'PT7S', anomalies: [] })
})

t.test('an anomaly says its kind and a sentence; a short or spoiled series what could not be learnt', async (t) => {
  const random = createRandom('notices')
  const noise = (length: number): number[] => Array.from({ length }, () => 20 + random.normal())
  const hourly = (flow: number[]) => ({ start: '2026-01-05T00:00:00Z', step: 'PT1H', channels: { flow } })
  const spiky = noise(60).map((value, t) => t === 40 ? 90 : value)
  const told = await answerOf(hourly(spiky))
  t.match(told.anomalies, [{ kind: 'spike', message: /^flow: value 90, expected [12]\d/ }])
  t.match(told.notices, [/^60 observations: spread, trend and seasons only/])
  const few = await answerOf(hourly(noise(12)))
  t.match(few.notices, [/^12 observations: spread and trend only\.$/, /^Less than two days /])
  t.notOk('notices' in await answerOf(hourly(noise(400))), 'nothing to say')
  const spoiled = noise(400).map((value, t) => t >= 300 && t < 330 ? value + 60 : value)
  t.match((await answerOf(hourly(spoiled))).notices, [/^\d+ % of the observations look anomalous .*options\.fit/])
  const numbers = await answerOf(noise(12).join('\n'), csv)
  t.match(numbers, { numbered: true, notices: [/^12 observations/] })
  t.equal(numbers.notices!.length, 1, 'made-up times know no calendar')
  t.notOk('notices' in await answerOf({ model: 'small', ...jsonOf(windSeries(100)) }), 'a trained model has none')
})

t.test('channels that are never there together are refused', async (t) => {
  const values = (from: number, to: number) => Array.from({ length: 300 }, (_, t) => t >= from && t < to ? t : null)
  const apart = { ...jsonOf(windSeries(300)), channels: { a: values(0, 145), b: values(156, 300) } }
  t.match((await post(apart)).json(), { status: 422, code: 'no-training-data' })
})

t.test('the sensitivity sheet on request; without it, nothing is injected', async (t) => {
  const options = { include: ['sensitivity' as const, 'anomalies' as const] }
  const sheetOf = async (series: Series, more: OptionsRequest = {}): Promise<ComputeAnswer['sensitivity']> =>
    (await answerOf({ model: 'ad-hoc', ...jsonOf(series), options: { ...options, ...more } })).sensitivity
  const sheet = await sheetOf(windSeries(600))
  t.match(sheet, { observations: 150, summary: /^Finds .* a level of \d σ over 5 h in \d+ %/ })
  t.same([...new Set(sheet!.findings.map(({ channel }) => channel))], ['wind_speed_ms', 'power_kw'])
  t.same(await sheetOf(windSeries(600)), sheet, 'the same again')
  const faulty = windSeries(600)
  for (let t = 520; t < 540; t++) faulty.values[2 * t] = 90
  const known = await sheetOf(faulty)
  t.ok(known!.observations > 20 && known!.observations < 130, 'what the model finds is no normal data')
  t.equal((await sheetOf(windSeries(600), { fit: { rows: 400 } }))!.observations, 100)
  t.match(await sheetOf(windSeries(50)), { observations: 0, summary: /^Not measured/ })
  t.notOk('sensitivity' in await answerOf({ model: 'ad-hoc', ...jsonOf(windSeries(600)) }))
  const served = await answerOf({ model: 'small', ...jsonOf(windSeries(100)), options })
  t.same(served.sensitivity, describeSheet(smallModel.manifest.sensitivity, STEP_MS), 'as in its package')
})

/** Healthy wind with a spike up and one down. */
function upAndDown () {
  const series = windSeries(400, 'both')
  for (let k = 100; k < 106; k++) series.values[2 * k + 1]! += 500
  for (let k = 250; k < 256; k++) series.values[2 * k + 1]! -= 500
  return series
}
const include: OptionsRequest['include'] = [
  'score',
  'isAnomaly',
  'anomalies',
  'observed',
  'expected',
  'contributions',
  'changepoints',
]
const withOptions = async (options: OptionsRequest): Promise<ComputeAnswer> =>
  answerOf({ ...jsonOf(upAndDown()), options: { include, ...options } })
const flagged = ({ isAnomaly }: ComputeAnswer): number[] =>
  isAnomaly!.flatMap((verdict, t) => verdict === true ? [t] : [])
const isSubset = (few: readonly number[], many: readonly number[]): boolean => few.every((t) => many.includes(t))
const plain = await withOptions({})

t.test('a threshold changes verdicts and not scores; half sensitivity is the calibrated one', async (t) => {
  for (const threshold of [0.5, 1, 3, { sensitivity: 0.8 }, { falseAlarmsPerDay: 0.1 }]) {
    const answer = await withOptions({ threshold })
    t.same(answer.score, plain.score)
    t.same(answer.isAnomaly, answer.score!.map((score) => score === null ? null : score > answer.threshold))
    if (typeof threshold === 'number') t.equal(answer.threshold, threshold)
  }
  t.same(await withOptions({ threshold: { sensitivity: 0.5 } }), plain)
  t.same(
    (await answerOf(csvOf(upAndDown()), csv, '?sensitivity=0.7')).threshold,
    (await withOptions({ threshold: { sensitivity: 0.7 } })).threshold
  )
  t.same(
    (await answerOf(csvOf(upAndDown()), csv, '?falseAlarmsPerDay=0.5')).threshold,
    (await withOptions({ threshold: { falseAlarmsPerDay: 0.5 } })).threshold
  )
  t.equal((await answerOf(csvOf(upAndDown()), csv, '?threshold=2.5')).threshold, 2.5)
})

t.test('what is more sensitive takes no verdict away', async (t) => {
  const half = fc.double({ min: 0, max: 1, noNaN: true })
  await fc.assert(
    fc.asyncProperty(
      half,
      half,
      fc.constantFrom('sensitivity', 'falseAlarmsPerDay'),
      fc.boolean(),
      async (one, other, kind, adaptive) => {
        const [low, high] = [Math.min(one, other) + 1e-9, Math.max(one, other)].map((value) => Math.min(1, value)) as [
          number,
          number
        ]
        const at = async (value: number) =>
          flagged(
            await withOptions({
              adaptive,
              threshold: kind === 'sensitivity' ? { sensitivity: value } : { falseAlarmsPerDay: value },
            })
          )
        return isSubset(await at(Math.min(low, high)), await at(Math.max(low, high)))
      }
    ),
    { numRuns: 15 }
  )
})

t.test('direction and deviation only take verdicts away, and keep exactly what they name', async (t) => {
  const all = flagged(plain)
  const { batch: { smoothing }, windowLength } = smallModel.manifest.detector
  const reach = (smoothing >> 1) + windowLength - 1
  const topAt = (i: number): string => {
    const [wind, power] = ['wind_speed_ms', 'power_kw'].map((name) => plain.contributions![name]![i]!) as [
      number,
      number
    ]
    return power > wind ? 'power_kw' : 'wind_speed_ms'
  }
  const departureAt = (i: number): number => plain.observed![topAt(i)]![i]! - plain.expected![topAt(i)]![i]!
  // The largest deviation of the main channel among the observations over which the score is averaged: the evidence of
  // one observation reaches less far.
  const departure = (i: number): number => {
    const top = topAt(i)
    const around = plain.observed![top]!.map((observed, t) => observed! - plain.expected![top]![t]!).slice(
      Math.max(0, i - reach),
      i + reach + 1
    )
    return around.reduce((farthest, one) => Math.abs(one) > Math.abs(farthest) ? one : farthest)
  }
  const above = flagged(await withOptions({ direction: 'above' }))
  const below = flagged(await withOptions({ direction: 'below' }))
  t.same(above, all.filter((i) => departure(i) > 0))
  t.same(below, all.filter((i) => departure(i) < 0))
  t.ok(above.length > 0 && below.length > 0)
  t.same(flagged(await withOptions({ direction: { wind_speed_ms: 'above' } })).filter((i) => above.includes(i)), above)
  t.same(flagged(await answerOf(csvOf(upAndDown()), csv, '?direction=below')), below)
  let before = all
  for (const least of [0, 50, 200, 1e6]) {
    const kept = flagged(await withOptions({ minDeviation: { power_kw: least, wind_speed_ms: least } }))
    t.ok(isSubset(kept, before), `${least}`)
    t.ok(isSubset(kept, all.filter((i) => Math.abs(departure(i)) >= least)), `${least}: nothing within reach is nearer`)
    t.ok(isSubset(all.filter((i) => Math.abs(departureAt(i)) >= least), kept), `${least}: what departs itself is kept`)
    before = kept
  }
  t.same((await withOptions({ minDeviation: { power_kw: 1e6, wind_speed_ms: 1e6 } })).anomalies, [])
})

t.test('scores are relative to the level around them unless that is switched off', async (t) => {
  const series = windSeries(1200, 'worn')
  for (let k = 300; k < 1200; k++) series.values[2 * k + 1]! += 110 * Math.sin(k)
  const scores = async (options: OptionsRequest): Promise<number[]> =>
    (await answerOf({ ...jsonOf(series), options })).score!.map((score) => score ?? 0)
  for (const scoring of ['batch', 'causal'] as const) {
    const [adaptive, plain] = [await scores({ scoring }), await scores({ scoring, adaptive: false })]
    t.same(await scores({ scoring, adaptive: true }), adaptive)
    t.ok(plain.every((score, i) => score >= adaptive[i]!), 'the level only takes away')
    t.ok(plain.some((score, i) => score > 1 && adaptive[i]! <= 1), `${scoring}: what stays high is no anomaly for ever`)
    t.same(
      (await withOptions({ scoring, adaptive: false })).score,
      (await withOptions({ scoring })).score,
      'a short series is no evidence of drift'
    )
  }
  const table = await answerOf(csvOf(series), csv, '?adaptive=false')
  t.same(table.score, (await answerOf({ ...jsonOf(series), options: { adaptive: false } })).score)
})

t.test('changepoints tell when the process changed for good', async (t) => {
  const series = windSeries(400, 'shift')
  for (let k = 200; k < 400; k++) series.values[2 * k + 1]! += 900
  const { changepoints } = await answerOf({ ...jsonOf(series), options: { include: ['changepoints'] } })
  t.equal(changepoints!.length, 1)
  const [{ timestamp, direction, channels, confidence }] = changepoints as [
    NonNullable<ComputeAnswer['changepoints']>[number]
  ]
  t.ok(Math.abs((Date.parse(timestamp) - series.start) / series.interval - 200) <= 2, timestamp)
  t.same([direction, channels], ['up', ['power_kw']])
  t.ok(confidence > 0.5 && confidence <= 1)
})
