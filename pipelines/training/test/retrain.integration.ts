// The four steps without DVC, on a small plant and a registry in a folder: which models are published and promoted, and
// why.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { addFeedback } from '../../../adapters/registry/feedback.ts'
import { folderStore } from '../../../adapters/registry/folder-store.ts'
import { Registry } from '../../../adapters/registry/registry.ts'
import { createRandom } from '../../../core/random.ts'
import { main } from '../main.ts'
import { readState } from '../state.ts'

const repository = join(import.meta.dirname, '..', '..', '..')
const START = Date.UTC(2026, 0, 1)
const timeAt = (row: number): string => new Date(START + row * 600_000).toISOString()
/** The programs run without the loader of the test runner. */
const { NODE_OPTIONS: _, ...env } = process.env

/** Two channels that correlate, except in a fault. */
function table (): string {
  const random = createRandom('retrain')
  const rows = Array.from({ length: 600 }, (_, row) => {
    const load = 8 + 3 * Math.sin(row / 11) + 2 * Math.cos(row / 37) + 0.3 * random.normal()
    return [timeAt(row), load, 40 + 1.5 * load + 0.2 * random.normal() + (row >= 500 && row < 530 ? 6 : 0)].join(',')
  })
  return `time,load_kw,oil_c\n${rows.join('\n')}\n`
}

const root = t.testdir({})
const registry = join(root, 'registry')
process.chdir(root)
await mkdir('data/turbines', { recursive: true })
await mkdir('model-creation')
await writeFile('data/turbines/A.csv', table())
await writeFile('data/labels.csv', `series,fault,start,end\nA,overheating,${timeAt(500)},${timeAt(529)}\n`)
await writeFile('model-creation/dvc.yaml', await readFile(join(repository, 'model-creation/dvc.yaml'), 'utf8'))

async function choose (factor: number): Promise<void> {
  const base = parse(await readFile(join(repository, 'model-creation/params.yaml'), 'utf8')) as { train: object }
  await writeFile(
    'model-creation/params.yaml',
    stringify({
      ...base,
      prepare: { interval: 'PT10M', trainUntil: timeAt(400), feedbackContext: 'PT5H' },
      train: {
        ...base.train,
        windowLength: 6,
        tail: 6,
        folds: 2,
        causal: { smoothing: 5, factor },
        batch: { smoothing: 7, factor },
      },
      package: { name: 'plant' },
    })
  )
}

const retrain = async (...args: string[]): Promise<string> => {
  let printed = ''
  await main([...args, '--registry', registry, '--no-dvc'], (text) => { printed += text }, env)
  return printed
}
const standing = async () => {
  const [model] = await new Registry(folderStore(registry), Date.now).list()
  return { versions: model?.versions.map(({ version }) => version) ?? [], live: model?.aliases.live.current?.version }
}
const report = async (): Promise<string> => readFile('pipelines/training/out/report.md', 'utf8')

t.test('a step that needs an earlier one says so, and a failure is reported', async (t) => {
  await choose(1.3)
  await t.rejects(retrain('publish'), { code: 'invalid-settings', message: /step train has not run/ })
  t.match(await report(), /^Failed at publish: The step train has not run.*The live model is what it was\.$/m)
  await t.rejects(retrain('evaluate'), { code: 'invalid-settings' })
  t.strictSame(await standing(), { versions: [], live: undefined })
})

t.test('the first model is published and promoted, step by step', async (t) => {
  await choose(3)
  for (const step of ['pull', 'train']) await retrain(step)
  t.match(await retrain('evaluate', '--print'), /^# Retraining of plant\n\nTo be promoted: No model was live\.$/m)
  t.match(
    await retrain('publish'),
    new RegExp(
      '^plant@1 is published in .*, and live: No model was live\\.\\n' +
        'The report is pipelines/training/out/report\\.md\\.\\n$'
    )
  )
  t.strictSame(await standing(), { versions: [1], live: 1 })
  t.equal(await readFile('data/feedback.csv', 'utf8'), 'series,start,end,label\n', 'made where it was missing')
})

t.test('the same data publish nothing new', async (t) => {
  t.match(await retrain(), /^Nothing new: plant@1 is live/)
  t.match(await retrain('publish'), /^Nothing new/)
  t.strictSame(await standing(), { versions: [1], live: 1 })
})

t.test('a worse model is published and not promoted, a better one is', async (t) => {
  await choose(2.5)
  t.match(await retrain('run'), /^plant@2 is published in .*, and not promoted; version 1 stays live: /)
  t.strictSame(await standing(), { versions: [1, 2], live: 1 })
  t.match(
    await report(),
    /\| no \| /
  )
  await choose(90)
  t.match(await retrain(), /^plant@3 is published in .*, and live: There is an improvement: .*a higher F1/)
  t.strictSame(await standing(), { versions: [1, 2, 3], live: 3 })
})

t.test('the next training uses feedback', async (t) => {
  const store = folderStore(registry)
  const sendFeedback = async (label: 'confirmed' | 'false-alarm', from: number, to: number) =>
    addFeedback(store, { model: 'plant', start: timeAt(from), end: timeAt(to), label }, {
      version: '3',
      now: Date.now(),
    })
  await sendFeedback('confirmed', 100, 119)
  await sendFeedback('false-alarm', 420, 429)
  await sendFeedback('confirmed', 9, 8)
  await retrain()
  const state = await readState('pipelines/training/out/report.json')
  t.strictSame(state?.pull?.feedback, { statements: 2, dropped: 1 })
  t.match(JSON.parse(await readFile('model-creation/out/reports/data-quality.json', 'utf8')), [{
    name: 'A',
    feedback: { left: 20, entered: 10, around: 50 },
  }])
  t.equal(state?.publish?.version, 4)
  await rm('data', { recursive: true })
  await mkdir('data/turbines', { recursive: true })
  await writeFile('data/turbines/A.csv', table())
  await retrain('pull')
  t.match(
    await readFile('data/feedback.csv', 'utf8'),
    /^series,start,end,label\n,2026-01-01T16:40:00\.000Z,2026-01-01T19:50:00\.000Z,confirmed\n,.*,false-alarm\n$/
  )
  t.equal(await readFile('data/labels.csv', 'utf8'), 'series,fault,start,end\n')
  await writeFile('data/labels.csv', `series,fault,start,end\nA,overheating,${timeAt(500)},${timeAt(529)}\n`)
})

t.test('a model that somebody rolled back is not promoted by a program', async (t) => {
  const open = new Registry(folderStore(registry), Date.now)
  await retrain('train')
  await open.promote('plant', 4)
  await open.rollback('plant')
  await retrain('evaluate')
  t.match(
    await retrain('publish'),
    new RegExp(
      '^plant@4 had been published before in .*, and not promoted; ' +
        'version 3 stays live: Somebody rolled this very model back'
    )
  )
  t.strictSame(await standing(), { versions: [1, 2, 3, 4], live: 3 })
})

t.test('changes between the steps stop the publication', async (t) => {
  const open = new Registry(folderStore(registry), Date.now)
  await open.promote('plant', 2)
  await t.rejects(retrain('publish'), {
    code: 'alias-conflict',
    message:
      /was version 3 when the models were compared, and is version 2 now; compare again: npm run retrain -- evaluate\./,
  })
  await open.rollback('plant')
  await writeFile('model-creation/out/models/wind-turbine/digest.txt', `sha256:${'0'.repeat(64)}\n`)
  await t.rejects(retrain('evaluate'), { code: 'invalid-settings', message: /but the step train wrote/ })
  await t.rejects(retrain('publish'), { code: 'invalid-settings', message: /step evaluate has not run/ })
  t.equal((await standing()).live, 3)
})

t.test('a failing program is reported with its own sentence, and nothing changes', async (t) => {
  const standingBefore = await standing()
  await writeFile('data/feedback.csv', 'series,start,end,label\n,yesterday,today,confirmed\n')
  await t.rejects(retrain('train'), {
    code: 'invalid-table',
    message: /^model-creation\/pipeline failed: data\/feedback\.csv, line 2: start/,
  })
  t.match(await report(), /^Failed at train: /m)
  await t.rejects(retrain('run', '--from', 'minio'), {
    code: 'invalid-settings',
    message: /^model-creation\/data failed: --from minio needs the place/,
  })
  t.strictSame(await standing(), standingBefore)
})

t.test('the command refuses wrong options', async (t) => {
  await t.rejects(retrain('pull', '--from', 'dvc'), { code: 'invalid-settings', message: /--from dvc needs DVC/ })
  await t.rejects(retrain('pull', '--', '--bucket', 'x'), { code: 'invalid-settings' })
  await t.rejects(retrain('train', '--push'), { code: 'invalid-settings', message: /unknown option '--push'/ })
  await t.rejects(retrain('bake'), { code: 'invalid-settings' })
  let help = ''
  await main(['--help'], (text) => { help += text }, env)
  for (const word of ['run', 'pull', 'train', 'evaluate', 'publish']) t.match(help, word)
  await t.rejects(main(['train', '--registry', registry], () => {}, { PATH: root }), {
    code: 'invalid-settings',
    message: /DVC is not installed; .*npm run setup:dvc/,
  })
  await writeFile('model-creation/params.yaml', 'train: [1\n')
  await t.rejects(retrain('train'), {
    code: 'invalid-settings',
    message: /^model-creation\/params\.yaml: .*at line 2, column 1:$/,
  })
  process.chdir(t.testdir({}))
  await t.rejects(main(['train', '--registry', registry, '--no-dvc'], () => {}, env), {
    code: 'invalid-settings',
    message: /params\.yaml cannot be read/,
  })
})
