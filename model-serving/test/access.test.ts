// Who may call the service: keys and scopes, the refusal to serve a network openly, limits, other origins, headers, and
// a log without secrets.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { mock } from 'node:test'
import Fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import type { Problem } from '../../core/errors.ts'
import { readConfig } from '../settings/config.ts'
import { loggerOptions } from '../logging.ts'
import { addAccess, requireAccess } from '../plugins/access.ts'
import { addErrors } from '../plugins/errors.ts'
import { addHeaders } from '../plugins/headers.ts'
import { projectRoot } from '../settings/project.ts'
import { ProblemDocumentSchema } from '../schemas/problem.ts'
import { serve } from '../serve.ts'
import { findKey } from '../../adapters/http/api-keys.ts'
import { isLoopback } from '../../adapters/http/exposure.ts'
import { jsonOf, onThisThread, smallModel, testApp, testConfig, windSeries } from './fixture.ts'

const SCORER = 'scorer-key.0123456789'
const TRAINER = 'trainer/key+0123456789=='
const ADMIN = 'admin~key_0123456789'
const API_KEYS = `score:${SCORER}, train:${TRAINER}\n admin:${ADMIN}`

const accessOf = (env: Record<string, string>) => readConfig(env).access
const serving = async (t: Test, env: Record<string, string>): Promise<FastifyInstance> => {
  const app = await testApp([smallModel], { access: accessOf(env) })
  t.teardown(() => app.close())
  return app
}
const post = (headers: Record<string, string> = {}, more: Partial<InjectOptions> = {}): InjectOptions =>
  ({ method: 'POST', url: '/compute', payload: jsonOf(windSeries(20)), headers, ...more })
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })

type Refusal = readonly [status: number, code: string, name: string]

const refused = (t: Test, response: LightMyRequestResponse, ...[status, code, name]: Refusal): void => {
  t.equal(response.statusCode, status, name)
  t.match(
    ProblemDocumentSchema.parse(response.json()),
    { code, status, requestId: response.headers['x-request-id'] },
    name
  )
  t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
}

const problemOf = (env: Record<string, string>): Problem => {
  try {
    readConfig(env)
  } catch (error) {
    return error as Problem
  }
  throw new Error('not refused')
}

t.test('API_KEYS is read into numbers, digests and scopes; no key is kept', (t) => {
  const { keys } = accessOf({ API_KEYS: `${API_KEYS},,score+train:${'x'.repeat(16)}` })
  t.same(keys.map(({ number, scopes }) => [number, scopes]), [
    [1, ['score']],
    [2, ['train']],
    [3, ['admin']],
    [4, ['score', 'train']],
  ])
  t.ok(keys.every(({ digest }) => digest.length === 32))
  const config = readConfig({ API_KEYS })
  for (const key of [SCORER, TRAINER, ADMIN]) t.notOk(JSON.stringify(config).includes(key))
  t.equal(findKey(keys, TRAINER)?.number, 2)
  t.equal(findKey(keys, TRAINER.slice(0, -1)), undefined)
  t.equal(findKey([], ''), undefined)
  t.end()
})

t.test('a wrong entry is told by its number and a remedy, never by its text', (t) => {
  const secret = 'S3cr3tS3cr3tS3cr3t'
  const cases: Record<string, [string, RegExp]> = {
    'no scope': [secret, /^API_KEYS: entry 1 has no ":"; write SCOPE:KEY/],
    'an unknown scope': [
      `score:${SCORER},read:${secret}`,
      /^API_KEYS: entry 2 has another scope than score, train, admin/,
    ],
    'key and scope the wrong way round': [`${secret}:score`, /entry 1 has another scope/],
    'an empty scope': [`:${secret}`, /entry 1 has another scope/],
    'half a list of scopes': [`score+:${secret}`, /entry 1 has another scope/],
    'a short key': ['score:S3cr3t', /entry 1 has no usable key; it needs at least 16 characters/],
    'a key with a colon': [`score:${secret}:S3cr3t`, /entry 1 has no usable key/],
    'a key with another letter': [`score:${secret}é`, /entry 1 has no usable key/],
    'a key twice': [`score:${secret} train:${secret}`, /entry 2 has the key of entry 1/],
    'two wrong entries': [`${secret},score:S3cr3t`, /entry 1 .* API_KEYS: entry 2 /],
    'no entry': [' , ', /it holds no entry/],
  }
  for (const [name, [text, sentence]] of Object.entries(cases)) {
    const problem = problemOf({ API_KEYS: text })
    t.match(problem, { code: 'invalid-settings', message: sentence }, name)
    t.match(problem.message, /\.env\.example/)
    t.notMatch(
      `${problem.message} ${JSON.stringify(problem.items)} ${problem.stack} ${String(problem.cause)}`,
      /S3cr3t/,
      name
    )
    t.ok(problem.items.every(({ pointer, got }) => pointer === '/API_KEYS' && got === undefined))
  }
  t.match(
    problemOf({ API_AUTH: 'none', API_KEYS: secret }).message,
    /API_AUTH is "none"/,
    'other settings are still quoted'
  )
  t.end()
})

t.test('the other settings are read and checked', (t) => {
  t.match(accessOf({}), { auth: 'auto', keys: [], requestsPerMinute: 0, trustedProxies: [], corsOrigins: [] })
  t.same(accessOf({ TRUST_PROXY: '10.0.0.1, 192.168.0.0/16 ::1,fd00::/8' }).trustedProxies, [
    '10.0.0.1',
    '192.168.0.0/16',
    '::1',
    'fd00::/8',
  ])
  for (const wrong of ['10/8', '10.0.0.0/33', '0.0.0.0/0', '::/0', 'true', 'proxy.local', '127.1', '10.0.0.1 x']) {
    t.match(
      problemOf({ TRUST_PROXY: wrong }),
      { message: /TRUST_PROXY is ".*": a list of addresses or CIDR ranges/ },
      wrong
    )
  }
  t.same(accessOf({ CORS_ORIGINS: 'https://a.example,http://localhost:3000' }).corsOrigins, [
    'https://a.example',
    'http://localhost:3000',
  ])
  for (const wrong of [
    'https://a.example/',
    'a.example',
    'null',
    'https://A.example',
    'file:///x',
    'https://a.example:443',
  ]) t.match(problemOf({ CORS_ORIGINS: wrong }), { message: /a list of origins/ }, wrong)
  t.match(problemOf({ CORS_ORIGINS: '*,https://a.example' }), { message: /"\*" stands alone/ })
  for (const wrong of ['-1', 'many', '1.5']) {
    t.equal(problemOf({ RATE_LIMIT_PER_MINUTE: wrong }).code, 'invalid-settings')
  }
  t.end()
})

t.test('the service serves loopback openly, and refuses to start openly on any other address', async (t) => {
  for (const host of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', 'localhost']) {
    t.ok(isLoopback(host), host)
    t.equal(readConfig({ SERVICE_HOST: host }).host, host)
  }
  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.7',
    '192.168.1.2',
    'fe80::1%eth0',
    'fe80::1%eth0.1',
    'example.org',
    'localhost.example.org',
    '127.1',
    '0',
  ]) {
    t.notOk(isLoopback(host), host)
    const { code, message } = problemOf({ SERVICE_HOST: host })
    t.equal(code, 'invalid-settings')
    for (const part of [host, 'Set API_KEYS', 'SERVICE_HOST=127.0.0.1', 'API_AUTH=off']) {
      t.ok(message.includes(part), `${host}: ${part}`)
    }
    t.equal(readConfig({ SERVICE_HOST: host, API_KEYS }).host, host)
    t.equal(readConfig({ SERVICE_HOST: host, API_AUTH: 'off' }).host, host)
  }
  await t.rejects(serve(testConfig({ host: '0.0.0.0' }), { logger: false, ...onThisThread([smallModel]) }), {
    code: 'invalid-settings',
    message: /API_KEYS/,
  }, 'also where a program makes its own settings')
  const program = spawnSync(process.execPath, [
    '--import',
    import.meta.resolve('tsx'),
    join(projectRoot, 'model-serving/main.ts'),
  ], {
    cwd: t.testdir({}),
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env['PATH'], SERVICE_HOST: '0.0.0.0' },
  })
  t.match(program, {
    status: 1,
    stdout: '',
    stderr: /^invalid-settings: SERVICE_HOST is "0\.0\.0\.0".* API_AUTH=off .*\n$/,
  })
})

t.test('without authentication on an open address the log warns once', async (t) => {
  const warnings = async (env: Record<string, string>): Promise<string[]> => {
    const { lines, stream } = linesOf()
    const service = await serve({ ...testConfig(), ...readConfig({ SERVICE_PORT: '0', ...env }) }, {
      logger: { ...loggerOptions('warn'), stream },
      ...onThisThread([smallModel]),
    })
    await service.ready
    await service.close()
    return lines
  }
  const open = await warnings({ SERVICE_HOST: '0.0.0.0', API_AUTH: 'off' })
  t.equal(open.length, 1)
  t.match(open[0], /API_AUTH is off/)
  t.same(await warnings({ API_AUTH: 'off' }), [])
  t.same(await warnings({ SERVICE_HOST: '0.0.0.0', API_KEYS }), [])
})

t.test('a key opens what its scope names, in each of three headers', async (t) => {
  const app = await serving(t, { API_KEYS })
  const accepted: Array<Record<string, string>> = [
    bearer(SCORER),
    { authorization: `bearer   ${SCORER} ` },
    { 'x-api-key': SCORER },
    { 'ocp-apim-subscription-key': SCORER },
    bearer(ADMIN),
    { authorization: 'Basic dXNlcjpwYXNz', 'x-api-key': SCORER },
    { 'x-api-key': '', ...bearer(SCORER) },
    { 'x-api-key': SCORER, ...bearer('of-the-proxy-in-front') },
  ]
  for (const headers of accepted) t.equal((await app.inject(post(headers))).statusCode, 200, JSON.stringify(headers))
  const missing: Array<Record<string, string>> = [{}, { 'x-api-key': '' }, { authorization: 'Basic dXNlcjpwYXNz' }, {
    authorization: SCORER,
  }]
  const wrong: Array<Record<string, string>> = [
    bearer(`${SCORER}x`),
    bearer(SCORER.slice(1)),
    bearer(SCORER.toUpperCase()),
    bearer(''),
    { authorization: 'Bearer' },
    bearer(`score:${SCORER}`),
    bearer('x'.repeat(5000)),
    { 'x-api-key': 'x' },
    { 'x-api-key': 'x', ...bearer(SCORER) },
    { 'x-api-key': `${SCORER}, ${SCORER}` },
    { 'ocp-apim-subscription-key': 'é' },
  ]
  const bodies = new Set<string>()
  for (const headers of [...missing, ...wrong]) {
    const response = await app.inject(post(headers))
    refused(t, response, 401, 'unauthorized', JSON.stringify(headers).slice(0, 80))
    t.equal(response.headers['www-authenticate'], 'Bearer')
    if (wrong.includes(headers)) bodies.add(JSON.stringify({ ...response.json<object>(), requestId: '' }))
  }
  t.equal(bodies.size, 1, 'whatever is wrong with a key, the answer is the same')
  const scope = await app.inject(post(bearer(TRAINER)))
  refused(t, scope, 403, 'forbidden', 'the key of another scope')
  t.match(scope.json(), { scope: 'score', detail: /"score"/ })
  t.notOk('www-authenticate' in scope.headers)
  for (const key of [SCORER, TRAINER, ADMIN]) {
    for (const url of ['/models', '/models/small']) {
      t.equal((await app.inject({ url, headers: bearer(key) })).statusCode, 200, 'models are listed for every key')
    }
  }
  for (const url of ['/models', '/models/small', '/models/nope']) {
    refused(t, await app.inject({ url }), 401, 'unauthorized', url)
    t.equal((await app.inject({ url, method: 'HEAD' })).statusCode, 401, `HEAD ${url}`)
  }
})

t.test('what is open stays open, and refusals come before the body and the models', async (t) => {
  const app = await serving(t, { API_KEYS })
  const html = { accept: 'text/html' }
  for (const url of [
    '/livez',
    '/readyz',
    '/status',
    '/',
    '/main.js',
    '/docs',
    '/docs/static/swagger-ui.css',
    '/docs/json',
    '/openapi.json',
    '/docs/errors',
    '/examples/wind-turbine-fault.csv',
  ]) {
    t.equal((await app.inject({ url, headers: html })).statusCode, 200, url)
    t.equal(
      (await app.inject({ url, headers: { ...html, ...bearer('wrong') } })).statusCode,
      200,
      `${url} asks for no key`
    )
  }
  refused(t, await app.inject({ url: '/nowhere' }), 404, 'not-found', 'no such route')
  refused(t, await app.inject({ url: '/compute', method: 'PUT' }), 405, 'method-not-allowed', 'no such method')
  const loading = await testApp([], { access: accessOf({ API_KEYS }) })
  t.teardown(() => loading.close())
  refused(t, await loading.inject(post()), 401, 'unauthorized', 'not told whether models are loaded')
  for (const broken of [
    { payload: '{' },
    { payload: 'x', headers: { 'content-type': 'a/b' } },
    { headers: { accept: 'text/html' } },
    { payload: 'x'.repeat(40_000_000) },
  ]) {
    refused(
      t,
      await app.inject({ method: 'POST', url: '/compute', ...broken }),
      401,
      'unauthorized',
      'nothing of the request is read'
    )
  }
})

t.test('without keys, and with API_AUTH=off, nobody needs one and a wrong one does no harm', async (t) => {
  for (const env of [{}, { API_AUTH: 'off' }, { API_AUTH: 'off', API_KEYS }]) {
    const app = await serving(t, env)
    for (const headers of [{}, bearer('wrong'), bearer(TRAINER)]) {
      t.equal((await app.inject(post(headers))).statusCode, 200)
    }
    t.equal((await app.inject('/models')).statusCode, 200)
  }
})

interface Document {
  components: { securitySchemes: Record<string, unknown> }
  paths: Record<string, Record<string, { security?: unknown, responses: Record<string, { headers?: object }> }>>
}

t.test('the OpenAPI document tells which operations need a key, and lints without an error or a warning', async (t) => {
  const documentOf = async (env: Record<string, string>): Promise<Document> =>
    (await (await serving(t, env)).inject('/openapi.json')).json()
  const securityOf = ({ paths }: Document): object =>
    Object.fromEntries(
      Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods)
          .filter(([, { security }]) => security !== undefined)
          .map(([method, { security }]) => [`${method} ${path}`, security])
      )
    )
  const keys = [{ bearer: [] }, { apiKey: [] }]
  const document = await documentOf({ API_KEYS })
  const guarded = [
    'delete /jobs/{id}',
    'get /jobs',
    'get /jobs/{id}',
    'get /models',
    'get /models/{name}',
    'get /models/{name}/feedback',
    'get /models/{name}/versions',
    'post /compute',
    'post /feedback',
    'post /models',
    'post /models/{name}/promote',
    'post /models/{name}/rollback',
    'post /models/{name}/threshold-proposal',
  ]
  t.same(securityOf(document), Object.fromEntries(guarded.map((operation) => [operation, keys])))
  const optional = [{}, ...keys]
  t.same(securityOf(await documentOf({})), Object.fromEntries(guarded.map((operation) => [operation, optional])))
  t.match(document.components.securitySchemes, {
    bearer: { type: 'http', scheme: 'bearer' },
    apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  })
  const { responses } = document.paths['/compute']!['post']!
  t.match([401, 403, 429].map((status) => Object.keys(responses[status]?.headers ?? {})), [
    ['WWW-Authenticate'],
    [],
    ['Retry-After', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
  ])
  const file = join(t.testdir({ 'openapi.json': JSON.stringify(document) }), 'openapi.json')
  const bin = join(dirname(createRequire(import.meta.url).resolve('@redocly/cli/package.json')), 'bin/cli.js')
  const { stdout, status } = spawnSync(
    process.execPath,
    [bin, 'lint', file, '--format=json', '--config=redocly.yaml'],
    {
      cwd: projectRoot,
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, NODE_OPTIONS: '', REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    }
  )
  t.equal(status, 0)
  t.same(JSON.parse(stdout.slice(stdout.indexOf('{'), stdout.lastIndexOf('}') + 1)).totals, {
    errors: 0,
    warnings: 0,
    ignored: 0,
  }, stdout)
})

/** An app with one route that reads a small body before it demands a key. */
async function deferring (
  t: Test,
  env: Record<string, string>
): Promise<
  {
    open: () => Promise<LightMyRequestResponse>,
    send: (payload: object, headers?: Record<string, string>) => Promise<LightMyRequestResponse>,
  }
> {
  const config = testConfig({ access: accessOf(env) })
  const app = Fastify()
  addErrors(app, config)
  addHeaders(app)
  await addAccess(app, config)
  app.post<{ Body: { task?: string } }>('/tasks', {
    config: { scope: 'train', deferAccess: ({ headers }) => headers['content-type'] === 'application/json' },
  }, async (request) => {
    if (request.body.task !== undefined) return { by: 'an engine' }
    await requireAccess(request)
    await requireAccess(request)
    return { by: 'a caller' }
  })
  app.get('/open', async (request) => requireAccess(request))
  t.teardown(() => app.close())
  return {
    open: async () => app.inject('/open'),
    send: async (payload, headers = {}) => app.inject({ method: 'POST', url: '/tasks', payload, headers }),
  }
}

t.test('a route may read a request without a key before it decides; a wrong key is refused at once', async (t) => {
  const { open, send } = await deferring(t, { API_KEYS })
  t.same((await send({ task: '1' })).json(), { by: 'an engine' })
  const later = await send({})
  refused(t, later, 401, 'unauthorized', 'no engine after all')
  t.equal(later.headers['www-authenticate'], 'Bearer')
  refused(t, await send({ task: '1' }, bearer('wrong')), 401, 'unauthorized', 'not even an engine may have a wrong key')
  refused(t, await send({ task: '1' }, bearer(SCORER)), 403, 'forbidden', 'or one that does not allow it')
  refused(t, await send({ task: '1' }, { 'content-type': 'text/plain' }), 401, 'unauthorized', 'deferAccess says no')
  t.same((await send({}, bearer(TRAINER))).json(), { by: 'a caller' })
  t.same((await send({ task: '1' }, bearer(TRAINER))).json(), { by: 'an engine' })
  refused(t, await open(), 401, 'unauthorized', 'nobody has decided about a route without a scope')
  const anyone = await deferring(t, {})
  t.same((await anyone.send({})).json(), { by: 'a caller' })
})

t.test('requests that wait for a decision are counted with it, once, and not without it', async (t) => {
  for (const env of [{ API_KEYS }, {}] as Array<Record<string, string>>) {
    const { send } = await deferring(t, { ...env, RATE_LIMIT_PER_MINUTE: '2' })
    for (let i = 0; i < 5; i++) {
      const engine = await send({ task: '1' })
      t.equal(engine.statusCode, 200)
      t.notOk('ratelimit-limit' in engine.headers)
    }
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await send({})).statusCode)
    t.same(statuses, 'API_KEYS' in env ? [401, 401, 429] : [200, 200, 429])
    t.equal((await send({ task: '1' })).statusCode, 200, 'engines go on')
  }
})

t.test('whoever may train may not make a version live', async (t) => {
  const app = await serving(t, { API_KEYS })
  const publish = async (key: string, query: string) =>
    app.inject({
      method: 'POST',
      url: `/models${query}`,
      headers: { ...bearer(key), 'content-type': 'application/x-tar' },
      payload: Buffer.alloc(1024),
    })
  refused(t, await publish(SCORER, ''), 403, 'forbidden', 'a key for scoring alone')
  refused(t, await publish(TRAINER, '?promote=true'), 403, 'forbidden', 'a key for training')
  t.match((await publish(TRAINER, '?promote=true')).json(), { scope: 'admin' })
  for (const [key, query] of [[TRAINER, ''], [ADMIN, '?promote=true']] as const) {
    t.match((await publish(key, query)).json(), { code: 'no-registry' })
  }
  refused(
    t,
    await app.inject({
      method: 'POST',
      url: '/models/wind/promote',
      headers: { ...bearer(TRAINER), 'content-type': 'application/json' },
      payload: '{"version":1}',
    }),
    403,
    'forbidden',
    'by its own route'
  )
})

t.test('a route that computes something and declares no scope does not come to be', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await addAccess(app, testConfig())
  t.throws(() => app.post('/forgotten', async () => 'x'), /POST \/forgotten declares no scope/)
  t.doesNotThrow(() => app.post('/open', { config: { scope: 'none' } }, async () => 'x'))
  t.doesNotThrow(() => app.get('/read', async () => 'x'))
  t.equal((await app.inject({ method: 'POST', url: '/open' })).statusCode, 200)
})

t.test('a caller has so many requests a minute: by key, or by address without one', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
  t.teardown(() => mock.timers.reset())
  const app = await serving(t, { API_KEYS, RATE_LIMIT_PER_MINUTE: '3' })
  const remaining: unknown[] = []
  for (const request of [
    post(bearer(SCORER)),
    { url: '/models', headers: { 'x-api-key': SCORER } },
    post(bearer(SCORER), { payload: '{' }),
  ]) {
    const { headers } = await app.inject(request)
    t.equal(headers['ratelimit-limit'], '3')
    remaining.push(headers['ratelimit-remaining'])
  }
  t.same(remaining, ['2', '1', '0'])
  mock.timers.tick(20_500)
  const exceeded = await app.inject(post(bearer(SCORER)))
  refused(t, exceeded, 429, 'too-many-requests', 'the fourth')
  t.match(exceeded.json(), { limit: 3, detail: /in 40 s/ })
  t.match(exceeded.headers, {
    'retry-after': '40',
    'ratelimit-limit': '3',
    'ratelimit-remaining': '0',
    'ratelimit-reset': '40',
  })
  t.notMatch(exceeded.body + JSON.stringify(exceeded.headers), SCORER)
  t.equal((await app.inject(post(bearer(ADMIN)))).statusCode, 200, 'another key')
  for (const url of ['/livez', '/readyz', '/status', '/docs', '/openapi.json', '/docs/errors']) {
    for (let i = 0; i < 5; i++) {
      const { statusCode, headers } = await app.inject({ url, headers: bearer(SCORER) })
      t.equal(statusCode, 200, `${url} is never counted`)
      t.notOk('ratelimit-limit' in headers)
    }
  }
  const guesses = []
  for (let i = 0; i < 4; i++) guesses.push((await app.inject(post(bearer(`guess ${i}`)))).statusCode)
  t.same(guesses, [401, 401, 401, 429], 'guesses count for the address')
  t.equal((await app.inject(post(bearer(ADMIN)))).statusCode, 200, 'and for no key')
  mock.timers.tick(39_500)
  t.equal((await app.inject(post(bearer(SCORER)))).statusCode, 200, 'a minute later')
})

t.test('addresses are counted as they are, and as a proxy says only where it is trusted', async (t) => {
  const statuses = async (env: Record<string, string>, requests: Array<[string, string?]>): Promise<number[]> => {
    const app = await serving(t, { RATE_LIMIT_PER_MINUTE: '1', ...env })
    const answers = []
    for (const [remoteAddress, forwarded] of requests) {
      answers.push(
        (await app.inject({
          url: '/models',
          remoteAddress,
          headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
        })).statusCode
      )
    }
    return answers
  }
  t.same(await statuses({}, [['10.0.0.1'], ['10.0.0.2'], ['10.0.0.1']]), [200, 200, 429])
  t.same(
    await statuses({}, [['2001:db8::1'], ['2001:db8::2'], ['2001:db8:1::1']]),
    [200, 429, 200],
    'a network of IPv6 is one caller'
  )
  t.same(
    await statuses({}, [['10.0.0.1', '1.1.1.1'], ['10.0.0.1', '2.2.2.2']]),
    [200, 429],
    'nobody is trusted by default'
  )
  t.same(
    await statuses({ TRUST_PROXY: '10.0.0.0/24' }, [
      ['10.0.0.1', '1.1.1.1'],
      ['10.0.0.1', '2.2.2.2'],
      ['10.0.0.2', '3.3.3.3, 1.1.1.1'],
    ]),
    [200, 200, 429],
    'the last address before the proxies'
  )
  t.same(
    await statuses({ TRUST_PROXY: '10.0.0.0/24' }, [['10.0.1.1', '1.1.1.1'], ['10.0.1.1', '2.2.2.2']]),
    [200, 429],
    'another than the trusted'
  )
})

const PREFLIGHT = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
}
const ORIGIN = 'https://app.example.org'

t.test('pages of named origins may call, with a preflight that needs no key; others may not', async (t) => {
  const app = await serving(t, { API_KEYS, CORS_ORIGINS: `${ORIGIN} http://localhost:3000` })
  const options = (url: string, headers: Record<string, string>) => app.inject({ method: 'OPTIONS', url, headers })
  const preflight = await options('/compute', { origin: ORIGIN, ...PREFLIGHT })
  t.equal(preflight.statusCode, 204)
  t.equal(preflight.body, '')
  t.match(preflight.headers, {
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-methods': 'POST',
    'access-control-max-age': '600',
    vary: /origin/i,
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'cross-origin',
  })
  for (const name of ['authorization', 'x-api-key', 'content-type', 'accept', 'idempotency-key']) {
    t.ok(String(preflight.headers['access-control-allow-headers']).split(', ').includes(name), name)
  }
  t.notOk('access-control-allow-credentials' in preflight.headers)
  t.match((await options('/models', { origin: ORIGIN, ...PREFLIGHT })).headers, {
    'access-control-allow-methods': 'GET, HEAD',
  })
  const answer = await app.inject(post({ origin: ORIGIN, ...bearer(SCORER) }))
  t.equal(answer.statusCode, 200)
  t.match(answer.headers, {
    'access-control-allow-origin': ORIGIN,
    'cross-origin-resource-policy': 'cross-origin',
    vary: /origin.*accept/i,
  })
  for (const name of ['x-request-id', 'retry-after']) {
    t.ok(String(answer.headers['access-control-expose-headers']).includes(name))
  }
  const refusals = {
    401: post({ origin: ORIGIN }),
    405: { method: 'PUT', url: '/compute', headers: { origin: ORIGIN } },
    404: { url: '/nowhere', headers: { origin: ORIGIN } },
  } as const
  for (const [status, request] of Object.entries(refusals)) {
    t.match(await app.inject(request), {
      statusCode: Number(status),
      headers: { 'access-control-allow-origin': ORIGIN },
    }, 'a page can read why it is refused')
  }
  for (const origin of ['https://evil.example', 'https://app.example.org.evil.example', 'null', `${ORIGIN}:8443`]) {
    const other = await options('/compute', { origin, ...PREFLIGHT })
    refused(t, other, 405, 'method-not-allowed', origin)
    t.notOk('access-control-allow-origin' in other.headers)
    const { headers } = await app.inject(post({ origin, ...bearer(SCORER) }))
    t.notOk('access-control-allow-origin' in headers)
    t.equal(headers['cross-origin-resource-policy'], 'same-origin')
    t.match(headers.vary, /origin/i, 'no cache gives it to the wrong page')
  }
  refused(t, await options('/compute', {}), 405, 'method-not-allowed', 'no origin')
  refused(t, await options('/compute', { origin: ORIGIN }), 405, 'method-not-allowed', 'no preflight')
  refused(t, await options('/nowhere', {}), 404, 'not-found', 'no route')
})

t.test('* allows every origin, and never with credentials; no setting allows none', async (t) => {
  const open = await serving(t, { CORS_ORIGINS: '*' })
  for (const origin of [ORIGIN, 'null', 'https://x.example']) {
    const { headers } = await open.inject(post({ origin }))
    t.match(headers, { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' })
    t.notOk('access-control-allow-credentials' in headers)
    t.equal(
      (await open.inject({ method: 'OPTIONS', url: '/compute', headers: { origin, ...PREFLIGHT } })).statusCode,
      204
    )
  }
  const closed = await serving(t, {})
  refused(
    t,
    await closed.inject({ method: 'OPTIONS', url: '/compute', headers: { origin: ORIGIN, ...PREFLIGHT } }),
    405,
    'method-not-allowed',
    'CORS is off'
  )
  t.match((await closed.inject({ method: 'OPTIONS', url: '/compute' })).headers, { allow: 'POST' })
  t.notOk('access-control-allow-origin' in (await closed.inject(post({ origin: ORIGIN }))).headers)
})

const PROTECTIVE = {
  'content-security-policy':
    "default-src 'self';script-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data: blob:;" +
    "connect-src 'self';object-src 'none';base-uri 'none';form-action 'self';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

t.test('every kind of answer carries the protective headers, and none promises HTTPS', async (t) => {
  const app = await serving(t, { API_KEYS, RATE_LIMIT_PER_MINUTE: '1' })
  const answers: Record<string, InjectOptions> = {
    200: { url: '/status' },
    302: { url: '/' },
    401: post(),
    404: { url: '/nowhere' },
    'a path that cannot be decoded': { url: '/models/%E0%A4%A' },
    405: { url: '/compute', method: 'PUT' },
    429: post(),
    page: { url: '/', headers: { accept: 'text/html' } },
    documentation: { url: '/docs' },
  }
  for (const [name, request] of Object.entries(answers)) {
    const { statusCode, headers } = await app.inject(request)
    if (Number(name) > 0) t.equal(statusCode, Number(name))
    t.match(headers, { ...PROTECTIVE, 'x-request-id': String }, name)
    t.notOk('strict-transport-security' in headers)
  }
  const service = await serve(testConfig({ port: 0 }), { logger: false, ...onThisThread([smallModel]) })
  t.teardown(() => service.close())
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')))
  socket.write('hello\r\n\r\n')
  let raw = ''
  for await (const chunk of socket) raw += String(chunk)
  t.match(raw, /^HTTP\/1\.1 400 /)
  for (const [name, value] of Object.entries(PROTECTIVE)) {
    t.ok(raw.includes(`${name}: ${value}\r\n`), `${name} where there is no request`)
  }
  t.notMatch(raw, /strict-transport-security/i)
})

function linesOf (): { lines: string[], stream: Writable } {
  const lines: string[] = []
  return { lines, stream: new Writable({ write: (chunk, _, done) => { lines.push(String(chunk)); done() } }) }
}

t.test('no log line holds a secret, however it came into it', async (t) => {
  const { lines, stream } = linesOf()
  const app = Fastify({ logger: { ...loggerOptions('trace'), stream } })
  t.teardown(() => app.close())
  const secret = 'S3cr3tS3cr3tS3cr3t'
  const headers = {
    authorization: secret,
    Authorization: secret,
    'x-api-key': secret,
    'ocp-apim-subscription-key': secret,
    cookie: secret,
  }
  const members = {
    s3_access_key_id: secret,
    s3_secret_access_key: secret,
    secretKey: secret,
    accessKey: secret,
    API_KEYS: secret,
  }
  const failure = Object.assign(new Error('refused by the store'), {
    code: 'ECONNREFUSED',
    config: { ...members, headers },
    headers,
    request: { deep: { er: { headers } } },
  })
  for (const held of [headers, members]) {
    app.log.info(held, 'as it is')
    app.log.info({ headers: held, list: [held] }, 'one below')
    app.log.info({ request: { headers: held } }, 'two below')
    app.log.child({ config: held }).info('of a child')
  }
  app.log.error(failure)
  app.log.error({ err: failure, error: failure }, 'two errors')
  app.log.error({ err: new Error('outer', { cause: failure }) }, 'a cause')
  app.log.error({ err: 'no error', error: undefined }, 'none')
  const text = lines.join('')
  t.notMatch(text, /S3cr3t/)
  t.equal(lines.length, 12)
  t.equal(text.match(/\[redacted\]/g)!.length, 10 * 5)
  const entries = lines.map((line) => JSON.parse(line) as { msg: string, err?: object })
  t.match(entries.find(({ msg }) => msg === 'two errors'), {
    err: { type: 'Error', message: 'refused by the store', code: 'ECONNREFUSED', stack: /access\.test/ },
  })
  t.match(entries.find(({ msg }) => msg === 'a cause'), {
    err: { message: 'outer', cause: { message: 'refused by the store' } },
  })
})

t.test('a service with keys logs none of them, also where it refuses or fails', async (t) => {
  const { lines, stream } = linesOf()
  const fixed = onThisThread([smallModel])
  const broken = {
    ...fixed.scorer,
    answer: async () => {
      throw new Error('no luck')
    },
  }
  const service = await serve(testConfig({ port: 0, access: accessOf({ API_KEYS, RATE_LIMIT_PER_MINUTE: '2' }) }), {
    logger: { ...loggerOptions('trace'), stream },
    scorer: broken,
  })
  t.teardown(() => service.close())
  await service.ready
  const statuses = []
  for (const key of [SCORER, TRAINER, 'wrong-0123456789', SCORER, SCORER]) {
    statuses.push(
      (await fetch(`${service.url}/compute`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer(key) },
        body: '{}',
      })).status
    )
  }
  t.same(statuses, [500, 403, 401, 500, 429])
  const text = lines.join('')
  t.match(text, /no luck/)
  for (const key of [SCORER, TRAINER, 'wrong-0123456789']) t.notOk(text.includes(key))
})
