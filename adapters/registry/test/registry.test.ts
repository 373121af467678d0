// The registry in a folder: its laws, the leftovers of a killed writer, and packages as archives.
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { aliasState } from '../aliases.ts'
import { packArchive, unpackArchive } from '../archive.ts'
import { needsFirstModel } from '../first-model.ts'
import { folderStore } from '../folder-store.ts'
import { bucketSettings, openStore } from '../open-store.ts'
import { keys, type Step } from '../records.ts'
import { Registry } from '../registry.ts'
import { LAWS } from './laws.ts'
import { noisePackage } from './packages.ts'

for (const [name, law] of Object.entries(LAWS)) {
  t.test(name, async (t) =>
    law(t, folderStore(join(t.testdir(), 'registry'))))
}

t.test('the file of a killed writer is not an object, and is removed later', async (t) => {
  const root = t.testdir()
  const store = folderStore(root)
  mkdirSync(join(root, '.unfinished'))
  for (const name of ['old', 'new']) writeFileSync(join(root, '.unfinished', name), 'half')
  utimesSync(join(root, '.unfinished/old'), 0, 0)
  t.strictSame(await store.list(''), [])
  t.strictSame(readdirSync(join(root, '.unfinished')), ['new'])
})

t.test('the error names a folder that cannot be used, and the remedy', async (t) => {
  const root = t.testdir({ file: 'text' })
  const store = folderStore(join(root, 'file'))
  await t.rejects(store.create('models/a', new Uint8Array()), {
    code: 'registry-unavailable',
    message: /file cannot be used \(ENOTDIR\); make it a folder/,
  })
  await t.rejects(folderStore(root).get('../outside'), { message: /is not the key/ })
})

t.test('the farm\'s model is trained where there is none, or where an earlier version wrote it', async (t) => {
  const folder = join(t.testdir(), 'registry')
  const needed = async (): Promise<boolean> => needsFirstModel('--registry', folder, {})
  t.equal(await needed(), true, 'no model')
  const store = folderStore(folder)
  const registry = new Registry(store, () => 0)
  await registry.publish('own', await noisePackage('own', 1))
  t.equal(await needed(), false, 'a model of somebody else')
  const farm = await noisePackage('wind-turbine', 1)
  await registry.publish('farm', farm)
  t.equal(await needed(), false, 'a model that is not live')
  await registry.promote('wind-turbine', 1)
  t.equal(await needed(), false, 'a model that this version reads')
  // What an earlier version has published.
  const manifest = JSON.parse(Buffer.from(farm.get('manifest.json')!).toString()) as object
  const older = new Map(farm).set('manifest.json', Buffer.from(JSON.stringify({ ...manifest, format: 2 })))
  const digest = `sha256:${'0'.repeat(64)}`
  const version = { version: 2, digest, publishedAt: new Date(0).toISOString(), bytes: 1 }
  await store.create(keys.version('wind-turbine', 2), Buffer.from(JSON.stringify(version)))
  await registry.promote('wind-turbine', 2)
  t.equal(await needed(), false, 'a package that is missing is not outdated')
  await store.create(keys.package('wind-turbine', digest), await packArchive(older))
  t.equal(await needed(), true, 'an older format')
  await t.rejects(needsFirstModel('--registry', join(t.testdir({ file: 'x' }), 'file'), {}), {
    code: 'registry-unavailable',
  })
})

t.test('the bytes of a package\'s archive depend only on its files', async (t) => {
  const files = await noisePackage('noise', 1)
  const archive = await packArchive(files)
  t.same(await packArchive(new Map([...files].reverse())), archive)
  t.same(
    [...await unpackArchive('it', archive)].sort(),
    [...files].map(([name, content]) => [name, Buffer.from(content)]).sort()
  )
  await t.rejects(unpackArchive('it', new Uint8Array(10)), {
    code: 'invalid-model-package',
    message: /it is not a model package/,
  })
  await t.rejects(unpackArchive('it', new TextEncoder().encode('text '.repeat(400))), {
    code: 'invalid-model-package',
    message: /cannot be read as a tar archive/,
  })
  await t.rejects(unpackArchive('it', await packArchive(new Map([['run.sh', new Uint8Array(3)]]))), {
    message: /it holds "run.sh"/,
  })
  await t.rejects(unpackArchive('it', new Uint8Array(1024)), { message: /no file/ })
  t.same(
    (await unpackArchive(
      'it',
      await packArchive(new Map([...files].map(([name, content]) => [`./noise/${name}`, content])))
    )).size,
    files.size
  )
})

t.test('a rollback undoes the latest promotion, whatever came before', async (t) => {
  const step = (action: 'promote' | 'rollback', version: number): Step => ({
    action,
    version,
    digest: `sha256:${String(version).padStart(64, '0')}`,
    at: '2026-01-01T00:00:00Z',
  })
  fc.assert(fc.property(fc.array(fc.option(fc.nat(9), { nil: undefined }), { maxLength: 30 }), (actions) => {
    const steps: Step[] = []
    const stack: number[] = []
    const numbered = () => steps.map((made, i) => ({ number: i + 1, step: made }))
    const state = (): ReturnType<typeof aliasState> => aliasState(numbered())
    for (const version of actions) {
      if (version !== undefined && version !== stack.at(-1)) {
        stack.push(version)
        steps.push(step('promote', version))
      } else if (stack.length > 1) {
        stack.pop()
        steps.push(step('rollback', stack.at(-1)!))
      }
      const { current, earlier, next } = state()
      if (current?.version !== stack.at(-1) || earlier?.version !== stack.at(-2) || next !== steps.length + 1) {
        return false
      }
    }
    return true
  }))
  const cut = aliasState([step('rollback', 2), step('promote', 5)].map((made, i) => ({ number: 7 + i, step: made })))
  t.match(cut, { current: { version: 5 }, earlier: { version: 2 }, next: 9 }, 'the log may lack its first steps')
})

t.test('a location is parsed, and the error names the setting that is missing or wrong', async (t) => {
  const access = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9000', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }
  t.match(bucketSettings('MODEL_REGISTRY', 's3://models/a/b/', access), {
    bucket: 'models',
    prefix: 'a/b/',
    region: 'us-east-1',
  })
  t.match(bucketSettings('MODEL_REGISTRY', 's3://models', { ...access, AWS_REGION: 'eu' }), {
    bucket: 'models',
    prefix: '',
    region: 'eu',
  })
  await t.rejects(openStore('MODEL_REGISTRY', 's3://models', { ...access, AWS_SECRET_ACCESS_KEY: '' }), {
    code: 'invalid-settings',
    message: /^AWS_SECRET_ACCESS_KEY is not set, and MODEL_REGISTRY is "s3:\/\/models"/,
  })
  await t.rejects(openStore('MODEL_REGISTRY', 's3://models', { ...access, AWS_ENDPOINT_URL: 'here' }), {
    message: /AWS_ENDPOINT_URL is not a URL/,
  })
  await t.rejects(openStore('MODEL_REGISTRY', 'http://models', access), { message: /write s3:\/\/bucket/ })
  t.equal((await openStore('MODEL_REGISTRY', t.testdirName, {})).location, t.testdirName)
  const store = await openStore('MODEL_REGISTRY', 's3://models/a', access)
  t.equal(store.location, 's3://models/a')
  store.close()
})
