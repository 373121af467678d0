// The training pipeline on a small plant: what it writes, refuses and keeps, and that it is reproducible.
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { observation } from '../../core/series/series.ts'
import { loadBackend } from '../../adapters/tfjs/backend.ts'
import { loadModelPackage } from '../../adapters/tfjs/model-package.ts'
import { readSeriesFolder, replaceDirectory, writeSeries } from '../adapters/series-files.ts'
import { evaluate } from '../stages/evaluate.ts'
import { packageModel, refuseForeignFolder } from '../stages/package.ts'
import { main, runPipeline } from '../pipeline.ts'
import { prepare } from '../stages/prepare.ts'
import { silent, terminalProgress } from '../stages/progress.ts'
import { type StageContext } from '../stages/stage.ts'
import { train } from '../stages/train.ts'
import {
  CHANNELS,
  FAULT,
  FLAWS,
  GERMAN,
  INTERVAL,
  LABELS,
  PARAMS,
  plantParams,
  plantPaths,
  recordingProgress,
  ROWS,
  START,
  tableText,
  timeAt,
  TRAIN_UNTIL,
  writePlant,
} from './fixture.ts'
import { runHere, runProgram } from './run-program.ts'

const backend = await loadBackend(plantParams().train.backend)

const json = async (...path: string[]): Promise<unknown> => JSON.parse(await readFile(join(...path), 'utf8'))

/** A context over `raw` that writes into `out`. */
function contextOf (
  raw: string,
  out: string,
  given: { params?: Parameters<typeof plantParams>[0], labels?: string, progress?: StageContext['progress'] } = {}
): StageContext {
  return {
    paths: plantPaths(raw, out, given.labels),
    params: plantParams(given.params),
    progress: given.progress ?? silent,
    table: {},
  }
}

/** Everything below a folder, by path. */
async function filesOf (folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const files = await Promise.all(
    names.map(async ({ parentPath, name }) =>
      [join(parentPath, name).slice(folder.length + 1), await readFile(join(parentPath, name), 'base64')] as const
    )
  )
  return Object.fromEntries(files.sort())
}

/** The plant that several tests need: trained once, with labels. */
const trained = await (async () => {
  const root = t.testdir({})
  const raw = join(root, 'plant')
  await writePlant(raw)
  const progress = recordingProgress()
  const context = contextOf(raw, join(root, 'out'), { labels: join(root, 'labels.csv'), progress })
  const before = backend.tf.memory().numTensors
  const digest = await runPipeline(context)
  return { root, raw, progress, context, digest, tensors: backend.tf.memory().numTensors - before }
})()

/** Copies what the pipeline wrote for the trained plant: a test then runs only the stages that it is about. */
async function copyTrained (out: string): Promise<void> {
  await cp(join(trained.root, 'out'), out, { recursive: true })
}

t.test('from raw tables to a package that loads, with correct reports', async (t) => {
  const { root, progress, context: { paths, ...context }, digest } = trained
  t.equal(trained.tensors, 0, 'the stages leave no tensor behind')

  await t.test('the package', async (t) => {
    const loaded = await loadModelPackage(paths.package, 'auto')
    t.teardown(() => loaded.dispose())
    t.equal(loaded.digest, digest)
    t.equal(loaded.goldenDifference, 0)
    t.match(loaded.manifest, {
      name: 'plant',
      architecture: 'linear',
      training: { series: 2, observations: 800, backend: backend.name },
    })
    t.match(loaded.manifest.detector, {
      channels: CHANNELS,
      interval: INTERVAL,
      windowLength: 6,
      batch: { smoothing: 7 },
      causal: { smoothing: 5 },
    })
    t.ok(
      loaded.manifest.detector.batch.threshold > 0.05 && loaded.manifest.detector.causal.threshold > 0.05,
      'thresholds above the floor'
    )
    const golden = await json(paths.package, 'golden.json') as { batch: Array<number | null> }
    t.equal(golden.batch.length, 60)
    const card = await readFile(join(paths.package, 'MODEL_CARD.md'), 'utf8')
    for (const fact of [
      digest,
      'speed_ms, power_kw, oil_c',
      'PT10M',
      '800 observations of 2 series',
      loaded.manifest.training.dataSha256,
      'falseAnomaliesPerSeriesWeek',
      /Finds in \w+ a spike of \d σ in \d+ %.* false anomalies per 1,000 observations/,
    ]) t.match(card, fact)
  })

  await t.test('the series on their grid', async (t) => {
    const parts = await Promise.all(
      ['train', 'test'].map(async (part) => readSeriesFolder(join(paths.prepared, part), INTERVAL))
    )
    t.strictSame(parts.map((series) => series.map(({ name }) => name)), [['A', 'B'], ['A', 'B']])
    const [[a], [aTest]] = parts as [[NonNullable<typeof parts[0]>[0]], [NonNullable<typeof parts[0]>[0]]]
    t.strictSame([a.series.start, a.series.length, aTest.series.start, aTest.series.length], [
      START,
      400,
      START + 400 * INTERVAL,
      200,
    ])
    t.ok(FLAWS.absent.every((row) => observation(a.series, row).every(Number.isNaN)), 'missing rows stay missing')
    t.ok(FLAWS.emptyOil.every((row) => Number.isNaN(observation(a.series, row)[2]!)))
    t.ok(
      observation(a.series, FLAWS.late).every(Number.isFinite) &&
        observation(a.series, FLAWS.duplicate).every(Number.isFinite)
    )
  })

  await t.test('the quality of the data', async (t) => {
    const [a, b] = await json(paths.reports, 'data-quality.json') as Array<Record<string, unknown>>
    const flaws = { missing: 2, duplicates: 1, outOfOrder: 1 }
    t.match(a, {
      name: 'A',
      observations: ROWS,
      textColumns: [],
      profile: { rows: ROWS + 1 - 2, duplicateRows: 1, disagreements: [] },
    })
    t.strictSame(a!['quality'], { speed_ms: flaws, power_kw: flaws, oil_c: { ...flaws, missing: 5 } })
    const none = { missing: 0, duplicates: 0, outOfOrder: 0 }
    t.match(b, {
      name: 'B',
      profile: { rows: ROWS, duplicateRows: 0, disagreements: [] },
      quality: { speed_ms: none, power_kw: none, oil_c: none },
    })
    const oil = (a as { profile: { columns: Array<{ column: string, missing: number, max: number }> } }).profile.columns
      .find(({ column }) => column === 'oil_c')
    t.equal(oil?.missing, FLAWS.emptyOil.length)
    const markdown = await readFile(join(paths.reports, 'data-quality.md'), 'utf8')
    t.match(markdown, '599 rows, 1 of them exact duplicates; 600 observations on the grid.')
    t.match(markdown, /^\| oil_c \| float32 \| 3 \| .* \| 5 \| 1 \| 1 \|$/m)
    t.match(markdown, /^\| power_kw \| float32 \| 0 \| .* \| 2 \| 1 \| 1 \|$/m)
  })

  await t.test('the metrics', async (t) => {
    const metrics = await json(paths.reports, 'metrics.json') as Record<string, Record<string, unknown>>
    t.strictSame(Object.keys(metrics), ['batch', 'causal'])
    for (const scoring of ['batch', 'causal']) {
      t.strictSame(Object.keys(metrics[scoring]!).sort(), [
        'f1',
        'falseAnomaliesPerSeriesDay',
        'falseAnomaliesPerSeriesWeek',
        'far',
        'faults',
        'mar',
        'rangeF1',
        'vusPr',
      ])
      t.ok((metrics[scoring]!['f1'] as number) > 0.6, `f1 ${metrics[scoring]!['f1']}`)
      t.match(metrics[scoring]!['faults'], { overheating: { occurrences: 1, found: 1, foundShare: 1 } })
    }
    const findings = await json(paths.reports, 'findings.json') as Array<{ causalDelayHours: number }>
    t.match(findings, [
      {
        series: 'A',
        fault: 'overheating',
        start: new Date(START + FAULT.from * INTERVAL).toISOString(),
        batchDelayHours: Number,
        causalDelayHours: Number,
      },
    ])
    t.ok(findings[0]!.causalDelayHours <= 1, 'causal scoring finds the fault within an hour')
    const curve = await json(paths.reports, 'threshold-curve.json') as Array<
      { level: number, batchFound: number, batchFalse: number }
    >
    t.match(curve.find(({ level }) => level === 1), {
      batchFound: 1,
      batchFalse: metrics['batch']!['falseAnomaliesPerSeriesWeek'],
    })
    t.match(await json(paths.reports, 'found.vl.json'), { $schema: /vega-lite/, data: { values: curve } })
    t.equal((await json(paths.reports, 'learning-curve.json') as unknown[]).length, 1)
    const calibration = await json(paths.reports, 'calibration.json') as Array<{ quantile: number, batch: number }>
    t.ok(
      Math.abs(calibration.find(({ quantile }) => quantile === 0.99)!.batch - 1 / 1.3) < 1e-5,
      'the threshold is factor × quantile'
    )
  })

  t.strictSame(progress.lines.filter((text) => /^[a-z]+$/.test(text)), ['prepare', 'train', 'evaluate', 'package'])
  t.match(
    progress.lines.find((text) => text.startsWith('6/6')),
    /mean squared error/,
    'two folds and the model itself, twice'
  )
  t.ok(progress.lines.includes('2/2 B: 600 observations every PT10M'))

  const package1 = await filesOf(paths.package)
  t.equal(await runPipeline({ paths, ...context }), digest, 'again in the same process')
  t.strictSame(await filesOf(paths.package), package1, 'a package depends on no clock and no counter')
  t.strictSame(
    await readdir(join(root, 'out')),
    ['model', 'package', 'prepared', 'reports'],
    'no temporary folder is left'
  )
})

t.test('several members by default: their package, its card and its reports, and it may be replaced', async (t) => {
  const root = t.testdir({})
  const { raw } = trained
  const progress = recordingProgress()
  const context = contextOf(raw, join(root, 'out'), {
    labels: join(trained.root, 'labels.csv'),
    progress,
    params: { train: { architecture: undefined, windowLength: undefined } },
  })
  const before = backend.tf.memory().numTensors
  const digest = await runPipeline(context)
  t.equal(await runPipeline(context), digest, 'it may replace its own files')
  t.equal(backend.tf.memory().numTensors, before)
  const { package: folder, reports } = context.paths
  t.strictSame((await readdir(folder)).sort(), [
    'MODEL_CARD.md',
    'digest.txt',
    'golden.json',
    'manifest.json',
    'model-2.json',
    'model-3.json',
    'model-4.json',
    'model.json',
    'weights-2.bin',
    'weights-3.bin',
    'weights-4.bin',
    'weights.bin',
  ])
  const loaded = await loadModelPackage(folder, 'auto')
  t.strictSame([loaded.digest, loaded.goldenDifference], [digest, 0])
  loaded.dispose()
  t.match(loaded.manifest, {
    architecture: 'ensemble',
    detector: {
      windowLength: 32,
      members: [{ windowLength: 8, tail: 4 }, { windowLength: 8, tail: 4 }, { windowLength: 32, tail: 8 }],
    },
    training: {
      parameters: {
        members: [{ architecture: 'linear', varianceShare: 0.8 }, { architecture: 'masked', ridge: 0.03 }, {
          architecture: 'linear',
        }],
      },
    },
  })
  t.match(
    await readFile(join(folder, 'MODEL_CARD.md'), 'utf8'),
    'ensemble: geometric mean of the errors of linear on windows of 8, masked on windows of 8, linear on windows of 32'
  )
  t.strictSame((await json(reports, 'learning-curve.json') as Array<{ member: number }>).map(({ member }) => member), [
    1,
    2,
    3,
  ])
  t.match(await json(reports, 'metrics.json'), {
    batch: { faults: { overheating: { found: 1 } } },
    causal: { faults: { overheating: { found: 1 } } },
  })
  t.equal(
    progress.lines.filter((text) => text.startsWith('18/18')).length,
    2,
    'three autoencoders, two folds and the whole, for the model and for its sensitivity sheet, twice'
  )
  t.ok(
    progress.lines.some((text) =>
      text.startsWith(
        'linear on windows of 8, masked on windows of 8, linear on windows of 32, filters on windows of 32; thresh'
      )
    )
  )
  await rm(context.paths.model, { recursive: true })
  await cp(trained.context.paths.model, context.paths.model, { recursive: true })
  await packageModel(contextOf(raw, join(root, 'out')))
  t.strictSame((await readdir(folder)).length, 6, 'a smaller package may replace it')
})

t.test('semicolons, decimal commas and dates that start with the day are the same data', async (t) => {
  const root = t.testdir({})
  const [plain, german] = [join(root, 'plain', 'plant'), join(root, 'german', 'plant')]
  await Promise.all([writePlant(plain), writePlant(german, GERMAN)])
  for (const raw of [plain, german]) await prepare(contextOf(raw, join(raw, '..', 'out')))
  const [a, b] = await Promise.all([plain, german].map(async (raw) => filesOf(join(raw, '..', 'out', 'prepared'))))
  const { 'prepared.json': _, ...series } = a!
  t.match(b, series, 'train and test, byte for byte')
  const [plainReport, germanReport] = await Promise.all(
    [plain, german].map(async (raw) =>
      await json(raw, '..', 'out', 'reports', 'data-quality.json') as Array<
        { quality: unknown, profile: { columns: Array<{ column: string }>, disagreements: string[] } }
      >
    )
  )
  t.strictSame(germanReport!.map(({ quality }) => quality), plainReport!.map(({ quality }) => quality))
  t.strictSame(germanReport![0]!.profile.disagreements, CHANNELS, 'danfojs cannot read it, and the report says so')
  const columns = (report: typeof plainReport): unknown =>
    report![0]!.profile.columns.filter(({ column }) => column !== 'time')
  t.strictSame(columns(germanReport), columns(plainReport), 'the profile still shows the numbers')
  t.match(
    await readFile(join(german, '..', 'out', 'reports', 'data-quality.md'), 'utf8'),
    'Read differently by danfojs'
  )
})

t.test('a single file, text columns, awkward names and an extension in capitals', async (t) => {
  const root = t.testdir({})
  const [header, ...rows] = tableText('B').trimEnd().split('\n')
  const text = [
    `${header!.replace('speed_ms', '"wind, ""free"" | m/s"')},state`,
    ...rows.map((row) => `${row},running`),
  ].join('\n')
  await writeFile(join(root, 'EXPORT 1.CSV'), text)
  const { paths, ...context } = contextOf(join(root, 'EXPORT 1.CSV'), join(root, 'out'))
  const digest = await runPipeline({ paths, ...context })
  const loaded = await loadModelPackage(paths.package, 'auto')
  t.equal(loaded.digest, digest)
  t.strictSame(loaded.manifest.detector.channels, ['wind, "free" | m/s', 'power_kw', 'oil_c'])
  loaded.dispose()
  t.match(await json(paths.reports, 'data-quality.json'), [{ name: 'EXPORT 1', textColumns: ['state'] }])
  const markdown = await readFile(join(paths.reports, 'data-quality.md'), 'utf8')
  t.match(markdown, 'Left out because they hold text: state.')
  t.match(markdown, '| wind, "free" \\| m/s |', 'a name does not break the table')
})

t.test('columns can be chosen, and files with another interval are refused', async (t) => {
  const root = t.testdir({})
  const raw = join(root, 'plant')
  await writePlant(raw)
  const context = contextOf(raw, join(root, 'out'))
  await runPipeline({ ...context, table: { channels: ['power_kw', 'speed_ms', 'oil_c'], exclude: ['oil_c'] } })
  t.same((await loadModelPackage(context.paths.package, 'auto')).manifest.detector.channels, ['power_kw', 'speed_ms'])
  await t.rejects(runPipeline({ ...context, table: { channels: ['sped_ms'] } }), {
    code: 'missing-channel',
    message: /"sped_ms"/,
  })
  await writeFile(join(raw, 'C.csv'), tableText('B').split('\n').filter((_, i) => i % 2 === 0).join('\n'))
  await t.rejects(runPipeline(context), { code: 'interval-mismatch', message: /C\.csv: .*PT20M.*PT10M/ })
})

t.test('a folder with somebody else\'s manifest.json is not replaced', async (t) => {
  const root = t.testdir({ site: { 'manifest.json': '{}', 'index.html': 'mine' } })
  await t.rejects(refuseForeignFolder(join(root, 'site')), { code: 'invalid-settings', message: /index\.html/ })
})

t.test('without labels, only anomalies are counted; without a test part, nothing', async (t) => {
  const root = t.testdir({})
  const { raw } = trained
  const progress = recordingProgress()
  const { paths, ...context } = contextOf(raw, join(root, 'out'), { progress })
  await copyTrained(join(root, 'out'))
  await evaluate({ paths, ...context })
  const metrics = await json(paths.reports, 'metrics.json') as Record<string, Record<string, number>>
  t.strictSame(Object.entries(metrics).map(([scoring, found]) => [scoring, Object.keys(found)]), [
    ['batch', ['anomaliesPerSeriesWeek']],
    ['causal', ['anomaliesPerSeriesWeek']],
  ])
  // Two series of 200 observations are 0.397 weeks.
  t.ok(
    Object.values(metrics).every(({ anomaliesPerSeriesWeek }) =>
      anomaliesPerSeriesWeek! >= 1 / 0.397 && anomaliesPerSeriesWeek! < 15
    ),
    JSON.stringify(metrics)
  )
  t.ok(progress.lines.some((text) => text.includes('there are no labels to compare with')))
  const all = recordingProgress()
  await runPipeline({
    ...contextOf(raw, join(root, 'out'), {
      params: { prepare: { trainUntil: null } },
      labels: join(trained.root, 'labels.csv'),
      progress: all,
    }),
  })
  t.strictSame(await json(paths.reports, 'metrics.json'), {})
  t.ok(all.lines.some((text) => text.includes('there is no test part')))
  t.match(await readFile(join(paths.package, 'MODEL_CARD.md'), 'utf8'), 'No test part: nothing was held back.')
})

t.test('labels outside the test part are not missed faults', async (t) => {
  const root = t.testdir({})
  const row = (series: string, from: number, to: number): string =>
    `${series},other,oil_c,${timeAt(from)},${timeAt(to)}\n`
  await writeFile(join(root, 'labels.csv'), LABELS + row('A', 10, 20) + row('C', 500, 510) + row('B', 700, 710))
  const progress = recordingProgress()
  const { paths, ...context } = contextOf(trained.raw, join(root, 'out'), {
    labels: join(root, 'labels.csv'),
    progress,
  })
  await copyTrained(join(root, 'out'))
  await evaluate({ paths, ...context })
  t.ok(progress.lines.some((text) => text.startsWith('3 of 4 labels are not in the test part')), 'the log says so')
  const metrics = await json(paths.reports, 'metrics.json') as { batch: { faults: Record<string, unknown> } }
  t.strictSame(Object.keys(metrics.batch.faults), ['overheating'])
})

t.test('golden scores hold enough scores, even after a gap or with long windows', async (t) => {
  const root = t.testdir({})
  await mkdir(join(root, 'plant'))
  const [header, ...rows] = tableText('B').trimEnd().split('\n')
  const withGap = rows.map((row, i) => i > 2 && i < 90 ? `${row.split(',')[0]},,,` : row)
  await writeFile(join(root, 'plant', 'B.csv'), [header, ...withGap].join('\n'))
  const { paths, ...context } = contextOf(join(root, 'plant'), join(root, 'out'), {
    params: { train: { windowLength: 40 }, package: { goldenLength: 20 } },
  })
  await runPipeline({ paths, ...context })
  const golden = await json(paths.package, 'golden.json') as {
    causal: Array<number | null>,
    batch: Array<number | null>,
  }
  for (const scores of [golden.causal, golden.batch]) {
    t.ok(
      scores.filter((score) => score !== null).length >= 40,
      `${scores.filter((score) => score !== null).length} scores`
    )
  }
})

t.test('data that cannot be trained on are refused, and the error names the file or the parameter', async (t) => {
  const root = t.testdir({ empty: { 'readme.txt': 'nothing here' } })
  const raw = join(root, 'plant')
  await writePlant(raw)
  const refused = async (
    name: string,
    context: StageContext,
    wanted: { code: string, message: RegExp }
  ): Promise<void> => {
    await t.rejects(runPipeline(context), wanted, name)
  }
  const out = join(root, 'out')
  await refused('no csv file', contextOf(join(root, 'empty'), out), {
    code: 'no-training-data',
    message: /no \.csv file in .*empty/,
  })
  await refused('no folder', contextOf(join(root, 'nowhere'), out), {
    code: 'invalid-table',
    message: /nowhere is neither a \.csv file nor a folder/,
  })
  await refused('no file', contextOf(join(root, 'nowhere.csv'), out), {
    code: 'no-training-data',
    message: /nowhere\.csv cannot be read/,
  })
  await refused(
    'everything is test part',
    contextOf(raw, out, { params: { prepare: { trainUntil: '2025-12-31T00:00:00Z' } } }),
    { code: 'no-training-data', message: /trainUntil/ }
  )
  await refused(
    'too little before trainUntil',
    contextOf(raw, out, { params: { prepare: { trainUntil: timeAt(5) } } }),
    { code: 'no-training-data', message: /at least 7 consecutive/ }
  )
  await refused(
    "another interval than the data's",
    contextOf(raw, out, { params: { prepare: { interval: 'PT1H' } } }),
    { code: 'interval-mismatch', message: /A\.csv: .*PT10M/ }
  )
  await refused('labels that do not exist', contextOf(raw, out, { labels: join(root, 'labls.csv') }), {
    code: 'invalid-table',
    message: /labls\.csv cannot be read/,
  })

  await writeFile(join(root, 'labels.csv'), `turbine,fault,start,end\nA,x,${timeAt(500)},yesterday\n`)
  await refused('a label without a time', contextOf(raw, out, { labels: join(root, 'labels.csv') }), {
    code: 'invalid-table',
    message: /labels\.csv, line 2: end/,
  })
  await writeFile(join(root, 'labels.csv'), `turbine,fault,start,end\nA,x,${timeAt(500)},${timeAt(499)}\n`)
  await refused('a label that ends before it starts', contextOf(raw, out, { labels: join(root, 'labels.csv') }), {
    code: 'invalid-table',
    message: /line 2: the label ends before/,
  })

  await writeFile(join(raw, 'C.csv'), `time,power_kw,speed_ms,oil_c\n${timeAt(0)},1,2,3\n`)
  await refused('columns in another order', contextOf(raw, out), {
    code: 'invalid-table',
    message: /C\.csv has the channels power_kw, speed_ms, oil_c, the first file has speed_ms, power_kw, oil_c/,
  })
  await writeFile(join(raw, 'C.csv'), tableText('B').replace(timeAt(400), 'later'))
  await refused('a malformed time', contextOf(raw, out), {
    code: 'invalid-timestamp',
    message: /C\.csv: Line 402, column "time": "later"/,
  })
  await writeFile(join(raw, 'A.csv'), `time,${CHANNELS.join()}\n${timeAt(0)},1,2,3\n`)
  await rm(join(raw, 'C.csv'))
  await refused('a single row', contextOf(raw, out), {
    code: 'no-training-data',
    message: /A\.csv has fewer than two different times/,
  })
  t.notOk((await readdir(root)).some((name) => name.includes('writing')), 'no temporary folder is left')
})

t.test('a stage that fails leaves the old files', async (t) => {
  const root = t.testdir({})
  const raw = join(root, 'plant')
  await writePlant(raw)
  const { paths, ...context } = contextOf(raw, join(root, 'out'))
  await copyTrained(join(root, 'out'))
  const before = await filesOf(join(root, 'out'))

  await writeFile(join(raw, 'B.csv'), tableText('B').split('\n').filter((_, i) => i % 6 === 0).join('\n'))
  await t.rejects(
    prepare({ paths, ...context }),
    { code: 'interval-mismatch', message: /B\.csv: .*PT1H/ },
    'after A was written'
  )
  await t.rejects(train({ paths, ...context, params: plantParams({ train: { windowLength: 500 } }) }), {
    code: 'no-training-data',
  })
  t.strictSame(await filesOf(join(root, 'out')), before)

  const detector = await readFile(join(paths.model, 'detector.json'), 'utf8')
  await writeFile(join(paths.model, 'detector.json'), detector.replace('"series": 2', '"series": 0'))
  await t.rejects(packageModel({ paths, ...context }))
  await writeFile(join(paths.model, 'detector.json'), detector)
  await rm(join(paths.model, 'weights.bin'))
  await t.rejects(packageModel({ paths, ...context }), {
    code: 'invalid-model-package',
    message: /weights\.bin cannot be read/,
  })
  await t.rejects(evaluate({ paths, ...context }), {
    code: 'invalid-model-package',
    message: /weights\.bin cannot be read/,
  })
  const { 'model/weights.bin': _, ...rest } = before
  t.strictSame(await filesOf(join(root, 'out')), rest)
})

t.test('a folder is replaced as a whole, and only the leftovers of crashed runs are removed', async (t) => {
  const root = t.testdir({
    target: { 'old.txt': 'old' },
    '.target.writing-999999999-abc': { junk: '' },
    [`.target.writing-${process.ppid}-abc`]: { used: '' },
    '.other.writing-999999999-abc': { junk: '' },
  })
  const target = join(root, 'target')
  const left = async (): Promise<string[]> => (await readdir(root)).sort()
  const kept = ['.other.writing-999999999-abc', `.target.writing-${process.ppid}-abc`, 'target']
  await t.rejects(replaceDirectory(target, async (folder) => {
    await writeFile(join(folder, 'new.txt'), 'new')
    throw new Error('half-way')
  }), { message: 'half-way' })
  t.strictSame(await filesOf(target), { 'old.txt': Buffer.from('old').toString('base64') })
  t.strictSame(await left(), kept, 'the folder of a running process is kept')
  t.equal(await replaceDirectory(`${target}/`, async (folder) => {
    await writeFile(join(folder, 'new.txt'), 'new')
    t.equal(await readFile(join(target, 'old.txt'), 'utf8'), 'old', 'the old one stays until the new one is complete')
    return await replaceDirectory(join(root, 'deep', 'er'), async () => 'inner')
  }), 'inner')
  t.strictSame(Object.keys(await filesOf(target)), ['new.txt'])
  t.strictSame(await left(), [...kept.slice(0, 2), 'deep', 'target'])
})

t.test('series that are written and read have the same bits', async (t) => {
  const directory = t.testdir({})
  const values = Float64Array.from([0.1 + 0.2, 1e-300, NaN, -1e300, 5e-324, 2 ** 63, 1 / 3, NaN, 0, 1, 2, 3])
  const series = { channels: ['a', 'b,"c"', 'd;e'], start: START + 1234, interval: 1000, length: 4, values }
  await writeSeries(directory, { name: 'x', series })
  t.strictSame(await readSeriesFolder(directory, 1000), [{ name: 'x', series }])
  t.strictSame(await readSeriesFolder(join(directory, 'nowhere'), 1000), [])
})

t.test('the command refuses wrong settings, and folders that it must not replace', async (t) => {
  const root = t.testdir({
    thesis: { 'chapter.txt': 'years of work' },
    'file.txt': '',
    'params.yaml': 'train:\n  widnow: 3\n',
    'broken.yaml': 'train: [1\n',
  })
  const raw = join(root, 'plant')
  await writePlant(raw)
  const command = async (...args: string[]): Promise<void> => main(args, () => {}, silent)
  const own = ['--data', raw, '--out']
  await t.rejects(command('--data', raw), { code: 'invalid-settings', message: /--data needs --out/ })
  await t.rejects(command(...own, join(root, 'thesis')), {
    code: 'invalid-settings',
    message: /thesis holds files that are not a model package's \(chapter\.txt\)/,
  })
  t.equal(await readFile(join(root, 'thesis', 'chapter.txt'), 'utf8'), 'years of work')
  await t.rejects(
    command(...own, raw),
    { code: 'invalid-settings', message: /A\.csv, B\.csv/ },
    'nor may it replace the data'
  )
  await t.rejects(command(...own, join(root, 'file.txt')), {
    code: 'invalid-settings',
    message: /file\.txt is not a folder/,
  })
  t.ok((await readdir(raw)).includes('A.csv'))
  await t.rejects(packageModel(contextOf(raw, join(root, 'x'))), { code: 'ENOENT' })
  await t.rejects(
    packageModel({ ...contextOf(raw, root), paths: { ...plantPaths(raw, root), package: join(root, 'thesis') } }),
    { code: 'invalid-settings' },
    'nor may the stage alone'
  )

  const out = join(root, 'model')
  await t.rejects(command(...own, out, '--params', join(root, 'params.yaml')), {
    code: 'invalid-settings',
    message: /params\.yaml: train: .*"widnow"/,
  })
  await t.rejects(command(...own, out, '--params', join(root, 'broken.yaml')), {
    code: 'invalid-settings',
    message: /broken\.yaml: .*at line 2, column 1:$/,
  })
  await t.rejects(command(...own, out, '--params', join(root, 'nowhere.yaml')), {
    code: 'invalid-settings',
    message: /nowhere\.yaml cannot be read/,
  })
  await t.rejects(command(...own, out, '--interval', '10 min'), {
    code: 'invalid-settings',
    message: /--interval: must be an ISO 8601 duration such as PT10M/,
  })
  await t.rejects(command(...own, out, '--train-until', 'March'), {
    code: 'invalid-settings',
    message: /--train-until: .* such as 2026-03-02T00:00:00Z/,
  })
  await t.rejects(command(...own, out, '--name', 'My Model'), {
    code: 'invalid-settings',
    message: /--name: lower-case/,
  })
  await t.rejects(command('--architecture', 'residual'), {
    code: 'invalid-settings',
    message: /--architecture needs --data; .*params\.yaml/,
  })
  await t.rejects(command('--train-until', TRAIN_UNTIL), {
    code: 'invalid-settings',
    message: /--train-until needs --data/,
  })
  for (const [parameter, params] of [
    ['train.batch.smoothing', { train: { batch: { smoothing: 8 } } }],
    ['evaluate.mergeGap', { evaluate: { mergeGap: 'PT0S' } }],
    ['package.goldenLength', { package: { goldenLength: 0 } }],
  ] as const) {
    t.throws(() => plantParams(params), {
      code: 'invalid-settings',
      message: new RegExp(parameter.replaceAll('.', '\\.')),
    })
  }
  t.strictSame((await readdir(root)).sort(), [
    'broken.yaml',
    'file.txt',
    'labels.csv',
    'params.yaml',
    'plant',
    'thesis',
  ], 'nothing else was written')
})

t.test('the model is named after the data, and flags have priority over the file of parameters', async (t) => {
  const root = t.testdir({})
  const data = join(root, '-Plant No. 7 Ä.CSV')
  await writeFile(data, tableText('B'))
  await writeFile(
    join(root, 'params.yaml'),
    stringify({ ...PARAMS, train: { ...PARAMS.train, backend: backend.name } })
  )
  const out = join(root, 'model')
  let printed = ''
  await main(
    ['--data', data, '--out', out, '--params', join(root, 'params.yaml'), '--train-until', timeAt(300)],
    (text) => {
      printed += text
    },
    silent
  )
  const { manifest, digest, dispose } = await loadModelPackage(out, 'auto')
  dispose()
  t.equal(printed, `digest ${digest}\n`)
  t.match(manifest, { name: 'plant-no.-7-', training: { observations: 300 }, detector: { windowLength: 6 } })
  t.strictSame(await readdir(root), ['-Plant No. 7 Ä.CSV', 'model', 'params.yaml'])
  t.ok((await readdir(join(out, 'reports'))).includes('data-quality.md'))
  await main(['--data', data, '--out', out, '--params', join(root, 'params.yaml')], () => {}, silent)
  t.not((await loadModelPackage(out, 'auto')).digest, digest, 'a package may be replaced by a newer one')
})

/** Runs the command in this process, which trains on `backend`. */
const commandHere = async (args: readonly string[], cwd: string): ReturnType<typeof runHere> =>
  runHere(async (args, print, stderr) => main(args, print, terminalProgress(stderr)), args, cwd)

t.test('two processes in two places make the same package, byte for byte', async (t) => {
  const root = t.testdir({})
  const places = [join(root, 'one'), join(root, 'some where', 'else')] as const
  for (const place of places) {
    await writePlant(join(place, 'plant'))
    await writeFile(
      join(place, 'params.yaml'),
      stringify({ ...PARAMS, train: { ...PARAMS.train, backend: backend.name } })
    )
  }
  const files = ['--data', 'plant', '--out', 'made/', '--labels', 'labels.csv', '--params', 'params.yaml']
  const architectures = ['linear', 'convolutional'] as const
  const argsOf = (architecture: string): string[] => [...files, '--architecture', architecture]
  // Each architecture is trained by its own process in one place, and by this process in the other.
  const elsewhere = await Promise.all(
    places.map(async (place, i) => runProgram('pipeline.ts', argsOf(architectures[i]!), place))
  )
  const packages = await Promise.all(places.map(async (place) => filesOf(join(place, 'made'))))
  for (const [i, architecture] of architectures.entries()) {
    const place = places[1 - i]!
    const here = await commandHere(argsOf(architecture), place)
    const [first, second] = [packages[i], await filesOf(join(place, 'made'))]
    const digest = Buffer.from(first!['digest.txt']!, 'base64').toString().trim()
    for (const { code, stdout, stderr } of [elsewhere[i]!, here]) {
      t.equal(code, 0, stderr)
      t.equal(stdout, `digest ${digest}\n`, 'stdout is the digest alone')
      t.match(stderr, /^prepare …\n(.*\n)*train …\n(.*\n)*evaluate …\n(.*\n)*package …\n/)
    }
    t.strictSame(Object.keys(first!).filter((name) => !name.startsWith('reports/')), [
      'MODEL_CARD.md',
      'digest.txt',
      'golden.json',
      'manifest.json',
      'model.json',
      'weights.bin',
    ])
    t.strictSame(second, first, `${architecture}: package and reports`)
    t.match(Buffer.from(first!['manifest.json']!, 'base64').toString(), `"architecture": "${architecture}"`)
  }
  for (const place of places) {
    t.strictSame((await readdir(place)).sort(), ['labels.csv', 'made', 'params.yaml', 'plant'])
  }
})

t.test('as a program: every flag for the format of tables, and failures in one line with status 1', async (t) => {
  const root = t.testdir({})
  const raw = join(root, 'plant')
  await writePlant(raw, { ...GERMAN, delimiter: '|', header: ['wann', ...CHANNELS] })
  await writeFile(
    join(root, 'params.yaml'),
    stringify({ ...PARAMS, train: { ...PARAMS.train, backend: backend.name } })
  )
  const flags = [
    '--delimiter',
    '|',
    '--decimal',
    ',',
    '--timestamp-column',
    'wann',
    '--timestamp-format',
    'dd.MM.yyyy HH:mm',
    '--interval',
    'PT10M',
    '--train-until',
    timeAt(450),
    '--architecture',
    'residual',
    '--name',
    'seven',
    '--params',
    'params.yaml',
  ]
  const help = await runProgram('pipeline.ts', ['--help'], root)
  const done = await commandHere(['--data', 'plant', '--out', 'model', ...flags], root)
  const failed = await commandHere(['--data', 'plant'], root)
  const wrong = await commandHere(['--data', 'plant', '--out', 'model2', '--architecture', 'lstm'], root)
  t.equal(done.code, 0, done.stderr)
  const manifest = await json(root, 'model', 'manifest.json')
  t.match(manifest, {
    name: 'seven',
    architecture: 'residual',
    detector: { channels: CHANNELS, interval: INTERVAL },
    training: {
      observations: 900,
      parameters: { members: [{ architecture: 'residual', windowLength: 6, tail: 6, steps: 12 }] },
    },
  })
  t.strictSame(failed, {
    code: 1,
    stdout: '',
    stderr: 'error invalid-settings: --data needs --out: the folder that the model package goes to.\n',
  })
  t.equal(wrong.code, 1)
  t.match(
    wrong.stderr,
    /--architecture.*Allowed choices are linear, masked, residual, dense, convolutional, recurrent, ensemble\./
  )
  t.equal(help.code, 0)
  for (const flag of flags.filter((text) => text.startsWith('--'))) t.match(help.stdout, flag)
  t.strictSame((await readdir(root)).sort(), ['labels.csv', 'model', 'params.yaml', 'plant'])
})
