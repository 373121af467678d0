// What Prometheus is told of the service, through the real app.
import t from 'tap'
import { jsonOf, smallModel, testApp, windSeries } from './fixture.ts'

const app = await testApp([smallModel])
t.teardown(() => app.close())
const told = async (): Promise<string> => (await app.inject('/metrics')).body
const valueOf = (text: string, sample: string): number | undefined => {
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `))
  return line === undefined ? undefined : Number(line.slice(sample.length + 1))
}

t.test('an answer moves the counters, from the start on', async (t) => {
  const payload = { model: 'small', ...jsonOf(windSeries(20)), options: { include: ['isAnomaly'] } }
  const answer = await app.inject({ method: 'POST', url: '/compute', payload })
  t.equal(answer.statusCode, 200, answer.body)
  const text = await told()
  t.equal(valueOf(text, 'answer_series_total{model="small"}'), 1)
  t.equal(valueOf(text, 'answer_observations_total{model="small"}'), 20)
  t.equal(valueOf(text, 'answer_anomalous_observations_total{model="small"}'), answer.json<{ isAnomaly: unknown[] }>().isAnomaly.filter((one) => one === true).length)
  t.equal(valueOf(text, 'http_request_duration_seconds_count{route="/compute",method="POST",status="200"}'), 1)
  t.equal(valueOf(text, 'http_request_duration_seconds_bucket{route="/compute",method="POST",status="200",le="+Inf"}'), 1)
  t.equal(valueOf(text, 'service_ready'), 1)
  for (const name of ['compute_waiting', 'compute_refused_total']) t.equal(valueOf(text, name), 0)
  t.ok(valueOf(text, 'process_resident_memory_bytes')! > 1e6)
  t.match(text, /^nodejs_eventloop_lag_p99_seconds /m)
})

t.test('buckets are cumulative', async (t) => {
  const counts = [...(await told()).matchAll(/^http_request_duration_seconds_bucket\{route="\/compute",[^}]*\} (\d+)$/gm)].map(([, count]) => Number(count))
  t.ok(counts.length > 5)
  t.same(counts, [...counts].sort((a, b) => a - b))
})

t.test('unknown addresses are one label, whatever they are', async (t) => {
  for (let i = 0; i < 50; i++) await app.inject(`/nothing/${i}`)
  const text = await told()
  t.equal(valueOf(text, 'http_request_duration_seconds_count{route="unknown",method="GET",status="404"}'), 50)
  t.notMatch(text, /nothing/)
})
