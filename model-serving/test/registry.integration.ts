// Models in a service that restarts, waits and trains: followed, refused, stale, trained by jobs, and without a
// registry.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folderStore } from '../../adapters/registry/folder-store.ts'
import { keys } from '../../adapters/registry/records.ts'
import { Registry } from '../../adapters/registry/registry.ts'
import { readConfig } from '../settings/config.ts'
import { JobSchema } from '../schemas/jobs.ts'
import { ServedNowSchema } from '../schemas/registry.ts'
import { serve } from '../serve.ts'
import { archiveOf, writePackage } from '../../adapters/tfjs/test/linear-packages.ts'
import { csvOf, jsonOf, windSeries } from './fixture.ts'
import { digestOf, one, pack, start, TEN, two, until } from './registry-service.ts'

t.setTimeout(240_000)

t.test('what somebody else does in the registry is followed', async (t) => {
  const api = await start(t)
  const store = folderStore(api.location)
  const registry = new Registry(store, Date.now)
  await registry.publish('one', one)
  await registry.promote('wind', 1)
  await until('version 1 is served', async () => (await api.status()).models[0]?.version === '1' || undefined)
  await registry.publish('two', two)
  await registry.promote('wind', 2)
  await until('version 2 is served', async () => (await api.status()).models[0]?.version === '2' || undefined)
  await registry.publish('three', await pack('breeze', 'three'))
  await registry.promote('breeze', 1)
  await until('two models are served', async () => (await api.status()).models.length === 2 || undefined)
  t.match((await api.call('POST', '/compute', jsonOf(TEN))).body, {
    code: 'model-required',
    models: ['breeze', 'wind'],
  })
  await registry.clear('breeze', 'live')
  await until('one is cleared', async () => (await api.status()).models.length === 1 || undefined)
  t.equal((await api.compute(TEN)).model.name, 'wind')
})

t.test('an unusable version is refused with a reason; the old version stays live, even after a restart', async (t) => {
  const api = await start(t)
  for (const version of [one, two]) await api.call('POST', '/models', await archiveOf(version))
  await api.call('POST', '/models/wind/promote', { version: 1 })
  const path = join(api.location, keys.package('wind', digestOf(two)))
  rmSync(path)
  writeFileSync(path, (await archiveOf(two)).subarray(0, 3000))
  const refused = await api.call('POST', '/models/wind/promote', { version: 2 })
  t.match(ServedNowSchema.parse(refused.body), {
    version: 2,
    served: false,
    problem: /wind@2 of .* is not a model package/,
  })
  t.match((await api.compute(TEN)).model, { version: '1', digest: digestOf(one) })
  t.match((await api.status()).registry, {
    refused: [{ name: 'wind', version: '2', digest: digestOf(two), code: 'invalid-model-package' }],
  })
  t.match(
    (await api.call('GET', '/metrics')).body['text'],
    /^model_versions_refused_total\{model="wind",code="invalid-model-package"\} 1$/m
  )
  const again = await start(t, { location: api.location })
  t.match((await again.compute(TEN)).model, { version: '1' }, 'a service that starts takes what was live before')
  t.match((await again.status()).registry!.refused, [{ version: '2', code: 'invalid-model-package' }])
})

t.test('answers say that they are stale beyond the age, and when scores drift', async (t) => {
  const old = await start(t, { MODEL_MAX_AGE: 'PT0.001S' })
  await old.call('POST', '/models?promote=true', await archiveOf(one))
  t.equal((await old.compute(TEN)).model.stale, true)
  const fresh = await start(t, { MODEL_MAX_AGE: 'P1D' })
  await fresh.call('POST', '/models?promote=true', await archiveOf(one))
  const answer = await fresh.compute(TEN)
  t.notOk('stale' in answer.model)
  t.same(answer.score, (await old.compute(TEN)).score, 'the scores are what they are')
  const shifted = windSeries(3000, 'drift')
  await fresh.compute({ ...shifted, values: shifted.values.map((value, i) => i % 2 === 0 ? value * 1.3 : value) })
  await fresh.call('POST', '/models/wind/threshold-proposal', {})
  t.equal(await until('drift is seen', async () => (await fresh.compute(TEN)).model.stale), true)
  t.match((await fresh.call('GET', '/metrics')).body['text'], /^model_drifting\{model="wind"\} 1$/m)
})

t.test('a series is trained on by a job, which can be watched and cancelled', async (t) => {
  const api = await start(t, { MAX_JOBS: '2' })
  const table = csvOf(windSeries(900, 'job'))
  const post = async (name: string, query = '') => {
    const response = await fetch(`${api.service.url}/models?name=${name}&architecture=linear${query}`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: table,
    })
    return {
      status: response.status,
      location: response.headers.get('location'),
      body: await response.json() as Record<string, unknown>,
    }
  }
  const first = await post('trained', '&promote=true')
  t.match(first, {
    status: 202,
    location: `/jobs/${String(first.body['id'])}`,
    body: { state: 'queued', model: 'trained' },
  })
  const second = await post('waiting')
  t.match(await post('third'), { status: 503, body: { code: 'overloaded', limit: 2 } })
  t.match(JobSchema.parse((await api.call('DELETE', second.location!)).body), { state: 'cancelled', result: null })
  const ended = await until('the training ends', async () => {
    const job = JobSchema.parse((await api.call('GET', first.location!)).body)
    return job.endedAt === null ? undefined : job
  })
  t.match(ended, {
    state: 'succeeded',
    problem: null,
    progress: { done: 1, stage: 'publish' },
    result: { name: 'trained', version: '1', promoted: true },
  })
  t.equal((await api.compute(TEN, 'trained')).model.digest, ended.result!.digest)
  const third = await post('killed')
  await until(
    'it trains',
    async () => JobSchema.parse((await api.call('GET', third.location!)).body).state === 'running' || undefined
  )
  t.match((await api.call('DELETE', third.location!)).body, { state: 'cancelled' })
  t.match((await api.call('DELETE', third.location!)).body, { state: 'cancelled' }, 'once more changes nothing')
  const { id } = (await post('short', '&trainUntil=1999-01-01T00:00:00Z')).body as { id: string }
  t.match(await until('it fails', async () => {
    const job = JobSchema.parse((await api.call('GET', `/jobs/${id}`)).body)
    return job.endedAt === null ? undefined : job
  }), { state: 'failed', problem: /no-training-data/ })
  t.equal(((await api.call('GET', '/jobs')).body['jobs'] as unknown[]).length, 4)
  t.match(await api.call('GET', '/jobs/none'), { status: 404, body: { code: 'unknown-job' } })
  t.strictSame(
    (await new Registry(folderStore(api.location), Date.now).list()).map(({ name }) => name).filter((name) =>
      ['trained', 'waiting', 'killed', 'short'].includes(name)
    ),
    ['trained']
  )
})

t.test('a service on packages of a folder has no versions', async (t) => {
  const folder = t.testdir()
  await writePackage(join(folder, 'wind'), 'wind', windSeries(600, 'one'))
  const service = await serve({
    ...readConfig({ SERVICE_PORT: '0', MODELS_DIR: folder, COMPUTE_WORKERS: '1' }),
    logLevel: 'silent',
  }, { logger: false })
  t.teardown(() => service.close())
  await service.ready
  for (const [method, path] of [
    ['GET', '/models/wind/versions'],
    ['GET', '/jobs'],
    ['GET', '/models/wind/feedback'],
  ] as const) {
    const response = await fetch(service.url + path, { method })
    t.match(await response.json(), { status: 409, code: 'no-registry', detail: /MODEL_REGISTRY/ }, path)
  }
  const answer = await fetch(`${service.url}/compute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(jsonOf(TEN)),
  })
  t.match(await answer.json(), { model: { name: 'wind', version: '1' } })
})
