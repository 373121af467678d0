// Feedback in the pipeline: faults leave the training data, false alarms enter it, and learnt intervals are no longer
// judged.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { stringify } from 'yaml'
import { fromColumns, observation, timeOf } from '../../core/series/series.ts'
import { loadModelPackage } from '../../adapters/tfjs/model-package.ts'
import { readFeedback, type Statement } from '../adapters/feedback-file.ts'
import { readSeriesFolder } from '../adapters/series-files.ts'
import { applyFeedback, marksOf, rangeOf, spanOf, unlearnt } from '../stages/feedback.ts'
import { readTestPart, scoreTestPart } from '../stages/judge.ts'
import { main, runPipeline } from '../pipeline.ts'
import { prepare } from '../stages/prepare.ts'
import { silent } from '../stages/progress.ts'
import { readTrainedDetector } from '../stages/train.ts'
import {
  FAULT,
  INTERVAL,
  plantParams,
  plantPaths,
  recordingProgress,
  START,
  TRAIN_UNTIL,
  timeAt,
  writePlant,
} from './fixture.ts'

const HEADER = 'series,start,end,label\n'
const row = (series: string, from: number, to: number, label: Statement['label']): string =>
  `${series},${timeAt(from)},${timeAt(to)},${label}\n`
const counting = (length: number) =>
  fromColumns({ start: 0, interval: 1000, columns: { a: Array.from({ length }, (_, i) => i) } })
const statement = (from: number, to: number, label: Statement['label'], series?: string): Statement => ({
  series,
  start: 1000 * from,
  end: 1000 * to,
  label,
})

t.test('the last of several statements counts, and only those on this series or on all', (t) => {
  const series = counting(8)
  const statements = [
    statement(1, 4, 'confirmed'),
    statement(3, 5, 'false-alarm', 'A'),
    statement(0, 7, 'missed', 'B'),
    statement(5, 5, 'missed'),
    statement(-9, -1, 'confirmed'),
    statement(7, 99, 'confirmed'),
  ]
  t.strictSame([...marksOf({ name: 'A', series }, statements)], [0, 1, 1, 2, 2, 1, 0, 1])
  t.end()
})

t.test('times between two observations take neither', (t) => {
  t.strictSame(rangeOf(counting(8), { start: 1500, end: 3999 }), [2, 4])
  t.strictSame(rangeOf(counting(8), { start: 1100, end: 1900 }), [2, 2])
  t.end()
})

t.test('faults leave the training part, false alarms of the test part enter it with their surroundings', (t) => {
  const series = counting(40)
  const marks = marksOf({ name: 'A', series }, [
    statement(3, 4, 'confirmed'),
    statement(6, 7, 'false-alarm'),
    statement(18, 21, 'missed'),
    statement(25, 26, 'false-alarm'),
    statement(36, 38, 'false-alarm'),
  ])
  const { series: train, learnt, moved } = applyFeedback(series, marks, {
    split: 20,
    labels: [{ start: 28_000, end: 29_000 }, { start: 37_000, end: 37_000 }],
    context: 5,
  })
  t.strictSame([3, 4, 18, 19].filter((i) => !Number.isNaN(train.values[i]!)), [])
  t.equal(train.values.filter(Number.isNaN).length, 4, 'nothing else, and nothing of the test part')
  t.notOk(series.values.some(Number.isNaN), 'the given series is not changed')
  // The surroundings end at faults: the missed one, and the two labelled ones.
  t.strictSame(learnt.map((piece) => [...piece.values]), [[22, 23, 24, 25, 26, 27], [31, 32, 33, 34, 35, 36], [38, 39]])
  t.strictSame(moved, { left: 4, entered: 4, around: 10, contradicted: 1 })
  t.strictSame(unlearnt(series, learnt.map(spanOf)), [[0, 22], [28, 31], [37, 38]])
  t.end()
})

t.test('for any feedback, no fault is learnt, nothing outside the test part, and nothing twice', (t) => {
  const interval = fc.tuple(
    fc.integer({ min: -5, max: 45 }),
    fc.integer({ min: 0, max: 12 }),
    fc.constantFrom('confirmed', 'missed', 'false-alarm')
  )
  fc.assert(
    fc.property(
      fc.array(interval, { maxLength: 8 }),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 9 }),
      (intervals, split, context) => {
        const series = counting(40)
        const marks = marksOf(
          { name: 'A', series },
          intervals.map(([from, length, label]) => statement(from, from + length, label))
        )
        const { learnt, moved } = applyFeedback(series, marks, { split, labels: [], context })
        const times = learnt.flatMap((piece) => [...piece.values])
        t.equal(new Set(times).size, times.length)
        t.ok(times.every((i) => i >= split && marks[i] !== 1))
        t.equal(times.length, moved.entered + moved.around)
        t.ok(
          [...marks.keys()].every((i) => i < split || marks[i] !== 2 || times.includes(i)),
          'all false alarms are learnt'
        )
        t.equal(unlearnt(series, learnt.map(spanOf)).reduce((sum, [from, to]) => sum + to - from, 0), 40 - times.length)
      }
    )
  )
  t.end()
})

t.test('the pipeline applies feedback, reports what it moved, and judges the rest', async (t) => {
  const root = t.testdir({})
  const raw = join(root, 'plant')
  const file = join(root, 'feedback.csv')
  await writePlant(raw)
  const out = join(root, 'out')
  const params = plantParams({ prepare: { trainUntil: TRAIN_UNTIL, feedbackContext: 'PT10H' } })
  const run = async (text: string) => {
    await writeFile(file, text)
    const progress = recordingProgress()
    const context = { paths: plantPaths(raw, out, join(root, 'labels.csv'), file), params, progress, table: {} }
    return { digest: await runPipeline(context), messages: progress.lines, ...context }
  }
  const without = await runPipeline({ paths: plantPaths(raw, join(root, 'none')), params, progress: silent, table: {} })
  const empty = await run(HEADER)
  t.equal(empty.digest, without, 'no feedback, no difference')
  t.notOk(empty.messages.some((text) => text.startsWith('feedback')))

  const { digest, messages, paths } = await run(
    HEADER + row('A', 100, 119, 'confirmed') + row('B', 450, 459, 'false-alarm') +
      row('', FAULT.from, FAULT.from + 4, 'missed') + row('A', 520, 525, 'false-alarm')
  )
  t.not(digest, without)
  t.ok(
    messages.includes(
      'feedback: 20 observations left the training data, 10 of the test part entered it as false alarms ' +
        'with 90 around them; 6 more are labelled as faults and stay where they are'
    ),
    messages.join('\n')
  )
  const train = await readSeriesFolder(join(paths.prepared, 'train'), INTERVAL)
  t.strictSame(train.map(({ name }) => name), ['A', 'B', 'B.false-alarm-1'])
  const [a, , piece] = train
  t.ok(
    Array.from({ length: 20 }, (_, i) => observation(a!.series, 100 + i)).every((values) => values.every(Number.isNaN))
  )
  t.ok(observation(a!.series, 99).every(Number.isFinite) && observation(a!.series, 121).every(Number.isFinite))
  // Ten observations and sixty on each side, cut at the start of the test part and at the missed fault.
  t.strictSame([piece!.series.start, piece!.series.length], [START + 400 * INTERVAL, 100])
  const quality = JSON.parse(await readFile(join(paths.reports, 'data-quality.json'), 'utf8')) as object[]
  t.match(quality, [
    { name: 'A', feedback: { left: 20, entered: 0, around: 0, contradicted: 6 } },
    { name: 'B', feedback: { left: 0, entered: 10, around: 90, contradicted: 0 } },
  ])
  t.match(
    await readFile(join(paths.reports, 'data-quality.md'), 'utf8'),
    'By feedback, 0 observations left the training data, ' +
      '10 of the test part entered it as false alarms with 90 around them.'
  )
  const loaded = await loadModelPackage(paths.package, 'auto')
  t.teardown(() => loaded.dispose())
  t.match(loaded.manifest.training, { series: 3, observations: 900 })

  const test = await readTestPart(paths)
  t.strictSame(
    test.labels?.map(({ series, fault }) => [series, fault]),
    [['A', 'overheating'], ['B', 'reported']],
    'a missed interval is a fault, unless it is already labelled'
  )
  t.strictSame(test.series.map(({ judged }) => judged), [[[0, 200]], [[100, 200]]])
  const scored = scoreTestPart(test, (await readTrainedDetector(paths.model)).detector, loaded.autoencoders)
  for (const [, [whole, rest]] of scored) {
    t.strictSame([whole!.series.length, rest!.series.length, rest!.detection.score.length], [200, 100, 100])
    t.equal(timeOf(rest!.series, 0), START + 500 * INTERVAL)
    t.ok(rest!.detection.score.every(Number.isFinite), 'scored with the observations before it')
  }
  const metrics = JSON.parse(await readFile(join(paths.reports, 'metrics.json'), 'utf8')) as {
    batch: { faults: object },
  }
  t.match(metrics.batch.faults, { overheating: { occurrences: 1 }, reported: { occurrences: 1 } })

  await prepare({ ...empty, paths: { ...paths, feedback: undefined }, progress: silent })
  t.notOk(
    (await readdir(join(paths.prepared, 'train'))).includes('B.false-alarm-1.csv'),
    'removed once the statement is gone'
  )
})

t.test('a malformed statement is refused, and the error names file, line and column', async (t) => {
  const root = t.testdir({})
  const file = join(root, 'feedback.csv')
  const refused = async (text: string, message: RegExp): Promise<void> => {
    await writeFile(file, text)
    await t.rejects(readFeedback(file), { code: 'invalid-table', message })
  }
  await refused(`${HEADER}A,${timeAt(1)},${timeAt(2)},fine\n`, /feedback\.csv, line 2: label/)
  await refused(`${HEADER}A,${timeAt(1)},tomorrow,confirmed\n`, /line 2: end: must be a time with its zone/)
  await refused(
    HEADER + row('A', 1, 2, 'missed') + row('A', 3, 2, 'missed'),
    /line 3: the interval ends before it starts/
  )
  await t.rejects(readFeedback(join(root, 'nowhere.csv')), {
    code: 'invalid-table',
    message: /nowhere\.csv cannot be read; "npm run data" writes an empty one/,
  })
  await writeFile(file, `${HEADER},2026-01-01T01:00:00+01:00,2026-01-01T01:00:00+01:00,false-alarm\n`)
  t.strictSame(await readFeedback(file), [{ series: undefined, start: START, end: START, label: 'false-alarm' }])
})

t.test('the command accepts feedback with --data', async (t) => {
  const root = t.testdir({ 'feedback.csv': HEADER + row('A', 100, 119, 'confirmed') })
  const raw = join(root, 'plant')
  await writePlant(raw)
  const out = join(root, 'model')
  const params = join(root, 'params.yaml')
  const { prepare: { trainUntil }, train: { backend } } = plantParams()
  await writeFile(params, stringify({ prepare: { trainUntil }, train: { backend, architecture: 'linear' } }))
  await main(
    ['--data', raw, '--out', out, '--feedback', join(root, 'feedback.csv'), '--params', params],
    () => {},
    silent
  )
  t.match(JSON.parse(await readFile(join(out, 'reports', 'data-quality.json'), 'utf8')), [{
    name: 'A',
    feedback: { left: 20 },
  }, { name: 'B', feedback: { left: 0 } }])
  await t.rejects(
    main(['--data', raw, '--out', out, '--feedback', join(root, 'nowhere.csv'), '--params', params], () => {}, silent),
    { code: 'invalid-table', message: /nowhere\.csv/ }
  )
})
