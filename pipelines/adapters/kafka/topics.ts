// Creates missing topics, and finds out the number of their partitions.
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '@platformatic/kafka'
import { Problem } from '../../../core/errors.ts'
import { deadTopic, STATE_TOPICS, TOPICS } from '../../messages/messages.ts'
import type { LogSettings } from '../../settings/log.ts'
import { connectionOf } from './connection.ts'

/** A state topic keeps the newest state of each partition: large records, cleaned up early. */
const STATE_CONFIGS = [
  { name: 'cleanup.policy', value: 'compact' },
  { name: 'max.message.bytes', value: String(64 * 2 ** 20) },
  { name: 'segment.bytes', value: String(64 * 2 ** 20) },
  { name: 'min.cleanable.dirty.ratio', value: '0.1' },
]

const BROKERS_DEFAULT = -1

/**
 * @returns the number of partitions, which is the same for each topic
 * @throws Problem invalid-settings if topics have different numbers of partitions
 */
export async function ensureTopics (settings: LogSettings): Promise<number> {
  const admin = new Admin(connectionOf(settings))
  const streams = Object.values(TOPICS)
  const states = Object.values(STATE_TOPICS)
  const partitions = settings.STREAM_PARTITIONS
  const replicas = settings.KAFKA_REPLICATION ?? BROKERS_DEFAULT
  try {
    const there = new Set(await admin.listTopics())
    const missing = (names: readonly string[]): string[] => names.filter((name) => !there.has(name))
    await create(admin, { topics: missing(streams), partitions, replicas })
    await create(admin, { topics: missing(states), partitions, replicas, configs: STATE_CONFIGS })
    await create(admin, { topics: missing(streams.map(deadTopic)), partitions, replicas })
    return await partitionsOf(admin, [...streams, ...states])
  } finally {
    await admin.close()
  }
}

async function create (admin: Admin, { topics, ...options }: Parameters<Admin['createTopics']>[0]): Promise<void> {
  for (const topic of topics) {
    await admin.createTopics({ topics: [topic], ...options }).catch(
      (error: Error & { findBy?: (name: string, value: unknown) => unknown }) => {
        // Another process has created it at the same time.
        if (error.findBy?.('apiId', 'TOPIC_ALREADY_EXISTS') == null) throw error
      }
    )
  }
}

/** Brokers know a new topic a moment after its creation. */
const KNOWN_MS = 20_000

async function partitionsOf (admin: Admin, topics: string[]): Promise<number> {
  const deadline = Date.now() + KNOWN_MS
  for (;;) {
    try {
      const metadata = await admin.metadata({ topics, forceUpdate: true })
      const counts = topics.map((topic) => metadata.topics.get(topic)!.partitionsCount)
      if (counts.every((count) => count === counts[0])) return counts[0]!
      throw new Problem(
        'invalid-settings',
        `The topics ${topics.join(', ')} have ${counts.join(', ')} partitions; ` +
          'the numbers must be equal, since a series has the same partition in all topics. Create the topics anew.'
      )
    } catch (error) {
      if (error instanceof Problem || Date.now() > deadline) throw error
      await sleep(200)
    }
  }
}
