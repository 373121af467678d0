// The dashboard's routes, its socket with real clients (also slow ones), and annotations.
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { Problem } from '../../../../core/errors.ts'
import { listFeedback } from '../../../../adapters/registry/feedback.ts'
import { folderStore } from '../../../../adapters/registry/folder-store.ts'
import { parseSettings } from '../../../../adapters/settings/values.ts'
import { decode } from '../../../messages/cloud-events.ts'
import type { NewRecord } from '../../../messages/log.ts'
import { admitsOf, DASHBOARD_SETTINGS, refuseOpenDashboard } from '../../../settings/dashboard.ts'
import type { Outlet, Received } from '../../../runtime/step.ts'
import type { Message } from '../../../messages/messages.ts'
import { annotateInto } from '../annotate.ts'
import { addDashboard, type DashboardDependencies } from '../app.ts'
import { LiveFeed } from '../live-feed.ts'
import { dashboardKind } from '../step.ts'
import {
  gapMessage,
  incidentAt,
  incidentMessage,
  kept,
  MemoryDatabase,
  START,
  STEP_MS,
  timeAt,
  verdictAt,
  verdictMessage,
} from './fixture.ts'

const WAIT_MS = 5000

/** Waits until the condition holds. @throws Error after WAIT_MS */
async function until (isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + WAIT_MS; !isSo(); await sleep(2)) {
    if (Date.now() > end) throw new Error(`It is still not so: ${String(isSo)}`)
  }
}

interface Opened {
  readonly app: FastifyInstance
  readonly database: MemoryDatabase
  readonly live: LiveFeed
  readonly said: unknown[]
}

async function open (t: Test, more: Partial<DashboardDependencies> = {}): Promise<Opened> {
  const database = new MemoryDatabase()
  for (const series of ['T01', 'T02']) for (let step = 0; step < 20; step++) database.add(verdictAt(series, step))
  const live = new LiveFeed(database)
  const said: unknown[] = []
  const app = Fastify()
  await addDashboard(app, { database, live, annotate: async (...all) => { said.push(all) }, page: '/', ...more })
  t.teardown(async () => app.close())
  return { app, database, live, said }
}

/** Resolves with the first message that the predicate accepts. */
async function hears (socket: WebSocket, accepts: (message: Frame) => boolean): Promise<Frame> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { reject(new Error('nothing came')) }, WAIT_MS)
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Frame
      if (!accepts(message)) return
      clearTimeout(timer)
      resolve(message)
    })
  })
}

interface Frame {
  readonly type: string
  readonly fleet?: Array<{ series: string, time: string, score: number, gapUntil: string | null }>
  readonly verdicts?: Array<{ series: string, time: string }>
  readonly incidents?: Array<{ id: string }>
  readonly annotations?: Array<{ kind: string }>
  readonly gaps?: unknown[]
  readonly skipped?: number
}

async function closed (socket: WebSocket): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { reject(new Error('it stays open')) }, WAIT_MS)
    socket.on('error', () => {})
    socket.on('close', (code) => {
      clearTimeout(timer)
      resolve(code)
    })
  })
}

async function connect (
  t: Test,
  app: FastifyInstance,
  { hello = { type: 'hello' } as unknown, options = {} } = {}
): Promise<WebSocket> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = new WebSocket(`ws://127.0.0.1:${(app.server.address() as AddressInfo).port}/live/socket`, options)
  t.teardown(() => { socket.terminate() })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.send(JSON.stringify(hello))
  return socket
}

async function welcomed (t: Test, app: FastifyInstance): Promise<WebSocket> {
  const socket = await connect(t, app)
  await hears(socket, ({ type }) => type === 'welcome')
  return socket
}

t.test('the page and its files are served, and nothing else of the disk', async (t) => {
  const { app } = await open(t)
  const page = await app.inject('/')
  t.match(page.headers['content-type'], 'text/html')
  for (const [, path] of page.body.matchAll(/(?:src|href)="(\/live\/[^"]+)"/g)) {
    t.equal((await app.inject(path!)).statusCode, 200, String(path))
  }
  for (const path of [
    '/live/tsconfig.json',
    '/live/types.d.ts',
    '/live/vendor/uPlot.cjs.js',
    '/live/../app.ts',
    '/live/%2e%2e/app.ts',
  ]) t.equal((await app.inject(path)).statusCode, 404, path)
})

t.test('the fleet has the history of the database and newer messages', async (t) => {
  const { app, live } = await open(t, { links: [{ href: '/score', text: 'Score a file' }] })
  live.take(verdictMessage(verdictAt('T01', 20)))
  t.notOk(live.take(verdictMessage(verdictAt('T01', 20))), 'a repetition is none')
  live.take(verdictMessage(verdictAt('T03', 21)))
  const answer = (await app.inject('/live/fleet')).json()
  t.same(answer.series.map(({ series }: { series: string }) => series), ['T01', 'T02', 'T03'])
  t.equal(answer.newest, timeAt(21))
  const [first] = answer.series
  t.equal(first.time, timeAt(20))
  t.same(
    first.scores.map(([time]: [number]) => time),
    Array.from({ length: 21 }, (_, i) => START + i * STEP_MS),
    'its scores are the history and the news, once'
  )
  t.same(answer.links, [{ href: '/score', text: 'Score a file' }])
})

t.test('a series has the requested period; an error names the wrong parameter', async (t) => {
  const { app, database, live } = await open(t)
  database.missing.push({ series: 'T01', from: timeAt(3), to: timeAt(4), interval: STEP_MS })
  live.take(verdictMessage(verdictAt('T01', 20)))
  const part = (await app.inject(`/live/series/T01?from=${timeAt(15)}&to=${timeAt(20)}`)).json()
  t.same(
    part.verdicts.map(({ time }: { time: string }) => time),
    [15, 16, 17, 18, 19, 20].map(timeAt),
    'with what the database does not hold yet'
  )
  t.equal(part.gaps.length, 1)
  t.same(
    (await app.inject('/live/series/T01?limit=2')).json().verdicts.map(({ time }: { time: string }) => time),
    [19, 20].map(timeAt)
  )
  t.same((await app.inject('/live/series/none')).json().verdicts, [])
  for (const [query, pointer] of [
    ['limit=0', '/query/limit'],
    ['from=yesterday', '/query/from'],
    [`from=${timeAt(9)}&to=${timeAt(8)}`, '/query/from'],
    ['size=1', '/query'],
  ]) {
    const refused = await app.inject(`/live/series/T01?${query}`)
    t.equal(refused.statusCode, 422, String(query))
    t.match(refused.headers['content-type'], 'application/problem+json')
    t.match(refused.json(), { code: 'invalid-request', errors: [{ pointer }] })
  }
})

t.test('incidents: the newest first, with their feedback; an annotation is accepted once it is stored', async (t) => {
  const { app, database, live, said } = await open(t, { now: () => START })
  database.found.set('old', kept(incidentAt('T01', 2, 5, { id: 'old', closed: true })))
  live.take(incidentMessage(incidentAt('T02', 10, 12, { id: 'new' })))
  live.take(incidentMessage(incidentAt('T02', 10, 14, { id: 'new' }), 'updated'))
  t.notOk(live.take(incidentMessage(incidentAt('T02', 10, 12, { id: 'new' }))), 'an earlier state of it is no news')
  const list = async (query = '') => (await app.inject(`/live/incidents${query}`)).json().incidents
  t.same((await list()).map(({ id }: { id: string }) => id), ['new', 'old'])
  t.same((await list('?series=T01')).map(({ id }: { id: string }) => id), ['old'])
  const post = async (id: string, payload: object) =>
    app.inject({ method: 'POST', url: `/live/incidents/${id}/annotations`, payload })
  const answer = await post('new', { kind: 'false-alarm', note: 'a test drive' })
  t.equal(answer.statusCode, 202)
  t.match(said, [[{ incident: 'new', series: 'T02', at: timeAt(0), kind: 'false-alarm', note: 'a test drive' }, {
    id: 'new',
    end: timeAt(14),
  }]])
  live.take({ type: 'incident.annotated.v1', data: answer.json().annotation, id: 'a', receivedAt: START })
  t.match(
    (await list())[0],
    { feedback: 'false-alarm', note: 'a test drive', acknowledgedAt: null },
    'known before the database knows'
  )
  t.match((await post('none', { kind: 'confirmed' })).json(), { status: 404, code: 'unknown-incident' })
  t.match((await post('new', { kind: 'silly' })).json(), { status: 422, errors: [{ pointer: '/body/kind' }] })
  t.match(
    (await app.inject({
      method: 'POST',
      url: '/live/incidents/new/annotations',
      payload: '{',
      headers: { 'content-type': 'application/json' },
    })).json(),
    { status: 400, code: 'malformed-body' }
  )
  t.match(
    (await app.inject({
      method: 'POST',
      url: '/live/incidents/new/annotations',
      payload: 'kind=confirmed',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })).json(),
    { status: 415 },
    'a form of another page cannot annotate'
  )
})

t.test('a failure of the database or the log is a temporary problem', async (t) => {
  const database = new MemoryDatabase()
  database.fleet = async () => { throw new Problem('server-unavailable', 'the database does not answer') }
  database.found.set('one', kept(incidentAt('T01', 1, 2, { id: 'one' })))
  const { app } = await open(t, {
    database,
    live: new LiveFeed(database),
    annotate: async () => {
      throw new Problem('log-unavailable', 'the log is away')
    },
  })
  const answer = await app.inject('/live/fleet')
  t.match(answer.json(), { status: 503, code: 'server-unavailable' })
  t.equal(answer.headers['retry-after'], '2')
  t.match(
    (await app.inject({ method: 'POST', url: '/live/incidents/one/annotations', payload: { kind: 'acknowledged' } }))
      .json(),
    { status: 503, code: 'log-unavailable' }
  )
})

t.test('with keys, data and socket need one', async (t) => {
  const settings = parseSettings(z.object(DASHBOARD_SETTINGS), {
    DASHBOARD_API_KEYS: 'first-key-of-the-test, second-key-of-the-test',
  })
  const { app } = await open(t, { admits: admitsOf(settings) })
  t.equal((await app.inject('/')).statusCode, 200, 'the page itself holds no data')
  for (const path of ['/live/fleet', '/live/series/T01', '/live/incidents']) {
    t.match((await app.inject(path)).json(), { status: 401, code: 'unauthorized' }, path)
  }
  t.equal(
    (await app.inject({ url: '/live/fleet', headers: { authorization: 'Bearer wrong-key-of-the-test' } })).statusCode,
    401
  )
  t.equal(
    (await app.inject({ url: '/live/fleet', headers: { authorization: 'Bearer second-key-of-the-test' } })).statusCode,
    200
  )
  t.equal(await closed(await connect(t, app)), 4401)
  t.equal(await closed(await connect(t, app, { hello: { type: 'follow', series: 'T01' } })), 1008)
  const socket = await connect(t, app, { hello: { type: 'hello', key: 'first-key-of-the-test' } })
  t.match(await hears(socket, () => true), { type: 'welcome' })
})

t.test('a dashboard without keys refuses other machines, unless the settings allow it', (t) => {
  const settings = (env: Record<string, string>) => parseSettings(z.object(DASHBOARD_SETTINGS), env)
  t.throws(() => {
    refuseOpenDashboard('0.0.0.0', settings({}))
  }, { code: 'invalid-settings' })
  t.doesNotThrow(() => {
    refuseOpenDashboard('127.0.0.1', settings({}))
  })
  t.doesNotThrow(() => {
    refuseOpenDashboard('0.0.0.0', settings({ DASHBOARD_AUTH: 'off' }))
  })
  t.doesNotThrow(() => {
    refuseOpenDashboard('0.0.0.0', settings({ DASHBOARD_API_KEYS: 'a-key-that-is-long-enough' }))
  })
  try {
    settings({ DASHBOARD_API_KEYS: 'short-secret' })
    t.fail('a short key is refused')
  } catch (error) {
    t.match(error, { code: 'invalid-settings' })
    t.notMatch((error as Error).message, 'short-secret', 'and not repeated')
  }
  t.end()
})

t.test('the socket sends the newest state of every series, and every verdict of the followed one', async (t) => {
  const { app, live } = await open(t)
  await live.series()
  const socket = await welcomed(t, app)
  socket.send(JSON.stringify({ type: 'follow', series: 'T01' }))
  await new Promise((resolve) => { socket.once('pong', resolve).ping() })
  const frames: Frame[] = []
  socket.on('message', (data: Buffer) => {
    frames.push(JSON.parse(data.toString()))
  })
  for (let step = 20; step < 60; step++) {
    for (const series of ['T01', 'T02']) live.take(verdictMessage(verdictAt(series, step)))
  }
  live.take(incidentMessage(incidentAt('T02', 50, 59)))
  live.take(gapMessage({ series: 'T01', from: timeAt(60), to: timeAt(65), interval: STEP_MS }))
  await hears(socket, ({ fleet = [] }) => fleet.some(({ gapUntil }) => gapUntil === timeAt(65)))
  t.ok(frames.length <= 3, `${frames.length} frames for 82 messages`)
  t.same(
    frames.flatMap(({ verdicts = [] }) => verdicts.map(({ series, time }) => `${series} ${time}`)),
    Array.from({ length: 40 }, (_, i) => `T01 ${timeAt(20 + i)}`)
  )
  t.equal(frames.flatMap(({ gaps = [] }) => gaps).length, 1)
  t.equal(frames.flatMap(({ incidents = [] }) => incidents).length, 1)
  t.equal(frames.at(-1)!.fleet!.find(({ series }) => series === 'T02')!.time, timeAt(59))
  socket.send(JSON.stringify({ type: 'pause', paused: true }))
  await new Promise((resolve) => { socket.once('pong', resolve).ping() })
  live.take(verdictMessage(verdictAt('T01', 70)))
  live.take(incidentMessage(incidentAt('T01', 70, 70)))
  t.same(
    Object.keys(await hears(socket, () => true)).sort(),
    ['incidents', 'type'],
    'incidents come in spite of a pause'
  )
  socket.send('nonsense')
  t.equal(await closed(socket), 1008)
})

t.test('a socket of another page is refused, and one too many shall come later', async (t) => {
  const { app } = await open(t, { limits: { maxClients: 1 } })
  t.equal(await closed(await connect(t, app, { options: { origin: 'https://elsewhere.example' } })), 1008)
  await welcomed(t, app)
  t.equal(await closed(await connect(t, app)), 1013)
})

t.test('an upgrade of another route is answered and ended', async (t) => {
  const { app } = await open(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const socket = new WebSocket(`ws://127.0.0.1:${port}/live/fleet`)
  t.ok(await closed(socket), 'closed')
})

t.test('a browser that takes nothing loses frames, not the server its memory, and others get theirs', async (t) => {
  const { app, live } = await open(t, { limits: { maxBufferedBytes: 64 * 1024, maxPending: 50, frameMs: 5 } })
  await live.series()
  const [slow, quick] = [await welcomed(t, app), await welcomed(t, app)]
  for (const socket of [slow, quick]) socket.send(JSON.stringify({ type: 'follow', series: 'T01' }))
  await Promise.all([slow, quick].map(async (socket) =>
    new Promise((resolve) => {
      socket.once('pong', resolve).ping()
    })
  ))
  slow.pause()
  const got: string[] = []
  quick.on('message', (data: Buffer) => {
    got.push(...((JSON.parse(data.toString()) as Frame).verdicts ?? []).map(({ time }) => time))
  })
  const note = 'x'.repeat(20_000)
  const buffered = () => Math.max(...[...app.websocketServer.clients].map(({ bufferedAmount }) => bufferedAmount))
  let most = 0
  // 40 MB, of which the kernel's buffers between the two take a few.
  for (let step = 20; step < 2020; step++) {
    const verdict = verdictAt('T01', step)
    live.take(verdictMessage({ ...verdict, model: { ...verdict.model, name: note } }))
    if (step % 10 === 0) await until(() => got.length > step - 20)
    most = Math.max(most, buffered())
  }
  t.ok(most < 2 * 2 ** 20, `at most ${Math.round(most / 1024)} kB wait in a socket`)
  await until(() => got.length === 2000)
  t.equal(got.length, 2000, 'the quick one has all verdicts')
  const skipped = hears(slow, (frame) => (frame.skipped ?? 0) > 0)
  slow.resume()
  live.take(incidentMessage(incidentAt('T01', 1, 2)))
  t.ok((await skipped).skipped! > 100, 'the slow one is told that it has missed some')
})

t.test('a browser that takes nothing for too long is closed', async (t) => {
  const { app, live } = await open(t, { limits: { maxBufferedBytes: 1024, frameMs: 5, stalledMs: 50 } })
  const socket = await welcomed(t, app)
  socket.send(JSON.stringify({ type: 'follow', series: 'T01' }))
  await new Promise((resolve) => { socket.once('pong', resolve).ping() })
  socket.pause()
  const deadline = Date.now() + WAIT_MS
  const model = { ...verdictAt('T01', 0).model, name: 'x'.repeat(200_000) }
  for (let step = 20; app.websocketServer.clients.size > 0 && Date.now() < deadline; step++) {
    live.take(verdictMessage({ ...verdictAt('T01', step), model }))
    await new Promise((resolve) => setTimeout(resolve, 6))
  }
  t.equal(app.websocketServer.clients.size, 0)
})

t.test('closing the app ends sockets that do not answer', async (t) => {
  const { app } = await open(t)
  const socket = await welcomed(t, app)
  socket.pause()
  const begun = performance.now()
  await app.close()
  t.ok(performance.now() - begun < 3000)
})

t.test('the step passes on new messages, and drops earlier ones', async (t) => {
  const live = new LiveFeed(new MemoryDatabase())
  const heard: string[] = []
  live.listen(({ message }) => { heard.push(message.type) })
  const dropped: string[] = []
  const out: Outlet = {
    send: () => t.fail('it says nothing'),
    reject: () => t.fail('it refuses nothing'),
    drop: (_, code) => {
      dropped.push(code)
    },
  }
  const step = await dashboardKind(live).open(undefined, new AbortController().signal)
  const messages: Message[] = [
    verdictMessage(verdictAt('T01', 1)),
    verdictMessage(verdictAt('T01', 1)),
    incidentMessage(incidentAt('T01', 1, 1)),
  ]
  await step.process(messages.map((message, offset): Received => ({ ...message, offset })), out)
  t.same(heard, ['verdict.v1', 'incident.opened.v1'])
  t.same(dropped, ['seen-before'])
})

t.test('an annotation goes to the log; false alarms and confirmations go to the registry, too', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  const [store, records] = [folderStore(folder), [] as NewRecord[]]
  const annotate = annotateInto({ log: { append: async (more) => { records.push(...more) } }, store })
  const incident = kept(incidentAt('T01', 3, 9, { id: 'one' }))
  const at = timeAt(12)
  await annotate({ incident: 'one', series: 'T01', at, kind: 'acknowledged' }, incident)
  await annotate({ incident: 'one', series: 'T01', at, kind: 'false-alarm', note: 'maintenance' }, incident)
  t.match(records.map((record) => ({ topic: record.topic, ...decode(record)[0]!.data })), [{
    topic: 'incidents.v1',
    kind: 'acknowledged',
    incident: 'one',
  }, { kind: 'false-alarm', note: 'maintenance' }])
  t.match(await listFeedback(store, 'wind-turbine'), [{
    label: 'false-alarm',
    series: 'T01',
    start: timeAt(3),
    end: timeAt(9),
    version: '3',
    note: 'maintenance',
  }])
  t.equal((await listFeedback(store, 'wind-turbine')).length, 1, 'to have seen it is no judgement')
  await annotateInto({ log: { append: async () => {} } })(
    { incident: 'one', series: 'T01', at, kind: 'confirmed' },
    incident
  )
})
