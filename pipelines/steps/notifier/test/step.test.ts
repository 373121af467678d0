// The notifier against real HTTP servers: signed requests, in order, with retries while they may help.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HTTP, type CloudEvent } from 'cloudevents'
import { Webhook } from 'standardwebhooks'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { parseSettings } from '../../../../adapters/settings/values.ts'
import type { Incident } from '../../../messages/messages.ts'
import { checkNotifier, NOTIFIER_SETTINGS } from '../../../settings/notifier.ts'
import type { Received } from '../../../runtime/step.ts'
import { type Alert, alertsOf } from '../alertmanager.ts'
import { notifierKind } from '../step.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

interface Call { readonly headers: IncomingHttpHeaders, readonly body: string, readonly path: string }

/** @param answer what to do with the n-th request, from 0 */
async function serve (
  t: Test,
  answer: (response: ServerResponse, n: number, call: Call) => void
): Promise<{ url: string, calls: Call[] }> {
  const calls: Call[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => { body += String(chunk) })
    request.on('end', () => {
      const call = { headers: request.headers, body, path: request.url! }
      calls.push(call)
      answer(response, calls.length - 1, call)
    })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => { server.close(resolve) })
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, calls }
}

const status = (code: number, headers: Record<string, string> = {}) => (response: ServerResponse): void => {
  response.writeHead(code, headers).end()
}

const incident: Incident = {
  id: 'T03/2026-03-01T12:10:00.000Z',
  series: 'T03 – Süd',
  model: { name: 'wind-turbine', version: '3', digest: 'd' },
  start: '2026-03-01T12:10:00Z',
  end: '2026-03-01T12:30:00Z',
  closed: false,
  peak: { time: '2026-03-01T12:20:00Z', score: 2.345 },
  severity: 'warning',
  channels: [{ channel: 'vibration_mm_s', contribution: 0.8 }, { channel: 'power_kw', contribution: 0.2 }],
  observations: 3,
}
const opened = (n = 0, series = incident.series): Received => ({
  type: 'incident.opened.v1',
  id: `${series} ${n}`,
  receivedAt: 5,
  offset: n,
  data: { ...incident, series },
})
const annotated: Received = {
  type: 'incident.annotated.v1',
  id: 'a',
  receivedAt: 5,
  offset: 9,
  data: { incident: incident.id, series: incident.series, at: incident.end, kind: 'false-alarm' },
}

const settings = (env: Record<string, string>): z.output<z.ZodObject<typeof NOTIFIER_SETTINGS>> =>
  parseSettings(z.object(NOTIFIER_SETTINGS), env)

async function run (
  messages: readonly Received[],
  env: Record<string, string>,
  closing = new AbortController().signal
): Promise<Array<readonly [number, string, string]>> {
  const rejected: Array<readonly [number, string, string]> = []
  const step = await notifierKind(settings({ WEBHOOK_SECRET: SECRET, ...env }), Date.now).open(undefined, closing)
  await step.process(messages, {
    send: () => {
      throw new Error('nothing is sent')
    },
    drop: () => {
      throw new Error('nothing is dropped')
    },
    reject: ({ offset }, code, detail) => {
      rejected.push([offset, code, detail])
    },
  })
  return rejected
}

t.test('a webhook is a CloudEvent that the receiver can verify', async (t) => {
  const { url, calls } = await serve(t, status(204))
  t.strictSame(await run([opened(), annotated], { WEBHOOK_URL: url }), [])
  const [first, second] = calls
  t.strictSame(
    new Webhook(SECRET).verify(first!.body, first!.headers as Record<string, string>),
    JSON.parse(first!.body)
  )
  t.throws(() => new Webhook(SECRET).verify(`${first!.body} `, first!.headers as Record<string, string>))
  t.match(first!.headers, {
    'content-type': /^application\/cloudevents\+json/,
    'webhook-id': /^msg_[\w-]{43}$/,
    'webhook-signature': /^v1,/,
  })
  t.not(first!.headers['webhook-id'], second!.headers['webhook-id'])
  const event = HTTP.toEvent({ headers: first!.headers, body: first!.body }) as CloudEvent<Incident>
  t.match(event, {
    type: 'incident.opened.v1',
    source: '/scorer',
    subject: 'T03 – Süd',
    time: '1970-01-01T00:00:00.005Z',
  })
  t.strictSame(event.data, incident)
  t.match(JSON.parse(second!.body), {
    type: 'incident.annotated.v1',
    source: '/dashboard',
    data: { kind: 'false-alarm' },
  })
})

t.test('a failure is retried under the same id, and nothing of the series overtakes it', async (t) => {
  const { url, calls } = await serve(t, (response, n, { body }) => {
    if (body.includes('T03') && n < 3) status([503, 429, 408][n]!)(response)
    else status(200)(response)
  })
  t.strictSame(await run([opened(0), opened(1), opened(0, 'T04'), opened(2)], { WEBHOOK_URL: url }), [])
  const ids = calls.map(({ body }) => (JSON.parse(body) as { id: string }).id)
  const own = ids.filter((id) => id.startsWith('T03'))
  t.strictSame(own.filter((id, i) => id !== own[i - 1]), ['T03 – Süd 0', 'T03 – Süd 1', 'T03 – Süd 2'])
  t.ok(own.filter((id) => id.endsWith(' 0')).length > 1)
  t.equal(
    new Set(calls.filter(({ body }) => body.includes('T03 – Süd 0')).map(({ headers }) => headers['webhook-id'])).size,
    1
  )
  t.equal(ids.filter((id) => id === 'T04 0').length + own.length, calls.length)
})

t.test('a message refused for good goes to the dead letters at once; redirects are not followed', async (t) => {
  const elsewhere = await serve(t, status(200))
  const { url, calls } = await serve(t, (response, n) => {
    status([400, 307, 200][n]!, { location: elsewhere.url })(response)
  })
  const rejected = await run([opened(0), opened(1), opened(2)], { WEBHOOK_URL: url })
  t.match(rejected, [
    [0, 'not-delivered', 'The webhook did not take it: it answered 400.'],
    [1, 'not-delivered', /it answered 307, and redirects are not followed/],
  ])
  t.equal(calls.length, 3)
  t.equal(elsewhere.calls.length, 0)
})

t.test('retries of a silent receiver end, and waiting messages share their time', async (t) => {
  const { url, calls } = await serve(t, (response) => { response.destroy() })
  const before = Date.now()
  const rejected = await run([opened(0), opened(1), opened(2)], { WEBHOOK_URL: url, NOTIFIER_RETRY_MS: '500' })
  t.match(rejected, [[0, 'not-delivered', /did not take it: /], [1, 'not-delivered'], [2, 'not-delivered']])
  t.ok(calls.length >= 4 && calls.length <= 7, `${calls.length} attempts`)
  t.ok(Date.now() - before < 5000)
})

t.test('the end of the process ends the retries, and no message goes to the dead letters', async (t) => {
  const closing = new AbortController()
  const { url } = await serve(t, (response) => {
    status(503)(response)
    closing.abort()
  })
  await t.rejects(run([opened()], { WEBHOOK_URL: url }, closing.signal), { name: 'AbortError' })
})

t.test('Alertmanager gets incidents, and one destination does not stop the other', async (t) => {
  const { url, calls } = await serve(t, (response, _, { path }) => { status(path === '/hook' ? 410 : 200)(response) })
  const base = url.replace('/hook', '/')
  const rejected = await run([opened(), annotated], {
    WEBHOOK_URL: url,
    ALERTMANAGER_URL: base,
    DASHBOARD_URL: 'https://dash.example/',
  })
  t.match(rejected, [[0, 'not-delivered', 'The webhook did not take it: it answered 410.'], [9, 'not-delivered']])
  const alerts = calls.filter(({ path }) => path === '/api/v2/alerts')
  t.equal(alerts.length, 1, 'annotations are no alerts')
  t.match((JSON.parse(alerts[0]!.body) as Alert[])[0], {
    labels: { alertname: 'SeriesAnomaly', series: 'T03 – Süd', severity: 'warning', model: 'wind-turbine' },
    annotations: {
      summary: 'T03 – Süd behaves unusually: vibration_mm_s (80 %), power_kw (20 %)',
      description: /highest score is 2\.35/,
      incident: incident.id,
    },
    startsAt: incident.start,
    generatorURL: 'https://dash.example/?series=T03+%E2%80%93+S%C3%BCd&incident=T03%2F2026-03-01T12%3A10%3A00.000Z',
  })
})

t.test('an alert says the sentence of its incident', async (t) => {
  const message = 'power_kw: value 100.2, expected 80.1 ± 3'
  t.match(alertsOf({ ...incident, kind: 'spike', message }, undefined, Date.parse(incident.end))[0]!.annotations, {
    summary: `T03 – Süd: ${message}`,
    description: /mainly of vibration_mm_s \(80 %\), power_kw \(20 %\); the highest score/,
    kind: 'spike',
  })
})

t.test('an alert fires until its incident is closed, with one severity at a time', async (t) => {
  const at = Date.parse('2026-03-01T12:31:00Z')
  t.match(alertsOf(incident, undefined, at), [{ labels: { severity: 'warning' }, endsAt: '2026-03-02T12:31:00.000Z' }, {
    labels: { severity: 'critical' },
    endsAt: incident.end,
  }])
  t.match(alertsOf({ ...incident, closed: true, severity: 'critical' }, undefined, at), [{
    labels: { severity: 'critical' },
    endsAt: incident.end,
  }, { labels: { severity: 'warning' }, endsAt: incident.end }])
})

t.test('settings without a receiver or a signature are refused', async (t) => {
  t.throws(() => {
    checkNotifier(settings({}))
  }, { code: 'invalid-settings', message: /has no receiver/ })
  t.throws(() => {
    checkNotifier(settings({ WEBHOOK_URL: 'https://a.example/x' }))
  }, { code: 'invalid-settings', message: /without WEBHOOK_SECRET/ })
  t.throws(() => settings({ WEBHOOK_SECRET: 'tooshort' }), {
    code: 'invalid-settings',
    message: /^(?!.*tooshort).*base64/,
  })
  t.throws(() => settings({ WEBHOOK_URL: 'ftp://a' }), { code: 'invalid-settings' })
  checkNotifier(settings({ ALERTMANAGER_URL: 'http://a.example/' }))
})
