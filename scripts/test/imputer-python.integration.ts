// A step in another language, on a real Kafka: examples/imputer.py keeps to the contract of the topics, also across a
// kill.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, openSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { z } from 'zod'
import { parseSettings } from '../../adapters/settings/values.ts'
import { openKafkaLog } from '../../pipelines/adapters/kafka/kafka-log.ts'
import { decode, encode } from '../../pipelines/messages/cloud-events.ts'
import { fromDeadLetter } from '../../pipelines/dead-letters/dead-letter.ts'
import type { Log, LogRecord } from '../../pipelines/messages/log.ts'
import type { Gap, Message, RegularObservation } from '../../pipelines/messages/messages.ts'
import { LOG_SETTINGS } from '../../pipelines/settings/log.ts'
import { startKafka } from '../services/kafka.ts'

const STEP = 600_000
const START = Date.UTC(2026, 0, 1)
const timeOf = (n: number): string => new Date(START + n * STEP).toISOString()

async function recordsOf (log: Log, topic: string): Promise<LogRecord[]> {
  return (await Promise.all(
    Array.from({ length: log.partitions }, async (_, partition) => log.read({ topic, partition }, 0, 10_000))
  )).flat()
}

async function until<T> (find: () => Promise<T | undefined>, what: string): Promise<T> {
  for (const end = Date.now() + 60_000; Date.now() < end; await setTimeout(200)) {
    const found = await find()
    if (found !== undefined) return found
  }
  throw new Error(`${what} is still not so`)
}

function startImputer (brokers: string): ChildProcess {
  mkdirSync('.cache/integration', { recursive: true })
  const output = openSync('.cache/integration/imputer-python.log', 'a')
  return spawn('.cache/services/python-imputer/bin/python', [
    'examples/imputer.py',
    '--channels',
    'a,b',
    '--interval',
    'PT10M',
  ], { env: { ...process.env, KAFKA_BROKERS: brokers }, stdio: ['ignore', output, output] })
}

async function end (child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await ended
}

t.test('what Python imputes is what the contract says', async (t) => {
  const kafka = await startKafka()
  t.teardown(async () => kafka.stop())
  const log = await openKafkaLog(
    parseSettings(z.object(LOG_SETTINGS), { KAFKA_BROKERS: kafka.url, STREAM_PARTITIONS: '2' }),
    { onTrouble: () => {} }
  )
  t.teardown(async () => log.close())
  let arrived = Date.UTC(2026, 5, 1)
  const send = async (n: number, values: Record<string, number | null>, series = 'T03'): Promise<void> => {
    await log.append([
      encode({
        type: 'observation.raw.v1',
        id: `${series} ${n}`,
        receivedAt: arrived++,
        data: { series, time: timeOf(n), values },
      }, '/collector'),
    ])
  }
  const said = async (): Promise<Map<string, Message>> =>
    new Map((await recordsOf(log, 'observations.regular.v1')).flatMap(decode).map((message) => [message.id, message]))

  let imputer = startImputer(kafka.url)
  t.teardown(async () => end(imputer, 'SIGKILL'))
  await send(0.01, { a: 0, b: 10 })
  await send(1, { a: 1, b: null })
  await send(1, { b: 11 })
  await send(4, { a: 4, b: 14 })
  await send(0, { a: 9, b: 9 })
  await log.append([{
    topic: 'observations.raw.v1',
    key: 'T03',
    value: 'poison',
    headers: { ce_type: 'observation.raw.v1' },
  }])
  await send(10, { a: 10, b: 20 })
  await until(async () => (await said()).get(`T03/${timeOf(4)}`), 'the fourth is said')
  await end(imputer, 'SIGKILL')
  imputer = startImputer(kafka.url)
  await send(11, { a: 11, b: 21 })
  await send(12, { a: 12, b: 22 })
  await until(async () => (await said()).get(`T03/${timeOf(11)}`), 'the eleventh is said')

  const messages = await said()
  const regular = (n: number): RegularObservation => messages.get(`T03/${timeOf(n)}`)!.data as RegularObservation
  t.strictSame(regular(1), { series: 'T03', time: timeOf(1), interval: STEP, values: { a: 1, b: 11 }, imputed: [] })
  t.strictSame(regular(2), {
    series: 'T03',
    time: timeOf(2),
    interval: STEP,
    values: { a: 2, b: 12 },
    imputed: ['a', 'b'],
  })
  t.strictSame(messages.get(`T03/${timeOf(5)}/gap`)!.data as Gap, {
    series: 'T03',
    from: timeOf(5),
    to: timeOf(9),
    interval: STEP,
  })
  t.strictSame(
    [...messages.keys()].sort(),
    [0, 1, 2, 3, 4, 10, 11].map((n) => `T03/${timeOf(n)}`).concat(`T03/${timeOf(5)}/gap`).sort()
  )
  const dead = (await recordsOf(log, 'observations.raw.v1.dead')).map(fromDeadLetter)
  t.strictSame([...new Set(dead.map((letter) => letter?.reason))].sort(), ['invalid-request', 'late'])
  await end(imputer, 'SIGTERM')
  t.equal(imputer.exitCode, 0)
})
