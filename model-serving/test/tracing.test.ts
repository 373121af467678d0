// Traces of the service: spans over HTTP to a receiver, under the caller's own trace, and the ids in the log.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { startOtlpReceiver } from '../../adapters/telemetry/test/otlp-receiver.ts'
import { readConfig } from '../settings/config.ts'
import { loggerOptions } from '../logging.ts'
import { serve } from '../serve.ts'
import { inWorker, jsonOf, smallModel, testConfig, windSeries } from './fixture.ts'

t.setTimeout(60_000)

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER = '00f067aa0ba902b7'
const traceparent = `00-${TRACE}-${CALLER}-01`
const receiver = await startOtlpReceiver()
t.teardown(async () => receiver.close())

// OpenTelemetry's SDK reads these variables itself.
const TELEMETRY = {
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_BSP_SCHEDULE_DELAY: '50',
  OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
}
Object.assign(process.env, TELEMETRY)

/** An engine that accepts every notice. */
const callbacks: Array<{ method: string | undefined, traceparent: string | undefined }> = []
const engine = createServer((request, response) => {
  callbacks.push({ method: request.method, traceparent: request.headers['traceparent'] as string | undefined })
  request.resume().on('end', () => response.end('{}'))
})
await new Promise<void>((resolve) => { engine.listen(0, '127.0.0.1', resolve) })
const engineUrl = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`
t.teardown(() => {
  engine.closeAllConnections()
  engine.close()
})

const lines: Array<Record<string, unknown>> = []
const stream = {
  write: (line: string) => {
    lines.push(JSON.parse(line) as Record<string, unknown>)
  },
}
const settings = readConfig({
  SERVICE_PORT: '0',
  ENGINE_TASKS: 'on',
  ENGINE_ALLOWED_HOSTS: '127.0.0.1',
  ENGINE_STORAGE_RETRY_MS: '0',
  TASKS_DIR: t.testdir({}),
  ...TELEMETRY,
})
const service = await serve({
  ...testConfig(),
  port: 0,
  engine: settings.engine,
  telemetry: settings.telemetry,
  computeWorkers: 1,
}, { logger: { ...loggerOptions('info'), stream }, ...inWorker([smallModel]) })
t.teardown(async () => service.close())
await service.ready

const post = async (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${service.url}/compute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
const series = { model: 'small', ...jsonOf(windSeries(40)) }

t.test("an answer is a span of the caller's trace, with its waiting and computing; log lines have ids", async (t) => {
  const answer = await post(series, { traceparent, 'x-request-id': 'mine' })
  t.equal(answer.status, 200, await answer.text())
  const spans =
    (await receiver.wait((all) => all.some(({ name, traceId }) => name === 'POST /compute' && traceId === TRACE)))
      .filter(({ traceId }) => traceId === TRACE)
  const request = spans.find(({ name }) => name === 'POST /compute')!
  t.match(request, { service: 'ae-anomaly-detection', kind: 'server', parentSpanId: CALLER, failed: false })
  t.match(request.attributes, {
    'http.request.method': 'POST',
    'http.route': '/compute',
    'url.path': '/compute',
    'http.response.status_code': '200',
    'ae.request_id': 'mine',
    'ae.model': 'small@1',
    'ae.observations': '40',
    'ae.channels': '2',
  })
  const parts = spans.filter(({ parentSpanId }) => parentSpanId === request.spanId)
  t.same(parts.map(({ name, kind }) => [name, kind]).sort(), [
    ['compute', 'internal'],
    ['wait for a thread', 'internal'],
  ])
  t.ok(parts.every(({ took }) => took <= request.took))
  t.match(lines.find(({ msg }) => msg === 'series scored'), { reqId: 'mine', trace_id: TRACE, span_id: request.spanId })
})

t.test('a request without a trace begins one; a caller\'s fault is no failure of the service', async (t) => {
  const refused = await post({ ...series, model: 'nobody' }, { 'x-request-id': 'refused' })
  t.equal(refused.status, 404)
  const byId = (id: string) => receiver.spans.find(({ attributes }) => attributes['ae.request_id'] === id)
  await receiver.wait(() => byId('refused') !== undefined)
  const span = byId('refused')!
  t.match(span, {
    name: 'POST /compute',
    parentSpanId: '',
    failed: false,
    attributes: { 'http.response.status_code': '404' },
  })
  t.not(span.traceId, TRACE)
  t.ok(lines.some((line) => line['reqId'] === 'refused' && line['trace_id'] === span.traceId))
  await fetch(`${service.url}/nothing/here?token=hush`, {
    headers: { 'x-request-id': 'nowhere', traceparent: 'nonsense' },
  })
  await receiver.wait(() => byId('nowhere') !== undefined)
  t.match(byId('nowhere'), {
    name: 'GET',
    parentSpanId: '',
    attributes: { 'http.response.status_code': '404', 'url.path': '/nothing/here' },
  })
  t.notMatch(JSON.stringify(receiver.spans), /hush/)
})

t.test('who asks not to be recorded is not, but its log lines have the trace', async (t) => {
  const unsampled = 'a'.repeat(32)
  await post(series, { traceparent: `00-${unsampled}-${CALLER}-00`, 'x-request-id': 'unsampled' })
  await fetch(`${service.url}/livez`, { headers: { traceparent } })
  await post(series, { 'x-request-id': 'last' })
  await receiver.wait((all) => all.some(({ attributes }) => attributes['ae.request_id'] === 'last'))
  t.notOk(receiver.spans.some(({ traceId }) => traceId === unsampled))
  t.notOk(receiver.spans.some(({ name }) => name.includes('livez')), 'nor are probes')
  t.match(lines.find(({ reqId, msg }) => reqId === 'unsampled' && msg === 'series scored'), { trace_id: unsampled })
})

t.test('a task is a part of the request that brought it, and the engine is told in the same trace', async (t) => {
  const trace = 'b'.repeat(32)
  const task = {
    id: randomUUID(),
    data_in: ['a.csv'],
    data_out: null,
    status: 'pending',
    service_id: randomUUID(),
    created_at: '2026-11-21T08:02:36',
  }
  const taken = await post({
    s3_access_key_id: 'a',
    s3_secret_access_key: 'b',
    s3_region: 'r',
    s3_host: 'http://127.0.0.1:9',
    s3_bucket: 'c',
    task,
    callback_url: `${engineUrl}/tasks/${task.id}`,
  }, { traceparent: `00-${trace}-${CALLER}-01` })
  t.same(await taken.json(), { status: 'Task added to the queue' })
  const spans = (await receiver.wait((all) => all.some(({ name, traceId }) => name === 'task' && traceId === trace)))
    .filter(({ traceId }) => traceId === trace)
  const [request, own, fetching, telling] = ['POST /compute', 'task', 'fetch', 'tell the engine'].map((name) =>
    spans.find((span) => span.name === name)!
  )
  t.equal(own!.parentSpanId, request!.spanId)
  t.match(own, { failed: true, attributes: { 'ae.task_id': task.id } }, 'there is no store')
  t.match(fetching, { parentSpanId: own!.spanId, failed: true })
  t.match(telling, { parentSpanId: own!.spanId, failed: false })
  t.same(callbacks.at(-1), { method: 'PATCH', traceparent: `00-${trace}-${telling!.spanId}-01` })
})

t.test('a collector that is away is told of in the log, and holds up nothing', async (t) => {
  const away = await serve({ ...testConfig(), port: 0, telemetry: settings.telemetry }, {
    logger: { ...loggerOptions('warn'), stream },
    ...inWorker([smallModel]),
  })
  await away.ready
  await receiver.close()
  await fetch(`${away.url}/status`)
  for (const end = Date.now() + 20_000; !lines.some(({ msg }) => msg === 'spans cannot be sent') && Date.now() < end;) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
  t.match(lines.find(({ msg }) => msg === 'spans cannot be sent'), { level: 40, problem: /ECONNREFUSED/ })
  t.equal((await fetch(`${away.url}/status`)).status, 200)
  const began = performance.now()
  await away.close()
  t.ok(performance.now() - began < 9_000, 'three seconds for the spans, not the ten that requests may take')
})
