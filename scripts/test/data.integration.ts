// DVC in scratch clones with a real MinIO as its remote, as the README says it; then series fetched from a real
// InfluxDB and from MinIO.
import {
  existsSync,
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
import { dirname, join, resolve } from 'node:path'
import { InfluxDB, Point } from '@influxdata/influxdb-client'
import { Client } from 'minio'
import t from 'tap'
import { createRandom } from '../../core/random.ts'
import { readDvcFile } from '../../model-creation/adapters/dvc-hash.ts'
import { main } from '../../model-creation/data.ts'
import { tableText } from '../../model-creation/test/fixture.ts'
import { influxdbVersion, startInfluxdb } from '../services/influxdb.ts'
import { minioVersion, startMinio } from '../services/minio.ts'
import { type Finished, run, succeed, type Where } from './run.ts'

t.setTimeout(1_200_000)

const root = resolve(import.meta.dirname, '../..')
const DVC = join(root, '.cache/dvc/bin/dvc')
const PIPELINE = 'model-creation/dvc.yaml'
const PARAMS = 'model-creation/params.yaml'
const REMOTE = 'ae-anomaly-detection'
const logs = join(root, '.cache/integration/data')
rmSync(logs, { recursive: true, force: true })
mkdirSync(logs, { recursive: true })
const work = realpathSync(mkdtempSync(join(tmpdir(), 'data-')))
t.teardown(() => { rmSync(work, { recursive: true, force: true }) })

const minio = await startMinio({ folder: join(logs, 'minio') })
t.teardown(async () => minio.stop())
const influx = await startInfluxdb({ folder: join(logs, 'influxdb') })
t.teardown(async () => influx.stop())
t.comment(`MinIO ${minioVersion()} at ${minio.url}, InfluxDB ${influxdbVersion()} at ${influx.url}`)

const address = new URL(minio.url)
const store = new Client({
  endPoint: address.hostname,
  port: Number(address.port),
  useSSL: false,
  accessKey: minio.accessKey,
  secretKey: minio.secretKey,
  region: 'us-east-1',
})

/**
 * What a fork knows: where the remote is, and no key to it. The home is empty, so that nobody's own keys are found
 * there.
 */
const FORK = {
  HOME: join(work, 'home'),
  DVC_NO_ANALYTICS: '1',
  AWS_ENDPOINT_URL: minio.url,
  AWS_EC2_METADATA_DISABLED: 'true',
}
const KEYS = { ...FORK, AWS_ACCESS_KEY_ID: minio.accessKey, AWS_SECRET_ACCESS_KEY: minio.secretKey }
mkdirSync(FORK.HOME)

/** A clone of what is committed, with the packages of this folder. */
async function clone (path: string): Promise<string> {
  const folder = join(work, path)
  mkdirSync(dirname(folder), { recursive: true })
  await succeed('git', ['clone', '--quiet', root, folder], { cwd: work })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  // A link is no folder, which .gitignore leaves out.
  writeFileSync(join(folder, '.git/info/exclude'), 'node_modules\n')
  for (const [key, value] of [['user.name', 'test'], ['user.email', 'test@localhost']]) {
    await succeed('git', ['config', key!, value!], { cwd: folder })
  }
  return folder
}

const at = (cwd: string, env: Record<string, string> = KEYS): Where => ({ cwd, env, seconds: 600 })
const dvc = async (cwd: string, ...args: string[]): Promise<string> => succeed(DVC, args, at(cwd))
const data = async (cwd: string, args: readonly string[], env: Record<string, string>): Promise<Finished> =>
  run(process.execPath, ['--import', 'tsx', 'model-creation/data.ts', ...args], at(cwd, env))
const stagesRun = (output: string): string[] =>
  [...output.matchAll(/^Running stage '[^']*?:?(\w+)':$/gm)].map(([, name]) => name!)
const digestOf = (folder: string): string =>
  readFileSync(join(folder, 'model-creation/out/models/wind-turbine/digest.txt'), 'utf8').trim()
const pinned = (await readDvcFile(join(root, 'data.dvc'))).md5
const seconds = (began: number): string => `${((performance.now() - began) / 1000).toFixed(1)} s`

async function keysIn (bucket: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { name } of store.listObjectsV2(bucket, '', true) as AsyncIterable<{ name: string }>) keys.push(name)
  return keys
}

const first = await clone('first')

/** What the first clone made, with an empty cache. */
let digest = ''

t.test('a fork without credentials cannot pull, and makes the pinned data itself', async (t) => {
  const { code, stderr } = await run(DVC, ['pull', 'data.dvc'], at(first, FORK))
  t.not(code, 0)
  t.match(stderr, /credentials/i)
  const made = await data(first, [], FORK)
  t.equal(made.code, 0, made.stderr)
  t.ok(made.stdout.includes(`md5 ${pinned}\n`), `npm run data gives ${pinned}, as data.dvc pins it`)
  t.notMatch(await succeed(DVC, ['status', 'data.dvc'], at(first, FORK)), /modified|deleted/)
})

t.test('repro with an empty cache makes what dvc.lock holds; push stores it', async (t) => {
  let began = performance.now()
  const output = await dvc(first, 'repro', PIPELINE)
  t.same(stagesRun(output), ['prepare', 'train', 'evaluate', 'package'], `in ${seconds(began)}`)
  t.equal(await succeed('git', ['status', '--porcelain'], { cwd: first }), '', 'bit for bit')
  digest = digestOf(first)
  await store.makeBucket(REMOTE)
  await dvc(first, 'add', 'data')
  began = performance.now()
  await dvc(first, 'push')
  t.ok((await keysIn(REMOTE)).length > 20, `${(await keysIn(REMOTE)).length} objects pushed in ${seconds(began)}`)
  const { code } = await run(DVC, ['push'], at(first, { ...KEYS, AWS_SECRET_ACCESS_KEY: 'wrong' }))
  t.not(code, 0, 'with a wrong key it fails')
})

t.test('with data and cache wiped, pull brings all back, and there is nothing to do', async (t) => {
  for (const path of ['data', '.dvc/cache', '.dvc/tmp', 'model-creation/out']) {
    rmSync(join(first, path), { recursive: true })
  }
  const began = performance.now()
  await dvc(first, 'pull')
  t.equal(digestOf(first), digest, `pulled in ${seconds(began)}`)
  t.match((await data(first, [], FORK)).stdout, new RegExp(`already there, left as it is, .* md5 ${pinned}`))
  t.same(stagesRun(await dvc(first, 'repro', PIPELINE)), [])
  t.match(await dvc(first, 'status'), /up to date/)
})

/** Replaces a parameter's value in params.yaml. */
function setParam (folder: string, from: RegExp, to: string): void {
  const file = join(folder, PARAMS)
  const text = readFileSync(file, 'utf8')
  if (!from.test(text)) throw new Error(`${from} is not in ${PARAMS}`)
  writeFileSync(file, text.replace(from, to))
}

t.test('a changed parameter runs the stages that it affects, and no other; the differences are shown', async (t) => {
  setParam(first, /^( +)description: .*$/m, '$1description: Changed by a test.')
  t.same(stagesRun(await dvc(first, 'repro', PIPELINE)), ['package'], 'package.description')
  setParam(first, /^( +)tolerance: .*$/m, '$1tolerance: PT0S')
  setParam(first, /^( +)minDuration: .*$/m, '$1minDuration: PT12H')
  t.same(stagesRun(await dvc(first, 'repro', PIPELINE)), ['evaluate', 'package'], 'evaluate.minDuration')
  const params = JSON.parse(await dvc(first, 'params', 'diff', '--json')) as Record<
    string,
    Record<string, { new: unknown }>
  >
  t.match(params[PARAMS], {
    'evaluate.minDuration': { new: 'PT12H' },
    'package.description': { new: 'Changed by a test.' },
  })
  const metrics = JSON.parse(await dvc(first, 'metrics', 'diff', '--json')) as Record<
    string,
    Record<string, { old: number, new: number }>
  >
  const changed = Object.values(metrics)[0]!
  t.ok(
    changed['batch.falseAnomaliesPerSeriesWeek'] !== undefined,
    `metrics diff tells of ${Object.keys(changed).length} metrics`
  )
  await dvc(first, 'plots', 'diff', '--out', 'plots')
  const page = readFileSync(join(first, 'plots/index.html'), 'utf8')
  t.match(page, /vega/)
  t.ok(page.includes('workspace') && page.includes('HEAD'))
  rmSync(join(first, 'plots'), { recursive: true })
  await dvc(first, 'push')
})

t.test('an experiment sets a parameter by itself, and is kept beside the commits', async (t) => {
  await succeed('git', ['commit', '--quiet', '--all', '--message', 'Changed'], { cwd: first })
  const output = await dvc(
    first,
    'exp',
    'run',
    PIPELINE,
    '--name',
    'shorter',
    '--set-param',
    `${PARAMS}:package.goldenLength=150`
  )
  t.same(stagesRun(output), ['package'])
  t.match(readFileSync(join(first, PARAMS), 'utf8'), /goldenLength: 150/)
  t.match(await dvc(first, 'exp', 'list', '--name-only'), /^shorter$/m)
  await succeed('git', ['reset', '--quiet', '--hard', 'HEAD~1'], { cwd: first })
})

t.test('fresh data are noticed, pinned and pushed', async (t) => {
  const made = await data(first, ['--seed', 'fresh'], FORK)
  const [, md5] = / md5 (\S+)/.exec(made.stdout)!
  t.match(await dvc(first, 'status', 'data.dvc'), /modified/)
  await dvc(first, 'add', 'data')
  t.equal((await readDvcFile(join(first, 'data.dvc'))).md5, md5)
  const before = (await keysIn(REMOTE)).length
  await dvc(first, 'push', 'data.dvc')
  t.ok((await keysIn(REMOTE)).length > before)
  await succeed('git', ['checkout', '--quiet', '--force', 'HEAD'], { cwd: first })
  await dvc(first, 'checkout', 'data.dvc')
})

t.test('two clones in two places make the same model', async (t) => {
  const second = await clone('some where/else/second')
  await dvc(second, 'pull', 'data.dvc')
  t.equal(existsSync(join(second, 'model-creation/out')), false)
  t.same(stagesRun(await dvc(second, 'repro', '--force', PIPELINE)), ['prepare', 'train', 'evaluate', 'package'])
  t.equal(await succeed('git', ['status', '--porcelain'], { cwd: second }), '', 'as it is locked')
  t.equal(digestOf(second), digest, `${digest} in both`)
})

/** What the command prints, or its refusal, in this process. */
async function fetched (args: readonly string[], env: Record<string, string>): Promise<string> {
  let printed = ''
  await main(args, (text) => { printed += text }, env)
  return printed
}

const OUT = { influx: join(work, 'fetched/influx'), minio: join(work, 'fetched/minio') }
const INFLUX = { INFLUX_URL: influx.url, INFLUX_TOKEN: influx.token, INFLUX_ORG: influx.org }
const RANGE = [
  '--from',
  'influx',
  '--bucket',
  influx.bucket,
  '--start',
  '2026-01-01T00:00:00Z',
  '--stop',
  '2026-02-01T00:00:00Z',
  '--out',
  OUT.influx,
]
const fromInflux = async (args: readonly string[], env: Record<string, string> = INFLUX): Promise<string> =>
  fetched([...RANGE, ...args], env)
const POINTS = 6000

/** Flux and file systems would trip over it. */
const ODD = 'P"2/$' + '{x}'

/**
 * Two pumps, every ten seconds. A batch that the client sends by itself is awaited by nobody, and so none is ever full.
 */
async function fill (): Promise<void> {
  const writer = new InfluxDB({ url: influx.url, token: influx.token }).getWriteApi(influx.org, influx.bucket, 'ms', {
    batchSize: POINTS + 1,
    maxBufferLines: 4 * POINTS,
  })
  const random = createRandom('pumps')
  for (const name of ['P1', ODD]) {
    for (let i = 0; i < POINTS; i++) {
      const load = Math.sin(i / 90) + 0.1 * random.normal()
      writer.writePoint(
        new Point('pump').tag('name', name).tag('site', 'north').timestamp(Date.UTC(2026, 0, 1) + 10_000 * i)
          .floatField('pressure', 5 + load).floatField('flow', 20 + 4 * load + 0.2 * random.normal()).intField(
            'rpm',
            Math.round(1500 + 30 * load)
          ).booleanField('running', true).stringField('state', 'ok')
      )
    }
    await writer.flush()
  }
  writer.writePoint(new Point('weather').tag('site', 'north').floatField('wind', 3).timestamp(Date.UTC(2026, 0, 1)))
  await writer.close()
}

t.test('series out of InfluxDB: every point, or means, one file each, with a report', async (t) => {
  await fill()
  const all = await fromInflux(['--measurement', 'pump', '--series', 'name'])
  t.match(all, new RegExp(`influx: written from influx, 2 series, ${2 * POINTS} rows, md5 [0-9a-f]{32}\\.dir`))
  t.same(readdirSync(OUT.influx).sort(), ['P1.csv', 'P_2_x_.csv', 'data-quality.json', 'data-quality.md'])
  const [header, line, ...rest] = readFileSync(join(OUT.influx, 'P1.csv'), 'utf8').trimEnd().split('\n')
  t.equal(header, 'timestamp,flow,pressure,rpm,running')
  t.match(line, /^2026-01-01T00:00:00\.000Z,\d+\.\d+,\d+\.\d+,1[45]\d\d,1$/)
  t.equal(rest.length, POINTS - 1)
  t.equal(await fromInflux(['--measurement', 'pump', '--series', 'name']), all, 'fetched again it is the same')
  t.match(await fromInflux(['--measurement', 'pump', '--tag', `name=${ODD}`, '--every', 'PT10M']), /1 series, 100 rows/)
})

t.test('npm run data as a program, and what it fetched trains a model', async (t) => {
  const made = await data(root, [...RANGE, '--measurement', 'pump', '--series', 'name', '--every', 'PT1M'], INFLUX)
  t.match(made.stdout, /2 series, 2000 rows/, made.stderr)
  const args = [
    '--import',
    'tsx',
    'model-creation/pipeline.ts',
    '--data',
    OUT.influx,
    '--out',
    join(work, 'models/pump'),
    '--architecture',
    'linear',
    '--exclude',
    'running',
  ]
  t.match(await succeed(process.execPath, args, at(root, {})), /^digest sha256:[0-9a-f]{64}$/m)
  const refused = await data(root, [...RANGE, '--measurement', 'pump'], { ...INFLUX, INFLUX_TOKEN: 'wrong-secret' })
  t.match(refused, { code: 1, stderr: /^error invalid-settings: InfluxDB at .* refuses the token; check INFLUX_TOKEN/ })
  t.notMatch(refused.stderr, /wrong-secret/)
})

t.test('what InfluxDB refuses is told by the flag or the variable, and what was fetched stays', async (t) => {
  const before = readdirSync(OUT.influx)
  const pumps = ['--measurement', 'pump']
  for (const [args, env, message] of [
    [pumps, INFLUX, /two values of "flow" at .* --series/],
    [[...pumps, '--series', 'nope'], INFLUX, /--series nope: there are points without this tag/],
    [[...pumps, '--tag', 'site=south'], INFLUX, /^The bucket "measurements" has no numbers from/],
    [['--measurement', 'x") |> yield() //'], INFLUX, /has no numbers/],
    [['--bucket', 'nope'], INFLUX, /^--bucket: InfluxDB at .* has no bucket "nope"/],
    [pumps, { ...INFLUX, INFLUX_TOKEN: 'wrong' }, /refuses the token; check INFLUX_TOKEN/],
    [pumps, { ...INFLUX, INFLUX_ORG: 'nobody' }, /has no organisation "nobody" for this token; check INFLUX_ORG/],
    [pumps, {}, /INFLUX_URL, INFLUX_TOKEN, INFLUX_ORG are not set/],
  ] as const) await t.rejects(fromInflux(args, env), { message }, args.join(' '))
  await influx.kill()
  await t.rejects(fromInflux(pumps), { code: 'server-unavailable', message: /check INFLUX_URL/ })
  t.same(readdirSync(OUT.influx), before)
})

t.test('files out of MinIO: those of the folder alone', async (t) => {
  await store.makeBucket('plant')
  for (const [key, content] of [
    ['raw/A.csv', tableText('A')],
    ['raw/B.csv', tableText('B')],
    ['raw/notes.txt', 'no'],
    ['raw2/C.csv', tableText('B')],
    ['twice/x/A.csv', tableText('A')],
    ['twice/y/a.csv', tableText('A')],
    ['broken/A.csv', ''],
  ] as const) await store.putObject('plant', key, content)
  const fromMinio = async (place: string, env: Record<string, string> = KEYS): Promise<string> =>
    fetched(['--from', 'minio', place, '--out', OUT.minio], env)
  t.match(await fromMinio('s3://plant/raw'), /minio: written from minio, 2 series, 1199 rows, md5 [0-9a-f]{32}\.dir/)
  t.equal(readFileSync(join(OUT.minio, 'A.csv'), 'utf8'), tableText('A'))
  t.match(JSON.parse(readFileSync(join(OUT.minio, 'data-quality.json'), 'utf8')), [{
    name: 'A',
    profile: { duplicateRows: 1 },
  }, { name: 'B' }])
  for (const [place, env, message] of [
    ['s3://nowhere/raw', KEYS, /there is no bucket "nowhere"/],
    ['s3://plant/empty', KEYS, /^There is no \.csv object in s3:\/\/plant\/empty\//],
    ['s3://plant/twice', KEYS, /the object twice\/y\/a\.csv and the object twice\/x\/A\.csv would both be a\.csv/],
    ['s3://plant/broken', KEYS, /^A\.csv: /],
    [
      's3://plant/raw',
      { ...KEYS, AWS_SECRET_ACCESS_KEY: 'wrong' },
      /AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID/,
    ],
    ['s3://plant/raw', { ...KEYS, AWS_ACCESS_KEY_ID: 'nobody' }, /AWS_ACCESS_KEY_ID is not known there/],
    ['s3://plant/raw', FORK, /AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY are not set/],
  ] as const) await t.rejects(fromMinio(place, env), { message }, place)
  t.match(await fromMinio('s3://plant/raw2/C.csv'), /1 series, 600 rows/)
  await minio.kill()
  await t.rejects(fromMinio('s3://plant/raw'), { code: 'server-unavailable', message: /check AWS_ENDPOINT_URL/ })
  t.same(readdirSync(OUT.minio).sort(), ['C.csv', 'data-quality.json', 'data-quality.md'], 'the last that came whole')
})
