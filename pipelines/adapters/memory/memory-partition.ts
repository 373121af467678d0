// One partition of the log in memory: the newest records up to a size, and the readers that wait for more.
import type { LogRecord, NewRecord, Partition } from '../../messages/log.ts'

/** Approximate size of a record without its value: objects, strings and headers, in characters. */
const OVERHEAD = 500

const sizeOf = ({ value }: NewRecord): number => value.length + OVERHEAD

export class MemoryPartition {
  readonly topic: string
  readonly partition: number
  readonly #maxSize: number
  readonly #isCompacted: boolean
  /** The first offset that a group still needs; called only when room is short. */
  readonly #held: () => number
  #records: LogRecord[] = []
  /** Dropped records at the front of the array, which is cut now and then. */
  #dropped = 0
  #size = 0
  #next = 0
  readonly #readers = new Set<() => void>()

  constructor (
    { topic, partition }: Partition,
    { maxSize, isCompacted, held }: { maxSize: number, isCompacted: boolean, held: () => number }
  ) {
    this.topic = topic
    this.partition = partition
    this.#maxSize = maxSize
    this.#isCompacted = isCompacted
    this.#held = held
  }

  get first (): number {
    return this.#records[this.#dropped]?.offset ?? this.#next
  }

  get next (): number {
    return this.#next
  }

  /** Whether there is room for a record. An empty partition has room for a record of any size. */
  hasRoom (): boolean {
    // The newest record of each key is never dropped, and there are few keys.
    if (this.#isCompacted) return true
    if (this.#size >= this.#maxSize) this.#dropDone()
    return this.#size < this.#maxSize
  }

  add (record: NewRecord, timestamp: number): void {
    const { topic, partition } = this
    if (this.#isCompacted) this.#forget(record.key)
    this.#records.push({
      topic,
      partition,
      key: record.key,
      value: record.value,
      headers: record.headers,
      offset: this.#next,
      timestamp,
    })
    this.#next++
    this.#size += sizeOf(record)
    for (const wake of this.#readers) wake()
  }

  /** At most `limit` records from `offset` on, or from the first record that still exists. */
  read (offset: number, limit: number): LogRecord[] {
    const from = this.#isCompacted ? this.#search(offset) : this.#dropped + Math.max(0, offset - this.first)
    return this.#records.slice(from, from + limit)
  }

  /** @returns a function that stops the calls of `wake` */
  onRecords (wake: () => void): () => void {
    this.#readers.add(wake)
    return () => { this.#readers.delete(wake) }
  }

  /** Offsets of a compacted partition have holes. */
  #search (offset: number): number {
    const found = this.#records.findIndex((record, i) => i >= this.#dropped && record.offset >= offset)
    return found < 0 ? this.#records.length : found
  }

  #forget (key: string): void {
    this.#records = this.#records.filter((record) => record.key !== key)
  }

  /** Drops records that no group needs; a tenth more than necessary, so that it need not run for every record. */
  #dropDone (): void {
    const held = this.#held()
    while (this.#dropped < this.#records.length && this.#size > 0.9 * this.#maxSize) {
      const record = this.#records[this.#dropped]!
      if (record.offset >= held) break
      this.#size -= sizeOf(record)
      this.#dropped++
    }
    if (this.#dropped < this.#records.length / 4 && this.#dropped < 10_000) return
    this.#records = this.#records.slice(this.#dropped)
    this.#dropped = 0
  }
}
