// A member of a consumer group. The group only assigns partitions: the member itself decides where to continue, and
// commits offsets for others to see. So nothing depends on the moment of a rebalance.
import { Consumer, type GroupAssignment } from '@platformatic/kafka'
import { pause, withTimeout } from '../../../adapters/waiting.ts'
import type { JoinOptions, Member, Membership, Partition } from '../../messages/log.ts'
import type { LogSettings } from '../../settings/log.ts'
import { ANSWER_MS, closeClient, connectionOf } from './connection.ts'
import { type Position, type Read, Reader } from './reader.ts'

/** Brokers give up a member after so long a silence. */
const SESSION_MS = 10_000
const HEARTBEAT_MS = 1500
/** Long enough for the group to give up dead members. */
const JOIN_MS = 60_000
const COMMIT_MS = 3000
/** Pause before another attempt to read a partition or to join the group. */
const PAUSE_MS = 300

/** Brokers answer with the first byte. Waiting for more saved a tenth of the CPU and added 250 ms of latency. */
const READ = { waitMs: 200, minBytes: 1, maxBytes: 2 * 2 ** 20 }

const keyOf = ({ topic, partition }: Partition): string => `${topic}/${partition}`

/** An error of the member itself, not of the connection. */
class MemberError extends Error {
  override readonly name = 'MemberError'
}

export interface MembershipEvents {
  /** Called when the connection fails, before the next attempt. */
  onTrouble (error: Error): void
}

export class KafkaMembership implements Membership {
  readonly #settings: LogSettings
  readonly #options: JoinOptions
  readonly #member: Member
  readonly #events: MembershipEvents
  readonly #leaving = new AbortController()
  /** For each partition: the next offset to read, and the offset up to which everything is done. */
  readonly #positions = new Map<string, { offset: number, done: number } & Partition>()
  #consumer: Consumer | undefined
  #reader: Reader | undefined
  #assigned: readonly Partition[] | undefined
  readonly ended: Promise<void>

  constructor (settings: LogSettings, options: JoinOptions, member: Member, events: MembershipEvents) {
    this.#settings = settings
    this.#options = options
    this.#member = member
    this.#events = events
    this.ended = this.#run()
    this.ended.catch(() => {})
  }

  get joined (): boolean {
    return this.#assigned !== undefined
  }

  async commit ({ topic, partition }: Partition, offset: number): Promise<void> {
    // One attempt is enough: if it fails, the partition may have another owner by now.
    const committed = this.#consumer?.commit({
      offsets: [{ topic, partition, offset: BigInt(offset), leaderEpoch: -1 }],
    })
    if (committed !== undefined) await withTimeout(COMMIT_MS, 'a commit', committed).catch(() => {})
  }

  async lag (): Promise<number> {
    const reader = this.#reader
    if (reader === undefined || this.#positions.size === 0) return 0
    const bounds = await reader.bounds(this.#options.topics)
    return [...this.#positions.values()].reduce(
      (sum, { topic, partition, done }) => sum + Math.max(0, bounds.get(topic)![partition]!.next - done),
      0
    )
  }

  async leave (): Promise<void> {
    this.#leaving.abort()
    await this.ended.catch(() => {})
  }

  async #run (): Promise<void> {
    while (!this.#leaving.signal.aborted) {
      try {
        await this.#session()
      } catch (error) {
        if (error instanceof MemberError) throw error.cause
        this.#events.onTrouble(error as Error)
        await this.#pause()
      }
    }
  }

  async #pause (): Promise<void> {
    await pause(PAUSE_MS, this.#leaving.signal)
  }

  /** Lasts from joining the group until the member leaves, or until a failure: then a new session begins. */
  async #session (): Promise<void> {
    const failed = new AbortController()
    const { group, topics } = this.#options
    const consumer = new Consumer({
      ...connectionOf(this.#settings),
      groupId: group,
      autocommit: false,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
    })
    const fail = (error: unknown): void => {
      failed.abort(error)
    }
    consumer.topics.trackAll(...topics)
    consumer.on('error', fail)
    // After a failed heartbeat, this client sends no further ones.
    consumer.on('consumer:heartbeat:error', ({ error }: { error?: Error }) => {
      fail(error ?? new Error('a heartbeat failed'))
    })
    consumer.on('consumer:group:join', ({ assignments = [] }: { readonly assignments?: GroupAssignment[] }) => {
      this.#assigned = assignments.flatMap(({ topic, partitions }) =>
        partitions.map((partition) => ({ topic, partition }))
      )
    })
    this.#consumer = consumer
    this.#reader = new Reader(this.#settings, topics)
    try {
      await withTimeout(JOIN_MS, 'joining the group', consumer.joinGroup({}))
      await this.#follow(failed.signal)
    } finally {
      await this.#end(consumer)
    }
  }

  async #end (consumer: Consumer): Promise<void> {
    this.#assigned = undefined
    // The member saves its last work before the next owner asks for it.
    for (const position of [...this.#positions.values()]) await this.#revoke(position).catch(() => {})
    await closeClient(consumer)
    await this.#reader?.close()
    this.#consumer = undefined
    this.#reader = undefined
  }

  /** Reads one answer ahead of the one in progress. */
  async #follow (failed: AbortSignal): Promise<void> {
    let worked: Promise<unknown> = Promise.resolve()
    while (!this.#leaving.signal.aborted) {
      failed.throwIfAborted()
      if (this.#isOutOfDate) {
        await worked
        await this.#reconcile()
      }
      const positions = [...this.#positions.values()]
      const found = positions.length === 0 ? await this.#pause() : await this.#read(positions)
      await worked
      worked = this.#work(found ?? [])
      // Awaited with the next answer. Until then, a rejection has no handler.
      worked.catch(() => {})
    }
    await worked
  }

  get #isOutOfDate (): boolean {
    const assigned = this.#assigned ?? []
    return assigned.length !== this.#positions.size ||
      assigned.some((partition) => !this.#positions.has(keyOf(partition)))
  }

  async #reconcile (): Promise<void> {
    const assigned = new Map((this.#assigned ?? []).map((partition) => [keyOf(partition), partition]))
    for (const [key, position] of this.#positions) if (!assigned.has(key)) await this.#revoke(position)
    for (const [key, partition] of assigned) if (!this.#positions.has(key)) await this.#assign(partition)
  }

  async #assign (partition: Partition): Promise<void> {
    const offset = await this.#asMember(async () => this.#member.assigned(partition)) ??
      await this.#committed(partition)
    this.#positions.set(keyOf(partition), { ...partition, offset, done: offset })
  }

  async #revoke (position: Partition): Promise<void> {
    this.#positions.delete(keyOf(position))
    await this.#asMember(async () => this.#member.revoked({ topic: position.topic, partition: position.partition }))
  }

  async #committed ({ topic, partition }: Partition): Promise<number> {
    const found = await withTimeout(
      ANSWER_MS,
      'a look for commits',
      this.#consumer!.listCommittedOffsets({ topics: [{ topic, partitions: [partition] }] })
    )
    const offset = Number(found.get(topic)?.[partition] ?? -1n)
    if (offset >= 0) return offset
    const { first, next } = (await this.#reader!.bounds([topic])).get(topic)![partition]!
    return this.#options.from === 'latest' ? next : first
  }

  async #read (positions: readonly Position[]): Promise<Read[]> {
    try {
      const found = await this.#reader!.read(positions, READ)
      for (const { next, ...partition } of found) this.#advance(partition, next)
      return found.filter(({ records }) => records.length > 0)
    } catch (error) {
      this.#events.onTrouble(error as Error)
      if (isOutOfRange(error)) await this.#backInRange(positions)
      await this.#pause()
      return []
    }
  }

  #advance (partition: Partition, next: number): void {
    const position = this.#positions.get(keyOf(partition))
    if (position !== undefined) position.offset = next
  }

  /** Moves positions whose records have been deleted: the broker keeps records for a limited time. */
  async #backInRange (positions: readonly Position[]): Promise<void> {
    const bounds = await this.#reader!.bounds(this.#options.topics)
    for (const { topic, partition, offset } of positions) {
      const { first, next } = bounds.get(topic)![partition]!
      this.#advance({ topic, partition }, Math.min(Math.max(offset, first), next))
    }
  }

  async #work (found: readonly Read[]): Promise<void> {
    await Promise.all(found.map(async ({ topic, partition, records, next }) => {
      const position = this.#positions.get(keyOf({ topic, partition }))
      // The partition was lost while the answer was on its way: the new owner reads it.
      if (position === undefined) return
      await this.#asMember(async () => this.#member.records({ topic, partition }, records))
      position.done = next
    }))
  }

  async #asMember<T> (work: () => Promise<T>): Promise<T> {
    return work().catch((cause: unknown) => { throw new MemberError('the member failed', { cause }) })
  }
}

function isOutOfRange (error: unknown): boolean {
  const { findBy } = error as { findBy?: (this: unknown, name: string, value: unknown) => unknown }
  return findBy?.call(error, 'apiId', 'OFFSET_OUT_OF_RANGE') != null
}
