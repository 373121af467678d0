// The log in the memory of this process: for the embedded stream, and for tests. It ends with the process, and its size
// is limited.
import { Problem } from '../../../core/errors.ts'
import { STATE_TOPICS } from '../../messages/messages.ts'
import type { JoinOptions, Log, LogRecord, Member, Membership, NewRecord, Partition } from '../../messages/log.ts'
import { MemoryGroup } from './memory-group.ts'
import { MemoryPartition } from './memory-partition.ts'

interface MemoryLogOptions {
  readonly partitions?: number
  /**
   * Approximate size of a partition in characters. The oldest records make room; append() waits while a group still
   * needs them.
   */
  readonly maxSize?: number
  readonly now?: () => number
}

/**
 * Appends to one topic keep their order, even if one has to wait. Each topic has its own queue: a step that empties a
 * full topic appends to another one.
 */
interface Queue {
  last: Promise<void>
  waiting: number
}

const COMPACTED: ReadonlySet<string> = new Set(Object.values(STATE_TOPICS))

export class MemoryLog implements Log {
  readonly partitions: number
  readonly #maxSize: number
  readonly #now: () => number
  readonly #topics = new Map<string, MemoryPartition[]>()
  readonly #groups = new Map<string, MemoryGroup>()
  readonly #queues = new Map<string, Queue>()
  #roomMade: Array<() => void> = []
  #isClosed = false

  constructor ({ partitions = 6, maxSize = 2 ** 21, now = Date.now }: MemoryLogOptions = {}) {
    this.partitions = partitions
    this.#maxSize = maxSize
    this.#now = now
  }

  async append (records: readonly NewRecord[]): Promise<void> {
    this.#check()
    await Promise.all([...byTopic(records)].map(async ([topic, ofTopic]) => {
      let queue = this.#queues.get(topic)
      if (queue === undefined) this.#queues.set(topic, queue = { last: Promise.resolve(), waiting: 0 })
      const done = queue.waiting === 0 ? this.#addWhileRoom(ofTopic, 0) : 0
      if (done < ofTopic.length) await this.#appendLater(queue, ofTopic, done)
    }))
  }

  async join (options: JoinOptions, member: Member): Promise<Membership> {
    this.#check()
    let group = this.#groups.get(options.group)
    if (group === undefined) {
      group = new MemoryGroup((topic) => this.#partitionsOf(topic), () => { this.#makeRoom() })
      this.#groups.set(options.group, group)
    }
    return group.join(options, member)
  }

  async read (partition: Partition, offset: number, limit: number): Promise<LogRecord[]> {
    this.#check()
    return this.#find(partition).read(offset, limit)
  }

  async bounds (partition: Partition): Promise<{ first: number, next: number }> {
    this.#check()
    const { first, next } = this.#find(partition)
    return { first, next }
  }

  async close (): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#makeRoom()
    await Promise.all(
      [...this.#groups.values()].flatMap(({ members }) => members.map(async (member) => member.leave()))
    )
  }

  /** Adds records from index `from` on. @returns index of the first record without room, or the end */
  #addWhileRoom (records: readonly NewRecord[], from: number): number {
    const timestamp = this.#now()
    for (let i = from; i < records.length; i++) {
      const record = records[i]!
      const partition = this.#find({
        topic: record.topic,
        partition: record.partition ?? hash(record.key) % this.partitions,
      })
      if (!partition.hasRoom()) return i
      partition.add(record, timestamp)
    }
    return records.length
  }

  async #appendLater (queue: Queue, records: readonly NewRecord[], from: number): Promise<void> {
    queue.waiting++
    const turn = queue.last.then(async () => {
      let done = from
      while ((done = this.#addWhileRoom(records, done)) < records.length) {
        await new Promise<void>((resolve) => { this.#roomMade.push(resolve) })
        this.#check()
      }
    }).finally(() => { queue.waiting-- })
    queue.last = turn.catch(() => {})
    await turn
  }

  #makeRoom (): void {
    const waiting = this.#roomMade
    this.#roomMade = []
    for (const resolve of waiting) resolve()
  }

  #find ({ topic, partition }: Partition): MemoryPartition {
    const found = this.#partitionsOf(topic)[partition]
    if (found === undefined) {
      throw new Problem(
        'log-unavailable',
        `"${topic}" has no partition ${partition}; it has 0 to ${this.partitions - 1}.`
      )
    }
    return found
  }

  #partitionsOf (topic: string): MemoryPartition[] {
    let partitions = this.#topics.get(topic)
    if (partitions === undefined) {
      const isCompacted = COMPACTED.has(topic)
      partitions = Array.from(
        { length: this.partitions },
        (_, partition): MemoryPartition =>
          new MemoryPartition({ topic, partition }, {
            maxSize: this.#maxSize,
            isCompacted,
            held: () => this.#held({ topic, partition }),
          })
      )
      this.#topics.set(topic, partitions)
    }
    return partitions
  }

  /** The first offset that a group still needs. */
  #held (place: Partition): number {
    const partition = this.#find(place)
    let held = Infinity
    for (const group of this.#groups.values()) held = Math.min(held, group.needs(partition))
    return held
  }

  #check (): void {
    if (this.#isClosed) throw new Problem('log-unavailable', 'The stream is shutting down; send it again later.')
  }
}

function byTopic (records: readonly NewRecord[]): Map<string, NewRecord[]> {
  const topics = new Map<string, NewRecord[]>()
  for (const record of records) {
    const ofTopic = topics.get(record.topic)
    if (ofTopic === undefined) topics.set(record.topic, [record])
    else ofTopic.push(record)
  }
  return topics
}

/** FNV-1a, 32 bits: any hash that spreads keys evenly would do. */
function hash (key: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193)
  return h >>> 0
}
