// The laws of the registry for any store: run on a folder here, and on a real bucket by the integration tests.
import type { Test } from 'tap'
import type { Problem } from '../../../core/errors.ts'
import { addFeedback, listFeedback } from '../feedback.ts'
import { keys } from '../records.ts'
import { Registry } from '../registry.ts'
import type { RegistryStore } from '../store.ts'
import { pruneRegistry, verifyRegistry } from '../upkeep.ts'
import { noisePackage } from './packages.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const NOW = Date.UTC(2026, 0, 1)

/** Each law gets an empty store. */
export const LAWS: Readonly<Record<string, (t: Test, store: RegistryStore) => Promise<void>>> = {
  'an object is created once, and read as it was written': async (t, store) => {
    t.equal(await store.get('models/a/x'), undefined)
    t.equal(await store.create('models/a/x', bytes('one')), true)
    t.equal(await store.create('models/a/x', bytes('two')), false)
    t.equal(Buffer.from((await store.get('models/a/x'))!).toString(), 'one')
    t.strictSame((await store.list('models/')).map(({ key, bytes }) => [key, bytes]), [['models/a/x', 3]])
    t.strictSame(await store.list('feedback/'), [])
    await store.remove('models/a/x')
    await store.remove('models/a/x')
    t.strictSame(await store.list(''), [])
  },

  'of many writers that create the same object, one succeeds': async (t, store) => {
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => store.create('models/a/x', bytes(`writer ${i}`)))
    )
    t.equal(outcomes.filter(Boolean).length, 1)
    t.equal(Buffer.from((await store.get('models/a/x'))!).toString(), `writer ${outcomes.indexOf(true)}`)
  },

  'the same package is the same version, another is the next': async (t, store) => {
    const registry = new Registry(store, () => NOW)
    const [first, second] = [await noisePackage('noise', 1), await noisePackage('noise', 2)]
    t.match(await registry.publish('first', first), {
      name: 'noise',
      version: 1,
      existed: false,
      publishedAt: '2026-01-01T00:00:00.000Z',
    })
    t.match(await registry.publish('first', first), { version: 1, existed: true })
    t.match(await registry.publish('second', second), { version: 2, existed: false })
    t.match(await registry.publish('first', first), { version: 1, existed: true })
    const { versions } = await registry.get('noise')
    t.strictSame(versions.map(({ version }) => version), [1, 2])
    t.strictSame(
      [...await registry.fetch('noise', versions[1]!)].sort(),
      [...second].map(([name, content]) => [name, Buffer.from(content)]).sort()
    )
    t.strictSame((await registry.list()).map(({ name }) => name), ['noise'])
    t.strictSame(await verifyRegistry(registry, store), [])
  },

  'a number that belongs to another package is a conflict, and the message says so': async (t, store) => {
    const registry = new Registry(store, () => NOW)
    await registry.publish('first', await noisePackage('noise', 1), 7)
    await t.rejects(registry.publish('second', await noisePackage('noise', 2), 7), {
      code: 'version-conflict',
      message: /version 7 of "noise" is another package/,
    })
    await t.rejects(registry.publish('first', await noisePackage('noise', 1), 8), {
      code: 'version-conflict',
      message: /is version 7/,
    })
    t.match(await registry.publish('first', await noisePackage('noise', 1), 7), { version: 7, existed: true })
    t.match(await registry.publish('second', await noisePackage('noise', 2)), { version: 8 })
  },

  'each of many concurrent publishers gets its own number, and equal packages share one': async (t, store) => {
    const packages = await Promise.all([1, 2, 3, 1, 2, 3].map(async (seed) => noisePackage('noise', seed)))
    const published = await Promise.all(
      packages.map(async (files, i) => new Registry(store, () => NOW).publish(`writer ${i}`, files))
    )
    t.strictSame([...new Set(published.map(({ version }) => version))].sort(), [1, 2, 3])
    for (const i of [0, 1, 2]) t.equal(published[i]!.version, published[i + 3]!.version)
    t.strictSame(await verifyRegistry(new Registry(store, () => NOW), store), [])
  },

  'aliases go forward and back, and keep their history': async (t, store) => {
    const registry = new Registry(store, () => NOW)
    for (const seed of [1, 2, 3]) await registry.publish('it', await noisePackage('noise', seed))
    await t.rejects(registry.rollback('noise'), { code: 'no-earlier-version', message: /stands for nothing/ })
    for (const version of [1, 2, 3]) t.equal((await registry.promote('noise', version)).current?.version, version)
    t.equal((await registry.promote('noise', 3)).history.length, 3, 'promoting what is live changes nothing')
    t.equal((await registry.rollback('noise')).current?.version, 2)
    t.equal((await registry.rollback('noise')).current?.version, 1)
    await t.rejects(registry.rollback('noise'), { code: 'no-earlier-version', message: /version 1 from the start/ })
    t.equal((await registry.promote('noise', 3)).current?.version, 3)
    t.equal((await registry.rollback('noise')).current?.version, 1)
    await registry.promote('noise', 2, 'shadow')
    t.equal((await registry.clear('noise', 'shadow')).current, undefined)
    const { aliases } = await registry.get('noise')
    t.strictSame(aliases.live.history.map((step) => 'version' in step && [step.action, step.version]), [
      ['promote', 1],
      ['promote', 2],
      ['promote', 3],
      ['rollback', 2],
      ['rollback', 1],
      ['promote', 3],
      ['rollback', 1],
    ])
    t.ok(aliases.live.history.every(({ at }) => at === '2026-01-01T00:00:00.000Z'))
    await t.rejects(registry.promote('noise', 9), {
      code: 'unknown-version',
      message: /has no version 9; it has 1, 2, 3/,
    })
    await t.rejects(registry.promote('other', 1), { code: 'unknown-model' })
  },

  'of many concurrent promotions, those that lose are refused': async (t, store) => {
    const registries = Array.from({ length: 6 }, () => new Registry(store, () => NOW))
    for (const seed of [1, 2, 3, 4, 5, 6]) await registries[0]!.publish('it', await noisePackage('noise', seed))
    const outcomes = await Promise.allSettled(registries.map(async (registry, i) => registry.promote('noise', i + 1)))
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [(outcome.reason as Problem).code] : []
    )
    t.ok(refused.every((code) => code === 'alias-conflict'))
    const { aliases: { live } } = await registries[0]!.get('noise')
    t.equal(live.history.length, outcomes.length - refused.length)
    t.ok(live.current !== undefined)
  },

  'damaged objects are found, and cannot be fetched': async (t, store) => {
    const registry = new Registry(store, () => NOW)
    const first = await registry.publish('first', await noisePackage('noise', 1))
    const second = await registry.publish('second', await noisePackage('noise', 2))
    const third = await registry.publish('third', await noisePackage('noise', 3))
    const whole = (await store.get(keys.package('noise', third.digest)))!
    await store.remove(keys.package('noise', first.digest))
    await store.remove(keys.package('noise', second.digest))
    await store.create(keys.package('noise', second.digest), whole)
    await store.remove(keys.package('noise', third.digest))
    await store.create(keys.package('noise', third.digest), whole.subarray(0, whole.length / 2))
    await store.create(keys.version('noise', 4), bytes('{"version": 4'))
    await store.create('models/noise/else', bytes('?'))
    await t.rejects(registry.fetch('noise', first), {
      code: 'invalid-model-package',
      message: /has no package sha256:/,
    })
    await t.rejects(registry.fetch('noise', second), { code: 'invalid-model-package', message: /was published/ })
    await t.rejects(registry.fetch('noise', third), { code: 'invalid-model-package' })
    const found = await verifyRegistry(registry, store)
    t.strictSame(found.map(({ what }) => what).sort(), [
      'models/noise/else',
      'models/noise/versions/000004.json',
      'noise@1',
      'noise@2',
      'noise@3',
    ])
  },

  'pruning removes only what no alias needs, and numbers are not reused': async (t, store) => {
    const registry = new Registry(store, () => NOW)
    for (const seed of [1, 2, 3, 4, 5, 6]) await registry.publish('it', await noisePackage('noise', seed))
    await registry.promote('noise', 1)
    await registry.promote('noise', 3)
    await registry.promote('noise', 2, 'shadow')
    await store.create(keys.package('noise', `sha256:${'0'.repeat(64)}`), bytes('of a writer that was killed'))
    t.strictSame(
      await pruneRegistry(registry, store, { keep: 1, now: Date.now() }),
      ['noise@4', 'noise@5'],
      'a package that was just created may still be in the middle of being published'
    )
    t.strictSame(await pruneRegistry(registry, store, { keep: 1, now: Date.now() + 4_000_000 }), [
      keys.package('noise', `sha256:${'0'.repeat(64)}`),
    ])
    t.strictSame((await registry.get('noise')).versions.map(({ version }) => version), [1, 2, 3, 6])
    t.strictSame(await verifyRegistry(registry, store), [])
    t.match(await registry.publish('another', await noisePackage('noise', 7)), { version: 7 })
    t.equal((await registry.rollback('noise')).current?.version, 1)
  },

  'feedback is stored beside the models, in the order of arrival': async (t, store) => {
    const fields = {
      model: 'noise',
      start: '2026-01-01T00:00:00Z',
      end: '2026-01-01T06:00:00+01:00',
      label: 'false-alarm' as const,
    }
    await addFeedback(store, fields, { version: '3', now: NOW })
    await addFeedback(store, { ...fields, label: 'confirmed', series: 't01', note: 'bearing' }, {
      version: null,
      now: NOW + 1,
    })
    t.match(await listFeedback(store, 'noise'), [
      { label: 'false-alarm', version: '3', at: '2026-01-01T00:00:00.000Z' },
      { label: 'confirmed', series: 't01', note: 'bearing', version: null },
    ])
    t.strictSame(await listFeedback(store, 'nois'), [])
    await store.create('feedback/noise/half.json', bytes('{"label": '))
    t.equal((await listFeedback(store, 'noise')).length, 2, 'an unreadable object hides no other')
    t.strictSame(await new Registry(store, () => NOW).list(), [])
  },
}
