// The cost of serving: `npm run -s bench:serving [-- --models <package> --runs 5 --workers 1,2]`. Trains a model of one
// channel, and serves it and the wind turbine's in a child process. Prints CPU per request (user and system time of all
// threads), latency, throughput, memory and its slope, /livez under load, and the time until the service is ready. Each
// figure is a median over the runs.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import { quantile } from '../core/quantile.ts'
import { formatDuration } from '../core/table/duration.ts'
import { createRandom } from '../core/random.ts'
import { channelValues, fromColumns, type Series, slice, timeOf } from '../core/series/series.ts'
import { simulateFarm } from '../simulator/simulate.ts'

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: 'model-creation/out/models/wind-turbine' },
    seconds: { type: 'string', default: '5' },
    program: { type: 'string', default: join(import.meta.dirname, '../model-serving/main.ts') },
    runs: { type: 'string', default: '5' },
    requests: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '1,2' },
  },
})
const RUNS = Number(options.runs)
/** Milliseconds per tick of the kernel's clock, the unit of CPU time in /proc. */
const TICK_MS = 10
const median = (values: readonly number[]): number => quantile(values, 0.5)
const print = (what: string, values: readonly number[], unit: string): void => {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(1))
  console.log(
    `  ${what.padEnd(44)} ${median(values).toFixed(unit === 'MB' ? 0 : 1)} ${unit}  (${least} to ${most})`
  )
}

interface Child { readonly url: string, readonly pid: number, readonly readyMs: number, stop (): Promise<void> }

async function freePort (): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => { server.close(resolve) })
  return port
}

/** Starts the service; an older one without threads ignores the number of workers. */
async function start (models: string, workers: string): Promise<Child> {
  const port = await freePort()
  const began = performance.now()
  const env = {
    ...process.env,
    SERVICE_PORT: String(port),
    MODELS_DIR: models,
    COMPUTE_WORKERS: workers,
    LOG_LEVEL: 'error',
  }
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), options.program], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve()
    })
  })
  const url = `http://127.0.0.1:${port}`
  while (await fetch(`${url}/readyz`).then(({ status }) => status, () => 0) !== 200) {
    if (child.exitCode !== null || performance.now() - began > 60_000) {
      throw new Error('the service does not become ready')
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
  return {
    url,
    pid: child.pid!,
    readyMs: performance.now() - began,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** CPU time of all threads so far, in milliseconds. */
function cpuOf (pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

const rssOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024

function bodyOf (series: Series, digits = 4): string {
  const channels = Object.fromEntries(
    series.channels.map((name, c) => [
      name,
      Array.from(channelValues(series, c), (value) => Number(value.toFixed(digits))),
    ])
  )
  return JSON.stringify({
    start: new Date(series.start).toISOString(),
    step: formatDuration(series.interval),
    channels,
  })
}

async function post (url: string, body: string): Promise<number> {
  const began = performance.now()
  const response = await fetch(`${url}/compute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'accept-encoding': 'identity' },
    body,
  })
  await response.arrayBuffer()
  if (response.status !== 200) throw new Error(`POST /compute answered ${response.status}`)
  return performance.now() - began
}

/** Sends one request after another. */
async function sequential (
  child: Child,
  body: string,
  requests: number
): Promise<{ cpuMs: number, latencyMs: number }> {
  const before = cpuOf(child.pid)
  const latencies: number[] = []
  for (let i = 0; i < requests; i++) latencies.push(await post(child.url, body))
  return { cpuMs: (cpuOf(child.pid) - before) / requests, latencyMs: median(latencies) }
}

/** Runs eight clients for some seconds, and calls /livez every 20 ms meanwhile. */
async function loaded (
  child: Child,
  body: string,
  seconds: number
): Promise<{ perSecond: number, p50: number, p99: number, cpuMs: number, live: number[] }> {
  const live: number[] = []
  const cannon = autocannon({
    url: `${child.url}/compute`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    connections: 8,
    duration: seconds,
    timeout: 60,
  })
  const cpu = cpuOf(child.pid)
  const probe = { done: false }
  const probing = (async () => {
    while (!probe.done) {
      const began = performance.now()
      await (await fetch(`${child.url}/livez`)).arrayBuffer()
      live.push(performance.now() - began)
      await new Promise((resolve) => { setTimeout(resolve, 20) })
    }
  })()
  const { requests, latency, non2xx, errors } = await cannon
  probe.done = true
  await probing
  if (non2xx + errors > 0) throw new Error(`${non2xx + errors} requests failed under load`)
  return {
    perSecond: requests.total / seconds,
    p50: latency.p50,
    p99: latency.p99,
    cpuMs: (cpuOf(child.pid) - cpu) / requests.total,
    live,
  }
}

/** Memory after the requests, and its growth per request over the last half. */
async function memory (child: Child, body: string, requests: number): Promise<{ rssMb: number, slopeKb: number }> {
  const points: Array<[number, number]> = []
  for (let i = 1; i <= requests; i++) {
    await post(child.url, body)
    if (i > requests / 2 && i % 10 === 0) points.push([i, rssOf(child.pid)])
  }
  const [x, y] = [0, 1].map((k) => points.reduce((sum, point) => sum + point[k]!, 0) / points.length) as [
    number,
    number
  ]
  const slope = points.reduce((sum, [i, rss]) => sum + (i - x) * (rss - y), 0) /
    points.reduce((sum, [i]) => sum + (i - x) ** 2, 0)
  return { rssMb: rssOf(child.pid), slopeKb: 1024 * slope }
}

/** A model of one channel with windows of 128, trained by the pipeline on 28,000 observations. */
async function trainOneChannel (): Promise<{ models: string, series: Series }> {
  const random = createRandom('bench/serving')
  const values = Array.from(
    { length: 28_000 },
    (_, t) => 10 + 3 * Math.sin(t / 23) + Math.sin(t / 160) + 0.3 * random.normal()
  )
  const series = fromColumns({ start: Date.UTC(2026, 0, 1), interval: 60_000, columns: { value: values } })
  const folder = mkdtempSync(join(tmpdir(), 'bench-serving-'))
  const rows = values.map((value, t) => `${new Date(timeOf(series, t)).toISOString()},${value.toFixed(4)}`)
  writeFileSync(join(folder, 'one.csv'), `timestamp,value\n${rows.join('\n')}\n`)
  const code = await new Promise<number | null>((resolve) => {
    const flags = ['--data', join(folder, 'one.csv'), '--out', join(folder, 'out'), '--name', 'one-channel']
    spawn(process.execPath, [
      '--import',
      import.meta.resolve('tsx'),
      join(import.meta.dirname, '../model-creation/pipeline.ts'),
      ...flags,
    ], { stdio: 'ignore' }).once('exit', resolve)
  })
  if (code !== 0) throw new Error('the pipeline failed')
  return { models: join(folder, 'out'), series }
}

/** The minimum cost of the same bodies: CPU milliseconds for parsing the request and writing the answer as JSON. */
async function jsonReference (child: Child, body: string): Promise<number> {
  const answer: unknown =
    await (await fetch(`${child.url}/compute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })).json()
  const rounds = 20
  const before = process.cpuUsage()
  for (let i = 0; i < rounds; i++) {
    JSON.parse(body)
    JSON.stringify(answer)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / rounds
}

/** Other processes on the machine slow everything down; the figures cannot exclude their effect. */
const loadOf = (): string => `load ${loadavg()[0]!.toFixed(1)} on ${availableParallelism()} processors`

const turbineSeries = (): Series => simulateFarm({ turbines: 1, days: 60, trainingDays: 60 }).turbines[0]!.series

async function measure (name: string, models: string, body: string, workers: string): Promise<void> {
  console.log(`${name}, COMPUTE_WORKERS=${workers}, body ${(body.length / 1024).toFixed(0)} kB, ${loadOf()}`)
  const ready: number[] = []
  const json: number[] = []
  const singles: Array<{ cpuMs: number, latencyMs: number }> = []
  const loads: Array<Awaited<ReturnType<typeof loaded>>> = []
  for (let run = 0; run < RUNS; run++) {
    const child = await start(models, workers)
    ready.push(child.readyMs)
    // Send them together: every thread must run before the measurement starts.
    for (let round = 0; round < 4; round++) {
      await Promise.all(Array.from({ length: 8 }, async () => post(child.url, body)))
    }
    json.push(await jsonReference(child, body))
    singles.push(await sequential(child, body, 20))
    loads.push(await loaded(child, body, Number(options.seconds)))
    await child.stop()
  }
  const child = await start(models, workers)
  const { rssMb, slopeKb } = await memory(child, body, Number(options.requests))
  await child.stop()
  print('ready', ready, 'ms')
  print('CPU a request, one at a time', singles.map(({ cpuMs }) => cpuMs), 'ms')
  print('of it JSON.parse and JSON.stringify', json, 'ms')
  print('latency, one at a time', singles.map(({ latencyMs }) => latencyMs), 'ms')
  print('requests a second, 8 clients', loads.map(({ perSecond }) => perSecond), '/s')
  print('CPU a request, 8 clients', loads.map(({ cpuMs }) => cpuMs), 'ms')
  print('latency p50, 8 clients', loads.map(({ p50 }) => p50), 'ms')
  print('/livez p50 meanwhile', loads.map(({ live }) => median(live)), 'ms')
  print('/livez p99 meanwhile', loads.map(({ live }) => quantile(live, 0.99)), 'ms')
  print(`RSS after ${options.requests} requests`, [rssMb], 'MB')
  print('its slope over the last half', [slopeKb], 'kB a request')
  console.log(`  ${loadOf()} at the end`)
}

const oneChannel = await trainOneChannel()
const turbine = slice(turbineSeries(), 0, 8640)
for (const workers of options.workers.split(',')) {
  await measure('one channel, 28,000 observations', oneChannel.models, bodyOf(oneChannel.series), workers)
  await measure('wind turbine, 8,640 observations of 11 channels', options.models, bodyOf(turbine), workers)
}
