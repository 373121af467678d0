// A trace through the stream as it is run: six processes, a real Kafka and InfluxDB, and a real OpenTelemetry
// Collector, which they tell in protobuf.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { folderStore } from '../../adapters/registry/folder-store.ts'
import { Registry } from '../../adapters/registry/registry.ts'
import { startOtlpReceiver } from '../../adapters/telemetry/test/otlp-receiver.ts'
import { writePackage } from '../../adapters/tfjs/test/linear-packages.ts'
import { windSeries } from '../../model-serving/test/fixture.ts'
import { influxdbVersion } from '../services/influxdb.ts'
import { kafkaVersion } from '../services/kafka.ts'
import { otelCollectorVersion, startOtelCollector } from '../services/otel-collector.ts'
import { Stack } from '../stack/stack.ts'
import { observationOf } from './stream-load.ts'

t.setTimeout(240_000)

const logs = join(resolve(import.meta.dirname, '../..'), '.cache/integration/tracing')
rmSync(logs, { recursive: true, force: true })
mkdirSync(logs, { recursive: true })
const folder = mkdtempSync(join(tmpdir(), 'tracing-'))
const registry = new Registry(folderStore(join(folder, 'registry')), Date.now)
await registry.publish('wind', await writePackage(join(folder, 'package'), 'wind', windSeries(600)))
await registry.promote('wind', 1)

const receiver = await startOtlpReceiver()
t.teardown(async () => receiver.close())
const collector = await startOtelCollector({ folder: logs, to: receiver.url })
t.teardown(async () => collector.stop())
const stack = await Stack.start({
  folder: logs,
  registry: join(folder, 'registry'),
  steps: ['collector', 'imputer', 'scorer', 'sink'],
  built: true,
  env: {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '200',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  },
})
t.teardown(async () => stack.stop())
t.comment(`OpenTelemetry Collector ${otelCollectorVersion()}, Kafka ${kafkaVersion()}, InfluxDB ${influxdbVersion()}`)

const series = windSeries(80, 'W01')
const traceOf = (i: number): string => `${i + 1}`.padStart(32, '0')
const CALLER = '00f067aa0ba902b7'

/** The second half of the observations is recorded. */
async function post (i: number): Promise<void> {
  const answer = await fetch(`${stack.step('collector').url}/observations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${traceOf(i)}-${CALLER}-0${i < 40 ? 0 : 1}` },
    // Nothing is waited for: each observation is complete, and follows the last one.
    body: JSON.stringify(observationOf('W01', series, i)),
    signal: AbortSignal.timeout(30_000),
  })
  if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`)
}

t.test('each observation that is recorded is seen at every step, in its own trace; others at none', async (t) => {
  for (let i = 0; i < series.length; i++) await post(i)
  // Each process tells of its own when it likes.
  const looked = [40, 60, series.length - 2]
  await receiver.wait(
    (spans) => looked.every((i) => spans.filter(({ traceId }) => traceId === traceOf(i)).length === 6),
    60_000
  )
  for (const i of looked) {
    const spans = receiver.spans.filter(({ traceId }) => traceId === traceOf(i))
    const of = (service: string, name: string) =>
      spans.find((span) => span.service === `ae-anomaly-detection-${service}` && span.name === name)
    const request = of('collector', 'POST /observations')
    t.match(request, {
      kind: 'server',
      parentSpanId: CALLER,
      failed: false,
      attributes: { 'http.response.status_code': '202' },
    })
    const send = of('collector', 'send observations.raw.v1')
    t.match(send, { kind: 'producer', parentSpanId: request!.spanId })
    for (const [step, topic] of [
      ['imputer', 'observations.raw.v1'],
      ['scorer', 'observations.regular.v1'],
      ['sink', 'verdicts.v1'],
      ['sink', 'observations.raw.v1'],
    ] as const) {
      t.match(
        of(step, `process ${topic}`),
        { kind: 'consumer', parentSpanId: send!.spanId, failed: false },
        `${step}: ${topic}`
      )
    }
  }
  t.notOk(
    receiver.spans.some(({ traceId }) => Number.parseInt(traceId, 16) > 0 && Number.parseInt(traceId, 10) <= 40),
    'who asks not to be recorded is not'
  )
})

t.test('a process that ends sends what it still has', async (t) => {
  await post(series.length - 1)
  await stack.step('collector').stop()
  await receiver.wait(
    (spans) =>
      spans.some(({ service, traceId }) =>
        service === 'ae-anomaly-detection-collector' && traceId === traceOf(series.length - 1)
      ),
    20_000
  )
  t.notMatch(readFileSync(join(logs, 'collector-1.log'), 'utf8'), /spans cannot be sent/)
})
