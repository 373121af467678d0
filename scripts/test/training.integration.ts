// Retraining in scratch clones, with real DVC, its remote, the raw series and the registry on a real MinIO, and its DAG
// in a real Airflow.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client } from 'minio'
import t from 'tap'
import { parseAllDocuments, stringify } from 'yaml'
import { addFeedback } from '../../adapters/registry/feedback.ts'
import { openStore } from '../../adapters/registry/open-store.ts'
import { Registry } from '../../adapters/registry/registry.ts'
import { LABELS, plantParams, tableText, timeAt } from '../../model-creation/test/fixture.ts'
import { type State } from '../../pipelines/training/state.ts'
import { airflowVersion, checkDags } from '../services/airflow.ts'
import { minioVersion, startMinio } from '../services/minio.ts'
import { type Finished, run, succeed } from './run.ts'

t.setTimeout(1_200_000)

const root = resolve(import.meta.dirname, '../..')
const logs = join(root, '.cache/integration/training')
rmSync(logs, { recursive: true, force: true })
mkdirSync(logs, { recursive: true })
const work = realpathSync(mkdtempSync(join(tmpdir(), 'training-')))
t.teardown(() => { rmSync(work, { recursive: true, force: true }) })

const minio = await startMinio({ folder: join(logs, 'minio') })
t.teardown(async () => minio.stop())
const DVC = join(root, '.cache/dvc/bin')
const dvcVersion = (await succeed(join(DVC, 'dvc'), ['--version'], { cwd: work })).trim()
t.comment(`MinIO ${minioVersion()} at ${minio.url}, DVC ${dvcVersion}, Airflow ${airflowVersion()}`)

const { hostname, port } = new URL(minio.url)
const client = new Client({
  endPoint: hostname,
  port: Number(port),
  useSSL: false,
  accessKey: minio.accessKey,
  secretKey: minio.secretKey,
  region: 'us-east-1',
})
for (const bucket of ['ae-anomaly-detection', 'models', 'raw']) await client.makeBucket(bucket)
for (const name of ['A', 'B'] as const) await client.putObject('raw', `plant/${name}.csv`, tableText(name))

const KEYS = { AWS_ENDPOINT_URL: minio.url, AWS_ACCESS_KEY_ID: minio.accessKey, AWS_SECRET_ACCESS_KEY: minio.secretKey }
const REGISTRY = 's3://models/farm'
/** DVC is on PATH, as in an image; the home is empty, so that nobody's own keys are found there. */
const ENV = {
  ...KEYS,
  MODEL_REGISTRY: REGISTRY,
  AWS_EC2_METADATA_DISABLED: 'true',
  HOME: join(work, 'home'),
  PATH: `${DVC}:${process.env['PATH']}`,
}
mkdirSync(ENV.HOME)
const store = await openStore('REGISTRY', REGISTRY, KEYS)
const registry = new Registry(store, Date.now)
t.teardown(() => { store.close() })

const clone = join(work, 'clone')
await succeed('git', ['clone', '--quiet', root, clone], { cwd: work })
symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
mkdirSync(join(clone, 'data'))
writeFileSync(join(clone, 'data/labels.csv'), LABELS)

/** The plant's parameters with thresholds so far above normal scores. */
function choose (factor: number): void {
  const params = plantParams({
    prepare: { feedbackContext: 'PT10H' },
    train: {
      architecture: 'linear',
      windowLength: 6,
      folds: 2,
      causal: { smoothing: 5, factor },
      batch: { smoothing: 7, factor },
    },
    package: { name: 'wind-turbine' },
  })
  // A time without quotes is more than text to DVC.
  writeFileSync(join(clone, 'model-creation/params.yaml'), stringify(params, { defaultStringType: 'QUOTE_DOUBLE' }))
}

let runs = 0
async function retrain (
  args: readonly string[],
  { cwd = clone, env = ENV as Record<string, string> } = {}
): Promise<Finished> {
  const began = performance.now()
  const finished = await run(process.execPath, ['--import', 'tsx', 'pipelines/training/main.ts', ...args], {
    cwd,
    env,
    seconds: 300,
  })
  writeFileSync(join(logs, `${++runs}.log`), finished.stderr + finished.stdout)
  const seconds = (performance.now() - began) / 1000
  t.comment(`retrain ${args.join(' ')}: ${seconds.toFixed(1)} s, ${finished.stdout.split('\n')[0]}`)
  return finished
}

const stateOf = (folder = clone): State =>
  JSON.parse(readFileSync(join(folder, 'pipelines/training/out/report.json'), 'utf8')) as State
const reportOf = (folder = clone): string => readFileSync(join(folder, 'pipelines/training/out/report.md'), 'utf8')
const ranIn = ({ train }: State): string[] => train!.stages.filter(({ ran }) => ran).map(({ name }) => name)

async function standing (): Promise<{ versions: number[], live: number | undefined }> {
  const [model] = await registry.list()
  return { versions: model?.versions.map(({ version }) => version) ?? [], live: model?.aliases.live.current?.version }
}

t.test('the first run fetches from the object store, trains, publishes and promotes', async (t) => {
  choose(1.3)
  const { code, stdout, stderr } = await retrain(['run', '--from', 'minio', '--push', '--', 's3://raw/plant'])
  t.equal(code, 0, stderr.slice(-2000))
  t.equal(
    stdout,
    `wind-turbine@1 is published in ${REGISTRY}, and live: No model was live.\n` +
      'The report is pipelines/training/out/report.md.\n'
  )
  t.strictSame(await standing(), { versions: [1], live: 1 })
  const state = stateOf()
  t.strictSame(ranIn(state), ['prepare', 'train', 'evaluate', 'package'])
  t.match(state, { pull: { source: 'minio s3://raw/plant' }, publish: { pushed: true } })
  t.not(state.pull!.data.after, state.pull!.data.before, 'the data are pinned anew')
  t.equal(
    (await succeed('git', ['diff', 'HEAD', '--', 'data.dvc'], { cwd: clone })).includes(state.pull!.data.after!),
    true
  )
})

t.test('unchanged data are nothing new, also where they are pulled from the remote', async (t) => {
  for (const folder of ['data', '.dvc/cache', 'model-creation/out']) rmSync(join(clone, folder), { recursive: true })
  const { code, stdout, stderr } = await retrain(['run'])
  t.equal(code, 0, stderr.slice(-2000))
  t.match(stdout, /^Nothing new: wind-turbine@1 is live in/)
  t.strictSame(await standing(), { versions: [1], live: 1 })
  t.strictSame(readdirSync(join(clone, 'data')).sort(), ['feedback.csv', 'labels.csv', 'turbines'])
  t.match(reportOf(), 'The data are what they were')
})

t.test('a real Airflow reads the DAG, whose tasks do the work: a worse model is not promoted', async (t) => {
  const { dags: { retrain: dag, ...others } } = checkDags(join(root, 'pipelines/training/airflow'))
  t.strictSame(Object.keys(others), [])
  t.match(dag, { schedule: '30 3 * * 1', catchup: false, maxActiveRuns: 1 })
  t.strictSame(dag!.tasks.map(({ id, after }) => [id, ...after]), [
    ['pull'],
    ['train', 'pull'],
    ['evaluate', 'train'],
    ['publish', 'evaluate'],
  ])
  for (const { retries, limitMinutes } of dag!.tasks) t.ok(retries === 2 && limitMinutes! >= 60)

  choose(1.2)
  for (const { id, command } of dag!.tasks) {
    const { code, stderr } = await run('bash', ['-c', command!], {
      cwd: work,
      env: { ...ENV, RETRAIN_HOME: clone, RETRAIN_SOURCE: '--from here' },
    })
    t.equal(code, 0, `${id}: ${stderr.slice(-1000)}`)
  }
  const state = stateOf()
  t.strictSame(ranIn(state), ['train', 'evaluate', 'package'], 'data that did not change are not prepared again')
  t.strictSame(await standing(), { versions: [1, 2], live: 1 })
  t.equal(state.evaluate!.decision.verdict, 'keep')
  t.match(
    reportOf(),
    /wind-turbine@2 is published in .*, and not promoted; version 1 stays live: /
  )
  t.match(reportOf(), '| scoring |  | new model | live, version 1 |')
})

t.test('Airflow refuses a DAG file that cannot be imported, one with a circle, and a folder without any', async (t) => {
  const dag = (lines: string): string =>
    `from airflow.sdk import DAG\nfrom airflow.providers.standard.operators.bash import BashOperator\n${lines}\n`
  const folder = t.testdir({
    broken: { 'dag.py': 'from airflow.sdk import DAGG\n' },
    circle: {
      'dag.py': dag(
        'with DAG("circle"):\n    a = BashOperator(task_id="a", bash_command="a")\n' +
          '    b = BashOperator(task_id="b", bash_command="b")\n    a >> b >> a'
      ),
    },
    none: { 'dag.py': 'NOTHING = 1\n' },
  })
  t.throws(() => checkDags(join(folder, 'broken')), { message: /broken\/dag\.py: .*DAGG/ })
  t.throws(() => checkDags(join(folder, 'circle')), { message: /[Cc]ycle/ })
  t.throws(() => checkDags(join(folder, 'none')), { message: /cannot be used/ })
})

t.test('a better model is promoted', async (t) => {
  choose(90)
  const { code, stdout, stderr } = await retrain(['run', '--from', 'here'])
  t.equal(code, 0, stderr.slice(-2000))
  t.match(stdout, /^wind-turbine@3 is published in .*, and live: There is an improvement: /)
  t.strictSame(await standing(), { versions: [1, 2, 3], live: 3 })
  t.ok(stateOf().evaluate!.decision.clauses.every(({ holds }) => holds))
})

t.test('what people said in the registry is in the next training', async (t) => {
  const say = async (label: 'confirmed' | 'false-alarm', series: string, from: number, to: number) =>
    addFeedback(store, { model: 'wind-turbine', series, start: timeAt(from), end: timeAt(to), label }, {
      version: '3',
      now: Date.now(),
    })
  await say('confirmed', 'A', 100, 119)
  await say('false-alarm', 'B', 500, 509)
  const before = stateOf()
  const { code, stderr } = await retrain(['run', '--from', 'here'])
  t.equal(code, 0, stderr.slice(-2000))
  const state = stateOf()
  t.strictSame(state.pull!.feedback, { statements: 2, dropped: 0 })
  t.not(state.pull!.data.after, before.pull!.data.after, 'feedback is pinned with the data')
  t.match(JSON.parse(readFileSync(join(clone, 'model-creation/out/reports/data-quality.json'), 'utf8')), [
    { name: 'A', feedback: { left: 20, entered: 0 } },
    { name: 'B', feedback: { left: 0, entered: 10, around: 120 } },
  ])
  t.match(JSON.parse(readFileSync(join(clone, 'model-creation/out/models/wind-turbine/manifest.json'), 'utf8')), {
    training: { series: 3, observations: 930 },
  }, 'calibration sees the false alarm as a series of its own')
  // Two series of 200 observations, without the 130 that were learnt.
  t.equal(
    state.evaluate!.comparison.seriesWeeks.toFixed(4),
    (270 / 1008).toFixed(4),
    'which neither model is judged on'
  )
  t.equal(state.publish!.version, 4)
})

t.test("as a CronJob: a copy without git, made by the manifest's own commands", async (t) => {
  const documents = parseAllDocuments(readFileSync(join(root, 'kubernetes/training/cron-job.yaml'), 'utf8'))
  const job = documents[1]!.toJS() as {
    spec: {
      jobTemplate: {
        spec: { template: { spec: Record<'initContainers' | 'containers', Array<{ command: string[] }>> } },
      },
    },
  }
  const { initContainers, containers } = job.spec.jobTemplate.spec.template.spec
  const [pod, image] = [join(work, 'pod'), join(work, 'image')]
  mkdirSync(pod)
  cpSync(clone, image, { recursive: true, filter: (path) => !/\/(node_modules|\.git|cache|out|data)$/.test(path) })
  symlinkSync(join(root, 'node_modules'), join(image, 'node_modules'))
  const commands = [...initContainers, ...containers].map(({ command }) =>
    command.map((part) => part.replaceAll('/app', image).replaceAll('/work', pod))
  )
  // What the pod of this version finds in the remote: the data of the clone.
  await succeed(join(DVC, 'dvc'), ['push', 'data.dvc'], { cwd: clone, env: ENV })
  const outputs: string[] = []
  for (const [program, ...args] of commands) {
    outputs.push(
      await succeed(program!, args, {
        cwd: pod,
        env: { ...ENV, RETRAIN_FLAGS: '--push', DVC_SITE_CACHE_DIR: join(work, 'site') },
      })
    )
  }
  t.match(
    outputs.at(-1),
    /^# Retraining of wind-turbine\n\n(Nothing new: wind-turbine@4 is live|wind-turbine@4 had been published before)/
  )
  t.strictSame((await standing()).versions, [1, 2, 3, 4])
  t.strictSame(ranIn(stateOf(pod)), ['prepare', 'train', 'evaluate', 'package'])
  t.equal(stateOf(pod).train!.digest, stateOf().train!.digest, 'the same data, code and parameters are the same model')
})

t.test('a step that fails leaves the live model as it is, and says why in a sentence', async (t) => {
  const before = await standing()
  const absent = await retrain(['run', '--from', 'minio', '--', 's3://raw/nothing'])
  t.equal(absent.code, 1)
  t.match(absent.stderr.trimEnd().split('\n').at(-1), /^error [a-z-]+: model-creation\/data failed: .*nothing/)
  t.match(reportOf(), /^Failed at pull: .*The live model is what it was\.$/m)
  writeFileSync(join(clone, 'model-creation/params.yaml'), 'train: [1\n')
  const broken = await retrain(['run', '--from', 'here'])
  t.equal(broken.code, 1)
  t.match(broken.stderr, /^error invalid-settings: model-creation\/params\.yaml: [^\n]*\n$/, 'before anything is run')
  choose(1.3)
  const stranger = await retrain(['run', '--from', 'here'], { env: { ...ENV, AWS_SECRET_ACCESS_KEY: 'wrong' } })
  t.equal(stranger.code, 1)
  t.match(
    stranger.stderr.trimEnd().split('\n').at(-1),
    /^error registry-unavailable: The registry s3:\/\/models\/farm cannot be used/
  )
  const elsewhere = await retrain(['run', '--from', 'dvc'], { env: { ...ENV, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' } })
  t.equal(elsewhere.code, 1)
  t.strictSame(await standing(), before)
})
