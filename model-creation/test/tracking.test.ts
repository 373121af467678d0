// Tracking: the keys and values of a run, servers and variables that are refused, and a package that stays unchanged if
// it cannot be recorded.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { trackingServer } from '../adapters/mlflow.ts'
import { runPipeline } from '../pipeline.ts'
import { packageModel } from '../stages/package.ts'
import { epochMetrics, finalMetrics, flatParams } from '../stages/tracking.ts'
import { plantParams, plantPaths, recordingProgress, writePlant } from './fixture.ts'

t.test('parameters are flattened, and a list is one value', (t) => {
  t.same(
    flatParams({
      prepare: { interval: 'auto', trainUntil: null },
      train: { seed: 1, members: [{ architecture: 'linear' }] },
    }),
    {
      'prepare.interval': 'auto',
      'prepare.trainUntil': 'null',
      'train.seed': '1',
      'train.members': '[{"architecture":"linear"}]',
    }
  )
  const all = flatParams(plantParams())
  t.match(all, { 'package.name': 'plant', 'train.windowLength': '6', 'train.causal.smoothing': '5' })
  t.ok(Object.values(all).every((value) => !value.includes('[object')))
  t.end()
})

t.test('metrics are numbers under names that MLflow accepts', (t) => {
  t.same(
    finalMetrics({ batch: { f1: 0.5, faults: { 'öl/leck: ja': { medianDelayHours: null, found: 2 } } }, note: 'x' }),
    [{ key: 'batch.f1', value: 0.5, step: 0 }, { key: 'batch.faults.öl_leck_ ja.found', value: 2, step: 0 }]
  )
  t.same(
    epochMetrics([{ member: 1, epoch: 1, loss: 3 }, { member: 1, epoch: 2, loss: 2 }, {
      member: 2,
      epoch: 1,
      loss: 9,
    }]),
    [
      { key: 'training.member-1.loss', value: 3, step: 1 },
      { key: 'training.member-1.loss', value: 2, step: 2 },
      { key: 'training.member-2.loss', value: 9, step: 1 },
    ]
  )
  t.end()
})

t.test('without a server nothing is recorded; a wrong address or a missing password is refused', async (t) => {
  t.equal(trackingServer({}), undefined)
  t.equal(trackingServer({ MLFLOW_TRACKING_URI: '' }), undefined)
  for (const uri of ['file:///tmp/runs', 'databricks', 'host:5000']) {
    t.throws(() => trackingServer({ MLFLOW_TRACKING_URI: uri }), {
      code: 'invalid-settings',
      message: /^MLFLOW_TRACKING_URI is not a URL/,
    }, uri)
  }
  t.throws(() => trackingServer({ MLFLOW_TRACKING_URI: 'http://127.0.0.1:1', MLFLOW_TRACKING_USERNAME: 'me' }), {
    code: 'invalid-settings',
    message: /MLFLOW_TRACKING_PASSWORD is not set/,
  })
})

t.test('if the server cannot be reached, no training starts and no package is replaced', async (t) => {
  const folder = t.testdir({})
  await writePlant(join(folder, 'raw'))
  const context = {
    paths: plantPaths(join(folder, 'raw'), join(folder, 'out')),
    params: plantParams(),
    progress: recordingProgress(),
    table: {},
  }
  const digest = await runPipeline(context)
  const before = context.progress.lines.length
  process.env['MLFLOW_TRACKING_URI'] = 'http://someone:hush@127.0.0.1:1/'
  t.teardown(() => {
    delete process.env['MLFLOW_TRACKING_URI']
  })
  const refusal = {
    code: 'server-unavailable',
    message: /^The tracking server 127\.0\.0\.1:1 does not answer as MLflow does; check MLFLOW_TRACKING_URI(?!.*hush)/,
  }
  await t.rejects(runPipeline(context), refusal)
  t.equal(context.progress.lines.length, before, 'no stage was started')
  await t.rejects(packageModel(context), refusal)
  t.equal(readFileSync(join(context.paths.package, 'digest.txt'), 'utf8').trim(), digest)
  t.notMatch(readFileSync(join(context.paths.package, 'manifest.json'), 'utf8'), /tracking/)
})
