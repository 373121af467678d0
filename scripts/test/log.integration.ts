// The laws of a log on a real Kafka, and what only that can suffer: the broker killed while members read and write.
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '@platformatic/kafka'
import t from 'tap'
import { openKafkaLog } from '../../pipelines/adapters/kafka/kafka-log.ts'
import type { Log, NewRecord } from '../../pipelines/messages/log.ts'
import { LAWS } from '../../pipelines/adapters/memory/test/laws.ts'
import { STATE_TOPICS } from '../../pipelines/messages/messages.ts'
import { SavedState } from '../../pipelines/runtime/saved-state.ts'
import { kafkaVersion, startKafka } from '../services/kafka.ts'

const PARTITIONS = 3
const kafka = await startKafka()
t.comment(`Kafka ${kafkaVersion()}`)
t.teardown(async () => kafka.stop())

const settings = {
  KAFKA_BROKERS: [kafka.url],
  STREAM_PARTITIONS: PARTITIONS,
  KAFKA_REPLICATION: undefined,
  KAFKA_TLS: 'off' as const,
  KAFKA_USERNAME: undefined,
  KAFKA_PASSWORD: undefined,
}
const troubles: string[] = []
const open = async (): Promise<Log> =>
  openKafkaLog(settings, {
    onTrouble: ({ message }) => {
      troubles.push(message)
    },
  })

async function topicsNamed (...topics: readonly string[]): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [kafka.url] })
  for (const topic of topics) await admin.createTopics({ topics: [topic], partitions: PARTITIONS, replicas: 1 })
  await admin.close()
}

/** Long enough for a broker to be started again, and for a group to find itself. */
const PATIENCE_MS = 90_000

async function until (isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !isSo(); await sleep(20)) {
    if (Date.now() > end) throw new Error(`It is still not so: ${String(isSo)}`)
  }
}

for (const [i, [name, law]] of Object.entries(LAWS).entries()) {
  t.test(name, async (t) => {
    await topicsNamed(`law-${i}`, `law-${i}-too`)
    const log = await open()
    t.teardown(async () => log.close())
    await law(t, log, `law-${i}`, `group-${i}`)
  })
}

t.test('the state of many series is one record of several megabytes', async (t) => {
  const log = await open()
  t.teardown(async () => log.close())
  const state = new SavedState(log, STATE_TOPICS.scorer, 1)
  t.equal(await state.read(), undefined)
  for (const offset of [10, 20]) {
    await log.append([
      state.record({ offset, state: { windows: Array.from({ length: 200 }, (_, i) => `${i} ${'x'.repeat(20_000)}`) } }),
    ])
  }
  const saved = (await state.read())!
  t.equal(saved.offset, 20)
  t.equal((saved.state as { windows: string[] }).windows.length, 200)
})

t.test('a broker that is killed loses nothing that it acknowledged, and members go on by themselves', async (t) => {
  await topicsNamed('killed')
  const log = await open()
  t.teardown(async () => log.close())
  const seen = new Map<string, number>()
  const membership = await log.join({ group: 'killed', topics: ['killed'] }, {
    assigned: async () => undefined,
    records: async (_, records) => { for (const { value } of records) seen.set(value, (seen.get(value) ?? 0) + 1) },
    revoked: async () => {},
  })
  await until(() => membership.joined)
  const acknowledged: string[] = []
  let refused = 0
  let i = 0
  const write = async (): Promise<void> => {
    const records = Array.from(
      { length: 20 },
      (_, j): NewRecord => ({ topic: 'killed', key: `key ${j}`, value: `${i} ${j}`, headers: {} })
    )
    i++
    await log.append(records).then(() => {
      acknowledged.push(...records.map(({ value }) => value))
    }, () => {
      refused++
    })
  }
  for (let round = 0; round < 3; round++) {
    for (let k = 0; k < 30; k++) await write()
    const writing = (async () => { for (let k = 0; k < 2; k++) await write() })()
    await kafka.kill()
    await writing
    await kafka.restart()
    const before = acknowledged.length
    while (acknowledged.length === before) await write()
  }
  await until(() => acknowledged.every((value) => seen.has(value)))
  t.ok(refused > 0, `${refused} appends were refused while it was away`)
  t.ok(acknowledged.length > 1800, `${acknowledged.length} records acknowledged, each of them read`)
  await membership.leave()
})
