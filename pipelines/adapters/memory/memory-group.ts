// A group of the log in memory: its members share the partitions, and hand them over one after another.
import { deferred } from '../../../adapters/waiting.ts'
import { setImmediate } from 'node:timers/promises'
import type { JoinOptions, Member, Membership, Partition } from '../../messages/log.ts'
import type { MemoryPartition } from './memory-partition.ts'

/** Most records per call of a member. */
const BATCH = 1000

export class MemoryGroup {
  readonly #partitionsOf: (topic: string) => readonly MemoryPartition[]
  readonly #onCommit: () => void
  readonly #members: MemoryMembership[] = []
  readonly #committed = new Map<MemoryPartition, number>()
  /** Start offset of partitions without a commit. */
  readonly #begun = new Map<MemoryPartition, number>()
  #isLasting = false
  #change: Promise<void> = Promise.resolve()

  constructor (partitionsOf: (topic: string) => readonly MemoryPartition[], onCommit: () => void) {
    this.#partitionsOf = partitionsOf
    this.#onCommit = onCommit
  }

  join ({ topics, from = 'earliest' }: JoinOptions, member: Member): MemoryMembership {
    if (this.#members.length === 0 && !this.#isLasting) this.#begun.clear()
    if (from === 'earliest') this.#isLasting = true
    for (const partition of topics.flatMap(this.#partitionsOf)) {
      if (!this.#begun.has(partition)) this.#begun.set(partition, from === 'latest' ? partition.next : partition.first)
    }
    const membership = new MemoryMembership(this, member, topics)
    this.#members.push(membership)
    // Deferred, so that the caller has its membership before the first record comes.
    this.#change = this.#rebalance(async () => setImmediate())
    return membership
  }

  /** Gives the partitions of a member to others. */
  async remove (membership: MemoryMembership): Promise<void> {
    const at = this.#members.indexOf(membership)
    if (at >= 0) this.#members.splice(at, 1)
    this.#change = this.#rebalance(async () => membership.give([]))
    await this.#change
    this.#onCommit()
  }

  commit (partition: MemoryPartition, offset: number): void {
    this.#committed.set(partition, offset)
    this.#onCommit()
  }

  startOf (partition: MemoryPartition): number {
    return this.#committed.get(partition) ?? this.#begun.get(partition)!
  }

  /**
   * The first offset that the group still needs. A group that began at the earliest record needs all of them, even
   * those that come while it has no member. A group that began at the latest one needs what comes while it has members,
   * and need not commit.
   */
  needs (partition: MemoryPartition): number {
    if (!this.#begun.has(partition)) return Infinity
    if (this.#isLasting) return this.startOf(partition)
    if (this.#members.length === 0) return Infinity
    const positions = this.#members.map((member) => member.positionOf(partition)).filter((position) =>
      position !== undefined
    )
    return positions[0] ?? this.startOf(partition)
  }

  advanced (): void {
    if (!this.#isLasting) this.#onCommit()
  }

  get members (): readonly MemoryMembership[] {
    return this.#members
  }

  async #rebalance (before: () => Promise<unknown>): Promise<void> {
    await this.#change
    await before()
    const shares = this.#shares()
    await Promise.all(
      this.#members.map(async (member) =>
        member.give(member.owned.filter((partition) => shares.get(partition) === member))
      )
    )
    for (const [partition, member] of shares) member.take(partition)
    for (const member of this.#members) member.joined = true
  }

  #shares (): Map<MemoryPartition, MemoryMembership> {
    const shares = new Map<MemoryPartition, MemoryMembership>()
    for (const topic of new Set(this.#members.flatMap(({ topics }) => topics))) {
      const members = this.#members.filter(({ topics }) => topics.includes(topic))
      this.#partitionsOf(topic).forEach((partition, i) => shares.set(partition, members[i % members.length]!))
    }
    return shares
  }
}

class MemoryMembership implements Membership {
  readonly topics: readonly string[]
  joined = false
  readonly #group: MemoryGroup
  readonly #member: Member
  readonly #readings = new Map<MemoryPartition, Reading>()
  readonly #end = deferred()
  #isOver = false

  constructor (group: MemoryGroup, member: Member, topics: readonly string[]) {
    this.#group = group
    this.#member = member
    this.topics = topics
  }

  get ended (): Promise<void> {
    return this.#end.promise
  }

  get owned (): MemoryPartition[] {
    return [...this.#readings.keys()]
  }

  positionOf (partition: MemoryPartition): number | undefined {
    return this.#readings.get(partition)?.position
  }

  async commit ({ topic, partition }: Partition, offset: number): Promise<void> {
    const owned = this.owned.find((candidate) => candidate.topic === topic && candidate.partition === partition)
    if (owned !== undefined) this.#group.commit(owned, offset)
  }

  async lag (): Promise<number> {
    return [...this.#readings].reduce(
      (sum, [partition, { position }]) => sum + partition.next - (position ?? partition.first),
      0
    )
  }

  async leave (): Promise<void> {
    this.#finish(undefined)
    await this.ended.catch(() => {})
  }

  take (partition: MemoryPartition): void {
    if (this.#isOver || this.#readings.has(partition)) return
    const reading = new Reading(partition, this.#member, this.#group)
    this.#readings.set(partition, reading)
    reading.done.catch((error: unknown) => { this.#finish(error) })
  }

  /** Ends work on all partitions but `kept`, after calls in progress. */
  async give (kept: readonly MemoryPartition[]): Promise<void> {
    await Promise.all(
      [...this.#readings].filter(([partition]) => !kept.includes(partition)).map(async ([partition, reading]) => {
        await reading.stop().catch((error: unknown) => { this.#finish(error) })
        this.#readings.delete(partition)
      })
    )
  }

  #finish (error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#group.remove(this).then(() => {
      this.joined = false
      if (error === undefined) this.#end.resolve()
      else this.#end.reject(error)
    }, this.#end.reject)
  }
}

/** One member at work on one partition: assigned, records, records …, revoked. */
class Reading {
  readonly done: Promise<void>
  position: number | undefined
  readonly #partition: MemoryPartition
  readonly #member: Member
  readonly #group: MemoryGroup
  #isStopped = false
  #wake: () => void = () => {}

  constructor (partition: MemoryPartition, member: Member, group: MemoryGroup) {
    this.#partition = partition
    this.#member = member
    this.#group = group
    this.done = this.#run()
  }

  /** @throws what the member rejects with */
  async stop (): Promise<void> {
    this.#isStopped = true
    this.#wake()
    await this.done
  }

  async #run (): Promise<void> {
    const partition = this.#partition
    const from = await this.#member.assigned(partition) ?? this.#group.startOf(partition)
    this.position = Math.min(Math.max(from, partition.first), partition.next)
    const stopListening = partition.onRecords(() => { this.#wake() })
    try {
      while (!this.#isStopped) this.position = await this.#handOver(this.position)
    } finally {
      stopListening()
    }
    await this.#member.revoked(partition)
  }

  /** @returns the offset to continue at */
  async #handOver (position: number): Promise<number> {
    const records = this.#partition.read(position, BATCH)
    if (records.length === 0) {
      await new Promise<void>((resolve) => { this.#wake = resolve })
      return position
    }
    await this.#member.records(this.#partition, records)
    this.#group.advanced()
    // Otherwise sockets and timers would wait for the end of the backlog.
    await setImmediate()
    return records.at(-1)!.offset + 1
  }
}
