import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { PROBLEMS, Problem } from '../../core/errors.ts'
import { errorPage, errorRows } from '../plugins/error-page.ts'
import { toProblem } from '../plugins/errors.ts'
import { projectRoot } from '../settings/project.ts'
import { ALL_PROBLEMS } from '../../adapters/http/problem-codes.ts'
import { ProblemDocumentSchema } from '../schemas/problem.ts'
import { columnsOf, csvOf, formOf, jsonOf, smallModel, testApp, threadedApp, timesOf, windSeries } from './fixture.ts'

const app = await threadedApp([smallModel, { ...smallModel, manifest: { ...smallModel.manifest, name: 'twin' } }], {
  maxBodyBytes: 200_000,
  maxValues: 400,
  adHocMaxValues: 300,
})
t.teardown(() => app.close())

const series = windSeries(20)
const json = { model: 'small', ...jsonOf(series) }
const post = (payload: InjectOptions['payload'], headers: Record<string, string> = {}, query = ''): InjectOptions => ({
  method: 'POST', url: `/compute${query}`, headers, ...(payload !== undefined && { payload }),
})
const text = (payload: string, contentType = 'application/json'): InjectOptions =>
  post(payload, { 'content-type': contentType })
const csv = (payload: string, query = ''): InjectOptions =>
  post(payload, { 'content-type': 'text/csv' }, `?model=small${query}`)
const gzipped = (payload: Buffer): InjectOptions =>
  post(payload, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
const column = columnsOf(series)['power_kw']!

/** Name → [request, code, members of the document]. */
const CASES: Record<string, [InjectOptions, keyof typeof ALL_PROBLEMS, object?]> = {
  'a version that is not there': [csv(csvOf(series), '@7'), 'unknown-version', { versions: ['1'] }],
  'no JSON': [text('{"channels": {'), 'malformed-body'],
  'NaN in JSON': [text('{"a": NaN}'), 'malformed-body', { detail: /null where a value is missing/ }],
  'an empty body': [text(''), 'malformed-body'],
  'JSON nested without end': [text('['.repeat(150_000)), 'malformed-body', { detail: /20 levels/ }],
  'JSON with thousands of members': [
    text(JSON.stringify(Object.fromEntries(Array.from({ length: 6000 }, (_, i) => [`k${i}`, 1])))),
    'malformed-body',
    { detail: /5000 members/ },
  ],
  'bytes that are no gzip': [gzipped(Buffer.from('not compressed')), 'malformed-body'],
  'a gzip cut off': [gzipped(gzipSync(JSON.stringify(json)).subarray(0, 200)), 'malformed-body'],
  'bytes that are no UTF-8': [post(Buffer.from([0xC3, 0x28]), { 'content-type': 'text/csv' }), 'malformed-body'],
  'a form without boundary': [text('x', 'multipart/form-data'), 'malformed-body'],
  'a form that is none': [text('x', 'multipart/form-data; boundary=edge'), 'malformed-body'],
  'a form of nothing but boundaries': [
    text('--edge\r\nA: b\r\n\r\n'.repeat(1000), 'multipart/form-data; boundary=edge'),
    'malformed-body',
  ],
  'a wrong Content-Length': [
    post(JSON.stringify(json), { 'content-type': 'application/json', 'content-length': '7' }),
    'malformed-body',
  ],
  'no such route': [{ url: '/comput' }, 'not-found'],
  'a path that cannot be decoded': [{ url: '/models/%E0%A4%A' }, 'not-found'],
  'a path beyond every name': [{ url: `/models/${'x'.repeat(500)}` }, 'not-found'],
  'a file outside of the served ones': [{ url: '/vendor/..%2f..%2fpackage.json' }, 'not-found'],
  'no such model': [post({ ...json, model: 'nope' }), 'unknown-model', { models: ['small', 'twin'] }],
  'no such model to describe': [{ url: '/models/nope' }, 'unknown-model'],
  'another method': [{ method: 'PUT', url: '/compute', payload: '{}' }, 'method-not-allowed'],
  'another method with an unreadable body': [{
    method: 'DELETE',
    url: '/models',
    payload: 'x',
    headers: { 'content-type': 'a/b' },
  }, 'method-not-allowed'],
  'nothing acceptable': [post(json, { accept: 'text/html, application/xml' }), 'not-acceptable', {
    acceptable: ['application/json', 'text/csv', 'image/svg+xml', 'image/png'],
  }],
  'a body beyond the limit': [text(' '.repeat(200_001)), 'body-too-large', { limit: 200_000 }],
  'a small body that inflates beyond the limit': [gzipped(gzipSync(Buffer.alloc(5_000_000, 0x20))), 'body-too-large', {
    limit: 200_000,
  }],
  'a form beyond the limit': [post(formOf('x'.repeat(200_000)).payload, formOf('').headers), 'body-too-large'],
  'a media type that is not read': [text('<a/>', 'application/xml'), 'unsupported-media-type'],
  'plain text': [text('a', 'text/plain'), 'unsupported-media-type'],
  'no body at all': [post(undefined), 'unsupported-media-type'],
  'an unknown content encoding': [
    post('{}', { 'content-type': 'application/json', 'content-encoding': 'zip' }),
    'unsupported-media-type',
  ],
  'an unknown character set': [text('a,b', 'text/csv; charset=martian'), 'unsupported-media-type'],
  'JSON that is not UTF-8': [text('{}', 'application/json; charset=utf-16'), 'unsupported-media-type'],
  'no time axis': [post({ channels: json.channels }), 'invalid-request', { errors: [{ pointer: '/start' }] }],
  'two time axes': [post({ ...json, timestamps: timesOf(series) }), 'invalid-request', {
    errors: [{ pointer: '/start' }, { pointer: '/step' }],
  }],
  'half a time axis': [post({ start: json.start, channels: json.channels }), 'invalid-request', {
    errors: [{ pointer: '/step' }],
  }],
  'an unknown member': [post({ ...json, chanels: {} }), 'invalid-request', { errors: [{ pointer: '/chanels' }] }],
  'a member of every object': [text('{"__proto__": {"a": 1}, "constructor": {"prototype": {}}}'), 'invalid-request'],
  'no channels': [post({ ...json, channels: {} }), 'invalid-request', { errors: [{ pointer: '/channels' }] }],
  'a channel that is no array': [post({ ...json, channels: { ...json.channels, power_kw: 5 } }), 'invalid-request', {
    errors: [{ pointer: '/channels/power_kw', got: 5 }],
  }],
  'an unknown part': [post({ ...json, options: { include: ['score', 'everything'] } }), 'invalid-request', {
    errors: [{ pointer: '/options/include/1', got: 'everything' }],
  }],
  'a hundred thousand unknown parts': [
    post({ ...json, options: { include: Array(60_000).fill(1) } }),
    'invalid-request',
  ],
  'a month as duration': [post({ ...json, options: { minDuration: 'P1M' } }), 'invalid-request', {
    errors: [{ pointer: '/options/minDuration' }],
  }],
  'a step that is no duration': [post({ ...json, step: '10 minutes' }), 'invalid-request', {
    errors: [{ pointer: '/step' }],
  }],
  'an array as body': [text('[1]'), 'invalid-request', { errors: [{ pointer: '', got: 'array' }] }],
  'query options of a JSON body': [post(json, {}, '?scoring=causal'), 'invalid-request', {
    errors: [{ pointer: '/query/scoring' }],
  }],
  'an unknown query parameter': [csv(csvOf(series), '&colour=red'), 'invalid-request', {
    errors: [{ pointer: '/query/colour' }],
  }],
  'a query value of the wrong kind': [csv(csvOf(series), '&topChannels=many'), 'invalid-request', {
    errors: [{ pointer: '/query/topChannels', got: 'many' }],
  }],
  'a timestamp format that would take for ever to match': [
    csv(csvOf(series), '&timestampFormat=dMdMdMdM'),
    'invalid-request',
    { errors: [{ pointer: '/timestampFormat' }] },
  ],
  'a form with another field': [post(formOf('a', 'upload').payload, formOf('').headers), 'invalid-request', {
    errors: [{ pointer: '/file' }, { pointer: '/upload' }],
  }],
  'channels of two models, and none named': [post(jsonOf(series)), 'model-required', { models: ['small', 'twin'] }],
  'too few observations to fit a model on': [post({ ...jsonOf(series), channels: { a: [1, 2] } }), 'series-too-short', {
    needed: 12,
    got: 2,
  }],
  'too small a part to fit a model on': [
    post({ ...jsonOf(windSeries(100)), model: 'ad-hoc', options: { fit: { rows: 11 } } }),
    'series-too-short',
    { needed: 12, got: 11 },
  ],
  'a part to fit on that is larger than the series': [
    post({ ...jsonOf(windSeries(60)), model: 'ad-hoc', options: { fit: { rows: 61 } } }),
    'invalid-request',
    { errors: [{ pointer: '/options/fit/rows' }] },
  ],
  'a part to fit on that ends before the series begins': [
    post(csvOf(windSeries(60)), { 'content-type': 'text/csv' }, '?model=ad-hoc&fitUntil=2020-01-01T00:00:00Z'),
    'invalid-request',
    { errors: [{ pointer: '/query/fitUntil' }] },
  ],
  'a time to fit until that is none': [post({ ...json, options: { fit: { until: 'noon' } } }), 'invalid-timestamp', {
    errors: [{ pointer: '/options/fit/until' }],
  }],
  'a part to fit on for a model that is fitted': [
    post({ ...json, options: { fit: { rows: 10 } } }),
    'invalid-request',
    { errors: [{ pointer: '/options/fit/rows' }], detail: /"ad-hoc"/ },
  ],
  'more values than a model is fitted on': [post({ ...jsonOf(windSeries(151)), model: 'ad-hoc' }), 'series-too-long', {
    limit: 150,
    got: 151,
    detail: /AD_HOC_MAX_VALUES/,
  }],
  'a channel without a value to fit a model on': [
    post({ ...jsonOf(windSeries(60)), channels: { a: Array(60).fill(null), b: Array(60).fill(1) } }),
    'missing-channel',
    { missing: ['a'] },
  ],
  'a threshold of nothing': [post({ ...json, options: { threshold: 0 } }), 'invalid-request', {
    errors: [{ pointer: '/options/threshold' }],
  }],
  'a sensitivity beyond 1': [post({ ...json, options: { threshold: { sensitivity: 1.1 } } }), 'invalid-request', {
    errors: [{ pointer: '/options/threshold' }],
  }],
  'two thresholds': [csv(csvOf(series), '&threshold=2&sensitivity=0.5'), 'invalid-request', {
    errors: [{ pointer: '/query/threshold' }],
  }],
  'a direction for a channel that is none': [
    post({ ...json, options: { direction: { 'x/y': 'above' } } }),
    'unknown-channel',
    { errors: [{ pointer: '/options/direction/x~1y' }] },
  ],
  'a deviation of a channel that is none': [post({ ...json, options: { minDeviation: { x: 1 } } }), 'unknown-channel', {
    errors: [{ pointer: '/options/minDeviation/x' }],
  }],
  'a channel that the model does not have': [
    post({ ...json, channels: { ...json.channels, 'a/b~c': column } }),
    'unknown-channel',
    { expected: ['wind_speed_ms', 'power_kw'], errors: [{ pointer: '/channels/a~1b~0c' }] },
  ],
  'a column that the model does not have': [csv(csvOf(series).replace('power_kw', 'power')), 'unknown-channel', {
    errors: [{ pointer: '/power' }],
  }],
  'a channel less than the model has': [post({ ...json, channels: { power_kw: column } }), 'missing-channel', {
    missing: ['wind_speed_ms'],
  }],
  'a column of text where the model needs numbers': [
    csv(csvOf(series).replaceAll(/,[\d.]+\n/g, ',on\n')),
    'missing-channel',
    { detail: /contain text: power_kw/ },
  ],
  'channels of two lengths': [
    post({ ...json, channels: { ...json.channels, power_kw: column.slice(1) } }),
    'channel-length-mismatch',
    { errors: [{ pointer: '/channels/power_kw', detail: '19 entries', want: 20 }] },
  ],
  'a form with two files': [
    text(
      `${'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\na\r\n'.repeat(2)}--edge--\r\n`,
      'multipart/form-data; boundary=edge'
    ),
    'invalid-request',
    { errors: [{ pointer: '/file' }] },
  ],
  'more timestamps than values': [
    post({ model: 'small', timestamps: timesOf(windSeries(21)), channels: json.channels }),
    'channel-length-mismatch',
  ],
  'fewer observations than the window': [post({ model: 'small', ...jsonOf(windSeries(7)) }), 'series-too-short', {
    needed: 8,
    got: 7,
  }],
  'no observation': [post({ ...json, channels: { wind_speed_ms: [], power_kw: [] } }), 'series-too-short', {
    needed: 8,
    got: 0,
  }],
  'rows enough, but of fewer times than the window': [
    csv(csvOf(windSeries(7)) + csvOf(windSeries(7)).split('\n').slice(1).join('\n')),
    'series-too-short',
    { needed: 8, got: 7 },
  ],
  'more values than the limit': [post({ model: 'small', ...jsonOf(windSeries(201)) }), 'series-too-long', {
    limit: 200,
    got: 201,
  }],
  'two times a century apart': [
    post({
      model: 'small',
      timestamps: [...timesOf(series).slice(0, 19), '2126-01-01T00:00:00Z'],
      channels: json.channels,
    }),
    'series-too-long',
    { limit: 200 },
  ],
  'a table of more lines than values are allowed': [csv('\n'.repeat(500)), 'series-too-long', { limit: 400 }],
  'times that go back': [
    post({
      model: 'small',
      timestamps: [...timesOf(series).slice(0, 18), timesOf(series)[3], timesOf(series)[19]],
      channels: json.channels,
    }),
    'timestamps-not-ascending',
    { index: 18, errors: [{ pointer: '/timestamps/18' }] },
  ],
  'a time without an offset': [
    post({ model: 'small', timestamps: ['2026-01-01T00:00:00', ...timesOf(series).slice(1)], channels: json.channels }),
    'invalid-timestamp',
    { errors: [{ pointer: '/timestamps/0' }] },
  ],
  'a day that does not exist': [post({ ...json, start: '2026-02-30T00:00:00Z' }), 'invalid-timestamp', {
    errors: [{ pointer: '/start', got: '2026-02-30T00:00:00Z' }],
  }],
  'a series that ends after the year 9999': [post({ ...json, start: '9999-12-31T23:00:00Z' }), 'invalid-timestamp'],
  'a time in a table that cannot be read': [
    csv(csvOf(series).replace('2026-01-01T01:00:00.000Z', 'noon')),
    'invalid-timestamp',
    { detail: /Line 8/ },
  ],
  'a timestamp format that contradicts itself': [
    csv('timestamp,wind_speed_ms,power_kw\n05 17 PM,1,2\n', '&timestampFormat=hh%20HH%20a'),
    'invalid-timestamp',
    { errors: [{ pointer: '/timestampFormat' }] },
  ],
  'text as a value': [
    post({ ...json, channels: { ...json.channels, power_kw: [...column.slice(1), 'n/a'] } }),
    'invalid-value',
    { errors: [{ pointer: '/channels/power_kw/19', got: 'n/a', want: 'number or null' }] },
  ],
  'a number beyond every number': [
    text(JSON.stringify(json).replace(/"power_kw":\[[^,]*/, '"power_kw":[1e999')),
    'invalid-value',
    { errors: [{ pointer: '/channels/power_kw/0', got: 'Infinity' }] },
  ],
  'thousands of wrong values': [
    post({
      model: 'small',
      ...jsonOf(windSeries(200)),
      channels: { wind_speed_ms: Array(200).fill('a'), power_kw: Array(200).fill([]) },
    }),
    'invalid-value',
  ],
  'text in a table': [csv(csvOf(series).replace(/,[^,\n]*\n$/, ',many\n')), 'invalid-value', { detail: /many/ }],
  "another step than the model's": [post({ ...json, step: 'PT1M' }), 'interval-mismatch', {
    got: 'PT1M',
    want: 'PT10M',
  }],
  'times at another interval': [csv(csvOf({ ...series, interval: 60_000 })), 'interval-mismatch', {
    got: 'PT1M',
    want: 'PT10M',
  }],
  'a table without times': [csv('a,b\nx,y\n'), 'invalid-table'],
  'a thousand and one columns': [csv(','.repeat(1001)), 'invalid-table'],
}

for (const [name, [request, code, members]] of Object.entries(CASES)) {
  t.test(`${name}: ${ALL_PROBLEMS[code].status} ${code}`, async (t) => {
    const response = await app.inject(request)
    const document = ProblemDocumentSchema.parse(response.json())
    const { status, title } = ALL_PROBLEMS[code]
    t.match(document, {
      code,
      status,
      title,
      type: `/docs/errors#${code}`,
      requestId: response.headers['x-request-id'],
      ...members,
    }, response.body)
    t.equal(response.statusCode, status)
    t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.equal(document.instance, String(request.url).split('?')[0])
    t.ok((document.errors ?? []).length <= 10 && response.body.length < 6000, 'short, whatever was sent')
  })
}

t.test('before the models are loaded, nothing is scored and the caller is told when to come again', async (t) => {
  const loading = await testApp([])
  t.teardown(() => loading.close())
  for (const request of [post(json), { url: '/models' }, { url: '/models/small' }, { url: '/readyz' }]) {
    const response = await loading.inject(request)
    t.match(response.json(), { code: 'not-ready', status: 503 })
    t.equal(response.statusCode, 503)
    t.equal(response.headers['retry-after'], '5')
  }
})

t.test('a fault of the service is told without its inside', async (t) => {
  const broken = await testApp([{
    ...smallModel,
    autoencoders: [{
      reconstruct: () => {
        throw new Error('secret path /srv/key')
      },
    }],
  }])
  t.teardown(() => broken.close())
  const response = await broken.inject(post(json))
  t.match(response.json(), { status: 500, code: 'internal-error' })
  t.notMatch(response.body, /secret|srv/)
  const domain = await testApp([{
    ...smallModel,
    autoencoders: [{
      reconstruct: () => {
        throw new Problem('invalid-model-package', 'secret path /srv/key')
      },
    }],
  }])
  t.teardown(() => domain.close())
  const hidden = await domain.inject(post(json))
  t.match(hidden.json(), { status: 500, code: 'internal-error' })
  t.notMatch(hidden.body, /secret|srv/)
})

t.test('405 names the methods that the route has', async (t) => {
  t.equal((await app.inject({ method: 'OPTIONS', url: '/compute' })).headers.allow, 'POST')
  t.equal((await app.inject({ method: 'POST', url: '/status' })).headers.allow, 'GET, HEAD')
})

t.test('what Fastify raises becomes a problem, never its own shape', (t) => {
  const code = (error: object): string =>
    toProblem(Object.assign(new Error('x'), { code: '', name: 'Error' }, error), 1).code
  t.equal(code({ statusCode: 400, code: 'ECONNRESET' }), 'malformed-body')
  t.equal(code({ statusCode: 403 }), 'not-found')
  t.equal(code({ statusCode: 418 }), 'internal-error')
  t.equal(code({}), 'internal-error')
  t.end()
})

t.test('arbitrary JSON is answered with a documented status, never 5xx', async (t) => {
  const almost = fc.record({
    model: fc.oneof(fc.constant('small'), fc.string()),
    start: fc.oneof(
      fc.constant('2026-01-01T00:00:00Z'),
      fc.string(),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
    ),
    step: fc.oneof(fc.constant('PT10M'), fc.string()),
    timestamps: fc.oneof(fc.constant(timesOf(series)), fc.array(fc.anything())),
    channels: fc.oneof(
      fc.record({
        wind_speed_ms: fc.array(fc.oneof(fc.double(), fc.constant(null), fc.anything())),
        power_kw: fc.array(fc.double({ noNaN: true }), { minLength: 8, maxLength: 8 }),
      }),
      fc.record({
        wind_speed_ms: fc.array(fc.double({ noNaN: true }), { minLength: 8, maxLength: 8 }),
        power_kw: fc.array(fc.double({ noNaN: true }), { minLength: 8, maxLength: 8 }),
      }),
      fc.dictionary(fc.string(), fc.anything())
    ),
    options: fc.oneof(
      fc.record({
        scoring: fc.constantFrom('batch', 'causal', 'x'),
        include: fc.array(fc.constantFrom('score', 'bounds', 'nope')),
        topChannels: fc.integer(),
        minDuration: fc.string(),
        mergeGap: fc.constant('PT1H'),
      }, { requiredKeys: [] }),
      fc.anything()
    ),
  }, { requiredKeys: [] })
  const allowed = new Set([200, 400, 404, 413, 422])
  const seen = new Set<number>()
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.json(),
        almost.map((value) =>
          JSON.stringify(value, (_, item: unknown) => typeof item === 'bigint' ? Number(item) : item) ?? 'null'
        )
      ),
      async (payload) => {
        const { statusCode } = await app.inject(text(payload))
        seen.add(statusCode)
        return allowed.has(statusCode)
      }
    ),
    { numRuns: 400 }
  )
  t.ok(seen.has(422))
})

t.test('arbitrary tables, queries and headers are answered with a documented status, never 5xx', async (t) => {
  const cell = fc.oneof(
    fc.constantFrom('timestamp', '2026-01-01T00:00:00Z', '1,5', '""', '"', 'power_kw', '', 'NaN', '\uFEFF'),
    fc.string(),
    fc.float().map(String)
  )
  const table = fc.array(fc.array(cell, { maxLength: 4 }).map((cells) => cells.join(','))).map((lines) =>
    lines.join('\n')
  )
  const query = fc.dictionary(
    fc.constantFrom(
      'model',
      'scoring',
      'include',
      'topChannels',
      'delimiter',
      'decimal',
      'timestampColumn',
      'timestampFormat',
      'minDuration',
      'x'
    ),
    fc.oneof(
      fc.constantFrom('small', 'score,quality', ';', ',', 'HH:mm', 'dd.MM.yyyy HH:mm', 'timestamp', 'PT1H'),
      fc.string()
    )
  )
  const allowed = new Set([200, 400, 404, 406, 413, 415, 422])
  await fc.assert(
    fc.asyncProperty(
      table,
      query,
      fc.constantFrom('*/*', 'text/csv', 'image/png', 'image/svg+xml', ';;q=x'),
      async (payload, parameters, accept) => {
        const { statusCode } = await app.inject(
          post(payload, { 'content-type': 'text/csv', accept }, `?${new URLSearchParams(parameters)}`)
        )
        return allowed.has(statusCode)
      }
    ),
    { numRuns: 300 }
  )
  t.pass('all were')
})

t.test('docs/ERRORS.md explains every code of the table and no other', (t) => {
  const markdown = readFileSync(join(projectRoot, 'docs/ERRORS.md'), 'utf8')
  const documented = new Map(errorRows(markdown).map((cells) => [cells[0]!.replaceAll('`', ''), cells]))
  t.same([...documented.keys()].sort(), Object.keys(ALL_PROBLEMS).sort())
  for (const [code, { status }] of Object.entries(ALL_PROBLEMS)) {
    const [, documentedStatus, meaning = '', remedy = ''] = documented.get(code) ?? []
    t.equal(documentedStatus, String(status), code)
    t.ok(meaning.length > 20 && remedy.length > 15, `${code} has a meaning and a remedy`)
  }
  t.ok(
    Object.keys(PROBLEMS).every((code) => errorPage(markdown).includes(`<tr id="${code}">`)),
    'and each has its anchor on the page'
  )
  t.end()
})

t.test('every code that a route can answer is caused by a test above', (t) => {
  const tested = new Set(Object.values(CASES).map(([, code]) => code))
  const elsewhere = [
    'no-training-data',
    'invalid-state',
    'log-unavailable',
    'stream-saturated',
    'unknown-incident',
    'unknown-job',
    'version-conflict',
    'alias-conflict',
    'no-earlier-version',
    'no-registry',
    'idempotency-conflict',
    'package-refused',
    'registry-unavailable',
    'engine-tasks-off',
    'unauthorized',
    'forbidden',
    'too-many-requests',
    'malformed-request',
    'request-timeout',
    'headers-too-large',
    'not-ready',
    'overloaded',
    'compute-timeout',
    'memory-exceeded',
    'internal-error',
    'invalid-settings',
    'invalid-model-package',
    'golden-scores-differ',
    'sensitivity-differs',
    'backend-unavailable',
    'server-unavailable',
  ]
  t.same(
    Object.keys(ALL_PROBLEMS).filter((code) =>
      !tested.has(code as keyof typeof ALL_PROBLEMS) && !elsewhere.includes(code)
    ),
    []
  )
  t.end()
})
