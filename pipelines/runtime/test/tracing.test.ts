// A trace through the stream: from the request to the collector, by the headers of the log, to the webhook of an
// incident.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { observation, timeOf } from '../../../core/series/series.ts'
import { parseSettings } from '../../../adapters/settings/values.ts'
import { traceRequests } from '../../../adapters/telemetry/requests.ts'
import { TELEMETRY_SETTINGS } from '../../../adapters/telemetry/settings.ts'
import { startOtlpReceiver } from '../../../adapters/telemetry/test/otlp-receiver.ts'
import { openTracer } from '../../../adapters/telemetry/open-tracer.ts'
import type { Tracer } from '../../../adapters/telemetry/spans.ts'
import { fitLinear, SMALL, waves } from '../../../core/test/synthetic.ts'
import { addCollector } from '../../steps/collector/app.ts'
import { imputerKind } from '../../steps/imputer/step.ts'
import { hold } from '../../steps/imputer/strategies/hold.ts'
import type { LogRecord } from '../../messages/log.ts'
import { MemoryLog } from '../../adapters/memory/memory-log.ts'
import { TOPICS } from '../../messages/messages.ts'
import { StepMetrics } from '../metrics.ts'
import { notifierKind } from '../../steps/notifier/step.ts'
import { runStep } from '../run-step.ts'
import { scorerKind } from '../../steps/scorer/step.ts'
import { COLLECTOR_SETTINGS } from '../../settings/collector.ts'
import { NOTIFIER_SETTINGS } from '../../settings/notifier.ts'
import { incidentRules, SCORER_SETTINGS } from '../../settings/scorer.ts'
import type { StepKind } from '../step.ts'

t.setTimeout(60_000)

const receiver = await startOtlpReceiver()
t.teardown(async () => receiver.close())
const TELEMETRY = {
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_BSP_SCHEDULE_DELAY: '50',
}
Object.assign(process.env, TELEMETRY)
const tracer = await openTracer('stream', parseSettings(z.object(TELEMETRY_SETTINGS), TELEMETRY), (problem) => {
  t.fail(problem)
})
t.teardown(async () => tracer!.close())

const hooks: IncomingHttpHeaders[] = []
const bodies: string[] = []
const hook = createServer((request, response) => {
  hooks.push(request.headers)
  request.on('data', (chunk: Buffer) => bodies.push(String(chunk))).on('end', () => response.end())
})
await new Promise<void>((resolve) => { hook.listen(0, '127.0.0.1', resolve) })
t.teardown(() => {
  hook.closeAllConnections()
  hook.close()
})

const train = waves(400)
const { model, autoencoders } = await fitLinear([train], SMALL)
const live = {
  ready: async () => {},
  current: { name: 'waves', version: '1', digest: 'd', manifest: { detector: model }, autoencoders },
}
const logger = { info: () => {}, warn: () => {}, error: () => {} }

/** The whole stream; with a tracer or without. */
async function open (own: Tracer | undefined) {
  const log = new MemoryLog({ partitions: 1 })
  const app = Fastify()
  traceRequests(app, own)
  await addCollector(app, {
    log,
    settings: parseSettings(z.object(COLLECTOR_SETTINGS), {}),
    metrics: new StepMetrics('collector'),
    now: Date.now,
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const notifier = parseSettings(z.object(NOTIFIER_SETTINGS), {
    WEBHOOK_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`,
    WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  })
  const kinds: StepKind[] = [
    imputerKind({ live, strategy: hold, lateness: 0, patience: 0, maxAhead: 1e15 }),
    scorerKind({ live, topChannels: 3, incidents: incidentRules(parseSettings(z.object(SCORER_SETTINGS), {})) }),
    notifierKind(notifier, Date.now),
  ]
  const steps = await Promise.all(
    kinds.map(async (kind) =>
      runStep({
        kind,
        log,
        metrics: new StepMetrics(kind.name),
        checkpointMs: 60_000,
        now: Date.now,
        logger,
        tracer: own,
      })
    )
  )
  return {
    /** Broken: no value as it was in training. */
    post: async (i: number, traceparent: string | undefined, broken = false) => {
      const row = observation(train, i)
      const values = Object.fromEntries(train.channels.map((name, c) => [name, broken ? 100 : row[c]!]))
      const body = JSON.stringify({ series: 'a', time: new Date(timeOf(train, i)).toISOString(), values })
      const answer = await fetch(`${url}/observations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(traceparent !== undefined && { traceparent }) },
        body,
      })
      if (answer.status !== 202) throw new Error(await answer.text())
    },
    /** Once so many records are there. */
    records: async (topic: string, count: number): Promise<LogRecord[]> => {
      for (const end = Date.now() + 20_000; ; await new Promise((resolve) => { setTimeout(resolve, 10) })) {
        const found = await log.read({ topic, partition: 0 }, 0, 10_000)
        if (found.length >= count) return found
        if (Date.now() > end) throw new Error(`${topic} has ${found.length} records, not ${count}`)
      }
    },
    close: async () => {
      await app.close()
      for (const step of steps) await step.close()
      await log.close()
    },
  }
}

const hex = (digit: string, length: number): string => digit.repeat(length)
const LENGTH = 60

t.test('what somebody records is seen at every step, under the request that brought it', async (t) => {
  const { post, records, close } = await open(tracer)
  t.teardown(close)
  const [before, then] = [hex('a', 32), hex('b', 32)]
  for (let i = 0; i < LENGTH; i++) await post(i, `00-${before}-${hex('1', 16)}-01`)
  for (let i = LENGTH; i < LENGTH + 10; i++) await post(i, `00-${then}-${hex('2', 16)}-01`, true)
  await records(TOPICS.verdicts, 1)
  const notified =
    (await receiver.wait((all) =>
      all.some(({ name, traceId }) => name === `process ${TOPICS.incidents}` && traceId === then)
    )).filter(({ traceId }) => traceId === then)

  const opened = notified.find(({ name }) => name === `process ${TOPICS.incidents}`)!
  t.match(opened, {
    kind: 'consumer',
    failed: false,
    attributes: {
      'messaging.consumer.group.name': 'notifier',
      'messaging.system': 'kafka',
      'messaging.destination.partition.id': '0',
    },
  })
  const send = notified.find(({ spanId }) => spanId === opened.parentSpanId)!
  t.match(send, { name: `send ${TOPICS.raw}`, kind: 'producer', attributes: { 'messaging.batch.message_count': '1' } })
  const request = notified.find(({ spanId }) => spanId === send.parentSpanId)!
  t.match(request, { name: 'POST /observations', kind: 'server', parentSpanId: hex('2', 16) })
  for (const topic of [TOPICS.raw, TOPICS.regular]) {
    t.ok(notified.some(({ name, parentSpanId }) => name === `process ${topic}` && parentSpanId === send.spanId), topic)
  }
  const told = hooks.findIndex((headers) => headers['traceparent'] === `00-${then}-${send.spanId}-01`)
  t.ok(told >= 0, 'and whoever is notified can go on')
  t.equal((JSON.parse(bodies[told]!) as { traceparent: string }).traceparent, `00-${then}-${send.spanId}-01`)

  const verdicts = await records(TOPICS.verdicts, 1)
  t.ok(verdicts.every(({ headers }) => /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/.test(headers['ce_traceparent']!)))
})

t.test('where this process traces nothing, what others record is handed on all the same', async (t) => {
  const { post, records, close } = await open(undefined)
  t.teardown(close)
  const traceparent = `00-${hex('c', 32)}-${hex('3', 16)}-01`
  for (let i = 0; i < 20; i++) await post(i, traceparent)
  t.same(
    new Set((await records(TOPICS.verdicts, 1)).map(({ headers }) => headers['ce_traceparent'])),
    new Set([traceparent])
  )
})

t.test('what nobody records has no header, and shares records as ever', async (t) => {
  const { post, records, close } = await open(undefined)
  t.teardown(close)
  for (let i = 0; i < 20; i++) await post(i, [undefined, `00-${hex('d', 32)}-${hex('4', 16)}-00`, 'nonsense'][i % 3])
  for (const topic of [TOPICS.raw, TOPICS.verdicts]) {
    t.ok((await records(topic, 1)).every(({ headers }) => !('ce_traceparent' in headers)), topic)
  }
})
