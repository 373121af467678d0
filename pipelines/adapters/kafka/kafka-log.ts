// The log between the steps, in Kafka.
import { Problem } from '../../../core/errors.ts'
import type { JoinOptions, Log, LogRecord, Member, Membership, NewRecord, Partition } from '../../messages/log.ts'
import { deadTopic, STATE_TOPICS, TOPICS } from '../../messages/messages.ts'
import type { LogSettings } from '../../settings/log.ts'
import { Appender } from './appender.ts'
import { KafkaMembership, type MembershipEvents } from './membership.ts'
import { Reader } from './reader.ts'
import { ensureTopics } from './topics.ts'

const READ = { waitMs: 100, minBytes: 1, maxBytes: 16 * 2 ** 20 }

class KafkaLog implements Log {
  readonly #settings: LogSettings
  readonly #events: MembershipEvents
  readonly #appender: Appender
  readonly #reader: Reader
  readonly #memberships = new Set<Membership>()
  readonly partitions: number

  constructor (settings: LogSettings, partitions: number, events: MembershipEvents) {
    this.#settings = settings
    this.#events = events
    this.partitions = partitions
    this.#appender = new Appender(settings)
    const topics = Object.values(TOPICS)
    this.#reader = new Reader(settings, [...topics, ...topics.map(deadTopic), ...Object.values(STATE_TOPICS)])
  }

  async append (records: readonly NewRecord[]): Promise<void> {
    await this.#appender.append(records)
  }

  async join (options: JoinOptions, member: Member): Promise<Membership> {
    const membership = new KafkaMembership(this.#settings, options, member, this.#events)
    this.#memberships.add(membership)
    return membership
  }

  async read ({ topic, partition }: Partition, offset: number, limit: number): Promise<LogRecord[]> {
    return asLog(async () => {
      const { first, next } = await this.#bounds({ topic, partition })
      const found: LogRecord[] = []
      for (let at = Math.max(first, offset); at < next && found.length < limit;) {
        const [answer] = await this.#reader.read([{ topic, partition, offset: at }], READ)
        found.push(...answer!.records)
        at = answer!.next
      }
      return found.slice(0, limit)
    })
  }

  async bounds (partition: Partition): Promise<{ first: number, next: number }> {
    return asLog(async () => this.#bounds(partition))
  }

  async #bounds ({ topic, partition }: Partition): Promise<{ first: number, next: number }> {
    return (await this.#reader.bounds([topic])).get(topic)![partition]!
  }

  async close (): Promise<void> {
    await Promise.all([...this.#memberships].map(async (membership) => membership.leave()))
    await this.#appender.close()
    await this.#reader.close()
  }
}

async function asLog<T> (work: () => Promise<T>): Promise<T> {
  return work().catch((cause: unknown) => {
    throw new Problem('log-unavailable', `Kafka does not answer: ${(cause as Error).message}`, { cause })
  })
}

/**
 * Creates missing topics.
 * @throws Problem invalid-settings; an error of the client if no broker answers
 */
export async function openKafkaLog (settings: LogSettings, events: MembershipEvents): Promise<Log> {
  return new KafkaLog(settings, await ensureTopics(settings), events)
}
