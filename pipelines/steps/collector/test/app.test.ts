// The collector over HTTP: acknowledged observations are in the log; other requests are refused as a whole, with the
// reason.
import { gzipSync } from 'node:zlib'
import Fastify, { type FastifyInstance, type LightMyRequestResponse as Answer } from 'fastify'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { Problem } from '../../../../core/errors.ts'
import { parseSettings } from '../../../../adapters/settings/values.ts'
import { decode } from '../../../messages/cloud-events.ts'
import type { Log, LogRecord } from '../../../messages/log.ts'
import { MemoryLog } from '../../../adapters/memory/memory-log.ts'
import type { Message } from '../../../messages/messages.ts'
import { StepMetrics } from '../../../runtime/metrics.ts'
import { COLLECTOR_SETTINGS, refuseOpenCollector } from '../../../settings/collector.ts'
import { addCollector, buildCollector, type CollectorDeps } from '../app.ts'
import { EXAMPLES } from '../openapi.ts'

const NOW = Date.UTC(2026, 2, 1, 12)
const observation = (n = 0, series = 'T03'): object => ({
  series,
  time: `2026-03-01T11:${String(n).padStart(2, '0')}:00Z`,
  values: { power_kw: n, wind_ms: null },
})
const settingsOf = (env: Record<string, string> = {}): CollectorDeps['settings'] =>
  parseSettings(z.object(COLLECTOR_SETTINGS), env)

interface Subject {
  readonly app: FastifyInstance
  readonly log: Log
  post (body: string | Buffer | object, headers?: Record<string, string>, query?: string): Promise<Answer>
  kept (): Promise<Message[]>
}

async function open (
  t: Test,
  { env = {}, log = new MemoryLog() }: { env?: Record<string, string>, log?: Log } = {}
): Promise<Subject> {
  const app = await buildCollector({
    log,
    settings: settingsOf(env),
    metrics: new StepMetrics('collector'),
    now: () => NOW,
  })
  t.teardown(async () => {
    await app.close()
    await log.close()
  })
  return {
    app,
    log,
    post: async (body, headers = {}, query = '') =>
      app.inject({
        method: 'POST',
        url: `/observations${query}`,
        payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    kept: async () => (await recordsOf(log)).flatMap(decode),
  }
}

async function recordsOf (log: Log): Promise<LogRecord[]> {
  const all = await Promise.all(
    Array.from({ length: log.partitions }, async (_, partition) =>
      log.read({ topic: 'observations.raw.v1', partition }, 0, 100_000))
  )
  return all.flat()
}

const ndjson = { 'content-type': 'application/x-ndjson' }
const csv = { 'content-type': 'text/csv; charset=utf-8' }

t.test('every kind of body is stored before it is acknowledged: one observation, many, lines, tables', async (t) => {
  const { post, kept } = await open(t)
  const cases: ReadonlyArray<readonly [string | object, Record<string, string>, string, number]> = [
    [observation(1), {}, '', 1],
    [[observation(2), observation(3, 'T04')], {}, '', 2],
    [{ series: 'T05', observations: [{ time: '2026-03-01T11:00:00+01:00', values: { a: 1 } }] }, {}, '', 1],
    [`${JSON.stringify(observation(4))}\r\n\n${JSON.stringify(observation(5))}`, ndjson, '', 2],
    ['series;timestamp;power_kw;wind_ms\nT06;01.03.2026 11:00;1,5;\nT07;01.03.2026 11:10;2,5;3\n', csv, '', 2],
    ['time,value\n2026-03-01T11:00:00Z,1\n2026-03-01T11:10:00Z,2\n', csv, '?series=P%201', 2],
    [gzipSync(JSON.stringify([observation(6), observation(7)])), { 'content-encoding': 'gzip' }, '', 2],
  ]
  let total = 0
  for (const [body, headers, query, accepted] of cases) {
    const answer = await post(body, headers, query)
    t.equal(answer.statusCode, 202, answer.body)
    t.strictSame(answer.json(), { accepted })
    total += accepted
    t.equal((await kept()).length, total)
  }
  const found = new Map((await kept()).map((message) => [message.data.series, message]))
  t.strictSame(found.get('T06')!.data, {
    series: 'T06',
    time: '2026-03-01T11:00:00.000Z',
    values: { power_kw: 1.5, wind_ms: null },
  })
  t.strictSame(found.get('P 1')!.data, { series: 'P 1', time: '2026-03-01T11:10:00.000Z', values: { value: 2 } })
  t.strictSame(found.get('T05')!.data, { series: 'T05', time: '2026-03-01T11:00:00+01:00', values: { a: 1 } })
  t.match(found.get('T04'), { type: 'observation.raw.v1', receivedAt: NOW })
})

t.test('the examples of the document are taken', async (t) => {
  const { post, app } = await open(t)
  for (const [type, examples] of Object.entries(EXAMPLES)) {
    for (const { value } of Object.values(examples)) {
      t.equal((await post(value as string | object, { 'content-type': type })).statusCode, 202)
    }
  }
  const { paths } = (await app.inject('/docs/json')).json<
    { paths: Record<string, { post: { requestBody: { content: object }, responses: object } }> }
  >()
  t.strictSame(Object.keys(paths['/observations']!.post.requestBody.content), Object.keys(EXAMPLES))
  t.match(paths['/observations']!.post.responses, { 202: {}, 422: {}, 429: {}, 503: {} })
})

t.test('equal observations have the same id, different ones another', async (t) => {
  const { post, kept } = await open(t)
  await post([observation(1), observation(1), { ...observation(1), values: { power_kw: 9 } }])
  const [one, same, other] = await kept()
  t.equal(one!.id, same!.id)
  t.not(one!.id, other!.id)
})

t.test('one wrong observation refuses the request, and is named', async (t) => {
  const { post, kept } = await open(t)
  const good = JSON.stringify(observation(1))
  const cases: ReadonlyArray<readonly [string | object, Record<string, string>, number, string, RegExp, string?]> = [
    [
      [observation(1), { ...observation(2), values: { power_kw: 'n/a' } }],
      {},
      422,
      'invalid-request',
      /^Observation 1, values\.power_kw: .*Send \{channel: number\}/,
      '/1/values/power_kw',
    ],
    [
      [observation(1), { ...observation(2), time: '2026-02-30T00:00:00Z' }],
      {},
      422,
      'invalid-request',
      /^Observation 1, time: .*2026-01-31T13:50:00Z/,
      '/1/time',
    ],
    [
      [observation(1), { ...observation(2), time: '2026-02-20T00:00:00' }],
      {},
      422,
      'invalid-request',
      /offset/,
      '/1/time',
    ],
    [{ ...observation(1), series: '' }, {}, 422, 'invalid-request', /^The observation, series: /, '/series'],
    [{ ...observation(1), more: 1 }, {}, 422, 'invalid-request', /more/],
    [[], {}, 422, 'invalid-request', /no observation; send at least one/],
    ['', ndjson, 422, 'invalid-request', /no observation/],
    [
      { series: 'T', observations: [{ time: 'x', values: {} }] },
      {},
      422,
      'invalid-request',
      /^Observation 0, time/,
      '/observations/0/time',
    ],
    [{ series: 'T', observations: 5 }, {}, 422, 'invalid-request', /"observations" must be a list/],
    [{ series: 'T', observations: [], unit: 'm' }, {}, 422, 'invalid-request', /"unit" is no member/],
    ['null', {}, 422, 'invalid-request', /The observation: /],
    ['[{"series":', {}, 400, 'malformed-body', /no JSON/],
    [
      '[{"series":"T","time":"2026-03-01T11:00:00Z","values":{"a":NaN}}]',
      {},
      400,
      'malformed-body',
      /null is a missing value/,
    ],
    [`${good}\n${good}\n{"series":1}\n`, ndjson, 422, 'invalid-request', /^Line 3, /, '/2/series'],
    [`${good}\nno json\n`, ndjson, 422, 'invalid-request', /^Line 2 is no JSON/],
    [
      'timestamp,a\n2026-03-01T11:00:00Z,1\n',
      csv,
      422,
      'invalid-request',
      /no column "series"; add one, or name the series in the query/,
    ],
    [
      'series,timestamp,a\nT,2026-03-01T11:00:00Z,1\nT,2026-03-01T11:10:00Z,x\n',
      csv,
      422,
      'invalid-value',
      /Line 3, column "a"/,
    ],
    [
      'series,timestamp,a\nT,2026-03-01T11:00:00Z,1\n,2026-03-01T11:10:00Z,1\n',
      csv,
      422,
      'invalid-request',
      /Line 3, series/,
    ],
    [
      'series,timestamp,a\nT,2026-03-01T11:00:00Z,1\nT,soon,1\n',
      csv,
      422,
      'invalid-timestamp',
      /column "timestamp" are in no known format/,
    ],
    ['series,timestamp,a,state\nT,2026-03-01T11:00:00Z,1,on\n', csv, 422, 'invalid-value', /Column "state" holds text/],
    [
      good,
      { 'content-type': 'application/xml' },
      415,
      'unsupported-media-type',
      /Send application\/json, application\/x-ndjson, text\/csv/,
    ],
    [good, { 'content-encoding': 'zstd' }, 415, 'unsupported-media-type', /gzip or identity/],
    [
      Buffer.concat([gzipSync(good).subarray(0, 20), Buffer.from('????')]),
      { 'content-encoding': 'gzip' },
      400,
      'malformed-body',
      /cannot be decompressed/,
    ],
    [Buffer.from([0x22, 0xff, 0x22]), {}, 400, 'malformed-body', /UTF-8/],
    [
      {
        ...observation(1),
        values: {
          ['x'.repeat(190)]: 1,
          ...Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`a channel with a long name ${i}`, 1])),
        },
      },
      {},
      422,
      'invalid-request',
      /larger than 900000 bytes; send its channels in several/,
    ],
  ]
  for (const [body, headers, status, code, detail, place] of cases) {
    const answer = await post(body, headers)
    t.match(answer, { statusCode: status, headers: { 'content-type': /^application\/problem\+json/ } })
    t.match(answer.json(), { code, status, detail, ...(place !== undefined && { errors: [{ pointer: place }] }) })
  }
  t.strictSame(await kept(), [])
})

t.test('bodies have a limit, also after decompression', async (t) => {
  const { post, kept } = await open(t, { env: { COLLECTOR_MAX_BODY_BYTES: '2000' } })
  const many = JSON.stringify(Array.from({ length: 50 }, (_, i) => observation(i)))
  for (const answer of [await post(many), await post(gzipSync(many), { 'content-encoding': 'gzip' })]) {
    t.match(answer.json(), { code: 'body-too-large', status: 413, limit: 2000 })
  }
  t.strictSame(await kept(), [])
})

/** A log that stores records only when the test lets it. */
class SlowLog extends MemoryLog {
  readonly #held: Array<() => void> = []
  failure: Error | undefined

  override async append (records: Parameters<MemoryLog['append']>[0]): Promise<void> {
    await new Promise<void>((resolve) => { this.#held.push(resolve) })
    if (this.failure !== undefined) throw this.failure
    await super.append(records)
  }

  release (): void {
    for (const resolve of this.#held.splice(0)) resolve()
  }

  get held (): number {
    return this.#held.length
  }
}

async function until (isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    if (i > 1000) throw new Error('it is still not so')
    await new Promise(setImmediate)
  }
}

t.test('more than may wait is refused for the moment, and waiting requests are answered once stored', async (t) => {
  const log = new SlowLog()
  const { post, app, kept } = await open(t, { log, env: { COLLECTOR_MAX_WAITING: '10' } })
  let answered = false
  const large = post(Array.from({ length: 20 }, (_, i) => observation(i)))
  const first = large.finally(() => { answered = true })
  await until(() => log.held === 1)
  t.match((await app.inject('/metrics')).body, /observations_waiting\{step="collector"\} 20/)
  const refused = await post(observation(30))
  t.match(refused, { statusCode: 429, headers: { 'retry-after': '1' } })
  t.match(refused.json(), { code: 'stream-saturated', detail: /20 observations wait to be stored.*send these 1 again/ })
  t.equal(answered, false)
  log.release()
  t.equal((await first).statusCode, 202)
  const after = post(observation(30))
  await until(() => log.held === 1)
  log.release()
  t.equal((await after).statusCode, 202)
  t.equal((await kept()).length, 21)
  t.match((await app.inject('/metrics')).body, /messages_sent_total\{type="observation.raw.v1",step="collector"\} 21/)
})

t.test('without the log there is no 202', async (t) => {
  const log = new SlowLog()
  const { post, kept } = await open(t, { log })
  for (const [failure, status, code] of [
    [new Problem('log-unavailable', 'Kafka is away.'), 503, 'log-unavailable'],
    [new Error('secret'), 500, 'internal-error'],
  ] as const) {
    log.failure = failure
    const pending = post(observation(1))
    await until(() => log.held === 1)
    log.release()
    const answer = await pending
    t.equal(answer.statusCode, status)
    t.equal(answer.headers['retry-after'], status === 503 ? '2' : undefined)
    t.match(answer.json(), { code })
    t.notMatch(answer.body, /secret/)
  }
  t.strictSame(await kept(), [])
})

t.test('with keys, only callers with a key may send', async (t) => {
  const [key, other] = ['a'.repeat(20), 'b'.repeat(20)]
  const { post, app } = await open(t, { env: { COLLECTOR_API_KEYS: `${key}, ${other}` } })
  t.match(await post(observation(1)), { statusCode: 401, headers: { 'www-authenticate': 'Bearer' } })
  const wrong = await post(observation(1), { 'x-api-key': 'c'.repeat(20) })
  t.match(wrong.json(), { code: 'unauthorized' })
  t.notMatch(wrong.body, /ccc/)
  t.equal((await post('garbage', { authorization: 'Basic abc' })).statusCode, 401, 'before the body is looked at')
  t.equal((await post(observation(1), { 'x-api-key': key })).statusCode, 202)
  t.equal((await post(observation(1), { authorization: `Bearer ${other}` })).statusCode, 202)
  t.equal((await app.inject('/readyz')).statusCode, 200)
  t.throws(() => settingsOf({ COLLECTOR_API_KEYS: 'short' }), {
    code: 'invalid-settings',
    message: /^(?!.*short).*entry 1 is no usable key/,
  })
  const settings = parseSettings(z.object(COLLECTOR_SETTINGS), {})
  t.throws(() => {
    refuseOpenCollector('0.0.0.0', settings)
  }, { code: 'invalid-settings', message: /Set COLLECTOR_API_KEYS/ })
  refuseOpenCollector('127.0.0.1', settings)
  refuseOpenCollector('0.0.0.0', { ...settings, COLLECTOR_AUTH: 'off' })
})

t.test('another app can add the route, and keeps its own handlers', async (t) => {
  const log = new MemoryLog()
  const app = Fastify()
  app.setErrorHandler(async (_, __, reply) => reply.code(500).send('its own'))
  app.post('/own', async (request) => request.body)
  await addCollector(app, { log, settings: settingsOf(), metrics: new StepMetrics('collector'), now: () => NOW })
  t.strictSame((await app.inject({ method: 'POST', url: '/own', payload: { a: 1 } })).json(), { a: 1 })
  t.equal(
    (await app.inject({ method: 'POST', url: '/own', payload: '<a/>', headers: { 'content-type': 'text/xml' } })).body,
    'its own'
  )
  t.equal((await app.inject({ method: 'POST', url: '/observations', payload: observation(1) })).statusCode, 202)
  t.match((await app.inject({ method: 'POST', url: '/observations', payload: {} })).json(), { code: 'invalid-request' })
  t.equal((await recordsOf(log)).length, 1)
  await app.close()
  await log.close()
})
