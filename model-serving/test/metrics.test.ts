// GET /metrics through the real app.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { buildApp } from '../app.ts'
import { readConfig } from '../settings/config.ts'
import { TaskIntake } from '../tasks/task-intake.ts'
import { inWorker, jsonOf, onThisThread, smallModel, testApp, testConfig, windSeries } from './fixture.ts'

const app = await testApp([smallModel])
t.teardown(() => app.close())
const scrape = async (): Promise<string> => (await app.inject('/metrics')).body
/** `name{labels}` with the labels in alphabetical order. */
const canonical = (sample: string): string =>
  sample.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.match(/\w+="[^"]*"/g)!.sort().join(',')}}`)
const valueOf = (text: string, sample: string): number | undefined => {
  const lines = text.split('\n').map((line) => [line.slice(0, line.lastIndexOf(' ')), line] as const)
  const line = lines.find(([name]) => canonical(name) === canonical(sample))?.[1]
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')))
}

t.test('an answer moves the counters, from the start on', async (t) => {
  const payload = { model: 'small', ...jsonOf(windSeries(20)), options: { include: ['isAnomaly'] } }
  const answer = await app.inject({ method: 'POST', url: '/compute', payload })
  t.equal(answer.statusCode, 200, answer.body)
  const text = await scrape()
  t.equal(valueOf(text, 'answer_series_total{model="small"}'), 1)
  t.equal(valueOf(text, 'answer_observations_total{model="small"}'), 20)
  t.equal(
    valueOf(text, 'answer_anomalous_observations_total{model="small"}'),
    answer.json<{ isAnomaly: unknown[] }>().isAnomaly.filter((one) => one === true).length
  )
  t.equal(valueOf(text, 'http_request_duration_seconds_count{route="/compute",method="POST",status="200"}'), 1)
  t.equal(
    valueOf(text, 'http_request_duration_seconds_bucket{route="/compute",method="POST",status="200",le="+Inf"}'),
    1
  )
  t.equal(valueOf(text, 'service_ready'), 1)
  for (const name of ['compute_waiting', 'compute_refused_total']) t.equal(valueOf(text, name), 0)
  t.ok(valueOf(text, 'process_resident_memory_bytes')! > 1e6)
  t.match(text, /^nodejs_eventloop_lag_p99_seconds /m)
})

t.test('buckets are cumulative', async (t) => {
  const counts = [
    ...(await scrape()).matchAll(/^http_request_duration_seconds_bucket\{[^}]*route="\/compute"[^}]*\} (\d+)$/gm),
  ].map(([, count]) => Number(count))
  t.ok(counts.length > 5)
  t.same(counts, [...counts].sort((a, b) => a - b))
})

t.test('unknown addresses are one label, whatever they are', async (t) => {
  for (let i = 0; i < 50; i++) await app.inject(`/nothing/${i}`)
  const text = await scrape()
  t.equal(valueOf(text, 'http_request_duration_seconds_count{route="unknown",method="GET",status="404"}'), 50)
  t.notMatch(text, /nothing/)
})

t.test('requests beyond what may wait are counted as refused', async (t) => {
  const { scorer, models } = inWorker([smallModel], { computeQueue: 0 })
  await scorer.start(() => {})
  const busy = await buildApp({ config: testConfig({ computeQueue: 0 }), models, scorer, logger: false })
  t.teardown(() => busy.close())
  const payload = { model: 'small', ...jsonOf(windSeries(2000)) }
  const answers = await Promise.all(
    Array.from({ length: 4 }, async () => busy.inject({ method: 'POST', url: '/compute', payload }))
  )
  const refused = answers.filter(({ statusCode }) => statusCode === 503).length
  t.ok(refused > 0 && refused < 4)
  const text = (await busy.inject('/metrics')).body
  t.equal(valueOf(text, 'compute_refused_total'), refused)
  t.equal(valueOf(text, 'http_request_duration_seconds_count{route="/compute",method="POST",status="503"}'), refused)
  for (const name of ['compute_waiting', 'compute_running']) t.equal(valueOf(text, name), 0, `${name}: nothing is left`)
})

t.test('tasks of engines are counted until their engine is told', async (t) => {
  // There is neither a store nor an engine.
  const settings = readConfig({
    ENGINE_TASKS: 'on',
    ENGINE_ALLOWED_HOSTS: '127.0.0.1',
    ENGINE_STORAGE_RETRY_MS: '0',
    ENGINE_CALLBACK_RETRY_MS: '60000',
    MAX_TASKS: '7',
    TASKS_DIR: t.testdir({}),
  })
  const config = { ...testConfig(), engine: settings.engine }
  const { models, scorer } = onThisThread([smallModel])
  let intake: TaskIntake | undefined
  const engines = await buildApp({
    config,
    models,
    scorer,
    logger: false,
    openIntake: (log) => (intake = new TaskIntake(config, scorer, log)),
  })
  t.teardown(async () => {
    await intake!.close(0)
    await engines.close()
  })
  const scraped = async (): Promise<string> => (await engines.inject('/metrics')).body
  t.equal(valueOf(await scraped(), 'tasks_limit'), 7)
  t.equal(valueOf(await scraped(), 'tasks_ended_total{outcome="failed"}'), 0)
  const task = {
    id: randomUUID(),
    data_in: ['a.csv'],
    data_out: null,
    status: 'pending',
    service_id: randomUUID(),
    created_at: '2026-11-21T08:02:36',
  }
  const payload = {
    s3_access_key_id: 'a',
    s3_secret_access_key: 'b',
    s3_region: 'r',
    s3_host: 'http://127.0.0.1:9',
    s3_bucket: 'c',
    task,
    callback_url: `http://127.0.0.1:9/tasks/${task.id}`,
  }
  t.equal((await engines.inject({ method: 'POST', url: '/compute', payload })).statusCode, 200)
  let text = await scraped()
  t.equal(valueOf(text, 'tasks_unfinished')! + valueOf(text, 'tasks_ended_total{outcome="failed"}')!, 1)
  for (
    const end = Date.now() + 20_000;
    valueOf(text, 'tasks_ended_total{outcome="failed"}') !== 1 && Date.now() < end;
    text = await scraped()
  ) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
  t.equal(valueOf(text, 'tasks_ended_total{outcome="failed"}'), 1)
  t.equal(valueOf(text, 'tasks_ended_total{outcome="finished"}'), 0)
  t.equal(valueOf(text, 'tasks_unfinished'), 0)
  t.equal(valueOf(text, 'tasks_untold'), 1, 'its engine is away')
})
