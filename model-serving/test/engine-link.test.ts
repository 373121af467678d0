// What engines see of the service, on a simulated clock: it appears, stays, returns and withdraws.
import { syncBuiltinESMExports } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import FakeTimers, { type Clock } from '@sinonjs/fake-timers'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type { HttpClient } from '../adapters/http-client.ts'
import { readConfig } from '../settings/config.ts'
import { Engines, serviceUrlOf } from '../engine/engines.ts'
import { announcement2022 } from '../engine/link-2022.ts'
import { ContractEngine, type ContractEngineOptions } from './contract-engine.ts'

const SERVICE_URL = 'http://127.0.0.1:29200'
const ENGINE_URL = 'http://engine.test:8080'
const SLUG = 'ae-anomaly-detection'
const SECOND = 1000

interface World {
  readonly engine: ContractEngine
  readonly engines: Engines
  /** What a GET /status of the service answers; 0: nobody answers. */
  readonly service: { status: number }
  readonly lines: string[]
  /** Also lets the engine tick every 30 seconds. */
  wait (ms: number): Promise<void>
}

const log = (lines: string[]) =>
  Fastify({
    logger: {
      level: 'trace',
      stream: {
        write: (line: string) => {
          lines.push(line)
        },
      },
    },
  }).log

/** An engine and a service on the clock of the test. They talk in memory. */
function world (t: Test, { era, ...settings }: Record<string, string> = {}): World {
  const clock: Clock = FakeTimers.install({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
  // The clock also controls imports of node:timers/promises.
  syncBuiltinESMExports()
  const service = { status: 200 }
  const reach: HttpClient = {
    send: async () => {
      if (service.status === 0) throw Object.assign(new Error(''), { code: 'ECONNREFUSED' })
      return { status: service.status, body: {} }
    },
    close: async () => {},
  }
  const engine = new ContractEngine({
    reach,
    now: () => clock.now,
    host: ENGINE_URL,
    ...(era !== undefined && { era: era as NonNullable<ContractEngineOptions['era']> }),
  })
  const inner = engine.transport()
  // Counts the running calls: the clock moves only when there are none.
  const open = { calls: 0 }
  const http: HttpClient = {
    ...inner,
    send: async (...call) => {
      open.calls++
      return inner.send(...call).finally(() => { open.calls-- })
    },
  }
  const lines: string[] = []
  const engines = new Engines(
    readConfig({ ENGINE_URLS: ENGINE_URL, ...settings }).engine,
    SERVICE_URL,
    log(lines),
    http
  )
  const settle = async (): Promise<void> => {
    for (let calm = 0; calm < 5; calm = open.calls === 0 ? calm + 1 : 0) {
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
  }
  t.teardown(async () => {
    await engines.withdraw()
    clock.uninstall()
    syncBuiltinESMExports()
    await engine.app.close()
  })
  const wait = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 250) {
      await clock.tickAsync(250)
      await settle()
      if (clock.now % 30_000 === 0 && !engine.quirks.down) await engine.tick()
    }
  }
  return { engine, engines, service, lines, wait }
}

for (const downFor of [1, 7, 60, 600]) {
  const title = `an engine that starts ${downFor} s after the service has it available within 15 s, and for ten minutes`
  t.test(title, async (t) => {
    const { engine, engines, wait } = world(t)
    engine.quirks.down = true
    engines.start()
    await wait(downFor * SECOND)
    t.match(engines.describe(), [{ url: ENGINE_URL, state: 'announcing', problem: 'ECONNREFUSED' }])
    engine.quirks.down = false
    await wait(15 * SECOND)
    t.equal(engine.statusOf(SLUG), 'available')
    t.equal(engine.routes.get(SLUG), `${SERVICE_URL}/`)
    await wait(600 * SECOND)
    t.same(engine.history.map(({ status }) => status), ['available'], 'and it is never shown as anything else')
    t.same(engine.refused, [])
    await engines.withdraw()
    t.equal(engine.statusOf(SLUG), 'unavailable')
  })
}

t.test('the first heartbeat comes right after the announcement, then one every ten seconds', async (t) => {
  const { engine, engines, wait } = world(t)
  engines.start()
  await wait(250)
  t.same(engine.calls, ['POST /services', `POST /services/${SLUG}/ping`])
  await wait(60 * SECOND)
  t.equal(engine.calls.filter((call) => call.endsWith('/ping')).length, 7)
})

t.test('a known slug is looked up, closed, opened with the new URL, and verified', async (t) => {
  const { engine, engines, wait } = world(t)
  const before = {
    id: '0b0e2f5c-0000-4000-8000-000000000000',
    name: 'old',
    slug: SLUG,
    summary: '',
    url: 'http://gone:1/',
    status: 'available' as const,
    data_in_fields: [{ name: 'old', type: [] }],
  }
  engine.services.set(before.id, before)
  engine.routes.set(SLUG, before.url)
  engines.start()
  await wait(SECOND)
  t.same(engine.calls.slice(0, 5), [
    'POST /services',
    `GET /services/slug/${SLUG}`,
    `PATCH /services/${before.id}`,
    `PATCH /services/${before.id}`,
    `GET /services/slug/${SLUG}`,
  ])
  t.equal(engine.routes.get(SLUG), `${SERVICE_URL}/`, 'the route is the new one')
  t.match(engine.services.get(before.id), {
    status: 'available',
    data_in_fields: [{ name: 'text', type: ['text/csv', 'text/plain', 'application/json'] }],
  })
})

t.test('what the engine says is logged, and it is asked again: 503, 500, 422', async (t) => {
  const { engine, engines, service, lines, wait } = world(t)
  service.status = 0
  engines.start()
  await wait(SECOND)
  t.match(lines.join(''), /unreachable: All connection attempts failed/)
  service.status = 500
  await wait(10 * SECOND)
  t.match(lines.join(''), /did not respond with an OK status/)
  service.status = 200
  await wait(15 * SECOND)
  t.equal(engine.statusOf(SLUG), 'available', 'stored as unavailable first, repaired by the next attempt')
  engine.forget()
  engine.quirks.failing = 2
  await wait(40 * SECOND)
  t.equal(engine.statusOf(SLUG), 'available')
})

t.test('an engine that lost its database is told again; one that restarts on its database needs nothing', async (t) => {
  const { engine, engines, wait } = world(t)
  engines.start()
  await wait(20 * SECOND)
  engine.forget()
  await wait(15 * SECOND)
  t.equal(engine.statusOf(SLUG), 'available')
  const announcements = (): number => engine.calls.filter((call) => call === 'POST /services').length
  const before = announcements()
  engine.quirks.down = true
  await wait(20 * SECOND)
  engine.restart()
  engine.quirks.down = false
  await wait(120 * SECOND)
  t.equal(announcements(), before)
  t.same(engine.history.map(({ status }) => status), ['available'], 'never asleep')
})

t.test('an engine that is away is told of once in the log, and its heartbeat goes on', async (t) => {
  const { engine, engines, lines, wait } = world(t)
  engines.start()
  await wait(SECOND)
  engine.quirks.down = true
  await wait(300 * SECOND)
  t.equal(lines.filter((line) => line.includes('"level":40')).length, 1)
  t.match(engines.describe(), [{ state: 'announced', problem: 'ECONNREFUSED' }])
  engine.quirks.down = false
  await wait(11 * SECOND)
  t.match(engines.describe(), [{ state: 'announced', problem: null }])
})

t.test('at the end heartbeats stop before the engine is told to close its route', async (t) => {
  const { engine, engines, wait } = world(t)
  engines.start()
  await wait(25 * SECOND)
  const before = engine.calls.length
  await engines.withdraw()
  t.match(engine.calls.slice(before), [`GET /services/slug/${SLUG}`, /^PATCH/])
  t.notOk(engine.routes.has(SLUG))
  t.match(engines.describe(), [{ state: 'withdrawn' }])
  await wait(60 * SECOND)
  t.equal(engine.calls.length, before + 2, 'nothing more is heard of it')
})

for (const era of ['2024', '2023']) {
  t.test(`an engine of ${era} has no heartbeat and is not announced to again and again`, async (t) => {
    const { engine, engines, wait } = world(t, { era })
    engines.start()
    await wait(120 * SECOND)
    t.equal(engine.statusOf(SLUG), 'available', era)
    t.equal(engine.calls.filter((call) => call === 'POST /services').length, 1)
    t.same(engine.history.map(({ status }) => status), ['available'])
    engine.forget()
    await wait(15 * SECOND)
    t.equal(engine.statusOf(SLUG), 'available', 'told again where it has forgotten')
    await engines.withdraw()
    t.equal(engine.statusOf(SLUG), 'disabled', 'such engines know no sleeping')
    t.same(engine.refused, [])
  })
}

t.test('every engine has a back-off of its own: one that is gone delays no other', async (t) => {
  const calls: string[] = []
  const http: HttpClient = {
    send: async ({ url }) => {
      calls.push(new URL(url).hostname)
      if (url.includes('gone')) throw new Error('gone')
      return { status: 200, body: {} }
    },
    close: async () => {},
  }
  const engines = new Engines(
    readConfig({ ENGINE_URLS: '["http://gone:1", "http://there:2"]', ENGINE_RETRY_DELAY_MS: '20' }).engine,
    SERVICE_URL,
    log([]),
    http
  )
  engines.start()
  await sleep(100)
  t.match(engines.describe(), [{ url: 'http://gone:1', state: 'announcing', problem: 'gone' }, {
    url: 'http://there:2',
    state: 'announced',
    problem: null,
  }])
  t.ok(calls.filter((host) => host === 'gone').length >= 2)
  await engines.withdraw()
})

t.test('an engine of 2022 is told every interval what it makes its own document of', async (t) => {
  const bodies: unknown[] = []
  const http: HttpClient = {
    send: async ({ method, url, body }) => {
      bodies.push([method, url, JSON.parse(String(body))])
      return { status: bodies.length === 1 ? 500 : 200, body: null }
    },
    close: async () => {},
  }
  const config = readConfig({
    ENGINE_URLS: ENGINE_URL,
    ENGINE_DIALECT: '2022',
    ENGINE_PING_INTERVAL_MS: '100',
    SERVICE_DATA_OUT_FIELDS: '[{"name":"result","type":["application/json"]}]',
  })
  const engines = new Engines(config.engine, SERVICE_URL, log([]), http)
  engines.start()
  await sleep(50)
  t.match(engines.describe(), [{ state: 'announcing', problem: /500/ }])
  await sleep(150)
  t.match(engines.describe(), [{ state: 'announced', problem: null }])
  await engines.withdraw()
  t.same(bodies[0], ['POST', `${ENGINE_URL}/services`, {
    url: `${SERVICE_URL}/compute`,
    type: 'service',
    api: {
      route: SLUG,
      body: ['text'],
      bodyType: ['[text/csv, text/plain, application/json]'],
      resultType: ['[application/json]'],
      summary: config.engine.announcement.summary,
    },
  }])
  t.same(bodies[0], [
    'POST',
    `${ENGINE_URL}/services`,
    announcement2022({ ...config.engine.announcement, url: SERVICE_URL }),
  ])
})

t.test('docs_url is left out where there is none, and everything told can be set', async (t) => {
  t.notOk('docs_url' in readConfig({}).engine.announcement)
  t.match(
    readConfig({
      SERVICE_NAME: 'Mine',
      SERVICE_SLUG: 'mine',
      SERVICE_SUMMARY: 's',
      SERVICE_DESCRIPTION: 'd',
      SERVICE_HAS_AI: 'false',
      SERVICE_DOCS_URL: 'https://docs.example.org/x/',
      SERVICE_TAGS: '[{"name":"Generic","acronym":"GNR"}]',
      SERVICE_DATA_IN_FIELDS: '[{"name":"file","type":["text/csv"]}]',
      SERVICE_DATA_OUT_FIELDS: '[{"name":"table","type":["text/csv"]}]',
    }).engine,
    {
      announcement: {
        name: 'Mine',
        slug: 'mine',
        summary: 's',
        description: 'd',
        has_ai: false,
        docs_url: 'https://docs.example.org/x',
        tags: [{ acronym: 'GNR' }],
        data_in_fields: [{ name: 'file' }],
      },
      outputs: ['text/csv'],
    }
  )
  for (const [name, value] of [
    ['SERVICE_SLUG', 'docs'],
    ['SERVICE_SLUG', 'Not one'],
    ['SERVICE_DATA_IN_FIELDS', '[{"name":"in-put","type":["text/csv"]}]'],
    ['SERVICE_DATA_IN_FIELDS', '[{"name":"class","type":["text/csv"]}]'],
    ['SERVICE_DATA_IN_FIELDS', '[{"name":"a","type":["text/csv"]},{"name":"a","type":["text/csv"]}]'],
    ['SERVICE_DATA_OUT_FIELDS', '[{"name":"a","type":["audio/ogg"]}]'],
    ['SERVICE_TAGS', '{'],
    ['ENGINE_URLS', 'engine:8080'],
    ['ENGINE_URLS', '[1]'],
    ['ENGINE_ALLOWED_HOSTS', 'http://x/'],
    ['ENGINE_TASKS', 'on'],
  ] as const) {
    t.throws(
      () => readConfig({ [name]: value }),
      { code: 'invalid-settings', message: new RegExp(name) },
      `${name}=${value}`
    )
  }
})

t.test('the URL that engines are told is the one set, else the address that is listened on', async (t) => {
  t.equal(serviceUrlOf('https://me.example.org/ano', 'http://127.0.0.1:8282'), 'https://me.example.org/ano')
  t.equal(serviceUrlOf(undefined, 'http://127.0.0.1:8282'), 'http://127.0.0.1:8282')
  t.notMatch(serviceUrlOf(undefined, 'http://0.0.0.0:8282'), /0\.0\.0\.0/)
})
