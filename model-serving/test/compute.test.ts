import { deflateSync, gzipSync, brotliCompressSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { detectCausal } from '../../core/detector/detector.ts'
import { detectBatch } from '../../core/detector/hindsight.ts'
import { fromColumns, type Series } from '../../core/series/series.ts'
import { computeExamples } from '../openapi/examples.ts'
import { type ComputeAnswer, ComputeAnswerSchema, PARTS } from '../schemas/compute.ts'
import {
  columnsOf,
  csvOf,
  formOf,
  jsonOf,
  smallModel,
  START,
  STEP_MS,
  testApp,
  threadedApp,
  timesOf,
  turbineModel,
  WINDOW,
  windSeries,
} from './fixture.ts'

const turbine = await turbineModel()
const app = await threadedApp([smallModel, turbine])
t.teardown(() => app.close())

type Payload = string | Buffer | object
const post = (payload: Payload, headers: Record<string, string> = {}, query = '') =>
  app.inject({ method: 'POST', url: `/compute${query}`, payload, headers })
const answerOf = async (payload: Payload, headers?: Record<string, string>, query?: string): Promise<ComputeAnswer> => {
  const response = await post(payload, headers, query)
  if (response.statusCode !== 200) throw new Error(response.body)
  return ComputeAnswerSchema.parse(response.json())
}
const csv = { 'content-type': 'text/csv' }
const all = { include: [...PARTS] }

/** Healthy wind with a spike of power, a short gap and a long one. */
function spoiled (length = 120): Series {
  const { start, interval, channels, values } = windSeries(length, 'spoiled')
  const changed = values.slice()
  for (let k = 60; k < 70; k++) changed[2 * k + 1]! += 400
  changed[2 * 20 + 1] = NaN
  for (let k = 90; k < 96; k++) changed[2 * k] = NaN
  return { channels, start, interval, length, values: changed }
}

t.test('the answer is what the detector says, aligned with the posted grid', async (t) => {
  const series = spoiled()
  const answer = await answerOf({ model: 'small', ...jsonOf(series), options: all })
  const detection = detectBatch(smallModel.manifest.detector, smallModel.autoencoders, series)
  t.same(answer.model, { name: 'small', version: '1', digest: smallModel.digest, architecture: 'linear' })
  t.match(answer, { scoring: 'batch', threshold: 1, start: '2026-01-01T00:00:00Z', step: 'PT10M' })
  t.notOk('timestamps' in answer, 'times are sent where times came')
  t.same(
    answer.score,
    Array.from(detection.score, (score) => Number.isNaN(score) ? null : score),
    'every bit of every score'
  )
  t.same(answer.isAnomaly, answer.score!.map((score) => score === null ? null : score > 1))
  t.same(answer.observed, columnsOf(series))
  for (const part of [answer.expected, answer.lower, answer.upper, answer.contributions]) {
    t.same(Object.keys(part!), ['wind_speed_ms', 'power_kw'])
    t.ok(Object.values(part!).every((column) => column.length === series.length))
  }
  const margin = smallModel.manifest.detector.margins[1]!
  t.equal(answer.upper!['power_kw']![60], answer.expected!['power_kw']![60]! + margin)
  t.equal(answer.lower!['power_kw']![60], answer.expected!['power_kw']![60]! - margin)
  t.same(answer.quality, {
    wind_speed_ms: { missing: 6, imputed: [90, 91, 92], duplicates: 0, outOfOrder: 0 },
    power_kw: { missing: 1, imputed: [20], duplicates: 0, outOfOrder: 0 },
  })
})

t.test('contributions sum to 1 where there is a score, and are null with it where there is none', async (t) => {
  const { score, contributions, expected } = await answerOf({ ...jsonOf(spoiled()), options: all })
  score!.forEach((value, i) => {
    const shares = Object.values(contributions!).map((column) => column[i]!)
    if (value === null) {
      t.same([...shares, expected!['power_kw']![i]], [null, null, null], `observation ${i} is in the long gap`)
    } else t.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9)
  })
  t.equal(score!.filter((value) => value === null).length, 3, 'what the imputer does not fill')
})

t.test('an anomaly tells when it was, how bad, and which channels are to blame', async (t) => {
  const { anomalies, score } = await answerOf({ ...jsonOf(spoiled()), options: { topChannels: 1 } })
  const anomaly = anomalies!.find(({ peakScore }) => peakScore === Math.max(...score!.map((value) => value ?? 0)))
  t.equal(anomaly!.channels.length, 1)
  t.match(anomaly, { kind: /^(relation|level)$/ })
  t.ok(anomaly!.message.startsWith(anomaly!.channels[0]!.name), anomaly!.message)
  const at = (time: string): number => (Date.parse(time) - START) / STEP_MS
  t.equal(score![at(anomaly!.peak)], anomaly!.peakScore)
  t.ok(score![at(anomaly!.start)]! > 1 && score![at(anomaly!.end)]! > 1, 'both ends are inside')
})

t.test('JSON, timestamps, CSV, form and compressed bodies of one series get the same scores', async (t) => {
  const series = spoiled()
  const json = { ...jsonOf(series), options: all }
  const { score, contributions, anomalies, quality } = await answerOf(json)
  const form = formOf(csvOf(series))
  const query = `?include=${PARTS.join(',')}`
  const forms: Record<string, Promise<ComputeAnswer>> = {
    timestamps: answerOf({ timestamps: timesOf(series), channels: columnsOf(series), options: all }),
    'channels in another order': answerOf({
      ...json,
      channels: Object.fromEntries(Object.entries(json.channels).reverse()),
    }),
    csv: answerOf(csvOf(series), csv, query),
    form: answerOf(form.payload, form.headers, query),
    gzip: answerOf(gzipSync(JSON.stringify(json)), { 'content-type': 'application/json', 'content-encoding': 'gzip' }),
    brotli: answerOf(brotliCompressSync(JSON.stringify(json)), {
      'content-type': 'application/json',
      'content-encoding': 'br',
    }),
    'deflated form': answerOf(deflateSync(form.payload), { ...form.headers, 'content-encoding': 'deflate' }, query),
    'semicolons and decimal commas': answerOf(
      csvOf(series).replaceAll(',', ';').replaceAll(/(\d)\.(\d)(?=[^Z]*[;\n])/g, '$1,$2').replaceAll(/,000Z/g, '.000Z'),
      csv,
      query
    ),
  }
  for (const [name, answer] of Object.entries(forms)) {
    const same = await answer
    t.same({ score: same.score, contributions: same.contributions, anomalies: same.anomalies, quality: same.quality }, {
      score,
      contributions,
      anomalies,
      quality,
    }, name)
  }
  t.same((await forms['csv'])!.timestamps, timesOf(series).map((time) => time.replace('.000Z', 'Z')))
})

t.test('causal scoring looks back only: a prefix gets a prefix of the scores', async (t) => {
  const series = windSeries(80, 'causal')
  const options = { scoring: 'causal' }
  const { score, scoring } = await answerOf({ ...jsonOf(series), options })
  const detection = detectCausal(smallModel.manifest.detector, smallModel.autoencoders, series)
  t.equal(scoring, 'causal')
  t.same(score, Array.from(detection.score, (value) => Number.isNaN(value) ? null : value))
  t.same(score!.slice(0, WINDOW), [...Array(WINDOW - 1).fill(null), score![WINDOW - 1]], 'warm-up is not scored')
  const half = await answerOf({ ...jsonOf({ ...series, length: 40, values: series.values.subarray(0, 80) }), options })
  t.same(half.score, score!.slice(0, 40))
  t.notSame((await answerOf(jsonOf(series))).score, score, 'batch scores with hindsight')
})

t.test('short anomalies are left out and near ones merged, by durations', async (t) => {
  const series = windSeries(400, 'two')
  for (const from of [100, 200]) for (let k = from; k < from + 4; k++) series.values[2 * k + 1]! += 500
  const anomaliesWith = async (options: object): Promise<NonNullable<ComputeAnswer['anomalies']>> =>
    (await answerOf({ ...jsonOf(series), options })).anomalies!
  const two = await anomaliesWith({})
  t.equal(two.length, 2)
  const lengths = two.map(({ start, end }) => (Date.parse(end) - Date.parse(start)) / STEP_MS + 1)
  const between = (Date.parse(two[1]!.start) - Date.parse(two[0]!.end)) / STEP_MS - 1
  t.equal((await anomaliesWith({ mergeGap: `PT${10 * between}M` })).length, 1)
  t.equal((await anomaliesWith({ mergeGap: `PT${10 * between - 1}M` })).length, 2)
  const longest = Math.max(...lengths)
  t.equal((await anomaliesWith({ minDuration: `PT${10 * longest + 1}M` })).length, 0)
  t.equal((await anomaliesWith({ minDuration: `PT${10 * Math.min(...lengths)}M` })).length, 2)
})

t.test('times with a gap come back on the regular grid, and disorder is repaired on request', async (t) => {
  const series = windSeries(40, 'gap')
  const kept = [...Array(40).keys()].filter((i) => i < 20 || i > 21)
  const pick = <T>(list: readonly T[]): T[] => kept.map((i) => list[i]!)
  const columns = columnsOf(series)
  const body = {
    timestamps: pick(timesOf(series)),
    channels: Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, pick(values)])),
  }
  const gapped = await answerOf(body)
  t.equal(gapped.score!.length, 40)
  t.equal(gapped.timestamps![20], '2026-01-01T03:20:00Z')
  t.same(gapped.quality!['power_kw'], { missing: 2, imputed: [20, 21], duplicates: 0, outOfOrder: 0 })
  const shuffled = {
    timestamps: [...body.timestamps].reverse(),
    channels: Object.fromEntries(Object.entries(body.channels).map(([name, values]) => [name, [...values].reverse()])),
  }
  t.match((await post(shuffled)).json(), { status: 422, code: 'timestamps-not-ascending', index: 1 })
  const repaired = await answerOf({ ...shuffled, options: { timestamps: 'repair' } })
  t.same(repaired.score, gapped.score)
  t.equal(repaired.quality!['power_kw']!.outOfOrder, 37)
  const rows = csvOf(series).trimEnd().split('\n')
  const doubled = [rows[0], ...rows.slice(1).reverse(), rows[5]].join('\n')
  const table = await answerOf(doubled, csv)
  t.same(table.score, (await answerOf(jsonOf(series))).score, 'a table is repaired unless it must be strict')
  t.equal(table.quality!['power_kw']!.duplicates, 1)
  t.match((await post(doubled, csv, '?timestamps=strict')).json(), { status: 422, code: 'timestamps-not-ascending' })
})

t.test('a series long enough without a full window is answered, hardly scored, and its quality says why', async (t) => {
  const missing = Array.from({ length: 30 }, (_, t) => t === 15 ? 8 : null)
  const { score, anomalies, quality } = await answerOf({
    start: '2026-01-01T00:00:00+02:00',
    step: 'PT600S',
    channels: { wind_speed_ms: missing, power_kw: missing.map((value) => value && 90 * value) },
  })
  t.ok(score!.every((value, t) => (t >= 15 && t <= 18) || value === null), 'the value and its gap are filled')
  t.same(anomalies, [])
  t.match(quality, { power_kw: { missing: 29, imputed: [] } })
})

t.test('a channel without any value is refused by name, not answered with nothing', async (t) => {
  const series = jsonOf(windSeries(30))
  const dead = { ...series, channels: { ...series.channels, power_kw: Array(30).fill(null) } }
  t.match((await post(dead)).json(), {
    status: 422,
    code: 'missing-channel',
    missing: ['power_kw'],
    detail: /"power_kw" has no value/,
  })
})

t.test('a cell of endless digits does not hold up the service', { timeout: 20_000 }, async (t) => {
  t.match(
    (await post(
      `timestamp,wind_speed_ms,power_kw\n2026-01-01T00:00:00Z,1,2\n2026-01-01T00:10:00Z,1,${'1'.repeat(5_000_000)}x\n`,
      csv
    )).json(),
    { status: 422 }
  )
})

t.test('the model is the named one, else the one with exactly the posted channels', async (t) => {
  t.equal((await answerOf(jsonOf(windSeries(20)))).model.name, 'small')
  t.equal((await answerOf({ model: 'small', ...jsonOf(windSeries(20)) })).model.name, 'small')
  t.equal((await answerOf(csvOf(windSeries(20)), csv, '?model=small')).model.name, 'small')
  const refused = (await post({ model: 'wind-turbine', ...jsonOf(windSeries(20)) })).json()
  t.match(refused, { code: 'missing-channel', expected: turbine.manifest.detector.channels })
  t.ok(refused.missing.includes('rotor_rpm'))
})

t.test('only the asked parts are sent', async (t) => {
  const bare = await answerOf({ ...jsonOf(windSeries(20)), options: { include: [] } })
  t.same(Object.keys(bare), ['model', 'scoring', 'threshold', 'start', 'step'])
  t.same(Object.keys(await answerOf(jsonOf(windSeries(20)))).slice(5), ['score', 'isAnomaly', 'anomalies', 'quality'])
  t.same(Object.keys(await answerOf(csvOf(windSeries(20)), csv, '?include=bounds')).slice(5), [
    'timestamps',
    'lower',
    'upper',
  ])
  const timed = { timestamps: timesOf(windSeries(20)), channels: columnsOf(windSeries(20)) }
  for (const part of ['score', 'isAnomaly', 'observed', 'expected', 'contributions']) {
    t.ok('timestamps' in await answerOf({ ...timed, options: { include: [part] } }), part)
  }
  t.same(Object.keys(await answerOf({ ...timed, options: { include: ['anomalies', 'quality'] } })).slice(5), [
    'anomalies',
    'quality',
  ], 'no time for every observation where nothing else is said of it')
  t.same(Object.keys(await answerOf(csvOf(windSeries(20)), csv, '?include=anomalies')).slice(5), ['anomalies'])
})

t.test('a CSV answer is a table of the same numbers', async (t) => {
  const series = spoiled()
  const response = await post(
    csvOf(series),
    { ...csv, accept: 'text/csv' },
    '?include=expected,bounds,contributions,observed'
  )
  t.equal(response.headers['content-type'], 'text/csv; charset=utf-8')
  const [header, ...rows] = response.body.trimEnd().split('\r\n').map((line) => line.split(','))
  t.same(header, [
    'timestamp',
    'score',
    'isAnomaly',
    'imputed',
    ...['observed', 'expected', 'lower', 'upper', 'contribution'].flatMap((word) => [
      `${word}_wind_speed_ms`,
      `${word}_power_kw`,
    ]),
  ])
  const answer = await answerOf({ ...jsonOf(series), options: all })
  t.same(rows.map((row) => row[0]), timesOf(series).map((time) => time.replace('.000', '')))
  const numbers = (column: string): Array<number | null> =>
    rows.map((row) => row[header!.indexOf(column)]!).map((cell) => cell === '' ? null : Number(cell))
  t.same(numbers('score'), answer.score)
  t.same(numbers('expected_power_kw'), answer.expected!['power_kw'])
  t.same(rows.map((row) => row[2]), answer.isAnomaly!.map((value) => String(value ?? '')))
  const filled = Object.fromEntries(rows.flatMap((row, i) => row[3] === '' ? [] : [[i, row[3]]]))
  t.same(
    filled,
    { 20: 'power_kw', 90: 'wind_speed_ms', 91: 'wind_speed_ms', 92: 'wind_speed_ms' },
    'what was filled is marked'
  )
  const [wind, power] = Object.values(columnsOf(windSeries(20)))
  const both = {
    ...jsonOf(windSeries(20)),
    channels: { wind_speed_ms: wind!.with(10, null), power_kw: power!.with(10, null) },
  }
  t.match(
    (await post(both, { accept: 'text/csv' })).body,
    /,(true|false),wind_speed_ms;power_kw\r\n/,
    'two channels in one cell'
  )
  t.match(
    (await post(csvOf(series), { ...csv, accept: 'text/csv' }, '?include=anomalies')).body,
    /^timestamp,score,isAnomaly,imputed\r\n/,
    'never a table without verdicts'
  )
})

t.test('channels named like formulas or like members of every object are channels like others', async (t) => {
  const names = ['=cmd|"/c calc"!A1', '__proto__']
  const renamed = {
    ...smallModel,
    manifest: { ...smallModel.manifest, name: 'odd', detector: { ...smallModel.manifest.detector, channels: names } },
  }
  const odd = await testApp([renamed])
  t.teardown(() => odd.close())
  const [wind, power] = Object.values(columnsOf(windSeries(20)))
  const proto = `"__proto__":${JSON.stringify(power!.with(10, null))}`
  const other = `${JSON.stringify(names[0])}:${JSON.stringify(wind!.with(10, null))}`
  const payload = `{"start":"2026-01-01T00:00:00Z","step":"PT10M","channels":{${proto},${other}},` +
    '"options":{"include":["expected","quality"]}}'
  const headers = { 'content-type': 'application/json' }
  const response = await odd.inject({ method: 'POST', url: '/compute', payload, headers })
  t.equal(response.statusCode, 200)
  t.same(Object.keys(response.json().expected), names)
  const table = await odd.inject({
    method: 'POST',
    url: '/compute',
    payload,
    headers: { ...headers, accept: 'text/csv' },
  })
  const cells = table.body.split('\r\n')[0]!
  t.equal(table.body.split('\r\n')[11]!.split(',')[3], '"\'=cmd|""/c calc""!A1;__proto__"', 'nor is a cell a formula')
  t.equal(cells, 'timestamp,score,isAnomaly,imputed,"expected_=cmd|""/c calc""!A1",expected___proto__')
})

t.test('plots are drawn as SVG and PNG', async (t) => {
  const svg = await post(jsonOf(spoiled()), { accept: 'image/svg+xml' })
  t.equal(svg.headers['content-type'], 'image/svg+xml; charset=utf-8')
  t.match(svg.body, /^<svg[^]*power_kw[^]*<\/svg>$/)
  const png = await post(csvOf(spoiled()), { ...csv, accept: 'image/png' })
  t.equal(png.headers['content-type'], 'image/png')
  t.same([...png.rawPayload.subarray(0, 8)], [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
})

t.test('the Accept header chooses by quality, and JSON is the default', async (t) => {
  const typeFor = async (accept?: string): Promise<string> =>
    String((await post(jsonOf(windSeries(20)), accept === undefined ? {} : { accept })).headers['content-type']).split(
      ';'
    )[0]!
  t.equal(await typeFor(), 'application/json')
  t.equal(await typeFor('*/*'), 'application/json')
  t.equal(await typeFor('text/csv;q=0.9, application/json;q=0.5'), 'text/csv')
  t.equal(await typeFor('text/*, image/png;q=0.1'), 'text/csv')
  t.equal(await typeFor('image/*'), 'image/svg+xml')
  t.equal(await typeFor('text/html, */*;q=0.1'), 'application/json')
})

t.test('answers are compressed where that is accepted', async (t) => {
  const response = await post({ ...jsonOf(spoiled()), options: all }, { 'accept-encoding': 'gzip' })
  t.equal(response.headers['content-encoding'], 'gzip')
  t.match(response.headers.vary, /accept-encoding/)
})

t.test('the documented examples do what they say', async (t) => {
  const { json, csv: tables } = computeExamples()
  const healthy = await answerOf(json.healthy.value as object)
  t.same(healthy.anomalies, [])
  const fault = await answerOf(json.fault.value as object)
  t.ok(fault.anomalies![0]!.channels.slice(0, 2).some(({ name }) => name === 'gearbox_bearing_temp_c'))
  t.same(fault.quality!['power_kw']!.imputed, [20, 21])
  t.same((await answerOf(tables.fault.value as string, csv, '?minDuration=PT30M')).anomalies, fault.anomalies)
  t.equal((await answerOf(json.timestamps.value as object)).scoring, 'causal')
  const own = await answerOf(json['ad-hoc'].value as object)
  t.match(own, { model: { name: 'ad-hoc' }, anomalies: [{ channels: [{ name: 'bearing' }] }] })
  t.match((await post(json['too-short'].value as object)).json(), { code: 'series-too-short', needed: 8, got: 3 })
  t.match((await post(json['unknown-channel'].value as object)).json(), {
    code: 'unknown-channel',
    errors: [{ pointer: '/channels/wind_speed' }],
  })
})

t.test('scores do not depend on the week in which a series starts, nor on how it is sent', async (t) => {
  const { score } = await answerOf(jsonOf(windSeries(30, 'law')))
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 4000 }),
      fc.constantFrom('json', 'timestamps', 'csv'),
      async (weeks, form) => {
        const series = fromColumns({
          start: START + weeks * 7 * 86_400_000,
          interval: STEP_MS,
          columns: columnsOf(windSeries(30, 'law')),
        })
        const body = form === 'json'
          ? jsonOf(series)
          : form === 'csv'
            ? csvOf(series)
            : { timestamps: timesOf(series), channels: columnsOf(series) }
        const answer = await answerOf(body, form === 'csv' ? csv : {})
        t.same(answer.score, score)
        t.equal(Date.parse(answer.start), series.start)
      }
    ),
    { numRuns: 30 }
  )
})
