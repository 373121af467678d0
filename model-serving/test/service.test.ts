import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Duplex, Writable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { parse } from 'yaml'
import type { Problem } from '../../core/errors.ts'
import { answerTable } from '../compute/answer/answer-table.ts'
import { formatInstant, isInstant, parseInstant } from '../compute/read/times.ts'
import { readConfig, SettingsSchema } from '../settings/config.ts'
import { findPackages, folderSource } from '../packages/folder-source.ts'
import { ServedModels } from '../packages/served-models.ts'
import { projectRoot, serviceVersion } from '../settings/project.ts'
import { ComputeAnswerSchema, ComputeRequestSchema } from '../schemas/compute.ts'
import { listModel, ModelDescriptionSchema, ModelListSchema } from '../schemas/models.ts'
import { describeSheet } from '../schemas/sensitivity.ts'
import { ALL_PROBLEMS } from '../../adapters/http/problem-codes.ts'
import { ProblemDocumentSchema } from '../schemas/problem.ts'
import { StatusSchema } from '../schemas/status.ts'
import { serve } from '../serve.ts'
import { buildApp } from '../app.ts'
import {
  inWorker,
  jsonOf,
  onThisThread,
  servedModels,
  smallModel,
  STEP_MS,
  testApp,
  testConfig,
  windSeries,
} from './fixture.ts'

const app = await testApp([smallModel])
t.teardown(() => app.close())
const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers })

interface Examples { [name: string]: { summary?: string, value: unknown } }
interface Operation {
  operationId: string,
  summary: string,
  tags: string[]
  requestBody?: { content: Record<string, { examples: Examples }> }
  responses: Record<string, { headers?: Record<string, unknown>, content?: Record<string, { examples?: Examples }> }>
}
interface Document { openapi: string, paths: Record<string, Record<string, Operation>> }
const openApi = async (): Promise<Document> => (await get('/openapi.json')).json()
const operations = async (): Promise<Array<{ path: string, method: string, operation: Operation }>> =>
  Object.entries((await openApi()).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation }))
  )

t.test('status, liveness and readiness before and after the models are loaded', async (t) => {
  const models = new ServedModels()
  const loading = await buildApp({ config: testConfig(), models, scorer: onThisThread([]).scorer, logger: false })
  t.teardown(() => loading.close())
  const status = async () => StatusSchema.parse((await loading.inject('/status')).json())
  t.match(await status(), { status: 'loading', backend: null, models: [] })
  t.equal((await loading.inject('/livez')).statusCode, 200)
  t.equal((await loading.inject('/readyz')).statusCode, 503)
  models.open(servedModels([{ ...smallModel, goldenDifference: 3e-8 }]).list(), { name: 'wasm', version: '4.22.0' })
  t.match(await status(), {
    status: 'ready',
    version: serviceVersion,
    backend: { name: 'wasm', tfjs: '4.22.0' },
    models: [{ name: 'small', version: '1', digest: smallModel.digest, goldenDifference: 3e-8 }],
    limits: {
      maxBodyBytes: 33_554_432,
      maxValues: 1_000_000,
      adHocMaxValues: 250_000,
      computeWorkers: Number,
      computeQueue: 32,
      computeTimeoutMs: 60_000,
      computeMaxMemoryMb: 1024,
    },
  })
  t.same((await loading.inject('/readyz')).json(), { ready: true })
  t.same((await loading.inject('/livez')).json(), { live: true })
})

t.test('models are listed and described', async (t) => {
  const { models } = ModelListSchema.parse((await get('/models')).json())
  t.equal(models.length, 1)
  t.match(models[0], {
    name: 'small',
    samplingInterval: 'PT10M',
    windowLength: 8,
    channels: ['wind_speed_ms', 'power_kw'],
    threshold: 1,
    goldenDifference: 0,
  })
  t.match(models[0], {
    members: [{ windowLength: 8, tail: 8 }],
    scorings: { batch: { level: { span: 2001, factor: Number } }, causal: { level: { span: 1001, factor: Number } } },
  })
  const model = ModelDescriptionSchema.parse((await get('/models/small')).json())
  t.same(listModel(model), models[0])
  t.same(model.sensitivity, describeSheet(smallModel.manifest.sensitivity, STEP_MS))
  t.match(model.sensitivity, { summary: /^Finds .*100 %/, observations: 150, findings: [{ channel: 'wind_speed_ms' }] })
})

t.test('two packages of one name are refused', (t) => {
  t.throws(() => servedModels([smallModel, smallModel]), { code: 'invalid-model-package', message: /versions 1 and 1/ })
  t.end()
})

t.test('browsers get the page, other clients the documentation', async (t) => {
  const page = await get('/', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], /^text\/html/)
  for (const accept of ['*/*', 'application/json']) {
    const redirect = await get('/', { accept })
    t.equal(redirect.statusCode, 302)
    t.equal(redirect.headers.location, '/docs')
  }
  t.match((await get('/docs')).body, /swagger-ui/)
  const files = [...page.body.matchAll(/(?:src|href)="([\w./-]+\.\w+)"/g)].map(([, path]) => path!)
  t.ok(files.length >= 3)
  for (const path of files) t.equal((await get(`/${path}`)).statusCode, 200, path)
  t.equal((await get('/vendor/echarts.esm.min.mjs')).headers['content-type'], 'application/javascript; charset=utf-8')
  t.equal(
    (await get('/vendor/echarts.esm.min.mjs')).headers['cache-control'],
    'public, max-age=86400',
    'a megabyte that is not asked for again every time'
  )
  t.equal((await get('/main.js')).headers['cache-control'], 'public, max-age=0', 'the page itself is always the newest')
  t.equal((await get('/vendor/package.json')).statusCode, 404, 'nothing else of the library')
  t.equal((await get('/types.d.ts')).statusCode, 404, 'no sources')
  t.equal((await get('/examples/wind-turbine-fault.csv')).statusCode, 200)
  t.equal((await get('/examples/README.md')).statusCode, 404)
})

t.test('every answer carries the headers that protect the page, and a request id', async (t) => {
  for (const url of ['/', '/docs', '/status', '/nowhere', '/models/%E0%A4%A']) {
    const { headers } = await get(url, { 'x-request-id': 'trace-7.a:b' })
    t.match(headers, { 'x-content-type-options': 'nosniff', 'x-request-id': 'trace-7.a:b' }, url)
    t.match(headers['content-security-policy'], /script-src 'self';.*frame-ancestors 'none'/)
    t.notOk('access-control-allow-origin' in headers, 'other sites get nothing')
  }
  t.match(
    (await get('/status', { 'x-request-id': 'no spaces\there' })).headers['x-request-id'],
    /^req-/,
    'an id that could harm a log is replaced'
  )
})

t.test('one log line tells of a scored series, one of a refusal, and none holds a value', async (t) => {
  const lines: string[] = []
  const stream = new Writable({ write: (chunk, _, done) => { lines.push(String(chunk)); done() } })
  const { models, scorer } = onThisThread([smallModel])
  const logging = await buildApp({ config: testConfig(), models, scorer, logger: { level: 'info', stream } })
  t.teardown(() => logging.close())
  await logging.inject({ method: 'POST', url: '/compute', payload: jsonOf(windSeries(20)) })
  await logging.inject({ method: 'POST', url: '/compute', payload: jsonOf(windSeries(2)) })
  const [scored, refused, ...others] = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  t.match(scored, { msg: 'series scored', model: 'small@1', observations: 20, channels: 2, durationMs: Number })
  t.match(refused, { msg: 'request refused', code: 'series-too-short' })
  t.same(others, [])
})

t.test('the OpenAPI document is 3.1 and lints without an error or a warning', async (t) => {
  const file = join(t.testdir({ 'openapi.json': (await get('/openapi.json')).body }), 'openapi.json')
  const bin = join(dirname(createRequire(import.meta.url).resolve('@redocly/cli/package.json')), 'bin/cli.js')
  const { stdout, stderr, status } = spawnSync(process.execPath, [
    bin,
    'lint',
    file,
    '--format=json',
    '--config=redocly.yaml',
  ], {
    cwd: projectRoot,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, NODE_OPTIONS: '', REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  })
  t.equal(status, 0, stderr)
  t.same(JSON.parse(stdout.slice(stdout.indexOf('{'), stdout.lastIndexOf('}') + 1)).totals, {
    errors: 0,
    warnings: 0,
    ignored: 0,
  }, stdout)
  t.equal((await openApi()).openapi, '3.1.0')
})

t.test('every route is documented with a summary, a tag, its errors and examples of all that it answers', async (t) => {
  const documented = await operations()
  t.same(documented.map(({ method, path }) => `${method} ${path}`).sort(), [
    'delete /jobs/{id}',
    'get /',
    'get /docs',
    'get /docs/errors',
    'get /jobs',
    'get /jobs/{id}',
    'get /livez',
    'get /metrics',
    'get /models',
    'get /models/{name}',
    'get /models/{name}/feedback',
    'get /models/{name}/versions',
    'get /openapi.json',
    'get /readyz',
    'get /score',
    'get /status',
    'get /status/{id}',
    'get /tasks/{id}/status',
    'post /compute',
    'post /feedback',
    'post /models',
    'post /models/{name}/promote',
    'post /models/{name}/rollback',
    'post /models/{name}/threshold-proposal',
  ])
  t.equal(new Set(documented.map(({ operation }) => operation.operationId)).size, documented.length)
  for (const { path, operation } of documented) {
    t.ok(operation.summary.length > 5 && operation.tags.length === 1, path)
    const { content: answers } = (operation.responses['200'] ?? operation.responses['201'])!
    for (const [type, { examples }] of Object.entries(answers!)) {
      t.ok(
        type === 'image/png' || Object.values(examples!).every(({ summary = '', value }) =>
          summary.length > 5 && value !== undefined
        ),
        `${path} ${type}`
      )
    }
    t.ok('Allow' in operation.responses['405']!.headers!, `${path} tells of other methods`)
    t.equal(
      (await app.inject({
        method: 'PATCH',
        url: path.replace('{name}', 'small').replace('{id}', '0b0e2f5c-0000-4000-8000-000000000000'),
      })).statusCode,
      405,
      `${path} refuses them`
    )
    const errors = Object.entries(operation.responses).filter(([code]) => Number(code) >= 400)
    for (const [status, { content = {} }] of errors) {
      const examples = Object.entries(content['application/problem+json']!.examples!)
      t.ok(examples.length > 0)
      for (const [code, { value }] of examples) {
        t.match(ProblemDocumentSchema.parse(value), { code, status: Number(status) }, `${path} ${code}`)
      }
    }
  }
})

t.test('POST /compute documents three bodies with examples, four answers, and all errors of requests', async (t) => {
  const { requestBody, responses } = (await openApi()).paths['/compute']!['post']!
  t.same(Object.keys(requestBody!.content), ['application/json', 'text/csv', 'multipart/form-data'])
  t.same(Object.keys(responses['200']!.content!), ['application/json', 'text/csv', 'image/svg+xml', 'image/png'])
  const json = requestBody!.content['application/json']!.examples
  t.same(Object.keys(json), ['healthy', 'fault', 'timestamps', 'ad-hoc', 'too-short', 'unknown-channel'])
  for (const { value } of Object.values(json)) t.ok(ComputeRequestSchema.safeParse(value).success)
  const codes = Object.values(responses).flatMap(({ content }) =>
    Object.keys(content?.['application/problem+json']?.examples ?? {})
  )
  t.ok(
    [...Object.values(json), ...Object.values(requestBody!.content['text/csv']!.examples)].every(({ summary }) =>
      /model (wind-turbine|ad-hoc)/.test(summary!)
    ),
    'each example says for which model it is'
  )
  const elsewhere = [
    'malformed-request',
    'request-timeout',
    'headers-too-large',
    'not-found',
    'invalid-settings',
    'invalid-model-package',
    'golden-scores-differ',
    'sensitivity-differs',
    'backend-unavailable',
    'unknown-job',
    'version-conflict',
    'alias-conflict',
    'no-earlier-version',
    'no-registry',
    'idempotency-conflict',
    'package-refused',
    'server-unavailable',
    'log-unavailable',
    'stream-saturated',
    'unknown-incident',
    'invalid-state',
  ]
  t.same(codes.sort(), Object.keys(ALL_PROBLEMS).filter((code) => !elsewhere.includes(code)).sort())
})

t.test('the examples of answers match the schemas, each other and the pipeline', async (t) => {
  const example = async (path: string, type = 'application/json'): Promise<unknown> =>
    Object.values(
      ((await openApi()).paths[path]!['get'] ?? (await openApi()).paths[path]!['post'])!.responses['200']!
        .content![type]!.examples!
    )[0]!.value
  const answer = ComputeAnswerSchema.parse(await example('/compute'))
  t.same(answer.isAnomaly, answer.score!.map((value) => value! > 1))
  t.same(answer.anomalies!.map(({ peakScore }) => peakScore), [Math.max(...answer.score!.map(Number))])
  t.equal(await example('/compute', 'text/csv'), answerTable(answer))
  const model = ModelDescriptionSchema.parse(await example('/models/{name}'))
  t.same(ModelListSchema.parse(await example('/models')).models, [listModel(model)])
  t.equal(model.sensitivity.summary, describeSheet(model.sensitivity, 600_000).summary)
  t.same(StatusSchema.parse(await example('/status')).models.map(({ name }) => name), [model.name])
  t.same(await example('/readyz'), (await get('/readyz')).json())
  t.same(await example('/livez'), (await get('/livez')).json())
  const params = parse(readFileSync(join(projectRoot, 'model-creation/params.yaml'), 'utf8')) as {
    train: { windowLength: number },
  }
  t.equal(model.windowLength, params.train.windowLength)
  const tooShort =
    (await openApi()).paths['/compute']!['post']!.responses['422']!.content!['application/problem+json']!
      .examples!['series-too-short']!.value
  t.match(tooShort, { needed: params.train.windowLength })
})

/** The answer on a new connection, until the service closes it. */
async function exchange (url: string, request: string): Promise<{ head: string, body: string }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')))
  socket.write(request)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  const end = text.indexOf('\r\n\r\n')
  return { head: text.slice(0, end), body: text.slice(end + 4) }
}

t.test('what is no HTTP is refused with a problem document, too, and the connection is closed', async (t) => {
  const service = await serve(testConfig({ port: 0 }), { logger: false, ...onThisThread([smallModel]) })
  t.teardown(() => service.close())
  const cases: Record<string, [string, number]> = {
    'malformed-request': ['BREW /status HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    'a request line that is none': ['hello\r\n\r\n', 400],
    'headers-too-large': [`GET /status HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  }
  for (const [name, [request, status]] of Object.entries(cases)) {
    const { head, body } = await exchange(service.url, request)
    const document = ProblemDocumentSchema.parse(JSON.parse(body))
    t.match(document, { status, code: status === 431 ? 'headers-too-large' : 'malformed-request' }, name)
    t.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), name)
    t.match(head, /content-type: application\/problem\+json; charset=utf-8/)
    t.match(head, new RegExp(`x-request-id: ${document.requestId}`))
    t.notOk('instance' in document, 'nobody knows the path')
  }
  t.equal((await fetch(`${service.url}/livez`)).status, 200, 'others are not disturbed')
})

t.test('a request that does not arrive is told so; a caller who is gone is told nothing', (t) => {
  const written = (code: string): { text: string, destroyed: boolean } => {
    let text = ''
    const socket = new Duplex({ read: () => {}, write: (chunk, _, done) => { text += String(chunk); done() } })
    app.server.emit('clientError', Object.assign(new Error('x'), { code }), socket as Socket)
    return { text, destroyed: socket.destroyed }
  }
  t.match(written('ERR_HTTP_REQUEST_TIMEOUT').text, /^HTTP\/1\.1 408 Request Timeout\r\n.*"code":"request-timeout"/s)
  t.same(written('ECONNRESET'), { text: '', destroyed: true })
  t.end()
})

t.test('settings have defaults, and .env.example tells all of them', (t) => {
  const example = Object.fromEntries(readFileSync(join(projectRoot, '.env.example'), 'utf8').split('\n')
    .filter((line) => /^[A-Z_]+=/.test(line)).map((line) => line.split('=', 2) as [string, string]))
  const own = Object.keys(SettingsSchema.shape)
  t.same(own.filter((name) => !(name in example)), [], 'every variable is there')
  t.same(readConfig(example), readConfig({}), 'with its default')
  t.match(readConfig({}), {
    port: 8282,
    host: '127.0.0.1',
    logLevel: 'info',
    backend: 'auto',
    modelsDir: undefined,
    registry: { location: '.registry', pollMs: 5000, keepsScores: true, maxAgeMs: undefined },
    maxBodyBytes: 33_554_432,
    maxValues: 1_000_000,
  })
  t.end()
})

t.test('settings are read from the environment, and a wrong one is named with the remedy', (t) => {
  t.match(
    readConfig({ SERVICE_PORT: '0', SERVICE_HOST: '::1', TFJS_BACKEND: 'wasm', MAX_VALUES: '10', LOG_LEVEL: '' }),
    { port: 0, host: '::1', backend: 'wasm', maxValues: 10, logLevel: 'info' }
  )
  const refused = (env: Record<string, string>): Problem => {
    try {
      readConfig(env)
    } catch (error) {
      return error as Problem
    }
    throw new Error('not refused')
  }
  for (const value of ['-1', '70000', '8e3', '0x10', 'http', ' ']) {
    t.match(refused({ SERVICE_PORT: value }), {
      code: 'invalid-settings',
      message: /^SERVICE_PORT is ".*": a whole number from 0 to 65535\..*\.env\.example/,
      items: [{ pointer: '/SERVICE_PORT', got: value }],
    })
  }
  t.same(refused({ TFJS_BACKEND: 'gpu', MAX_BODY_BYTES: '1' }).items.map(({ pointer }) => pointer), [
    '/TFJS_BACKEND',
    '/MAX_BODY_BYTES',
  ])
  t.end()
})

t.test('the program ends with a sentence where its settings or its models are wrong', async (t) => {
  const run = (env: Record<string, string>, cwd = t.testdir({})) =>
    spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), join(projectRoot, 'model-serving/main.ts')], {
      cwd,
      encoding: 'utf8',
      timeout: 60_000,
      env: { PATH: process.env['PATH'], ...env },
    })
  const models = run({ SERVICE_PORT: '0', MODELS_DIR: t.testdir({}) })
  t.equal(models.status, 1)
  t.match(models.stdout, /"code":"invalid-model-package".*MODELS_DIR/)
  t.notMatch(models.stdout + models.stderr, /\n\s+at |"stack"/, 'a sentence, no stack')
  const file = t.testdir({ '.env': 'SERVICE_PORT=from-file\nMAX_VALUES=none\n' })
  const both = run({ MAX_VALUES: 'from-environment' }, file)
  t.match(both, {
    status: 1,
    stdout: '',
    stderr: /^invalid-settings: SERVICE_PORT is "from-file": .* MAX_VALUES is "from-environment": .*\n$/,
  }, 'a .env is read, and what is set counts more')
  t.match(run({}, t.testdir({ '.env': {} })), {
    status: 1,
    stderr: /^invalid-settings: The \.env of this folder cannot be read; .*\n$/,
  })
})

t.test('model packages are the folder itself or its subfolders', async (t) => {
  const root = t.testdir({
    b: { 'manifest.json': '{}' },
    a: { 'manifest.json': '{}' },
    c: { 'other.json': '{}' },
    'manifest.md': '',
    empty: {},
  })
  t.same(await findPackages(root), [join(root, 'a'), join(root, 'b')])
  t.same(await findPackages(join(root, 'a')), [join(root, 'a')])
  for (const folder of ['empty', 'nowhere']) {
    await t.rejects(folderSource(join(root, folder)).list(), { code: 'invalid-model-package', message: /MODELS_DIR/ })
  }
})

t.test('the service listens at once, becomes ready later, and closes', async (t) => {
  let loaded = (): void => {}
  const loading = new Promise<void>((resolve) => { loaded = resolve })
  const lines: string[] = []
  const stream = new Writable({ write: (chunk, _, done) => { lines.push(String(chunk)); done() } })
  const service = await serve(testConfig({ port: 0 }), {
    logger: { level: 'info', stream },
    prepare: async () => loading,
    ...inWorker([{ ...smallModel, goldenDifference: 3e-8 }]),
  })
  t.match(service.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  const statusOf = async (path: string): Promise<number> => (await fetch(service.url + path)).status
  t.equal(await statusOf('/readyz'), 503)
  t.equal(await statusOf('/status'), 200)
  loaded()
  await service.ready
  t.equal(await statusOf('/readyz'), 200)
  const ready = lines.map((line) => JSON.parse(line) as Record<string, unknown>).find(({ msg }) => msg === 'ready')
  t.match(ready, { backend: 'cpu', models: [{ name: 'small', version: '1', goldenDifference: 3e-8 }] })
  const answer = await fetch(`${service.url}/compute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(jsonOf(windSeries(20))),
  })
  t.equal(answer.status, 200)
  await service.close()
  await t.rejects(fetch(service.url))
})

t.test('a service without models stays not ready; an endless request does not keep it from closing', async (t) => {
  const service = await serve(testConfig({ port: 0, modelsDir: t.testdir({}), shutdownGraceMs: 50 }), { logger: false })
  await t.rejects(service.ready, { code: 'invalid-model-package' })
  t.equal((await fetch(`${service.url}/readyz`)).status, 503)
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await new Promise<void>((resolve) =>
    socket.write(
      'POST /compute HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 100\r\n\r\nhalf',
      () => resolve()
    )
  )
  await service.close()
  await t.rejects(fetch(service.url))
})

t.test('RFC 3339 times survive being read and written', (t) => {
  fc.assert(
    fc.property(
      fc.date({
        min: new Date('0000-01-01T00:00:00Z'),
        max: new Date('9999-12-31T23:59:59.999Z'),
        noInvalidDate: true,
      }),
      (date) => {
        const time = date.getTime()
        return parseInstant(date.toISOString()) === time && parseInstant(formatInstant(time)) === time &&
          isInstant(time)
      }
    )
  )
  t.equal(parseInstant('2026-01-01T01:30:00.25+01:30'), Date.UTC(2026, 0, 1, 0, 0, 0, 250))
  t.equal(parseInstant('2026-01-01t00:00:00-00:30'), Date.UTC(2026, 0, 1, 0, 30))
  t.equal(formatInstant(1500), '1970-01-01T00:00:01.500Z')
  for (const text of [
    '2026-01-01',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:00+24:00',
    '0000-01-01T00:00:00+00:01',
    '',
  ]) {
    t.ok(Number.isNaN(parseInstant(text)), text)
  }
  t.end()
})
