// The worker threads: what becomes of requests that wait, take too long, need too much, or that nobody waits for any
// more.
import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import type { Config } from '../settings/config.ts'
import { serve } from '../serve.ts'
import type { Scorer } from '../workers/scorer.ts'
import { type FixtureModel, inWorker, jsonOf, smallModel, testConfig, threadedApp, windSeries } from './fixture.ts'

t.setTimeout(240_000)

const named = (name: string): FixtureModel => ({
  ...smallModel,
  digest: `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`,
  manifest: { ...smallModel.manifest, name },
})
const body = (model: string): object => ({ model, ...jsonOf(windSeries(20)) })
const post = (model: string): InjectOptions => ({ method: 'POST', url: '/compute', payload: body(model) })

async function appOf (t: Test, models: readonly string[], changes: Partial<Config> = {}) {
  const app = await threadedApp(models.map(named), changes)
  t.teardown(() => app.close())
  return app
}

t.test('a request that takes too long is stopped and told so, and its thread is replaced', async (t) => {
  const app = await appOf(t, ['small', 'endless'], { computeTimeoutMs: 3000 })
  const [stopped, next] = await Promise.all([app.inject(post('endless')), app.inject(post('small'))])
  t.match(stopped.json(), { status: 503, code: 'compute-timeout', limit: 3000, detail: /COMPUTE_TIMEOUT_MS/ })
  t.equal(next.statusCode, 200, 'what waited behind it is answered by the new thread')
})

t.test('a request that needs too much memory is told so, and the service goes on', async (t) => {
  const app = await appOf(t, ['small', 'hungry'], { computeMaxMemoryMb: 96 })
  t.match((await app.inject(post('hungry'))).json(), {
    status: 413,
    code: 'memory-exceeded',
    limit: 96,
    detail: /COMPUTE_MAX_MEMORY_MB/,
  })
  t.equal((await app.inject(post('small'))).statusCode, 200)
  t.equal((await app.inject('/livez')).statusCode, 200)
})

t.test('a full queue refuses requests at once, with Retry-After; waiting requests are answered in turn', async (t) => {
  const app = await appOf(t, ['slow'], { computeQueue: 1 })
  const answers = await Promise.all([1, 2, 3, 4].map(async () => app.inject(post('slow'))))
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [200, 200, 503, 503])
  const refused = answers.find(({ statusCode }) => statusCode === 503)!
  t.match(refused.json(), { code: 'overloaded', limit: 1 })
  t.equal(refused.headers['retry-after'], '5')
  t.equal((await app.inject(post('slow'))).statusCode, 200)
})

t.test('a request that nobody waits for any more leaves the queue', async (t) => {
  const { scorer: pool } = inWorker([named('slow')], { computeQueue: 1 })
  t.teardown(() => pool.close())
  await pool.start((fault) => { throw fault })
  const task = () => ({
    body: Buffer.from(JSON.stringify(body('slow'))),
    mediaType: 'application/json',
    contentType: 'application/json',
    query: {},
    answerTypes: ['application/json'],
  } as const)
  const stays = new AbortController()
  const leaves = new AbortController()
  const first = pool.answer(task(), stays.signal)
  const second = pool.answer(task(), leaves.signal)
  await t.rejects(pool.answer(task(), stays.signal), { code: 'overloaded' })
  leaves.abort()
  await t.rejects(second, { name: 'AbortError' })
  const third = pool.answer(task(), stays.signal)
  t.match(await first, { model: 'slow@1', observations: 20, channels: 2 })
  t.match(await third, { model: 'slow@1' }, 'its place was free again')
  await t.rejects(pool.answer(task(), leaves.signal), { name: 'AbortError' }, 'gone before it came')
})

t.test('the thread that speaks HTTP answers while others compute, and a stop waits for what runs', async (t) => {
  const { scorer: pool, ...serving } = inWorker([named('slow')])
  let began = (): void => {}
  const beginning = new Promise<void>((resolve) => { began = resolve })
  const scorer: Scorer = {
    start: async (onFault) => pool.start(onFault),
    prove: async (one) => pool.prove(one),
    examine: async (where, bytes) => pool.examine(where, bytes),
    table: async (task) => pool.table(task),
    drift: async (question) => pool.drift(question),
    load: () => pool.load(),
    answer: async (task, gone) => {
      began()
      return pool.answer(task, gone)
    },
    close: async () => pool.close(),
  }
  const service = await serve(testConfig({ port: 0 }), { logger: false, ...serving, scorer })
  await service.ready
  const answer = fetch(`${service.url}/compute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body('slow')),
  })
  let answered = false
  const done = answer.then((response) => { answered = true; return response.status })
  await beginning
  t.equal((await fetch(`${service.url}/livez`)).status, 200)
  t.notOk(answered)
  const closed = service.close()
  t.equal(await done, 200)
  await closed
})

t.test('a package that cannot be opened is the problem of the start, with its cause', async (t) => {
  const { scorer: pool } = inWorker([])
  t.teardown(() => pool.close())
  await pool.start(() => {})
  await t.rejects(
    pool.prove({ name: 'small', version: '1', digest: smallModel.digest, where: 'here', bytes: new Uint8Array(3) }),
    { message: /JSON/ }
  )
})
