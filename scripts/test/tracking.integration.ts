// Trainings recorded on a real MLflow whose artifacts lie on a real MinIO: read back over REST, to the digest of the
// package.
import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { Client } from 'minio'
import t from 'tap'
import { loadModelPackage } from '../../adapters/tfjs/model-package.ts'
import { tableText, TRAIN_UNTIL, LABELS } from '../../model-creation/test/fixture.ts'
import { startMinio } from '../services/minio.ts'
import { mlflowVersion, startMlflow } from '../services/mlflow.ts'
import { type Finished, run } from './run.ts'

t.setTimeout(600_000)

const root = resolve(import.meta.dirname, '../..')
const work = mkdtempSync(join(tmpdir(), 'tracking-'))
const logs = join(root, '.cache/integration/tracking')
rmSync(logs, { recursive: true, force: true })
mkdirSync(logs, { recursive: true })
const BUCKET = 'mlflow'
const STEPS = 120

const minio = await startMinio({ folder: mkdtempSync(join(logs, 'minio-')) })
t.teardown(async () => minio.stop())
const address = new URL(minio.url)
const store = new Client({
  endPoint: address.hostname,
  port: Number(address.port),
  useSSL: false,
  accessKey: minio.accessKey,
  secretKey: minio.secretKey,
  region: 'us-east-1',
})
await store.makeBucket(BUCKET)
const mlflow = await startMlflow({
  folder: mkdtempSync(join(logs, 'mlflow-')),
  artifacts: {
    destination: `s3://${BUCKET}/runs`,
    env: {
      MLFLOW_S3_ENDPOINT_URL: minio.url,
      AWS_ACCESS_KEY_ID: minio.accessKey,
      AWS_SECRET_ACCESS_KEY: minio.secretKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_MAX_ATTEMPTS: '1',
    },
  },
})
t.teardown(async () => mlflow.stop())
t.comment(`MLflow ${mlflowVersion()} at ${mlflow.url}, artifacts at ${minio.url}`)

/**
 * In front of MLflow, as an operator would put it there: counts, and lets nobody in without the password or the token.
 */
const ALLOWED = [`Basic ${Buffer.from('trainer:hush:hush').toString('base64')}`, 'Bearer very-hush']
let requests = 0
const front = createServer((incoming, response) => {
  requests++
  if (!ALLOWED.includes(incoming.headers.authorization ?? '')) {
    response.writeHead(401).end()
    return
  }
  const { authorization: _, ...headers } = incoming.headers
  incoming.pipe(request(new URL(incoming.url!, mlflow.url), { method: incoming.method!, headers }, (answer) => {
    response.writeHead(answer.statusCode!, answer.headers)
    answer.pipe(response)
  }))
})
await new Promise<void>((resolve) => { front.listen(0, '127.0.0.1', resolve) })
t.teardown(() => { front.close() })
const frontUrl = `http://127.0.0.1:${(front.address() as AddressInfo).port}`

const raw = join(work, 'raw')
mkdirSync(raw)
for (const name of ['A', 'B'] as const) writeFileSync(join(raw, `${name}.csv`), tableText(name))
writeFileSync(join(work, 'labels.csv'), LABELS)
writeFileSync(
  join(work, 'params.yaml'),
  'train: { architecture: residual, windowLength: 6, folds: 2, ' +
    `architectures: { residual: { hidden: 6, code: 2, steps: ${STEPS}, batch: 32 } } }\npackage: { version: "7" }\n`
)

async function train (out: string, env: Record<string, string>): Promise<Finished> {
  return run(process.execPath, [
    '--import',
    'tsx',
    'model-creation/pipeline.ts',
    '--data',
    raw,
    '--labels',
    join(work, 'labels.csv'),
    '--params',
    join(work, 'params.yaml'),
    '--train-until',
    TRAIN_UNTIL,
    '--name',
    'plant',
    '--out',
    join(work, out),
  ], { cwd: root, env })
}

async function rest<T> (path: string, body?: object): Promise<T> {
  const response = await fetch(`${mlflow.url}/api/2.0/${path}`, {
    ...(body !== undefined &&
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return await response.json() as T
}

interface RunOf {
  info: { run_id: string, status: string, run_name: string, start_time: number, end_time: number }
  data: {
    params: Array<{ key: string, value: string }>,
    metrics: Array<{ key: string, value: number, step: number }>,
    tags: Array<{ key: string, value: string }>,
  }
}

/** Of an experiment, the latest first. */
async function runsOf (name: string): Promise<RunOf[]> {
  const { experiment } = await rest<{ experiment: { experiment_id: string } }>(
    `mlflow/experiments/get-by-name?experiment_name=${name}`
  )
  return (await rest<{ runs?: RunOf[] }>('mlflow/runs/search', {
    experiment_ids: [experiment.experiment_id],
    order_by: ['attributes.start_time DESC'],
  })).runs ?? []
}

const manifestOf = (out: string): { tracking?: { mlflowRunId: string } } =>
  JSON.parse(readFileSync(join(work, out, 'manifest.json'), 'utf8')) as never

async function download (runId: string, folder: string): Promise<string> {
  const { root_uri: uri, files } = await rest<{ root_uri: string, files: Array<{ path: string }> }>(
    `mlflow/artifacts/list?run_id=${runId}&path=model`
  )
  for (const { path } of files) {
    const target = join(folder, path)
    mkdirSync(dirname(target), { recursive: true })
    const response = await fetch(
      `${mlflow.url}/api/2.0/mlflow-artifacts/artifacts/${uri.replace('mlflow-artifacts:/', '')}/${path}`,
      { signal: AbortSignal.timeout(30_000) }
    )
    await pipeline(Readable.fromWeb(response.body as ReadableStream), createWriteStream(target))
  }
  return join(folder, 'model')
}

let digest = ''

t.test('without the variable nothing is sent, and the manifest names no run', async (t) => {
  const { code, stdout, stderr } = await train('untracked', {})
  t.equal(code, 0, stderr)
  digest = /^digest (sha256:[0-9a-f]{64})$/m.exec(stdout)![1]!
  t.equal(requests, 0)
  t.notOk('tracking' in manifestOf('untracked'))
})

t.test('a recorded training: everything is there, and the digest is the one without', async (t) => {
  const { code, stdout, stderr } = await train('tracked', { MLFLOW_TRACKING_URI: mlflow.url })
  t.equal(code, 0, stderr)
  t.ok(stdout.includes(`digest ${digest}\n`), `${digest} with and without tracking`)
  const [run, ...others] = await runsOf('plant')
  t.same(others, [])
  const { info, data } = run!
  t.match(info, { status: 'FINISHED', run_name: 'plant 7' })
  t.ok(Math.abs(Date.now() - info.start_time) < 120_000 && info.end_time >= info.start_time)
  t.equal(manifestOf('tracked').tracking?.mlflowRunId, info.run_id)
  const valuesOf = (list: Array<{ key: string, value: unknown }>): Record<string, unknown> =>
    Object.fromEntries(list.map(({ key, value }) => [key, value]))
  t.match(valuesOf(data.tags), { 'model.digest': digest, 'model.name': 'plant', 'data.sha256': /^[0-9a-f]{64}$/ })
  t.match(valuesOf(data.params), {
    'train.architecture': 'residual',
    'train.windowLength': '6',
    'prepare.trainUntil': TRAIN_UNTIL,
    'train.architectures.residual.steps': String(STEPS),
  })
  t.ok(data.params.length > 40, `${data.params.length} parameters`)
  const reported = JSON.parse(readFileSync(join(work, 'tracked/reports/metrics.json'), 'utf8')) as {
    batch: { f1: number },
  }
  t.equal(valuesOf(data.metrics)['batch.f1'], reported.batch.f1)
  const { metrics } = await rest<{ metrics: Array<{ step: number, value: number }> }>(
    `mlflow/metrics/get-history?run_id=${info.run_id}&metric_key=training.member-1.loss`
  )
  const curve = JSON.parse(readFileSync(join(work, 'tracked/reports/learning-curve.json'), 'utf8')) as Array<
    { epoch: number, loss: number }
  >
  t.ok(curve.length > 1, `${curve.length} epochs`)
  t.same(
    metrics.map(({ step, value }) => ({ epoch: step, loss: value })),
    curve.map(({ epoch, loss }) => ({ epoch, loss }))
  )
  const { files } = await rest<{ files: Array<{ path: string }> }>(
    `mlflow/artifacts/list?run_id=${info.run_id}&path=reports`
  )
  t.same(
    files.map(({ path }) => path).sort(),
    readdirSync(join(work, 'tracked/reports')).map((name) => `reports/${name}`).sort()
  )
  for (const name of ['data-quality.json', 'learning-curve.vl.json', 'found.vl.json']) {
    t.ok(files.some(({ path }) => path === `reports/${name}`), name)
  }
})

t.test('the package comes back from MinIO through MLflow, and proves itself', async (t) => {
  const [run] = await runsOf('plant')
  const folder = await download(run!.info.run_id, join(work, 'downloaded'))
  const loaded = await loadModelPackage(folder, 'wasm')
  t.equal(loaded.digest, digest)
  t.equal(loaded.manifest.tracking?.mlflowRunId, run!.info.run_id)
  loaded.dispose()
  const keys: string[] = []
  for await (const { name } of store.listObjectsV2(BUCKET, 'runs/', true) as AsyncIterable<{ name: string }>) {
    keys.push(name)
  }
  t.ok(
    keys.some((key) => key.includes(run!.info.run_id) && key.endsWith('/model/weights.bin')),
    'it lies in the bucket'
  )
})

t.test('a name with its password, or a token, opens the server; else the variables are named at once', async (t) => {
  for (const env of [
    { MLFLOW_TRACKING_USERNAME: 'trainer', MLFLOW_TRACKING_PASSWORD: 'hush:hush' },
    { MLFLOW_TRACKING_TOKEN: 'very-hush' },
  ]) {
    const { code, stderr } = await train('guarded', {
      MLFLOW_TRACKING_URI: `${frontUrl}/`,
      MLFLOW_EXPERIMENT_NAME: 'guarded',
      ...env,
    })
    t.equal(code, 0, stderr)
  }
  t.same((await runsOf('guarded')).map(({ info }) => info.status), ['FINISHED', 'FINISHED'])
  const refused = await train('refused', { MLFLOW_TRACKING_URI: frontUrl, MLFLOW_TRACKING_TOKEN: 'wrong-secret' })
  t.equal(refused.code, 1)
  t.match(
    refused.stderr,
    /^error invalid-settings: .*MLFLOW_TRACKING_URI refuses access \(401\); set MLFLOW_TRACKING_USERNAME/m
  )
  t.notMatch(refused.stderr, /prepare|wrong-secret/)
})

t.test('where artifacts cannot be stored the run has failed, and the package before it stays', async (t) => {
  await minio.kill()
  const before = manifestOf('tracked')
  const { code, stderr } = await train('tracked', { MLFLOW_TRACKING_URI: mlflow.url })
  await minio.restart()
  t.equal(code, 1)
  t.match(stderr, /^error server-unavailable: The tracking server .*MLFLOW_TRACKING_URI/m)
  t.same(manifestOf('tracked'), before)
  t.match((await runsOf('plant')).map(({ info }) => info.status), ['FAILED', 'FINISHED'])
})

t.test('an experiment that was deleted is named', async (t) => {
  const { experiment } = await rest<{ experiment: { experiment_id: string } }>(
    'mlflow/experiments/get-by-name?experiment_name=guarded'
  )
  await rest('mlflow/experiments/delete', { experiment_id: experiment.experiment_id })
  const { code, stderr } = await train('deleted', {
    MLFLOW_TRACKING_URI: mlflow.url,
    MLFLOW_EXPERIMENT_NAME: 'guarded',
  })
  t.equal(code, 1)
  t.match(stderr, /invalid-settings: The experiment "guarded" was deleted .*MLFLOW_EXPERIMENT_NAME/)
})

t.test('MLflow is away: the training does not begin', async (t) => {
  await mlflow.kill()
  const { code, stderr } = await train('away', { MLFLOW_TRACKING_URI: mlflow.url })
  t.equal(code, 1)
  t.match(stderr, /^error server-unavailable: .* does not answer as MLflow does; check MLFLOW_TRACKING_URI/m)
  t.notMatch(stderr, /prepare …/)
})
