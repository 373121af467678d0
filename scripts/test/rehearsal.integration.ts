// What happens to a pod, rehearsed with the image's own command as plain processes and the settings that Kubernetes
// gives it: a rolling restart under load behind a proxy, where no request fails, and an end in the middle of engine
// tasks, where none is lost.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { Agent as HttpAgent, createServer, request as forward, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'minio'
import t from 'tap'
import { Agent, request } from 'undici'
import { parse } from 'yaml'
import { z } from 'zod'
import { folderStore } from '../../adapters/registry/folder-store.ts'
import { Registry } from '../../adapters/registry/registry.ts'
import { writePackage } from '../../adapters/tfjs/test/linear-packages.ts'
import { createHttpClient } from '../../model-serving/adapters/http-client.ts'
import { ContractEngine, type EngineTask } from '../../model-serving/test/contract-engine.ts'
import { csvOf, jsonOf, windSeries } from '../../model-serving/test/fixture.ts'
import { minioVersion, startMinio } from '../services/minio.ts'
import { controlled, freePort, type RunningServer, startServer } from '../services/server.ts'
import { makeServiceImage } from './image-folder.ts'

t.setTimeout(600_000)

const root = resolve(import.meta.dirname, '../..')
const logs = join(root, '.cache/integration/rehearsal')
rmSync(logs, { recursive: true, force: true })
mkdirSync(logs, { recursive: true })
const folder = mkdtempSync(join(tmpdir(), 'rehearsal-'))
t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
const image = makeServiceImage(join(folder, 'image'))
const registry = new Registry(folderStore(join(folder, 'registry')), Date.now)
await registry.publish('wind', await writePackage(join(folder, 'package'), 'wind', windSeries(600)))
await registry.promote('wind', 1)

/** What the manifests set. */
const { data: SETTINGS } = z.object({ data: z.record(z.string(), z.string()) }).parse(
  parse(readFileSync(join(root, 'kubernetes/base/serving/ae-ano-detection.config-map.yml'), 'utf8'))
)

/** terminationGracePeriodSeconds of the StatefulSet. */
const GRACE_MS = 100_000

/** A container of the image, as far as a process can be one. */
async function startPod (name: string, env: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const [program, ...args] = image.command
  const own = {
    SERVICE_HOST: '127.0.0.1',
    SERVICE_PORT: String(port),
    MODEL_REGISTRY: join(folder, 'registry'),
    TASKS_DIR: join(folder, 'tasks', name),
    AWS_ENDPOINT_URL: '',
  }
  return controlled(
    async () =>
      startServer({
        program,
        args,
        cwd: image.folder,
        env: { ...SETTINGS, ...own, ...env },
        log: join(logs, `${name}.log`),
        readyUrl: `${url}/readyz`,
      }),
    { url },
    GRACE_MS
  )
}

/** Sends each request to the next of the endpoints, once: what fails there has failed. */
class Proxy {
  readonly endpoints = new Set<string>()
  readonly #agent = new HttpAgent({ keepAlive: true })
  readonly #server: Server = createServer((incoming, outgoing) => {
    const [next] = this.endpoints
    if (next === undefined) return outgoing.writeHead(503).end('no endpoint')
    // To the end of the row.
    this.endpoints.delete(next)
    this.endpoints.add(next)
    const { method, url, headers } = incoming
    const outward = forward(`${next}${url!}`, { method, headers, agent: this.#agent }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    outward.on('error', (error) => {
      outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end(String(error))
    })
    return incoming.pipe(outward)
  })

  async listen (): Promise<string> {
    await new Promise<void>((resolve) => { this.#server.listen(0, '127.0.0.1', resolve) })
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close (): Promise<void> {
    this.#agent.destroy()
    this.#server.closeAllConnections()
    await new Promise((resolve) => { this.#server.close(resolve) })
  }
}

/** After a pod is to end, nobody hears of it for a moment; then it waits, as its preStop says, longer than that. */
const HEARD_MS = 1000
const PRE_STOP_MS = 2000

t.test('a rolling restart under 100 requests a second: no request fails, and each has the same answer', async (t) => {
  // A machine that stops for a moment is no failure: as many wait as come in two seconds.
  const env = { API_AUTH: 'off', COMPUTE_WORKERS: '1', COMPUTE_QUEUE: '200' }
  const pods = await Promise.all(['a', 'b'].map(async (name) => startPod(`pod-${name}`, env)))
  t.teardown(async () => Promise.all(pods.map(async (pod) => pod.stop())))
  const proxy = new Proxy()
  for (const { url } of pods) proxy.endpoints.add(url)
  const url = await proxy.listen()
  t.teardown(async () => proxy.close())

  const dispatcher = new Agent({ headersTimeout: 20_000, bodyTimeout: 20_000 })
  t.teardown(async () => dispatcher.destroy())
  const body = JSON.stringify({ model: 'wind', ...jsonOf(windSeries(60)), options: { include: ['score'] } })
  const answers = new Map<string, number>()
  const times: number[] = []
  const post = async (): Promise<void> => {
    const began = performance.now()
    const said = await request(`${url}/compute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      dispatcher,
    })
      .then(
        async ({ statusCode, body: answer }) => `${statusCode} ${await answer.text()}`,
        (error: unknown) => `none: ${String(error)}`
      )
    times.push(performance.now() - began)
    answers.set(said, (answers.get(said) ?? 0) + 1)
  }
  const over = new AbortController()
  const sent: Array<Promise<void>> = []
  const load = (async () => {
    for (const began = performance.now(); !over.signal.aborted; await sleep(5)) {
      while (sent.length < (performance.now() - began) / 10) {
        sent.push(post())
      }
    }
  })()

  await sleep(2000)
  const before = pods.map(({ pid }) => pid)
  const codes: Array<number | null> = []
  for (const [i, pod] of pods.entries()) {
    await sleep(HEARD_MS)
    proxy.endpoints.delete(pod.url)
    await sleep(PRE_STOP_MS - HEARD_MS)
    codes.push(await pod.stop())
    pods[i] = await startPod(`pod-${i}-next`, env)
    proxy.endpoints.add(pods[i]!.url)
  }
  await sleep(2000)
  over.abort()
  await load
  await Promise.all(sent)

  t.same(codes, [0, 0])
  t.notOk(pods.some(({ pid }) => before.includes(pid)), 'both are others')
  t.equal(answers.size, 1, [...answers].map(([said, count]) => `${count} times ${said.slice(0, 200)}`).join('; '))
  t.match([...answers.keys()][0], /^200 \{.*"score"/)
  t.ok(sent.length > 800, `${sent.length} requests`)
  times.sort((a, b) => a - b)
  t.comment(
    `${sent.length} requests, median ${times[times.length >> 1]!.toFixed(0)} ms, ` +
      `longest ${times.at(-1)!.toFixed(0)} ms`
  )
})

t.test('at SIGTERM in the middle of 50 tasks all of them are finished, and told once', async (t) => {
  const bucket = 'engine'
  const minio = await startMinio({ folder: join(folder, 'minio') })
  t.teardown(async () => minio.stop())
  t.comment(`MinIO ${minioVersion()}`)
  const { hostname, port } = new URL(minio.url)
  const store = new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey: minio.accessKey,
    secretKey: minio.secretKey,
    region: 'eu-central-2',
  })
  await store.makeBucket(bucket)
  await store.putObject(bucket, 'series.csv', csvOf(windSeries(20_000)))
  const enginePort = await freePort()
  const host = `http://127.0.0.1:${enginePort}`
  const engine = new ContractEngine({
    reach: createHttpClient(),
    now: Date.now,
    host,
    s3: {
      s3_access_key_id: minio.accessKey,
      s3_secret_access_key: minio.secretKey,
      s3_region: 'eu-central-2',
      s3_host: minio.url,
      s3_bucket: bucket,
    },
  })
  await engine.app.listen({ port: enginePort, host: '127.0.0.1' })
  t.teardown(async () => engine.app.close())
  const pod = await startPod('pod-tasks', { ENGINE_URLS: host, ENGINE_RETRY_DELAY_MS: '200' })
  t.teardown(async () => pod.stop())
  for (let i = 0; !engine.routes.has('ae-anomaly-detection'); i++, await sleep(50)) {
    if (i > 400) throw new Error('the service has not announced itself')
  }

  const tasks: EngineTask[] = []
  for (let i = 0; i < 50; i++) tasks.push((await engine.dispatch('ae-anomaly-detection', 'series.csv')).task)
  const ended = (): number => tasks.filter(({ status }) => status === 'finished' || status === 'error').length
  for (let i = 0; ended() === 0; i++, await sleep(10)) if (i > 3000) throw new Error('no task has ended')
  const atSignal = ended()
  t.equal(await pod.stop(), 0)
  t.ok(atSignal < 50, `${atSignal} had ended when it came`)
  t.same(new Set(tasks.map(({ status, outcomes }) => `${status} ${outcomes}`)), new Set(['finished 1']))
  const sizes = await Promise.all(
    tasks.flatMap(({ data_out: keys }) => keys!).map(async (key) => (await store.statObject(bucket, key)).size)
  )
  t.ok(sizes.length === 100 && sizes.every((size) => size > 0), 'a plot and a result of each')
  t.same(readdirSync(join(folder, 'tasks', 'pod-tasks')), [], 'nothing is left to tell')
  t.same(engine.refused, [])
})
