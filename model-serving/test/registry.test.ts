// Models of a registry in a running service: upload, promote, roll back, shadow and feedback.
import t from 'tap'
import { ComputeAnswerSchema } from '../schemas/compute.ts'
import { FeedbackKeptSchema, FeedbackListSchema, ProposalSchema } from '../schemas/feedback.ts'
import { PublishedSchema, ServedNowSchema, VersionsSchema } from '../schemas/registry.ts'
import { archiveOf } from '../../adapters/tfjs/test/linear-packages.ts'
import { jsonOf, windSeries } from './fixture.ts'
import { digestOf, one, pack, start, TEN, two, until } from './registry-service.ts'

t.setTimeout(240_000)

/** Started once: a thread that compiles TypeScript takes seconds to start. Each test has its own models. */
const shared = await start(t, { MAX_JOBS: '2' })

t.test('an empty registry serves ad-hoc models; uploads, promotions and rollbacks need no restart', async (t) => {
  const api = shared
  t.equal((await api.compute(windSeries(200), undefined)).model.name, 'ad-hoc')
  t.match(await api.status(), {
    status: 'ready',
    models: [],
    backend: { name: 'kernel', tfjs: /^4/ },
    registry: { sources: [api.location], problem: null, refused: [] },
  })
  const uploaded = await api.call('POST', '/models', await archiveOf(one))
  t.equal(uploaded.status, 201)
  t.match(PublishedSchema.parse(uploaded.body), {
    name: 'wind',
    version: 1,
    digest: digestOf(one),
    existed: false,
    promoted: false,
  })
  t.equal((await api.compute(TEN)).model.name, 'ad-hoc', 'nothing is live yet')
  t.equal((await api.compute(TEN, 'wind@1')).model.digest, digestOf(one), 'but it can be asked for')
  t.match((await api.call('POST', '/models', await archiveOf(one))).body, { version: 1, existed: true })
  t.match(ServedNowSchema.parse((await api.call('POST', '/models/wind/promote', { version: 1 })).body), {
    version: 1,
    served: true,
    problem: null,
  })
  t.match((await api.compute(TEN)).model, { name: 'wind', version: '1', digest: digestOf(one) })
  t.match((await api.call('POST', '/models?promote=true', await archiveOf(two))).body, { version: 2, promoted: true })
  const answer = await api.compute(TEN)
  t.match(answer.model, { name: 'wind', version: '2', digest: digestOf(two) })
  t.same((await api.compute(TEN, 'wind@live')).score, answer.score)
  t.match(
    (await api.compute(TEN, 'wind@1')).model,
    { version: '1', digest: digestOf(one) },
    'the old one can be asked for'
  )
  t.match((await api.call('POST', '/models/wind/rollback', {})).body, { version: 1, served: true })
  t.equal((await api.compute(TEN)).model.version, '1')
  t.match((await api.call('POST', '/models/wind/rollback')).body, { code: 'no-earlier-version', status: 409 })
  t.match((await api.call('POST', '/models/wind/promote', { version: 9 })).body, {
    code: 'unknown-version',
    versions: [1, 2],
  })
  t.match((await api.call('POST', '/models/none/promote', { version: 1 })).body, { code: 'unknown-model' })
  t.match((await api.call('POST', '/compute', { ...jsonOf(TEN), model: 'wind@9' })).body, {
    code: 'unknown-version',
    versions: ['1', '2'],
  })
  t.match((await api.call('POST', '/compute', { ...jsonOf(TEN), model: 'wind@shadow' })).body, {
    code: 'unknown-version',
    detail: /No version of "wind" is shadow/,
  })
  const versions = VersionsSchema.parse((await api.call('GET', '/models/wind/versions')).body)
  t.match(versions, {
    versions: [{ version: 1 }, { version: 2 }],
    aliases: { live: { version: 1 }, shadow: null },
    history: {
      live: [{ action: 'promote', version: 1 }, { action: 'promote', version: 2 }, { action: 'rollback', version: 1 }],
    },
  })
  t.match((await api.call('GET', '/models/wind')).body, { name: 'wind', version: '1', digest: digestOf(one) })
  t.match((await api.call('GET', '/metrics')).body['text'], /^model_switches_total\{model="wind"\} 3$/m)
  t.match(
    (await api.call('GET', '/metrics')).body['text'],
    /^model_served\{model="wind",alias="live",version="1",digest="sha256:\w+"\} 1$/m
  )
  const text = String((await api.call('GET', '/metrics')).body['text'])
  const age = Number(/^model_age_seconds\{model="wind"\} (\S+)$/m.exec(text)![1])
  t.ok(age > 0 && age < 600, `${age} s`)
  const thresholds = [...text.matchAll(/^model_threshold\{model="wind",scoring="(\w+)"\} (\S+)$/gm)]
  t.same(thresholds.map(([, scoring]) => scoring), ['batch', 'causal'])
  t.ok(thresholds.every(([, , value]) => Number(value) > 0))
})

t.test('uploads that are no package are the caller\'s fault', async (t) => {
  const api = shared
  const foreign = new Map(one).set(
    'manifest.json',
    Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(one.get('manifest.json')!).toString()), format: 1 }))
  )
  const changed = new Map(one).set('weights.bin', Buffer.alloc(one.get('weights.bin')!.byteLength))
  const partial = new Map(one)
  partial.delete('weights.bin')
  const refused: ReadonlyArray<readonly [Buffer, RegExp]> = [
    [Buffer.from('no tar'), /not a model package/],
    [await archiveOf(foreign), /format is 1/],
    [await archiveOf(changed), /digest/],
    [await archiveOf(partial), /weights.bin cannot be read/],
  ]
  for (const [body, detail] of refused) {
    t.match(await api.call('POST', '/models', body), { status: 422, body: { code: 'package-refused', detail } })
  }
  t.match(await api.call('POST', '/models', jsonOf(TEN)), {
    status: 422,
    body: { code: 'invalid-request', detail: /\?name=/ },
  })
  t.match(await api.call('POST', '/models?name=x'), { status: 422, body: { detail: /has no series/ } })
  t.match(await api.call('POST', '/models?name=x&from=s3://other/key'), {
    status: 422,
    body: { detail: /TRAINING_SOURCES/ },
  })
  t.match(await api.call('POST', '/models?name=X', jsonOf(TEN)), {
    status: 422,
    body: { errors: [{ pointer: '/query/name' }] },
  })
  t.match(await api.call('POST', '/models/wind/promote', { version: 'three' }), {
    status: 422,
    body: { errors: [{ pointer: '/version' }] },
  })
  t.match(await api.call('POST', '/models/..%2Fwind/promote', { version: 1 }), {
    status: 422,
    body: { errors: [{ pointer: '/params/name' }] },
  })
  t.match(await api.call('GET', '/models/none/versions'), { status: 404, body: { code: 'unknown-model' } })
})

t.test('an Idempotency-Key makes a request happen once', async (t) => {
  const api = shared
  for (const seed of ['one', 'two']) {
    await api.call('POST', '/models?promote=true', await archiveOf(await pack('idem', seed)))
  }
  const key = { 'idempotency-key': 'roll-back-once' }
  const first = await api.call('POST', '/models/idem/rollback', {}, key)
  t.match(await api.call('POST', '/models/idem/rollback', {}, key), { status: 200, body: first.body })
  t.equal(
    VersionsSchema.parse((await api.call('GET', '/models/idem/versions')).body).history.live.length,
    3,
    'one step back, not two'
  )
  t.match(await api.call('POST', '/models/idem/promote', { version: 2 }, key), {
    status: 422,
    body: { detail: /has used this Idempotency-Key/ },
  })
  t.match(await api.call('POST', '/models/idem/promote', { version: 9 }, { 'idempotency-key': 'fails' }), {
    status: 404,
  })
  t.match(await api.call('POST', '/models/idem/promote', { version: 2 }, { 'idempotency-key': 'x'.repeat(300) }), {
    status: 422,
  })
  const [a, b] = await Promise.all(
    [1, 2].map(async () => api.call('POST', '/models/idem/promote', { version: 2 }, { 'idempotency-key': 'at-once' }))
  )
  t.same([a!.status, b!.status].sort(), [200, 409])
  t.match([a!, b!].find(({ status }) => status === 409)!.body, { code: 'idempotency-conflict' })
})

t.test('a shadow changes no answer, and its disagreement is counted', async (t) => {
  const api = shared
  for (const seed of ['one', 'two']) await api.call('POST', '/models', await archiveOf(await pack('shady', seed)))
  await api.call('POST', '/models/shady/promote', { version: 1 })
  const before = await api.compute(TEN, 'shady')
  t.match((await api.call('POST', '/models/shady/promote', { version: 2, alias: 'shadow' })).body, {
    alias: 'shadow',
    version: 2,
    served: true,
  })
  const after = await api.compute(TEN, 'shady')
  t.same(after, before)
  const shadow = await until('the shadow has scored', async () => (await api.status()).shadows[0])
  const [a, b] = [before.isAnomaly!, (await api.compute(TEN, 'shady@shadow')).isAnomaly!]
  t.match(shadow, {
    name: 'shady',
    live: '1',
    shadow: '2',
    series: 1,
    failed: 0,
    observations: 60,
    disagreements: a.filter((value, i) => value !== b[i]).length,
  })
  t.match(
    (await api.call('GET', '/metrics')).body['text'],
    /^model_shadow_observations\{model="shady",live="1",shadow="2"\} 60$/m
  )
})

t.test('feedback is kept, and says what another threshold would do', async (t) => {
  const api = shared
  await api.call('POST', '/models?promote=true', await archiveOf(await pack('heard', 'one')))
  const long = windSeries(400, 'feedback')
  const values = long.values.map((value, i) =>
    i >= 400 && i < 440 && i % 2 === 0 ? value + 2 : i >= 600 && i < 640 && i % 2 === 0 ? value + 9 : value
  )
  const answer = ComputeAnswerSchema.parse(
    (await api.call('POST', '/compute', {
      ...jsonOf({ ...long, values }),
      model: 'heard',
      options: { scoring: 'causal', include: ['score', 'anomalies'] },
    })).body
  )
  const peak = (from: number, to: number): number =>
    Math.max(...answer.score!.slice(from, to).map((score) => score ?? 0))
  const time = (t: number): string => new Date(long.start + t * long.interval).toISOString()
  const [small, large] = [peak(200, 240), peak(300, 340)]
  t.ok(small > 1 && large > small, `both are flagged: ${small}, ${large}`)
  const say = async (label: string, from: number, to: number) =>
    api.call('POST', '/feedback', { model: 'heard', start: time(from), end: time(to), label, note: 'of a test' })
  const kept = await say('false-alarm', 200, 240)
  t.equal(kept.status, 201)
  t.match(FeedbackKeptSchema.parse(kept.body), { model: 'heard', version: '1', label: 'false-alarm' })
  await say('confirmed', 300, 340)
  t.match(FeedbackListSchema.parse((await api.call('GET', '/models/heard/feedback')).body), {
    feedback: [{ label: 'false-alarm' }, { label: 'confirmed' }],
  })
  const proposal = ProposalSchema.parse((await api.call('POST', '/models/heard/threshold-proposal', {})).body)
  t.match(proposal, {
    model: 'heard',
    version: '1',
    scoring: 'causal',
    feedback: { used: 2, unused: 0 },
    before: { threshold: 1, falseAlarms: 1, confirmed: 1 },
    after: { falseAlarms: 0, confirmed: 1 },
  })
  t.ok(proposal.after.threshold > small && proposal.after.threshold < large)
  t.ok(proposal.after.anomalies < proposal.before.anomalies)
  t.match((await api.call('POST', '/models/heard/threshold-proposal', { threshold: 1e6 })).body, {
    after: { threshold: 1e6, anomalies: 0, confirmed: 0 },
  })
  t.match((await api.call('POST', '/models/heard/threshold-proposal', { scoring: 'batch' })).body, {
    scores: 0,
    feedback: { used: 0, unused: 2 },
    reason: /no feedback/,
  })
  t.match(await api.call('POST', '/feedback', { model: 'heard', start: time(5), end: time(1), label: 'missed' }), {
    status: 422,
    body: { errors: [{ pointer: '/end' }] },
  })
  t.match(await api.call('POST', '/feedback', { model: 'none', start: time(1), end: time(5), label: 'missed' }), {
    status: 404,
  })
  t.match(await api.call('POST', '/feedback', { model: 'heard', start: time(1), end: time(5), label: 'odd' }), {
    status: 422,
    body: { errors: [{ pointer: '/label' }] },
  })
})
