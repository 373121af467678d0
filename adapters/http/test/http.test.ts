// What the programs share of HTTP: how failures are answered and logged, which key a request shows, who may be served.
import Fastify from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { Problem, type ProblemCode } from '../../../core/errors.ts'
import { parseSettings } from '../../settings/values.ts'
import { findKey, KeysSchema, sentKey } from '../api-keys.ts'
import { isLoopback, refuseOpenProgram } from '../exposure.ts'
import { ProblemAnswers, type ProblemStyle, toProblem } from '../problem-answers.ts'
import { addProtectiveHeaders } from '../protective-headers.ts'

const STYLE: ProblemStyle = {
  program: 'pump',
  typeOf: (code) => `urn:problem:${code}`,
  retryAfterOf: (code) => code === 'overloaded' ? 3 : undefined,
  hasInstance: false,
  logsUnavailable: false,
}

/** An app that fails with one error, and the levels of what it logs. */
function failing (error: Error, style: Partial<ProblemStyle> = {}) {
  const levels: number[] = []
  const stream = { write: (line: string) => { levels.push((JSON.parse(line) as { level: number }).level) } }
  const app = Fastify({ logger: { level: 'info', stream }, disableRequestLogging: true })
  const answers = new ProblemAnswers({ ...STYLE, ...style })
  app.setErrorHandler<Error>((thrown, request, reply) => answers.send(request, reply, toProblem(thrown, 'pump', {})))
  app.get('/fail', () => { throw error })
  return { app, levels }
}

t.test('a failure of the program hides its cause, and the log has it', async (t) => {
  for (const error of [new Error('/srv/secret'), new Problem('invalid-state', '/srv/secret')]) {
    const { app, levels } = failing(error)
    const answer = await app.inject('/fail')
    t.match(answer.json(), { type: 'urn:problem:internal-error', status: 500, code: 'internal-error' })
    t.match(answer.json().detail, /^The pump failed on this request/)
    t.notMatch(answer.body, /secret/)
    t.same(levels, [50])
  }
})

t.test('a refusal says what is wrong, in a document of limited size', async (t) => {
  const items = Array.from({ length: 12 }, (_, i) => ({ pointer: `/${i}`, detail: 'x'.repeat(2000), got: [i] }))
  const { app, levels } = failing(new Problem('invalid-request', 'y'.repeat(2000), { items, extensions: { limit: 1 } }))
  const answer = await app.inject('/fail?key=hush')
  t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
  const document = answer.json()
  t.same(Object.keys(document), ['type', 'title', 'status', 'detail', 'code', 'requestId', 'limit', 'errors'])
  t.equal(document.detail.length, 1001)
  t.equal(document.errors.length, 10)
  t.same(document.errors[0], { pointer: '/0', detail: `${'x'.repeat(1000)}…`, got: 'array' })
  t.same(levels, [30])
  const named = await failing(new Problem('invalid-request', 'z'), { hasInstance: true }).app.inject('/fail?key=hush')
  t.equal(named.json().instance, '/fail', 'the path alone: a query may hold secrets')
})

t.test('each program says when to try again, and whether an outage is an error in its log', async (t) => {
  const outage = async (code: ProblemCode, style: Partial<ProblemStyle>) => {
    const { app, levels } = failing(new Problem(code, 'later'), style)
    const { headers } = await app.inject('/fail')
    return [headers['retry-after'], levels]
  }
  t.same(await outage('overloaded', {}), ['3', [30]])
  t.same(await outage('log-unavailable', { logsUnavailable: true }), [undefined, [50]])
  t.equal((await failing(new Problem('unauthorized', 'no')).app.inject('/fail')).headers['www-authenticate'], 'Bearer')
})

t.test('translations of a program come before the shared ones', (t) => {
  const error = Object.assign(new Error('x'), { statusCode: 400, code: 'FST_X' })
  t.equal(toProblem(error, 'pump', {}).code, 'malformed-body')
  t.equal(toProblem(error, 'pump', { 400: ['invalid-table', 'x'] }).code, 'invalid-table')
  t.match(toProblem(error, 'pump', { FST_X: ['not-found', 'x', { limit: 1 }], 400: ['invalid-table', 'x'] }), {
    code: 'not-found',
    extensions: { limit: 1 },
    cause: error,
  })
  t.end()
})

t.test('a request shows one key, and headers that only carry keys count first', (t) => {
  t.equal(sentKey({}), undefined)
  t.equal(sentKey({ authorization: 'Basic abc' }), undefined)
  t.equal(sentKey({ authorization: 'Bearer' }), '')
  t.equal(sentKey({ authorization: 'bearer  abc ' }), 'abc')
  t.equal(sentKey({ authorization: 'Bearer abc', 'x-api-key': 'own' }), 'own')
  t.equal(sentKey({ authorization: 'Bearer abc', 'x-api-key': '' }), 'abc')
  t.equal(sentKey({ 'x-own': 'b' }), undefined)
  t.equal(sentKey({ 'x-own': 'b' }, ['x-api-key', 'x-own']), 'b')
  t.end()
})

t.test('keys are kept as digests, and found again', (t) => {
  const [one, other] = ['a'.repeat(16), 'b'.repeat(16)]
  const { KEYS } = parseSettings(z.object({ KEYS: KeysSchema }), { KEYS: `${one}, ${other}` })
  t.notMatch(JSON.stringify(KEYS), /aaaa|bbbb/)
  t.equal(findKey(KEYS, other), KEYS[1])
  t.equal(findKey(KEYS, `${other}b`), undefined)
  for (const [text, message] of [['c'.repeat(15), /entry 1 is no usable key/], [',', /holds no key/]] as const) {
    t.throws(() => parseSettings(z.object({ KEYS: KeysSchema.meta({ secret: true }) }), { KEYS: text }), {
      code: 'invalid-settings',
      message,
    })
  }
  t.end()
})

t.test('a program without keys serves loopback alone, and says which variables open it', (t) => {
  const exposure = {
    program: 'pump',
    host: '0.0.0.0',
    keys: [],
    auth: 'auto',
    variables: { host: 'PUMP_HOST', keys: 'PUMP_KEYS', auth: 'PUMP_AUTH' },
  } as const
  t.throws(() => { refuseOpenProgram(exposure) }, {
    code: 'invalid-settings',
    message: /^PUMP_HOST is "0\.0\.0\.0".*pump has no API key. Set PUMP_KEYS .*PUMP_HOST=127\.0\.0\.1.*PUMP_AUTH=off/,
    items: [{ pointer: '/PUMP_HOST', got: '0.0.0.0' }],
  })
  for (const open of [{ host: '::1' }, { keys: [1] }, { auth: 'off' }] as const) {
    t.doesNotThrow(() => { refuseOpenProgram({ ...exposure, ...open }) })
  }
  t.notOk(isLoopback('127.1'), 'not in full notation')
  t.end()
})

t.test('answers without a handler have the protective headers, too', async (t) => {
  const app = Fastify()
  addProtectiveHeaders(app)
  const { headers } = await app.inject('/nowhere')
  t.match(headers, { 'x-frame-options': 'DENY', 'content-security-policy': /^default-src 'self';/ })
  t.notOk('strict-transport-security' in headers)
})
