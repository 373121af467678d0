// The compiled service on a registry in a real MinIO: versions switched under load, and everything killed at random
// points.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'minio'
import t from 'tap'
import { createRandom, type Random } from '../../core/random.ts'
import { openStore } from '../../adapters/registry/open-store.ts'
import { Registry } from '../../adapters/registry/registry.ts'
import { type RegistryStore } from '../../adapters/registry/store.ts'
import { verifyRegistry } from '../../adapters/registry/upkeep.ts'
import { verifyModelPackage } from '../../adapters/tfjs/package-files.ts'
import { csvOf, jsonOf, windSeries } from '../../model-serving/test/fixture.ts'
import { archiveOf, writePackage } from '../../adapters/tfjs/test/linear-packages.ts'
import { minioVersion, startMinio } from '../services/minio.ts'
import { endServer, freePort } from '../services/server.ts'

t.setTimeout(1_200_000)

const root = resolve(import.meta.dirname, '../..')
const logs = join(root, '.cache/integration/models')
mkdirSync(logs, { recursive: true })
const minio = await startMinio({ folder: mkdtempSync(join(tmpdir(), 'minio-')) })
t.teardown(async () => minio.stop())
t.comment(`MinIO ${minioVersion()} at ${minio.url}`)
const access = {
  AWS_ENDPOINT_URL: minio.url,
  AWS_ACCESS_KEY_ID: minio.accessKey,
  AWS_SECRET_ACCESS_KEY: minio.secretKey,
}
const { hostname, port: minioPort } = new URL(minio.url)
const client = new Client({
  endPoint: hostname,
  port: Number(minioPort),
  useSSL: false,
  accessKey: minio.accessKey,
  secretKey: minio.secretKey,
})
await client.makeBucket('models')

const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...access }
const folder = mkdtempSync(join(tmpdir(), 'packages-'))
/** Another seed is another package of the model "wind". */
const pack = async (seed: string) => {
  const files = await writePackage(join(folder, seed), 'wind', windSeries(600, seed))
  return { folder: join(folder, seed), files, digest: verifyModelPackage(seed, files).digest }
}

interface Service {
  readonly url: string
  readonly child: ChildProcess
}

const running = new Set<ChildProcess>()
t.teardown(() => { for (const child of running) child.kill('SIGKILL') })

function run (args: readonly string[], more: Record<string, string>, log: string): ChildProcess {
  const output = openSync(join(logs, log), 'a')
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...env, ...more },
    stdio: ['ignore', output, output],
  })
  running.add(child)
  child.once('exit', () => { running.delete(child) })
  return child
}

async function launch (location: string, more: Record<string, string> = {}): Promise<Service> {
  const port = await freePort()
  const child = run(['dist/model-serving/main.js'], {
    SERVICE_PORT: String(port),
    MODEL_REGISTRY: location,
    COMPUTE_WORKERS: '2',
    LOG_LEVEL: 'warn',
    ...more,
  }, 'service.log')
  return { child, url: `http://127.0.0.1:${port}` }
}

async function ready ({ url, child }: Service): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`)
    if (await fetch(`${url}/readyz`).then(({ status }) => status === 200, () => false)) return
    await sleep(50)
  }
  throw new Error('the service did not become ready within 30 s')
}

async function exitOf (child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => {
      child.once('exit', resolve)
    })
  }
}

const [one, two] = [await pack('one'), await pack('two')]
const TEN = jsonOf(windSeries(60, 'ten'))

interface Answer { model: { version: string, digest: string }, score: Array<number | null> }

async function post (url: string, path: string, body: object | Buffer): Promise<Response> {
  const isBytes = Buffer.isBuffer(body)
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': isBytes ? 'application/x-tar' : 'application/json' },
    body: isBytes ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
}

t.test('a promotion is followed at the next look, and a look can be asked for', async (t) => {
  const location = 's3://models/told'
  const store = await openStore('location', location, access)
  t.teardown(() => { store.close() })
  const registry = new Registry(store, Date.now)
  for (const { folder, files } of [one, two]) await registry.publish(folder, files)
  await registry.promote('wind', 1)
  const [often, never] = await Promise.all(
    ['1000', '3600000'].map(async (ms) => launch(location, { MODEL_REGISTRY_POLL_MS: ms }))
  )
  await Promise.all([ready(often!), ready(never!)])
  const isServed = async ({ url }: Service, version: string): Promise<boolean> => {
    const versionNow = async (): Promise<string> =>
      (await (await post(url, '/compute', TEN)).json() as Answer).model.version
    for (let i = 0; i < 60; i++) {
      if (await versionNow() === version) return true
      await sleep(50)
    }
    return false
  }
  for (const service of [often!, never!]) t.ok(await isServed(service, '1'))
  const began = performance.now()
  await registry.promote('wind', 2)
  t.ok(await isServed(often!, '2'))
  t.comment(`followed ${Math.round(performance.now() - began)} ms after the promotion, looking every 1000 ms`)
  never!.child.kill('SIGHUP')
  t.ok(await isServed(never!, '2'), 'asked by SIGHUP')
  await Promise.all([often!, never!].map(async ({ child }) => endServer(child, 'SIGTERM')))
})

t.test('20 promotions and rollbacks under 50 requests a second: each answer is of one version', async (t) => {
  const service = await launch('s3://models/load')
  await ready(service)
  for (const { files } of [one, two]) t.equal((await post(service.url, '/models', await archiveOf(files))).status, 201)
  await post(service.url, '/models/wind/promote', { version: 1 })
  const expected = new Map<string, string>()
  for (const [version, { digest }] of [['1', one], ['2', two]] as const) {
    expected.set(
      digest,
      JSON.stringify(
        (await (await post(service.url, '/compute', { ...TEN, model: `wind@${version}` })).json() as Answer).score
      )
    )
  }
  t.equal(expected.size, 2)
  t.equal(new Set(expected.values()).size, 2, 'the versions give different scores')

  const seen = new Map<string, number>()
  const faults: string[] = []
  const latencies: number[] = []
  const ask = async (): Promise<void> => {
    const began = performance.now()
    const response = await post(service.url, '/compute', TEN)
    const answer = await response.json() as Answer
    latencies.push(performance.now() - began)
    const { digest } = answer.model ?? {}
    seen.set(digest, (seen.get(digest) ?? 0) + 1)
    if (response.status !== 200 || expected.get(digest) !== JSON.stringify(answer.score)) {
      faults.push(`${response.status} ${JSON.stringify(answer).slice(0, 200)}`)
    }
  }
  const asked: Array<Promise<void>> = []
  const began = performance.now()
  // A timer comes late on a busy machine: what is due by then is asked at once.
  const timer = setInterval(() => {
    while (asked.length < (performance.now() - began) / 20) {
      asked.push(ask().catch((error: unknown) => { faults.push(String(error)) }))
    }
  }, 20)
  let switches = 0
  for (let i = 0; i < 10; i++) {
    for (const [path, body, version] of [['promote', { version: 2 }, 2], ['rollback', {}, 1]] as const) {
      await sleep(250)
      const response = await post(service.url, `/models/wind/${path}`, body)
      const told = await response.json() as { version: number, served: boolean }
      t.match(told, { version, served: true })
      t.equal(
        (await (await post(service.url, '/compute', TEN)).json() as Answer).model.version,
        String(version),
        'whoever asks after the answer is answered by the new one'
      )
      switches++
    }
  }
  clearInterval(timer)
  await Promise.all(asked)
  const seconds = (performance.now() - began) / 1000
  t.equal(switches, 20)
  t.strictSame(faults, [])
  t.strictSame([...seen.keys()].sort(), [one.digest, two.digest].sort())
  latencies.sort((a, b) => a - b)
  t.comment(
    `${asked.length} requests in ${seconds.toFixed(1)} s (${(asked.length / seconds).toFixed(0)}/s), ` +
      `${[...seen.values()].join(' and ')} by version; p50 ${latencies[latencies.length >> 1]!.toFixed(1)} ms, ` +
      `p99 ${latencies[Math.floor(latencies.length * 0.99)]!.toFixed(1)} ms`
  )
  t.ok(asked.length / seconds >= 40, 'as many as were to be asked')
  await endServer(service.child, 'SIGTERM')
})

t.test('a model is trained on series that lie in the object store, where the settings allow it', async (t) => {
  for (const [name, seed] of [['a', 'one'], ['b', 'two']] as const) {
    await client.putObject('models', `series/wind/${name}.csv`, csvOf(windSeries(900, seed)))
  }
  await client.putObject('models', 'secret/c.csv', csvOf(windSeries(900)))
  const service = await launch('s3://models/trained', { TRAINING_SOURCES: 's3://models/series' })
  await ready(service)
  const train = async (query: string) =>
    fetch(`${service.url}/models?architecture=linear&promote=true&${query}`, {
      method: 'POST',
      signal: AbortSignal.timeout(30_000),
    })
  const outcomeOf = async (
    response: Response
  ): Promise<{ state: string, problem: string | null, result: { digest: string } | null }> => {
    const { id } = await response.json() as { id: string }
    for (let i = 0; i < 600; i++) {
      const job = await (await fetch(`${service.url}/jobs/${id}`)).json() as {
        endedAt: string | null,
        state: string,
        problem: string | null,
        result: { digest: string } | null,
      }
      if (job.endedAt !== null) return job
      await sleep(100)
    }
    throw new Error('the training did not end within a minute')
  }
  const folderJob = await outcomeOf(await train('name=folder&from=s3://models/series/wind'))
  t.match(folderJob, { state: 'succeeded', problem: null })
  const fileJob = await outcomeOf(await train('name=file&from=s3://models/series/wind/a.csv'))
  t.match(fileJob, { state: 'succeeded', problem: null })
  t.not(fileJob.result!.digest, folderJob.result!.digest)
  t.equal(
    (await (await post(service.url, '/compute', { ...TEN, model: 'folder' })).json() as Answer).model.digest,
    folderJob.result!.digest
  )
  t.match(await outcomeOf(await train('name=none&from=s3://models/series/none')), {
    state: 'failed',
    problem: /There is no CSV file at s3:\/\/models\/series\/none/,
  })
  for (const from of [
    's3://models/secret/c.csv',
    's3://models/seriesly/c.csv',
    's3://models/trained',
    's3://other/series/wind',
  ]) t.equal((await train(`name=refused&from=${from}`)).status, 422, from)
  await endServer(service.child, 'SIGTERM')
})

const WORK = ['publish', 'promote', 'load'] as const

/** Begins something with the registry that is worth being killed. */
async function begin (
  what: typeof WORK[number],
  { location, registry, random, seed }: { location: string, registry: Registry, random: Random, seed: string }
): Promise<ChildProcess> {
  if (what === 'load') {
    const { aliases } = await registry.get('wind')
    await registry.promote('wind', aliases.live.current!.version === 1 ? 2 : 1)
    return (await launch(location)).child
  }
  const args = what === 'publish'
    ? ['publish', (await pack(`${location}-${seed}`.replaceAll(/\W/g, '-'))).folder, '--promote']
    : ['promote', 'wind', String(1 + random.integer(2))]
  return run(['dist/model-creation/models.js', ...args, '--registry', location], {}, 'models.log')
}

/** Until the store holds more objects than these, or the program ends. */
async function untilMoreObjects (store: RegistryStore, objects: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && (await store.list('')).length <= objects) await sleep(1)
}

/** @returns whether it had ended by itself */
async function killAfter (child: ChildProcess, wait: () => Promise<void>): Promise<boolean> {
  await wait()
  const isLate = child.exitCode !== null
  child.kill('SIGKILL')
  await exitOf(child)
  return isLate
}

/** How long each takes where nobody kills it, in milliseconds. */
async function durationsOf (
  location: string,
  registry: Registry,
  random: Random
): Promise<Record<typeof WORK[number], number>> {
  const durations = { publish: 0, promote: 0, load: 0 }
  for (const what of WORK.slice(0, 2)) {
    const child = await begin(what, { location, registry, random, seed: 'whole' })
    const began = performance.now()
    await exitOf(child)
    durations[what] = performance.now() - began
  }
  const began = performance.now()
  const service = await launch(location)
  await ready(service)
  durations.load = performance.now() - began
  await endServer(service.child, 'SIGTERM')
  return durations
}

t.test('after 50 kills during publish, promote and load, the registry is whole and the service starts', async (t) => {
  const random = createRandom('kills')
  const killed = { publish: 0, promote: 0, load: 0, tooLate: 0, afterItsFirstObject: 0 }
  for (const location of ['s3://models/killed', join(folder, 'registry')]) {
    const store = await openStore('location', location, access)
    const registry = new Registry(store, Date.now)
    for (const { folder, files } of [one, two]) await registry.publish(folder, files)
    await registry.promote('wind', 1)
    const durations = await durationsOf(location, registry, random)
    for (let round = 0; round < 25; round++) {
      const what = WORK[round % WORK.length]!
      const child = await begin(what, { location, registry, random, seed: `round-${round}` })
      const objects = (await store.list('')).length
      // Most of a program's time is its start; what touches the registry comes at its end.
      const wait = durations[what] * (0.5 + 0.6 * random.uniform())
      // Chance seldom hits the time after the first object of a program, so the store is watched in some rounds.
      const isWatched = what === 'publish' && round % 2 === 0
      const isLate = await killAfter(child, () => isWatched ? untilMoreObjects(store, objects, child) : sleep(wait))
      killed[isLate ? 'tooLate' : what]++
      if (!isLate && (await store.list('')).length > objects) killed.afterItsFirstObject++
      t.strictSame(await verifyRegistry(new Registry(store, Date.now), store), [], `round ${round}: ${what}`)
      if (round % 5 !== 4) continue
      const service = await launch(location)
      await ready(service)
      const live = (await registry.get('wind')).aliases.live.current!
      const response = await post(service.url, '/compute', TEN)
      t.equal(response.status, 200)
      t.match(
        await response.json(),
        { model: { version: String(live.version), digest: live.digest } },
        'the service serves what is live'
      )
      await endServer(service.child, 'SIGKILL')
    }
    store.close()
  }
  t.comment(`killed: ${JSON.stringify(killed)}`)
  t.ok(
    killed.publish + killed.promote + killed.load >= 20 && killed.afterItsFirstObject > 0,
    'many were killed while they worked'
  )
})
