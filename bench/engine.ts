// The cost of an engine's tasks:
// `npm run -s bench:engine [-- --tasks 500 --observations 28000 --model trained|ad-hoc]`.
// Runs a real MinIO, the tests' engine, and the service as a child process on this machine. Each task goes from
// POST /compute to S3, a plot, a result and the callback. Needs `npm run services -- install`; builds the service.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Client } from 'minio'
import { quantile } from '../core/quantile.ts'
import { createRandom } from '../core/random.ts'
import { createHttpClient } from '../model-serving/adapters/http-client.ts'
import { ContractEngine, type EngineTask } from '../model-serving/test/contract-engine.ts'
import { startMinio } from '../scripts/services/minio.ts'
import { endServer, freePort } from '../scripts/services/server.ts'

const { values: options } = parseArgs({
  options: {
    tasks: { type: 'string', default: '500' },
    observations: { type: 'string', default: '28000' },
    /** trained: a model of one channel, as in the Python service; ad-hoc: a model is fitted on each series. */
    model: { type: 'string', default: 'trained' },
    workers: { type: 'string', default: '2' },
    /** The compiled program, as in the image: from source, the loader of TypeScript adds a thread to each thread. */
    program: { type: 'string', default: join(import.meta.dirname, '../dist/model-serving/main.js') },
  },
})
/** The advice of docs/ENGINE.md: glibc otherwise keeps more freed memory. The environment can override it. */
const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' }
const SLUG = 'ae-anomaly-detection'
const BUCKET = 'engine'
/** Rate of the Python service for the same task with its plot, one task after another. */
const PYTHON_TASKS_PER_SECOND = 0.55
const TICK_MS = 10

/** One column without a header. Every task has another one: no answer can come from a cache. */
function numbers (n: number, length: number): string[] {
  const random = createRandom(`bench/engine/${n}`)
  const fault = Math.floor(length * (0.6 + 0.3 * random.uniform()))
  return Array.from(
    { length },
    (_, t) =>
      (10 + 3 * Math.sin(t / 23 + n) + Math.sin(t / 160) + 0.3 * random.normal() +
        (t >= fault && t < fault + 120 ? 4 : 0)).toFixed(4)
  )
}

/** Adds the header that selects the trained model's channel; without a header, the service fits a model. */
const fileOf = (lines: readonly string[]): string =>
  `${options.model === 'trained' ? 'value\n' : ''}${lines.join('\n')}\n`

/** Runs the pipeline on a series like those of the tasks. */
async function train (folder: string, length: number): Promise<string> {
  const rows = numbers(-1, length).map((value, t) =>
    `${new Date(Date.UTC(2026, 0, 1) + t * 60_000).toISOString()},${value}`
  )
  writeFileSync(join(folder, 'train.csv'), `timestamp,value\n${rows.join('\n')}\n`)
  const flags = ['--data', join(folder, 'train.csv'), '--out', join(folder, 'models/value'), '--name', 'value']
  const child = spawn(process.execPath, [
    '--import',
    import.meta.resolve('tsx'),
    join(import.meta.dirname, '../model-creation/pipeline.ts'),
    ...flags,
  ], { stdio: 'ignore' })
  const code = await new Promise((resolve) => { child.once('exit', resolve) })
  if (code !== 0) throw new Error('the pipeline failed')
  return join(folder, 'models')
}

const [tasks, observations] = [Number(options.tasks), Number(options.observations)]
const folder = mkdtempSync(join(tmpdir(), 'bench-engine-'))
const minio = await startMinio({ folder })
const { hostname, port } = new URL(minio.url)
const store = new Client({
  endPoint: hostname,
  port: Number(port),
  useSSL: false,
  accessKey: minio.accessKey,
  secretKey: minio.secretKey,
  region: 'us-east-1',
})
await store.makeBucket(BUCKET)
const keys: string[] = []
for (let n = 0; n < tasks; n++) {
  const content = Buffer.from(fileOf(numbers(n, observations)))
  await store.putObject(BUCKET, `in-${n}.csv`, content, content.length)
  keys.push(`in-${n}.csv`)
}

const models = await train(folder, observations)
const enginePort = await freePort()
const host = `http://127.0.0.1:${enginePort}`
const engine = new ContractEngine({
  reach: createHttpClient(),
  now: Date.now,
  host,
  s3: {
    s3_access_key_id: minio.accessKey,
    s3_secret_access_key: minio.secretKey,
    s3_region: 'us-east-1',
    s3_host: minio.url,
    s3_bucket: BUCKET,
  },
})
await engine.app.listen({ port: enginePort, host: '127.0.0.1' })

const servicePort = String(await freePort())
const service = spawn(process.execPath, [
  ...(options.program.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : []),
  options.program,
], {
  env: {
    ...ALLOCATOR,
    ...process.env,
    SERVICE_PORT: servicePort,
    MODELS_DIR: models,
    ENGINE_URLS: host,
    LOG_LEVEL: 'error',
    COMPUTE_WORKERS: options.workers,
    TASKS_DIR: join(folder, 'tasks'),
  },
  stdio: ['ignore', 'inherit', 'inherit'],
})

const statusLine = (name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${service.pid}/status`, 'utf8'))![1]) / 1024

/** CPU time of all threads so far, in milliseconds. */
function cpuMs (pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

async function waitFor (look: () => boolean): Promise<void> {
  const deadline = Date.now() + 1_800_000
  while (!look()) {
    if (Date.now() > deadline || service.exitCode !== null) throw new Error('the service has stopped or hangs')
    await sleep(5)
  }
}

try {
  await waitFor(() => engine.statusOf(SLUG) === 'available')
  // Warm up threads and compilers before the measurement.
  const warm: EngineTask[] = []
  for (const key of keys.slice(0, 20)) warm.push((await engine.dispatch(SLUG, key)).task)
  await waitFor(() => warm.every(({ outcomes }) => outcomes === 1))

  const acknowledgements: number[] = []
  const all: EngineTask[] = []
  const rss: number[] = []
  const before = { service: cpuMs(service.pid!), minio: cpuMs(minio.pid), own: process.cpuUsage() }
  const began = performance.now()
  for (const key of keys) {
    for (;;) {
      const { task, status, ms } = await engine.dispatch(SLUG, key)
      acknowledgements.push(ms)
      if (status === 200) {
        all.push(task)
        break
      }
      if (status !== 503) throw new Error(`POST /compute answered ${status}`)
      await sleep(25)
    }
    if (all.length % 10 === 0) rss.push(statusLine('VmRSS'))
  }
  await waitFor(() => all.every(({ outcomes }) => outcomes > 0))
  const seconds = (performance.now() - began) / 1000
  const own = process.cpuUsage(before.own)
  const finished = all.filter(({ status, outcomes }) => status === 'finished' && outcomes === 1)
  const last = finished.at(-1)!
  const sizes = await Promise.all(last.data_out!.map(async (key) => (await store.statObject(BUCKET, key)).size))

  const ms = (value: number): string => `${value.toFixed(1)} ms`
  const [plot, result] = sizes.map((bytes) => `${(bytes / 1024).toFixed(0)} kB`)
  const rate = tasks / seconds
  const cpu = {
    service: (cpuMs(service.pid!) - before.service) / tasks,
    minio: (cpuMs(minio.pid) - before.minio) / tasks,
    own: (own.user + own.system) / 1000 / tasks,
  }
  const laterRss = quantile(rss.slice(rss.length >> 1), 0.5)
  console.log(
    `${tasks} tasks of ${observations} observations × 1 channel, ${options.model} model, ${options.workers} workers, ` +
      `load ${loadavg()[0]!.toFixed(1)} on ${availableParallelism()} processors`
  )
  console.log(
    `  finished ${finished.length}, lost ${tasks - finished.length}; last one: plot ${plot}, result ${result}`
  )
  console.log(
    `  ${rate.toFixed(1)} tasks/s in ${seconds.toFixed(1)} s: ${(rate / PYTHON_TASKS_PER_SECOND).toFixed(0)} × ` +
      `the Python service's ${PYTHON_TASKS_PER_SECOND}`
  )
  console.log(
    `  acknowledgement p50 ${ms(quantile(acknowledgements, 0.5))}, p99 ${ms(quantile(acknowledgements, 0.99))}, ` +
      `most ${ms(Math.max(...acknowledgements))}`
  )
  console.log(
    `  CPU a task: service ${ms(cpu.service)}, MinIO ${ms(cpu.minio)}, engine and this program ${ms(cpu.own)}`
  )
  console.log(
    `  resident memory of the service: ${rss[0]!.toFixed(0)} MiB at first, ` +
      `${laterRss.toFixed(0)} MiB over the second half, most ${statusLine('VmHWM').toFixed(0)} MiB`
  )
} finally {
  await endServer(service, 'SIGTERM')
  await engine.app.close()
  await minio.stop()
}
process.exit()
