// The report: every decision with its reason; and its state, from step to step.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { outcome, reportMarkdown } from '../report.ts'
import { decide } from '../rule.ts'
import { before, needed, readState, type State, writeState } from '../state.ts'
import { stagesRun } from '../train.ts'
import { wasRolledBack } from '../evaluate.ts'
import { feedbackTable } from '../pull.ts'

const at = '2026-04-01T00:00:00.000Z'
const figures = (found: number) => ({ found, faults: 3, falseAnomaliesPerSeriesWeek: 0.12345, f1: 0.5, vusPr: 0.25 })
const packages = [3, 2].map((found, i) => ({
  name: 'pump',
  digest: `sha256:${i}`,
  batch: figures(found),
  causal: figures(found),
}))
const FULL: State = {
  model: 'pump',
  registry: 's3://models',
  pull: {
    at,
    source: 'minio s3://raw/pump',
    data: { before: 'aa.dir', after: 'bb.dir' },
    feedback: { statements: 2, dropped: 1 },
  },
  train: {
    at,
    stages: [{ name: 'prepare', ran: false }, { name: 'train', ran: true }],
    folder: 'out/pump',
    digest: 'sha256:0',
  },
  evaluate: {
    at,
    live: { version: 4, digest: 'sha256:1' },
    comparison: { seriesWeeks: 7.5, packages },
    decision: { ...decide(packages[0]!, packages[1]!), clauses: [...decide(packages[0]!, packages[1]!).clauses] },
  },
  publish: { at, version: 5, existed: false, promoted: true, pushed: false },
}

t.test('the report has data, stages, the figures of both models, each clause of the rule, and the outcome', (t) => {
  const text = reportMarkdown(FULL)
  for (const said of [
    '# Retraining of pump\n\npump@5 is published in s3://models, and live: There is an improvement: more faults found.',
    'From `minio s3://raw/pump`. The data changed: md5 `aa.dir` → `bb.dir`.',
    '2 statements of feedback',
    '1 more end before they begin and are left out.',
    'Ran: train; unchanged: prepare.',
    'On the same 7.5 series-weeks that were held back.',
    '| scoring |  | new model | live, version 4 |',
    '| batch | labelled faults found | 3 of 3 | 2 of 3 |',
    '| causal | false anomalies per series and week | 0.123 | 0.123 |',
    'Promote: There is an improvement: more faults found.',
    '| By either scoring, it finds no fewer labelled faults than the live model. | yes ' +
      '| 3 of 3 instead of 2 are found (batch), 3 of 3 instead of 2 are found (causal). |',
  ]) t.ok(text.includes(said), said)
  t.notMatch(text, /undefined|null|NaN/)
  t.end()
})

t.test('the first sentence is the outcome', (t) => {
  const evaluated = FULL.evaluate!
  const kept: State = {
    ...FULL,
    evaluate: { ...evaluated, decision: { verdict: 'keep', because: 'F1 is 0.1 instead of 0.2.', clauses: [] } },
    publish: { ...FULL.publish!, promoted: false },
  }
  t.equal(
    outcome(kept),
    'pump@5 is published in s3://models, and not promoted; version 4 stays live: F1 is 0.1 instead of 0.2.'
  )
  t.equal(
    outcome({ ...kept, publish: { ...kept.publish!, existed: true } }),
    'pump@5 had been published before in s3://models, and not promoted; version 4 stays live: F1 is 0.1 instead of 0.2.'
  )
  t.equal(
    outcome({ ...FULL, evaluate: { ...evaluated, decision: { verdict: 'same', because: 'x', clauses: [] } } }),
    'Nothing new: pump@5 is live in s3://models already.'
  )
  t.equal(outcome(before('publish', FULL)), 'To be promoted: There is an improvement: more faults found.')
  t.equal(outcome(before('train', FULL)), 'Not evaluated yet.')
  t.equal(
    outcome({ ...before('train', FULL), failure: { step: 'train', at, message: 'dvc repro failed: no.' } }),
    'Failed at train: dvc repro failed: no. The live model is what it was.'
  )
  t.match(
    reportMarkdown({
      ...FULL,
      evaluate: { ...evaluated, live: null, comparison: { seriesWeeks: 1, packages: [packages[0]!] } },
    }),
    'Nothing is live to compare with.'
  )
  t.match(
    reportMarkdown({ ...FULL, pull: { ...FULL.pull!, data: { before: null, after: null } } }),
    'Nothing pins the data: DVC was not used.'
  )
  t.end()
})

t.test('a step finds the results of earlier steps, and drops those that it makes untrue', async (t) => {
  const file = join(t.testdir({}), 'out', 'report.json')
  t.equal(await readState(file), undefined)
  await writeState(file, FULL)
  t.strictSame(await readState(file), FULL)
  t.strictSame(await readdir(join(file, '..')), ['report.json'], 'nothing half-written is left')
  t.strictSame(Object.keys(before('evaluate', { ...FULL, failure: { step: 'publish', at, message: 'x' } })), [
    'model',
    'registry',
    'pull',
    'train',
  ])
  t.strictSame(Object.keys(before('pull', FULL)), ['model', 'registry'])
  t.equal(needed(FULL, 'train').digest, 'sha256:0')
  t.throws(() => needed(before('train', FULL), 'evaluate'), {
    code: 'invalid-settings',
    message: /step evaluate has not run.*npm run retrain -- evaluate/,
  })
  await writeFile(file, '{"model": 1}')
  await t.rejects(readState(file), {
    code: 'invalid-settings',
    message: /report\.json is not what a step .*"npm run retrain -- pull"/,
  })
  await mkdir(join(file, '..', 'folder.json'))
  await t.rejects(readState(join(file, '..', 'folder.json')), { code: 'invalid-settings' })
  t.match(await readFile(file, 'utf8'), 'model', 'what cannot be read is left alone')
})

t.test('the stages that ran are read from the output of DVC', (t) => {
  const printed = [
    "'data.dvc' didn't change, skipping",
    "Stage 'model-creation/dvc.yaml:prepare' didn't change, skipping",
    "Running stage 'model-creation/dvc.yaml:train':",
    '> node --import tsx model-creation/stages/train.ts',
    "Running stage 'package':",
    "Stage 'model-creation/dvc.yaml:evaluate' is cached - skipping run, checking out outputs",
  ].join('\n')
  t.strictSame(stagesRun(printed), ['train', 'package'])
  t.strictSame(stagesRun('Data and pipelines are up to date.\n'), [])
  t.end()
})

t.test('a model that was rolled back is known, until it is promoted again', (t) => {
  const [a, b] = [1, 2].map((version) => ({ version, digest: `sha256:${version}`, at }))
  const promote = (one: typeof a) => ({ action: 'promote' as const, ...one! })
  const rollback = (one: typeof a) => ({ action: 'rollback' as const, ...one! })
  const taken = (...steps: Parameters<typeof wasRolledBack>[0]) =>
    [a, b].map((one) => wasRolledBack(steps, one!.digest))
  t.strictSame(taken(promote(a), promote(b)), [false, false], 'what was merely replaced may come again')
  t.strictSame(taken(promote(a), promote(b), rollback(a)), [false, true])
  t.strictSame(taken(promote(a), promote(b), rollback(a), promote(b)), [false, false])
  t.strictSame(taken(promote(a), { action: 'clear', at }, promote(b)), [false, false])
  t.end()
})

t.test('feedback keeps its order, in UTC', (t) => {
  const said = { model: 'pump', id: '1', at, version: '1', label: 'confirmed' as const }
  t.equal(
    feedbackTable([{ ...said, start: '2026-01-01T01:00:00+01:00', end: '2026-01-01T02:00:00Z', series: 'a,b' }, {
      ...said,
      label: 'missed',
      start: at,
      end: at,
    }]),
    `series,start,end,label\n"a,b",2026-01-01T00:00:00.000Z,2026-01-01T02:00:00.000Z,confirmed\n,${at},${at},missed\n`
  )
  t.equal(feedbackTable([]), 'series,start,end,label\n')
  t.end()
})
