// `npm run compare`: judges all packages on the same test part, gets the figures of the pipeline's own report, and
// refuses packages that do not fit.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { type Comparison, main } from '../compare.ts'
import { runPipeline } from '../pipeline.ts'
import { silent } from '../stages/progress.ts'
import { CHANNELS, PARAMS, plantParams, plantPaths, timeAt, writePlant } from './fixture.ts'
import { runProgram } from './run-program.ts'

const root = t.testdir({})
const raw = join(root, 'plant')
const [labels, feedback, params] = ['labels.csv', 'feedback.csv', 'params.yaml'].map((name) => join(root, name)) as [
  string,
  string,
  string
]
await writePlant(raw)
await writeFile(feedback, 'series,start,end,label\n')
await writeFile(params, stringify(PARAMS))

const train = async (name: string, changes: Parameters<typeof plantParams>[0] = {}, table = {}) => {
  const paths = plantPaths(raw, join(root, name), labels, feedback)
  return { paths, digest: await runPipeline({ paths, params: plantParams(changes), progress: silent, table }) }
}
const good = await train('good')
const blind = await train('blind', {
  train: { ...PARAMS.train, causal: { smoothing: 5, factor: 90 }, batch: { smoothing: 7, factor: 90 } },
})

const flags = (
  prepared = good.paths.prepared,
  faults = labels
) => ['--prepared', prepared, '--labels', faults, '--feedback', feedback, '--params', params]
const compare = async (folders: readonly string[], prepared?: string, faults?: string): Promise<Comparison> => {
  let text = ''
  await main([...folders, ...flags(prepared, faults)], (printed) => { text += printed })
  return JSON.parse(text) as Comparison
}

t.test('each package is judged as the pipeline judges its own', async (t) => {
  const { seriesWeeks, packages } = await compare([good.paths.package, blind.paths.package])
  t.equal(seriesWeeks.toFixed(3), '0.397', 'two series of 200 observations')
  t.strictSame(packages.map(({ name, digest }) => [name, digest]), [['plant', good.digest], ['plant', blind.digest]])
  for (const [i, { paths }] of [good, blind].entries()) {
    const metrics = JSON.parse(await readFile(join(paths.reports, 'metrics.json'), 'utf8')) as Record<
      'batch' | 'causal',
      Record<string, number>
    >
    for (const scoring of ['batch', 'causal'] as const) {
      for (const key of ['f1', 'vusPr', 'falseAnomaliesPerSeriesWeek'] as const) {
        t.equal(Number(packages[i]![scoring][key]!.toPrecision(6)), metrics[scoring][key], `${scoring} ${key}`)
      }
      t.equal(packages[i]![scoring].faults, 1)
    }
  }
  t.strictSame(packages.map(({ batch, causal }) => [batch.found, causal.found]), [[1, 1], [1, 1]])
})

t.test('a fault that nothing overlaps is not found; without labels, only anomalies are counted', async (t) => {
  const elsewhere = join(root, 'elsewhere.csv')
  await writeFile(elsewhere, `series,fault,start,end\nB,none,${timeAt(450)},${timeAt(455)}\n`)
  const missed = await compare([good.paths.package], undefined, elsewhere)
  t.match(missed, { packages: [{ batch: { found: 0, faults: 1 }, causal: { found: 0, faults: 1 } }] })
  const other = join(root, 'no-labels.csv')
  await writeFile(other, 'series,fault,start,end\n')
  let text = ''
  await main([good.paths.package, ...flags(), '--labels', other], (printed) => {
    text += printed
  })
  t.match(JSON.parse(text), {
    packages: [{ batch: { found: 0, faults: 0, f1: null, vusPr: null }, causal: { f1: null } }],
  })
})

t.test('a package with the same channels in another order is judged, too', async (t) => {
  const turned = await train('turned', {}, { channels: CHANNELS.toReversed() })
  const { packages } = await compare([good.paths.package, turned.paths.package])
  t.equal(packages[1]!.causal.found, 1)
})

t.test('packages that do not fit, or a missing test part, are refused with the remedy', async (t) => {
  const fewer = await train('fewer', {}, { exclude: ['oil_c'] })
  await t.rejects(compare([good.paths.package, fewer.paths.package]), {
    code: 'invalid-settings',
    message: new RegExp(
      'fewer/package cannot be compared: its channels and those of the test part differ in oil_c\\. ' +
        '.*npm run models -- promote'
    ),
  })
  await t.rejects(compare([good.paths.package], fewer.paths.prepared), {
    code: 'invalid-settings',
    message: /good\/package/,
  })
  const all = await train('all', { prepare: { trainUntil: timeAt(10_000) } })
  await t.rejects(compare([all.paths.package], all.paths.prepared), {
    code: 'no-training-data',
    message: /no test part .* prepare\.trainUntil/,
  })
  await t.rejects(compare([join(root, 'nowhere')]), { code: 'invalid-model-package' })
})

t.test('as a program', async (t) => {
  const done = await runProgram('compare.ts', [
    'good/package',
    '--prepared',
    'good/prepared',
    '--labels',
    'labels.csv',
    '--feedback',
    'feedback.csv',
    '--params',
    'params.yaml',
    '--out',
    'comparison.json',
  ], root)
  t.strictSame([done.code, done.stdout], [0, ''], done.stderr)
  t.match(JSON.parse(await readFile(join(root, 'comparison.json'), 'utf8')), { packages: [{ digest: good.digest }] })
})
