// The model of the stream: waits for a first version, follows what is promoted, refuses what is bad and keeps what is
// good.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folderStore } from '../../registry/folder-store.ts'
import { Registry } from '../../registry/registry.ts'
import { noisePackage } from '../../registry/test/packages.ts'
import { waves } from '../../../core/test/synthetic.ts'
import { writePackage } from '../../tfjs/test/linear-packages.ts'
import { LiveModel, type LiveModelOptions, type LiveModelSettings } from '../live-model.ts'

const folder = t.testdir({ one: {}, two: {} })
const one = await writePackage(join(folder, 'one'), 'waves', waves(300))
const two = await writePackage(join(folder, 'two'), 'waves', waves(300, 3, 2))
const noise = await noisePackage('waves', 1)

function place (
  t: { testdir(): string }
): { registry: Registry, settings: (more?: Partial<LiveModelSettings>) => LiveModelSettings } {
  const location = join(t.testdir(), 'registry')
  mkdirSync(location)
  return {
    registry: new Registry(folderStore(location), Date.now),
    settings: (more = {}) => ({
      MODEL_REGISTRY: location,
      MODEL_REGISTRY_POLL_MS: 100,
      TFJS_BACKEND: 'auto',
      ...more,
    }),
  }
}

/** A log that remembers, and a promise of its next line that holds a text. */
function ears () {
  const lines: string[] = []
  const waiting: Array<{ text: string, heard: () => void }> = []
  const write = (details: object, message?: string): void => {
    lines.push(`${message} ${JSON.stringify(details)}`)
    for (const { text, heard } of waiting) if (lines.at(-1)!.includes(text)) heard()
  }
  const log = { info: write, warn: write, error: write } as unknown as LiveModelOptions['log']
  const hears = async (text: string): Promise<void> => {
    await new Promise<void>((resolve) => {
      waiting.push({ text, heard: resolve })
    })
  }
  return { lines, log, hears }
}

t.test('it waits for a first version, and takes each one that becomes live', async (t) => {
  const { registry, settings } = place(t)
  const { log, lines, hears } = ears()
  const switches: string[] = []
  const waits = hears('there is no model yet')
  const model = await LiveModel.open(settings(), { log, onSwitch: ({ version }) => { switches.push(version) } })
  t.teardown(async () => model.close())
  await waits
  t.match(model.waitingFor(), /has no live version yet/)
  t.throws(() => model.current, { code: 'not-ready' })
  await registry.publish('one', one)
  await registry.promote('waves', 1)
  await model.ready()
  t.equal(model.waitingFor(), undefined)
  t.match(model.current, { name: 'waves', version: '1', engines: ['kernel'] })
  await registry.publish('two', two)
  const [, digest] = (await registry.get('waves')).versions.map((version) => version.digest)
  const switched = hears(digest!)
  await registry.promote('waves', 2)
  await switched
  t.match(model.current, { version: '2', digest })
  await registry.rollback('waves')
  await model.refresh()
  t.equal(model.current.version, '1')
  await registry.clear('waves', 'live')
  await model.refresh()
  t.equal(model.current.version, '1', 'what is used stays when nothing is live any more')
  t.same(switches, ['1', '2', '1'])
  t.equal(lines.filter((line) => line.startsWith('there is no model')).length, 1, 'said once')
})

t.test('a version that cannot be used is refused once, and the one before goes on', async (t) => {
  const { registry, settings } = place(t)
  const { log } = ears()
  const refusals: string[] = []
  let clock = 1_000_000
  for (const [name, files] of [['one', one], ['noise', noise]] as const) await registry.publish(name, files)
  await registry.promote('waves', 1)
  await registry.promote('waves', 2)
  const options = { log, now: () => clock, onRefusal: ({ version }: { version: string }) => { refusals.push(version) } }
  const model = await LiveModel.open(settings({ MODEL_REGISTRY_POLL_MS: 86_400_000 }), options)
  t.teardown(async () => model.close())
  await model.ready()
  t.equal(model.current.version, '1', 'the version before the live one, where that is of no use')
  await model.refresh()
  t.same(refusals, ['2'], 'it is not tried again at once')
  clock += 60_000
  await model.refresh()
  t.same(refusals, ['2', '2'], 'but some time later')
})

t.test('of several live models one must be named', async (t) => {
  const { registry, settings } = place(t)
  for (const [name, files] of [
    ['one', one],
    ['other', await writePackage(t.testdir(), 'other', waves(300, 2))],
  ] as const) await registry.publish(name, files)
  await registry.promote('waves', 1)
  const { log } = ears()
  const opened = async (changes?: Partial<LiveModelSettings>): Promise<LiveModel> => {
    const model = await LiveModel.open(settings(changes), { log })
    t.teardown(async () => model.close())
    return model
  }
  const first = await opened()
  await first.ready()
  await registry.promote('other', 1)
  await first.refresh()
  t.equal(first.current.name, 'waves', 'who has one keeps to it')
  await t.rejects((await opened()).ready(), {
    code: 'invalid-settings',
    message: /several live models: other, waves. Set STREAM_MODEL/,
  })
  const other = await opened({ STREAM_MODEL: 'other' })
  await other.ready()
  t.equal(other.current.name, 'other')
})

t.test('the wait for a model can be given up', async (t) => {
  const { settings } = place(t)
  const { log, hears } = ears()
  const given = new AbortController()
  const waits = hears('no live version of \\"pump\\" yet')
  const model = await LiveModel.open(settings({ STREAM_MODEL: 'pump', MODEL_REGISTRY_POLL_MS: 86_400_000 }), { log })
  await waits
  const ready = model.ready(given.signal)
  given.abort(new Error('that is enough'))
  await t.rejects(ready, /that is enough/)
  const closed = model.ready()
  await model.close()
  await t.rejects(closed, { code: 'not-ready' })
})
