// Without a service: what model names stand for, which models a thread keeps open, and thresholds from feedback.
import fc from 'fast-check'
import Fastify from 'fastify'
import t from 'tap'
import { Problem } from '../../core/errors.ts'
import { folderStore } from '../../adapters/registry/folder-store.ts'
import type { Feedback } from '../../adapters/registry/records.ts'
import { type Catalogue, resolve, withChannels } from '../packages/catalogue.ts'
import { Follower } from '../models/follower.ts'
import { PackageCache } from '../packages/package-cache.ts'
import { type PackageBytes, PackageMissing, ResidentModels } from '../packages/resident-models.ts'
import { ScoreHistory, type ScoreRun } from '../models/score-history.ts'
import { ServedModels } from '../packages/served-models.ts'
import type { ModelSource } from '../packages/model-source.ts'
import { proposeThreshold } from '../models/threshold-proposal.ts'
import { smallModel } from './fixture.ts'

const digestOf = (name: string): string => `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`
const refOf = (name: string, version = '1') => ({ name, version, digest: digestOf(`${name}${version}`) })
const catalogueOf = (...names: string[]): Catalogue =>
  names.map((name) => ({
    name,
    live: { ...refOf(name), channels: ['a', 'b'] },
    versions: [refOf(name), refOf(name, '2')],
  }))
const bytesOf = (name: string, version = '1', bytes = 10): PackageBytes => ({
  ...refOf(name, version),
  where: name,
  bytes: new Uint8Array(bytes),
})

t.test('a reference is a name, an alias of it, or a number', (t) => {
  const catalogue = catalogueOf('pump', 'fan')
  for (const reference of ['pump', 'pump@live', 'pump@1']) {
    t.match(resolve(catalogue, reference), { ...refOf('pump'), channels: ['a', 'b'] }, reference)
  }
  t.strictSame(resolve(catalogue, 'pump@2'), refOf('pump', '2'))
  for (const reference of ['pump@3', 'pump@shadow']) {
    t.throws(
      () => resolve(catalogue, reference),
      { code: 'unknown-version', message: /its versions are 1, 2/ },
      reference
    )
  }
  for (const reference of ['none', 'none@1', '@1', 'pump@', 'pump@1@2', '']) {
    t.throws(() => resolve(catalogue, reference), { code: 'unknown-model', message: /pump, fan/ }, reference)
  }
  t.match(withChannels(catalogueOf('pump'), ['b', 'a']), refOf('pump'))
  t.equal(withChannels(catalogue, ['a']), undefined)
  t.throws(() => withChannels(catalogue, ['a', 'b']), { code: 'model-required', message: /pump, fan/ })
  t.end()
})

function residents (budget: number): { models: ResidentModels, closed: string[] } {
  const closed: string[] = []
  const models = new ResidentModels({
    backend: 'cpu',
    budget,
    open: async (where, bytes) => ({
      ...smallModel,
      digest: digestOf(`${where}${bytes[0] || '1'}`),
      manifest: { ...smallModel.manifest, name: where },
      dispose: () => {
        closed.push(where)
      },
    }),
  })
  return { models, closed }
}

t.test('a thread keeps the models open that were used last, and asks for the others again', async (t) => {
  const { models, closed } = residents(25)
  models.follow(catalogueOf('a', 'b', 'c'), 1)
  await t.rejects(models.get('a'), { name: 'PackageMissing', ref: refOf('a') })
  for (const name of ['a', 'b']) await models.add(bytesOf(name))
  t.match(await models.get('a'), { version: '1', stale: false })
  await models.add(bytesOf('c'))
  t.strictSame(closed, ['b'], 'a was used after b')
  await t.rejects(models.get('b'), { name: 'PackageMissing' })
  await models.add(bytesOf('big', '1', 1000))
  t.strictSame(models.digests, [digestOf('big1')], 'one that is larger than the budget is there alone')
  await t.rejects(models.add({ ...bytesOf('a'), digest: digestOf('other') }), { code: 'invalid-model-package' })
})

t.test('what no alias stands for any more is closed, but not by a request that is late', async (t) => {
  const { models, closed } = residents(1000)
  models.follow(catalogueOf('a', 'b'), 1)
  for (const name of ['a', 'b']) await models.add(bytesOf(name))
  models.follow(catalogueOf('b'), 2)
  t.strictSame(closed, ['a'])
  models.follow(catalogueOf('a'), 1)
  t.strictSame(closed, ['a'], 'an older catalogue closes nothing')
  await t.rejects(models.get('a'), PackageMissing, 'but is what names mean for its request')
  models.follow(catalogueOf('b'), 2)
  t.match(await models.get('b'), { version: '1' })
})

t.test('the cache keeps what is served, and of the rest what was asked for last', async (t) => {
  const fetched: string[] = []
  const packageCache = new PackageCache(25)
  packageCache.drawFrom(new Map(['a', 'b', 'c', 'd'].map((name) => [name, {
    location: 'here',
    strict: false,
    list: async () => [],
    watch: () => ({ close () {} }),
    close () {},
    where: () => name,
    fetch: async () => { fetched.push(name); return new Uint8Array(10) },
  }])))
  const a = await packageCache.fetch(refOf('a'))
  t.ok(a.bytes.buffer instanceof SharedArrayBuffer)
  packageCache.keep([a])
  for (const name of ['b', 'c', 'd', 'a', 'd']) await packageCache.fetch(refOf(name))
  t.strictSame(fetched, ['a', 'b', 'c', 'd'])
  await packageCache.fetch(refOf('b'))
  t.strictSame(fetched, ['a', 'b', 'c', 'd', 'b'], 'b had to go')
  packageCache.keep([])
  t.equal(
    (await packageCache.fetch(refOf('a'))).bytes,
    a.bytes,
    'what is not served any more stays for requests that began before'
  )
  await t.rejects(packageCache.fetch(refOf('gone')), { code: 'unknown-model' })
})

t.test('a version is stale from its age on, or while it drifts', (t) => {
  const models = new ServedModels({ maxAgeMs: 1000 })
  const live = { ...smallModel, manifest: smallModel.manifest }
  models.open([{
    name: 'small',
    live,
    versions: [{ name: 'small', version: '1', digest: live.digest, publishedAt: 5000 }],
  }], { name: 'cpu', version: '' })
  t.equal(models.catalogue[0]!.live!.staleFrom, 6000)
  const before = models.catalogue
  t.equal(models.setDrifting(live.digest, 'causal', false), false)
  t.equal(models.catalogue, before, 'nothing changed')
  t.equal(models.setDrifting(live.digest, 'causal', true), true)
  models.setDrifting(live.digest, 'batch', false)
  t.equal(models.catalogue[0]!.live!.drifting, true)
  t.end()
})

/** A registry of live models by these names. */
function supplyOf (names: readonly string[], changes: Partial<ModelSource> = {}): ModelSource {
  const models = names.map((name) => ({
    name,
    versions: [refOf(name)],
    live: refOf(name),
    earlier: undefined,
    shadow: undefined,
  }))
  return {
    location: 'here',
    strict: false,
    list: async () => models,
    fetch: async () => new Uint8Array(1),
    where: ({ name }) => name,
    watch: () => ({ close () {} }),
    close () {},
    ...changes,
  }
}

const log = Fastify({ logger: false }).log

function following (...sources: readonly ModelSource[]): { models: ServedModels, follower: Follower } {
  const models = new ServedModels()
  const prove = async ({ name, version, digest }: PackageBytes) => ({
    identity: { manifest: { ...smallModel.manifest, name }, version, digest, goldenDifference: 0 },
    engines: ['cpu'],
  })
  return {
    models,
    follower: new Follower({
      sources,
      models,
      packageCache: new PackageCache(1000),
      scorer: { prove },
      pollMs: 3_600_000,
      tfjs: () => '',
      log,
    }),
  }
}

t.test('a name that no model may have keeps nobody else from being served', async (t) => {
  const { models, follower } = following(supplyOf(['pump']), supplyOf(['ad-hoc', 'fan', 'pump']))
  t.teardown(async () => follower.close())
  await follower.start()
  t.strictSame(models.list().map(({ name }) => name), ['pump', 'fan'])
  t.match(follower.refusals, [{ name: 'ad-hoc', code: 'invalid-model-package', reason: /rename the model/ }, {
    name: 'pump',
    reason: /Two packages contain the model "pump"/,
  }])
  const strict = following(supplyOf(['ad-hoc'], { strict: true })).follower
  await t.rejects(
    strict.start(),
    { code: 'invalid-model-package' },
    'what was put in place by hand prevents the service'
  )
})

t.test('whoever waits for a registry can be stopped', async (t) => {
  const unavailable = async (): Promise<never> => { throw new Problem('registry-unavailable', 'away') }
  const { models, follower } = following(supplyOf([], { list: unavailable }))
  const started = follower.start()
  await new Promise((resolve) => { setImmediate(resolve) })
  t.equal(follower.problem, 'away')
  await follower.close()
  await started
  t.equal(models.ready, false)
})

t.test('the start looks for itself, whatever a look before it has found', async (t) => {
  const found: { models: Awaited<ReturnType<ModelSource['list']>> | undefined } = { models: undefined }
  const list: ModelSource['list'] = async () => {
    await new Promise((resolve) => { setImmediate(resolve) })
    if (found.models === undefined) throw new Problem('invalid-model-package', 'not trained yet')
    return found.models
  }
  for (const early of [undefined, []]) {
    found.models = early
    const { models, follower } = following(supplyOf([], { strict: true, list }))
    t.teardown(async () => follower.close())
    await follower.refresh()
    t.equal(follower.problem, early === undefined ? 'not trained yet' : undefined)
    found.models = await supplyOf(['pump']).list()
    await follower.start()
    t.strictSame(models.list().map(({ name }) => name), ['pump'])
    t.equal(follower.problem, undefined)
  }
})

t.test('scores of two machines at one time are both kept, the same ones once', async (t) => {
  const history = new ScoreHistory({
    store: folderStore(t.testdir()),
    models: new ServedModels(),
    scorer: { drift: async () => undefined },
    log,
  })
  t.teardown(async () => history.close())
  const report = (...scores: number[]) => ({
    kind: 'scores' as const,
    ref: refOf('pump'),
    scoring: 'causal' as const,
    start: 0,
    interval: 1000,
    scores: Float32Array.from(scores),
  })
  for (const scores of [[1, NaN], [1, NaN], [2, NaN]] as const) history.add(report(...scores))
  t.strictSame((await history.read('pump', refOf('pump').digest)).map(({ scores }) => scores), [[1, null], [2, null]])
})

const HOUR = 3_600_000
const runOf = (scores: Array<number | null>): ScoreRun => ({
  version: '1',
  digest: digestOf('a'),
  scoring: 'causal',
  start: 0,
  interval: HOUR,
  scores,
})
const said = (label: Feedback['label'], from: number, to = from): Feedback => ({
  id: `${label}${from}`,
  at: '',
  version: '1',
  model: 'a',
  label,
  start: new Date(from * HOUR).toISOString(),
  end: new Date(to * HOUR).toISOString(),
})

t.test('a proposal keeps what is confirmed, takes away false alarms, finds what was missed', (t) => {
  const runs = [runOf([0.2, 1.3, 1.4, 0.3, null, 2.5, 0.2, 0.9, 0.2])]
  t.match(proposeThreshold(runs, [said('false-alarm', 1, 2), said('confirmed', 5)]), {
    scores: 8,
    before: { anomalies: 2, falseAlarms: 1, confirmed: 1 },
    after: { threshold: 1.95, anomalies: 1, falseAlarms: 0, confirmed: 1 },
    reason: /removes 1 of 1 false alarms/,
  })
  t.match(proposeThreshold(runs, [said('missed', 7), said('confirmed', 1, 2)]), {
    before: { missed: 1 },
    after: { anomalies: 3, missed: 0, confirmed: 1 },
  })
  t.match(proposeThreshold(runs, [said('confirmed', 5)]), { after: { threshold: 1 }, reason: /No other/ })
  t.match(proposeThreshold(runs, [said('confirmed', 50)]), {
    feedback: { used: 0, unused: 1 },
    after: { threshold: 1 },
  })
  t.match(proposeThreshold(runs, [], 0.5), {
    after: { threshold: 0.5, anomalies: 3 },
    before: { anomaliesPerWeek: 37.33 },
  })
  t.match(proposeThreshold([], []), { scores: 0, before: { anomaliesPerWeek: null } })
  t.end()
})

t.test('no proposal serves the feedback worse than the calibrated threshold', (t) => {
  const label = fc.constantFrom<Feedback['label']>('false-alarm', 'missed', 'confirmed')
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.double({ min: 0, max: 5, noNaN: true }), { nil: null }), { minLength: 1, maxLength: 40 }),
      fc.array(fc.tuple(label, fc.nat(45), fc.nat(5)), { maxLength: 12 }),
      (scores, statements) => {
        const { before, after } = proposeThreshold(
          [runOf(scores)],
          statements.map(([what, from, length]) => said(what, from, from + length))
        )
        if (after.confirmed !== before.confirmed) return after.confirmed > before.confirmed
        return after.falseAlarms + after.missed <= before.falseAlarms + before.missed && after.threshold > 0
      }
    )
  )
  t.end()
})
