// Reads partitions from given offsets on, without a consumer group.
import { Consumer, ListOffsetTimestamps, type RecordsBatch } from '@platformatic/kafka'
import { withTimeout } from '../../../adapters/waiting.ts'
import type { LogRecord, Partition } from '../../messages/log.ts'
import type { LogSettings } from '../../settings/log.ts'
import { ANSWER_MS, closeClient, connectionOf } from './connection.ts'

export interface Position extends Partition {
  readonly offset: number
}

interface ReadOptions {
  /** How long a broker may wait for `minBytes`: few large answers cost less than many small ones. */
  readonly waitMs: number
  readonly minBytes: number
  /** Limit of one answer, and of one partition in it. A record is never cut. */
  readonly maxBytes: number
}

/** Records of one partition, and the offset to continue at. */
export interface Read extends Partition {
  readonly records: readonly LogRecord[]
  readonly next: number
}

const UNKNOWN_EPOCH = -1

export class Reader {
  /** A consumer can fetch. It must name a group, which it never joins. */
  readonly #consumer: Consumer

  constructor (settings: LogSettings, topics: readonly string[]) {
    this.#consumer = new Consumer({ ...connectionOf(settings), groupId: 'reader-without-a-group', autocommit: false })
    this.#consumer.topics.trackAll(...topics)
  }

  async bounds (topics: readonly string[]): Promise<Map<string, ReadonlyArray<{ first: number, next: number }>>> {
    const at = async (timestamp: bigint): Promise<Map<string, bigint[]>> =>
      withTimeout(
        ANSWER_MS,
        'a look for offsets',
        this.#consumer.listOffsets({
          topics: [...topics],
          timestamp,
          isolationLevel: 'READ_UNCOMMITTED',
        })
      )
    const [first, next] = [await at(ListOffsetTimestamps.EARLIEST), await at(ListOffsetTimestamps.LATEST)]
    return new Map(topics.map((topic) => {
      const ends = next.get(topic)!
      return [topic, first.get(topic)!.map((offset, p) => ({ first: Number(offset), next: Number(ends[p]) }))]
    }))
  }

  /** Fetches one answer from each broker that leads some of the partitions. */
  async read (positions: readonly Position[], options: ReadOptions): Promise<Read[]> {
    try {
      return await withTimeout(ANSWER_MS, 'a read', this.#read(positions, options))
    } catch (error) {
      this.#consumer.clearMetadata()
      throw error
    }
  }

  async #read (positions: readonly Position[], options: ReadOptions): Promise<Read[]> {
    const { topics } = await this.#consumer.metadata({ topics: [...new Set(positions.map(({ topic }) => topic))] })
    const byLeader = groupBy(positions, ({ topic, partition }) => topics.get(topic)!.partitions[partition]!.leader)
    const names = new Map([...topics].map(([name, { id }]) => [id, name]))
    const answers = await Promise.all([...byLeader].map(async ([node, led]) =>
      this.#consumer.fetch({
        node,
        maxWaitTime: options.waitMs,
        minBytes: options.minBytes,
        maxBytes: options.maxBytes,
        isolationLevel: 'READ_UNCOMMITTED',
        topics: led.map(({ topic, partition, offset }) => ({
          topicId: topics.get(topic)!.id,
          partitions: [{
            partition,
            fetchOffset: BigInt(offset),
            currentLeaderEpoch: UNKNOWN_EPOCH,
            lastFetchedEpoch: UNKNOWN_EPOCH,
            partitionMaxBytes: options.maxBytes,
          }],
        })),
      })
    ))
    return answers.flatMap(({ responses }) =>
      responses.flatMap(({ topicId, partitions }) =>
        partitions.map(({ partitionIndex: partition, records }) => {
          const topic = names.get(topicId)!
          const position = positions.find((known) => known.topic === topic && known.partition === partition)!
          return readBatches(position, records ?? [])
        })
      )
    )
  }

  async close (): Promise<void> {
    await closeClient(this.#consumer)
  }
}

function groupBy<T, K> (items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

const IS_CONTROL = 0b10_0000

/** A broker answers with whole batches. The first one may begin before the requested offset. */
function readBatches ({ topic, partition, offset: from }: Position, batches: readonly RecordsBatch[]): Read {
  const records: LogRecord[] = []
  let next = from
  for (const { firstOffset, firstTimestamp, attributes, lastOffsetDelta, records: found } of batches) {
    const base = Number(firstOffset)
    next = Math.max(next, base + lastOffsetDelta + 1)
    if ((attributes & IS_CONTROL) !== 0) continue
    for (const { offsetDelta, timestampDelta, key, value, headers } of found) {
      const offset = base + offsetDelta
      if (offset < from) continue
      const texts: Record<string, string> = {}
      for (const [name, content] of headers) texts[String(name)] = String(content)
      records.push({
        topic,
        partition,
        offset,
        timestamp: Number(firstTimestamp + timestampDelta),
        key: String(key ?? ''),
        value: String(value ?? ''),
        headers: texts,
      })
    }
  }
  return { topic, partition, records, next }
}
