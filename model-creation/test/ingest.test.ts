// `npm run data -- --from …`: Flux that is safe from injection, names of files, errors that name the flag or variable,
// and the written folder.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dvcFolderHash, hashFolder } from '../adapters/dvc-hash.ts'
import { fieldsQuery, type InfluxRow, InfluxSource, rowsQuery } from '../adapters/influx.ts'
import { storeLocation, StoreSource } from '../adapters/object-store.ts'
import { influxAccess } from '../../adapters/influx/access.ts'
import { storeAccess } from '../../adapters/s3/access.ts'
import { influxSelection, main } from '../data.ts'
import { FileNames, fromInflux, ingest } from '../ingest.ts'

const RANGE = { bucket: 'plant', start: '2026-03-01T01:00:00+01:00', stop: '2026-03-02T00:00:00Z' }

t.test('a selection becomes Flux', (t) => {
  const query = rowsQuery(
    influxSelection({ ...RANGE, measurement: 'turbine', every: 'PT10M', series: 'name', tag: ['site=north=east'] })
  )
  for (const part of [
    'from(bucket: "plant")',
    'range(start: time(v: "2026-03-01T00:00:00.000Z"), stop: time(v: "2026-03-02T00:00:00.000Z"))',
    'r["_measurement"] == "turbine"',
    'r["site"] == "north=east"',
    'aggregateWindow(every: duration(v: "600000ms"), fn: mean',
    'group(columns: ["name"])',
  ]) t.ok(query.includes(part), part)
  const bare = rowsQuery(influxSelection(RANGE))
  t.notMatch(bare, /_measurement|aggregateWindow/)
  t.match(bare, /\|> group\(\)/)
  t.end()
})

t.test('the value of a flag stays one string literal, whatever it holds', (t) => {
  const evil = '") |> drop(columns: ["_value"]) |> to(bucket: "x") // \\" $' + '{r} \n'
  const clean = influxSelection({ ...RANGE, measurement: 'm', series: 's', tag: ['t=v'] })
  // Without its literals, the query is the same as with harmless values.
  const skeleton = (query: string): string => query.replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""')
  const spoilt = influxSelection({
    ...RANGE,
    bucket: evil,
    measurement: evil,
    series: evil,
    tag: [`${evil.replace('=', '')}=${evil}`],
  })
  for (const build of [rowsQuery, fieldsQuery]) {
    t.equal(skeleton(build(spoilt)), skeleton(build(clean)))
    t.notMatch(build(spoilt), /[^\\]\$\{/)
  }
  t.end()
})

t.test('the error names a wrong flag', async (t) => {
  for (const [flags, message] of [
    [{ bucket: 'plant' }, /needs --bucket, --start and --stop/],
    [{ ...RANGE, start: 'yesterday' }, /^--start is "yesterday"/],
    [{ ...RANGE, stop: '2026-03-02' }, /^--stop is "2026-03-02"/],
    [{ ...RANGE, stop: RANGE.start }, /^--stop .* is not after --start/],
    [{ ...RANGE, every: '10m' }, /^--every "10m"/],
    [{ ...RANGE, tag: ['site'] }, /^--tag is "site": write name=value/],
  ] as const) t.throws(() => influxSelection(flags), { code: 'invalid-settings', message })
  for (const [args, message] of [
    [['--bucket', 'b'], /--bucket is not for --from farm/],
    [['--from', 'minio', 's3://b/x', '--seed', '1'], /--seed is not for --from minio/],
    [['s3://b/x'], /is not for --from farm/],
    [['--from', 'kafka'], /'kafka' is invalid.*--help/],
    [['--from', 'minio'], /needs the place/],
  ] as const) await t.rejects(main(args, () => {}, {}), { code: 'invalid-settings', message }, args.join(' '))
})

t.test('errors name missing variables, and never show a value', async (t) => {
  t.throws(() => influxAccess({ INFLUX_URL: 'http://127.0.0.1:1', INFLUX_TOKEN: '' }), {
    code: 'invalid-settings',
    message: /^INFLUX_TOKEN, INFLUX_ORG are not set; \.env\.example/,
  })
  t.throws(() => storeAccess({ AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ACCESS_KEY_ID: 'a' }), {
    code: 'invalid-settings',
    message: /^AWS_SECRET_ACCESS_KEY is not set/,
  })
  for (const url of ['user:hush@host', 'ftp://hush/']) {
    t.throws(() => influxAccess({ INFLUX_URL: url, INFLUX_TOKEN: 't', INFLUX_ORG: 'o' }), {
      code: 'invalid-settings',
      message: /^INFLUX_URL is not a URL(?!.*hush)/,
    })
  }
  t.match(
    storeAccess({
      AWS_ENDPOINT_URL: 'http://h:1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_DEFAULT_REGION: 'eu',
    }),
    { region: 'eu' }
  )
})

t.test('places in an object store', (t) => {
  t.same(storeLocation('s3://plant'), { bucket: 'plant', prefix: '' })
  t.same(storeLocation('s3://plant/raw/2026'), { bucket: 'plant', prefix: 'raw/2026/' })
  t.same(storeLocation('s3://plant/raw/T01.CSV'), { bucket: 'plant', prefix: 'raw/T01.CSV' })
  for (const place of ['plant/raw', 's3://', 's3://UPPER/x', 'http://plant/raw']) {
    t.throws(() => storeLocation(place), { code: 'invalid-settings', message: /s3:\/\/bucket\/folder/ }, place)
  }
  t.end()
})

t.test('if a server does not answer, the error names its variable', async (t) => {
  const influx = new InfluxSource({ url: 'http://127.0.0.1:1/', token: 'hush', org: 'o' }, influxSelection(RANGE))
  await t.rejects(influx.fields(), {
    code: 'server-unavailable',
    message: /127\.0\.0\.1:1 does not answer; check INFLUX_URL/,
  })
  const store = new StoreSource({
    endpoint: new URL('http://127.0.0.1:1'),
    accessKey: 'a',
    secretKey: 'hush',
    region: 'r',
  }, storeLocation('s3://plant'))
  await t.rejects(store.list(), {
    code: 'server-unavailable',
    message: /127\.0\.0\.1:1 does not answer.*check AWS_ENDPOINT_URL/,
  })
})

t.test('file names are safe, and no two series share one', (t) => {
  const names = new FileNames()
  t.equal(names.take('Turbine 1', 'a'), 'Turbine_1.csv')
  t.equal(names.take('../../etc/passwd', 'b'), 'etc_passwd.csv')
  t.equal(names.take('Zürich', 'c'), 'Zürich.csv')
  t.throws(() => names.take('turbine/1', 'the series "turbine/1"'), {
    code: 'invalid-settings',
    message: /the series "turbine\/1" and a would both be turbine_1\.csv/,
  })
  t.throws(() => names.take('//', 'd'), { code: 'invalid-settings', message: /no letter or digit/ })
  t.end()
})

/** A source that streams these rows. */
const streamed = (rows: readonly InfluxRow[], fields = ['oil_c', 'power, kw']) => fromInflux({
  fields: async () => fields,
  rows: async function * () { yield * rows },
})

const rowsOf = (series: string, count: number): InfluxRow[] =>
  Array.from(
    { length: count },
    (_, i) => ({
      series,
      time: new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString(),
      values: [40 + i % 7, i === 3 ? NaN : i],
    })
  )

t.test('rows become one file for each series, with a report, and replace what was fetched before', async (t) => {
  const out = join(t.testdir({}), 'fetched')
  const first = await ingest(out, streamed([...rowsOf('T01', 12_000), ...rowsOf('T02', 20)]))
  t.match(first, { series: 2, rows: 12_020 })
  t.same(readdirSync(out).sort(), ['T01.csv', 'T02.csv', 'data-quality.json', 'data-quality.md'])
  const lines = readFileSync(join(out, 'T01.csv'), 'utf8').split('\n')
  t.equal(lines.length, 12_002)
  t.same(lines.slice(0, 2), ['timestamp,oil_c,"power, kw"', '2026-01-01T00:00:00.000Z,40,0'])
  t.equal(lines[4], '2026-01-01T00:03:00.000Z,43,')
  t.match(JSON.parse(readFileSync(join(out, 'data-quality.json'), 'utf8')), [{
    name: 'T01',
    profile: { rows: 12_000 },
    quality: { 'power, kw': { missing: 1 } },
  }, { name: 'T02' }])
  t.equal(first.md5, dvcFolderHash(await hashFolder(out)))
  const second = await ingest(out, streamed(rowsOf('T03', 20)))
  t.same(readdirSync(out).sort(), ['T03.csv', 'data-quality.json', 'data-quality.md'])
  await t.rejects(ingest(out, streamed([...rowsOf('a', 20), ...rowsOf('A', 20)])), {
    code: 'invalid-settings',
    message: /the series "A" and the series "a" would both be A\.csv/,
  })
  await t.rejects(ingest(out, streamed(rowsOf('T04', 1))), {
    code: 'no-training-data',
    message: /^T04\.csv has fewer than two/,
  })
  t.equal(dvcFolderHash(await hashFolder(out)), second.md5, 'a failure changes nothing')
})

t.test('a field that one series lacks is an empty column of its file, but still a channel', async (t) => {
  const out = join(t.testdir({}), 'fetched')
  await ingest(
    out,
    streamed([...rowsOf('T01', 20), ...rowsOf('T02', 20).map((row) => ({ ...row, values: [row.values[0]!, NaN] }))])
  )
  const [, second] = JSON.parse(readFileSync(join(out, 'data-quality.json'), 'utf8')) as Array<
    { quality: object, textColumns: string[] }
  >
  t.same(Object.keys(second!.quality), ['oil_c', 'power, kw'])
})

t.test('other files are never replaced', async (t) => {
  const out = t.testdir({ 'labels.txt': 'mine' })
  writeFileSync(join(out, 'T01.csv'), 'x')
  await t.rejects(ingest(out, streamed(rowsOf('T01', 20))), {
    code: 'invalid-settings',
    message: /labels\.txt, which was not fetched/,
  })
  t.same(readdirSync(out).sort(), ['T01.csv', 'labels.txt'])
})
