// One partition of the log in memory: the newest records, as many as it may hold, and whoever waits for there to be
// more of them, or fewer.
import type { LogRecord, NewRecord, Partition } from '../../messages/log.ts'

/** What objects, strings and headers of a record take besides its value, in about as many characters. */
const OVERHEAD = 500

const sizeOf = ({ value }: NewRecord): number => value.length + OVERHEAD

export class MemoryPartition {
  readonly topic: string
  readonly partition: number
  readonly #maxSize: number
  readonly #isCompacted: boolean
  /** Offset up to which nobody needs the records any more; asked for only when room is short. */
  readonly #held: () => number
  #records: LogRecord[] = []
  /** Records at the front that are dropped already; the array is cut now and then. */
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

  /** Whether a record may be added. One record always finds room in the end, however long it is. */
  hasRoom (): boolean {
    // What counts in a compacted one is never dropped, and there is little of it.
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

  /** At most `limit` records from `offset` on, or from the first one that is still there. */
  read (offset: number, limit: number): LogRecord[] {
    const from = this.#isCompacted ? this.#search(offset) : this.#dropped + Math.max(0, offset - this.first)
    return this.#records.slice(from, from + limit)
  }

  /** @returns stops it */
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

  /** A tenth more than must be, so that it need not be done with every record. */
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
