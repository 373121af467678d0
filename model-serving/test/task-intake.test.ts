// POST /compute as engines use it, beside API clients: which requests are recognised, which are refused, and in which
// format; and the 2022 dialect from end to end.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { buildApp } from '../app.ts'
import { type Config, readConfig } from '../settings/config.ts'
import { loggerOptions } from '../logging.ts'
import { TaskIntake } from '../tasks/task-intake.ts'
import { csvOf, jsonOf, onThisThread, smallModel, windSeries } from './fixture.ts'

t.setTimeout(60_000)

const SECRETS = { s3_access_key_id: 'AKIA-not-for-logs', s3_secret_access_key: 'hush-not-for-logs' }

interface Started {
  readonly app: FastifyInstance
  readonly lines: string[]
  readonly intake: () => TaskIntake | undefined
}

async function appWith (t: Test, settings: Record<string, string>): Promise<Started> {
  const config: Config = {
    ...readConfig({ TASKS_DIR: t.testdir({}), ENGINE_RETRY_DELAY_MS: '10', ...settings }),
    computeWorkers: 1,
  }
  const { models, scorer } = onThisThread([smallModel])
  const lines: string[] = []
  let intake: TaskIntake | undefined
  const app = await buildApp({
    config,
    models,
    scorer,
    logger: { ...loggerOptions('trace'), stream: { write: (line: string) => { lines.push(line) } } },
    openIntake: config.engine.takesTasks ? (log) => (intake = new TaskIntake(config, scorer, log)) : undefined,
  })
  t.teardown(async () => {
    await intake?.close(0)
    await app.close()
  })
  return { app, lines, intake: () => intake }
}

const taskBody = (changes: object = {}): Record<string, unknown> => ({
  ...SECRETS,
  s3_region: 'eu-central-2',
  s3_host: 'http://127.0.0.1:9',
  s3_bucket: 'engine',
  task: {
    id: randomUUID(),
    data_in: ['61d4f247.csv'],
    data_out: null,
    status: 'pending',
    service_id: randomUUID(),
    created_at: '2026-11-21T08:02:36.783586',
  },
  callback_url: 'http://127.0.0.1:9/tasks/x',
  unheard_of: { nested: true },
  ...changes,
})

const ENGINE = { ENGINE_URLS: 'http://127.0.0.1:9' }

const post = async (app: FastifyInstance, payload: object, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: '/compute', payload, headers: { accept: '*/*', ...headers } })

t.test("a task is accepted in the engine's terms, its status can be read, and the queue is bounded", async (t) => {
  const { app, intake } = await appWith(t, { ...ENGINE, MAX_TASKS: '2' })
  const body = taskBody()
  const taken = await post(app, body)
  t.equal(taken.statusCode, 200)
  t.same(taken.json(), { status: 'Task added to the queue' })
  await post(app, taskBody())
  const full = await post(app, taskBody())
  t.equal(full.statusCode, 503)
  t.same(full.json(), { detail: 'Queue is full' })
  const { id } = body['task'] as { id: string }
  for (const path of [`/tasks/${id}/status`, `/status/${id}`]) {
    t.match((await app.inject(path)).json(), { status: /^(fetching|pending)$/ })
  }
  const unknown = await app.inject(`/tasks/${randomUUID()}/status`)
  t.equal(unknown.statusCode, 404)
  t.match(unknown.json(), { status: 'unavailable', detail: /^Task .* not found$/ })
  t.equal((await app.inject('/tasks/none/status')).statusCode, 422)
  t.match((await app.inject('/status')).json(), { tasks: { unfinished: 2, untold: 0, limit: 2 }, engines: [] })
  t.equal(intake()!.tasks.describe().unfinished, 2)
})

t.test('API clients are served beside engines', async (t) => {
  const { app } = await appWith(t, ENGINE)
  t.match((await post(app, jsonOf(windSeries(20)))).json(), { model: { name: 'small' } })
  const series = { start: '2026-01-01T00:00:00Z', step: 'PT10M', channels: { '"task"': [1], callback_url: [1] } }
  t.match((await post(app, series)).json(), { code: 'series-too-short' }, 'names of channels make no task')
})

t.test('what is wrong with a task is told with its place: 422', async (t) => {
  const { app, intake } = await appWith(t, ENGINE)
  for (const [changes, pointer] of [
    [{ s3_bucket: undefined }, '/s3_bucket'],
    [{ s3_secret_access_key: 7 }, '/s3_secret_access_key'],
    [{ task: { id: 'x', data_in: ['a'] } }, '/task/id'],
    [{ task: { id: randomUUID(), data_in: [] } }, '/task/data_in'],
    [{ task: { id: randomUUID(), data_in: null } }, '/task/data_in'],
    [{ callback_url: 'http://evil.example.com/tasks/x' }, '/callback_url'],
    [{ callback_url: 'nonsense' }, '/callback_url'],
    [{ callback_url: 'http://user:pass@127.0.0.1:9/' }, '/callback_url'],
    [{ s3_host: 'http://169.254.169.254' }, '/s3_host'],
    [{ s3_host: 'http://evil.example.com:9000' }, '/s3_host'],
    [{ s3_host: 'http://127.0.0.1:9/path' }, '/s3_host'],
    [{ s3_host: 'gopher://127.0.0.1:9' }, '/s3_host'],
  ] as const) {
    const answer = await post(app, taskBody(changes))
    t.equal(answer.statusCode, 422, pointer)
    t.match(answer.json(), { code: 'invalid-request', errors: [{ pointer }] })
    t.match(answer.json().detail, pointer)
  }
  t.equal(intake()!.tasks.describe().unfinished, 0)
})

t.test('early engines of 2023 send no callback: there was one engine', async (t) => {
  const { app } = await appWith(t, ENGINE)
  t.equal((await post(app, taskBody({ callback_url: undefined }))).statusCode, 200)
  const several = await appWith(t, { ENGINE_URLS: 'http://127.0.0.1:9,http://127.0.0.1:10' })
  t.match((await post(several.app, taskBody({ callback_url: undefined }))).json(), {
    status: 422,
    errors: [{ pointer: '/callback_url' }],
  })
})

t.test('without an engine no task is taken, whatever it names', async (t) => {
  for (const settings of [{}, { ...ENGINE, ENGINE_TASKS: 'off' }] as Array<Record<string, string>>) {
    const { app, intake } = await appWith(t, settings)
    t.match((await post(app, taskBody())).json(), { status: 403, code: 'engine-tasks-off', detail: /ENGINE_URLS/ })
    t.equal(intake(), undefined)
    t.equal((await app.inject(`/tasks/${randomUUID()}/status`)).statusCode, 404)
    t.match((await app.inject('/status')).json(), { tasks: null })
  }
  const { app } = await appWith(t, { ENGINE_TASKS: 'on', ENGINE_ALLOWED_HOSTS: 'minio:9000,engine' })
  t.equal(
    (await post(app, taskBody({ s3_host: 'http://minio:9000', callback_url: 'https://engine/tasks/x' }))).statusCode,
    200,
    'or with listed hosts alone'
  )
})

t.test('engines need no key where API clients do', async (t) => {
  const key = 'score:0123456789abcdef'
  const { app } = await appWith(t, { ...ENGINE, API_KEYS: key })
  t.equal((await post(app, taskBody())).statusCode, 200)
  t.equal((await post(app, jsonOf(windSeries(20)))).statusCode, 401)
  t.equal((await post(app, jsonOf(windSeries(20)), { 'x-api-key': '0123456789abcdef' })).statusCode, 200)
  t.equal(
    (await post(app, taskBody(), { 'x-api-key': 'wrong-wrong-wrong-' })).statusCode,
    401,
    'a wrong key is refused, whoever sends it'
  )
  const large = await app.inject({
    method: 'POST',
    url: '/compute',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify({ ...taskBody(), padding: 'x'.repeat(100_000) }),
  })
  t.equal(large.statusCode, 401, 'no engine sends so much')
  const closed = await appWith(t, { API_KEYS: key })
  t.equal((await post(closed.app, taskBody())).statusCode, 401, 'without engines the route asks for the key first')
})

t.test('no log line holds a key or a secret, at any level', async (t) => {
  const { app, lines } = await appWith(t, { ...ENGINE, ENGINE_STORAGE_RETRY_MS: '50', ENGINE_CALLBACK_RETRY_MS: '50' })
  await post(app, taskBody())
  await post(app, taskBody({ s3_host: 'http://evil/' }))
  await app.inject({
    method: 'POST',
    url: '/compute',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(taskBody()).slice(0, -1),
  })
  for (let i = 0; i < 100 && !lines.join('').includes('could not be told'); i++) await sleep(20)
  app.log.info({ body: taskBody(), settings: SECRETS }, 'careless')
  const log = lines.join('')
  t.match(log, /task failed/)
  t.match(log, /could not be told the outcome/)
  t.match(log, /careless/)
  for (const secret of Object.values(SECRETS)) t.notMatch(log, secret)
})

t.test('an engine of 2022 sends the series itself, and is told the result', async (t) => {
  const engine = Fastify()
  const callbacks: Array<{ query: unknown, body: unknown }> = []
  engine.post('/tasks/31/processing', async (request) => {
    callbacks.push({ query: request.query, body: request.body })
    return null
  })
  const url = await engine.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => engine.close())
  const { app } = await appWith(t, {
    ENGINE_URLS: url,
    ENGINE_DIALECT: '2022',
    API_KEYS: 'score:0123456789abcdef',
    SERVICE_DATA_OUT_FIELDS: '[{"name":"result","type":["application/json"]}]',
  })
  const send = async (
    file: string,
    field = 'text',
    query = `callback_url=${encodeURIComponent(`${url}/tasks/31/processing`)}&task_id=31`
  ) => {
    const form = new FormData()
    form.append(field, new Blob([file], { type: 'application/octet-stream' }), '4711')
    form.append('data', '{}')
    const response = new Response(form)
    return app.inject({
      method: 'POST',
      url: `/compute?${query}`,
      headers: { 'content-type': response.headers.get('content-type')! },
      payload: Buffer.from(await response.arrayBuffer()),
    })
  }
  const until = async (count: number): Promise<void> => {
    for (let i = 0; i < 200 && callbacks.length < count; i++) await sleep(20)
  }
  const taken = await send(csvOf(windSeries(20)))
  t.same([taken.statusCode, taken.json()], [200, { task_id: '31' }])
  await until(1)
  t.match(callbacks[0], { query: { task_id: '31' }, body: { model: { name: 'small' }, anomalies: [] } })
  t.equal((callbacks[0]!.body as { score: unknown[] }).score.length, 20)
  await send('no numbers at all')
  await until(2)
  t.match(callbacks[1]!.body, { type: 'error', message: String })
  await send('1\n2', 'other')
  await until(3)
  t.match(callbacks[2]!.body, { type: 'error', message: /no field `text`/ })
  t.equal((await send('1', 'text', `callback_url=${encodeURIComponent('http://evil/')}&task_id=31`)).statusCode, 422)
  t.equal((await send('1', 'text', `callback_url=${encodeURIComponent(url)}`)).statusCode, 422)
})
