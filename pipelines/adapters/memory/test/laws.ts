// The laws of any log. They run on the log in memory here, and on a real Kafka in the integration tests.
import { setTimeout } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Problem } from '../../../../core/errors.ts'
import type { JoinOptions, Log, LogRecord, Member, Membership, NewRecord, Partition } from '../../../messages/log.ts'

/** Each law gets a log, a new topic and a new group. */
export const LAWS: Readonly<Record<string, (t: Test, log: Log, topic: string, group: string) => Promise<void>>> = {
  'records of a key stay in one partition, in order, as they were appended': async (t, log, topic, group) => {
    const before = Date.now()
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'ü'].map(async (key) => {
      for (let i = 0; i < 5; i++) {
        await log.append([record(topic, key, `${key}${2 * i}`), record(topic, key, `${key}${2 * i + 1}`)])
      }
    }))
    const reader = new Reader(log)
    await reader.join({ group, topics: [topic] })
    await reader.until(() => reader.values.length === 60)
    for (const key of ['a', 'b', 'c', 'd', 'e', 'ü']) {
      const own = reader.seen.filter((one) => one.key === key)
      t.strictSame(own.map(({ value }) => value), Array.from({ length: 10 }, (_, i) => `${key}${i}`))
      t.equal(new Set(own.map(({ partition }) => partition)).size, 1)
    }
    const [first] = reader.seen
    t.match(first, { topic, headers: { ce_id: `id of ${first!.value}`, note: 'Grüße' } })
    t.ok(first!.timestamp >= before - 60_000 && first!.timestamp <= Date.now() + 60_000)
    t.ok(reader.inOrderWithoutHoles(), 'offsets of a partition follow each other')
    await reader.leave()
  },

  'what has been acknowledged can be read, whoever reads': async (t, log, topic) => {
    await log.append([record(topic, 'a', 'first', 2), record(topic, 'a', 'second', 2)])
    const place = { topic, partition: 2 }
    t.strictSame(await log.bounds(place), { first: 0, next: 2 })
    t.strictSame((await log.read(place, 0, 10)).map(({ offset, key, value }) => [offset, key, value]), [
      [0, 'a', 'first'],
      [1, 'a', 'second'],
    ])
    t.strictSame((await log.read(place, 0, 1)).map(({ value }) => value), ['first'])
    t.strictSame((await log.read(place, 1, 10)).map(({ value }) => value), ['second'])
    t.strictSame(await log.read(place, 2, 10), [])
    t.strictSame(await log.bounds({ topic, partition: 1 }), { first: 0, next: 0 })
    t.strictSame(await log.read({ topic, partition: 1 }, 0, 10), [])
  },

  'many appends at once are all stored': async (t, log, topic) => {
    await Promise.all(Array.from({ length: 200 }, async (_, i) => log.append([record(topic, `key ${i}`, `${i}`)])))
    const kept = (await Promise.all(partitions(log, topic).map(async (place) => log.read(place, 0, 1000)))).flat()
    t.strictSame(kept.map(({ value }) => Number(value)).sort((a, b) => a - b), Array.from({ length: 200 }, (_, i) => i))
  },

  'one append may be larger than what brokers take at a time': async (t, log, topic) => {
    await log.append(Array.from({ length: 1800 }, (_, i) => record(topic, 'a', `${i} ${'x'.repeat(600)}`, 1)))
    const kept = await log.read({ topic, partition: 1 }, 0, 10_000)
    t.strictSame(kept.map(({ value }) => Number.parseInt(value)), Array.from({ length: 1800 }, (_, i) => i))
  },

  'nothing appended is no failure': async (t, log) => {
    await log.append([])
    t.pass()
  },

  'each group gets everything; members of one group share the partitions': async (t, log, topic, group) => {
    const [one, two, other] = [new Reader(log), new Reader(log), new Reader(log)]
    await one.join({ group, topics: [topic] })
    await two.join({ group, topics: [topic] })
    await other.join({ group: `${group}-other`, topics: [topic] })
    await until(() =>
      one.owned.size > 0 && two.owned.size > 0 && one.owned.size + two.owned.size === log.partitions &&
      other.owned.size === log.partitions
    )
    await appendEverywhere(log, topic, 0, 10)
    await until(() => distinct(one, two) === 10 * log.partitions && distinct(other) === 10 * log.partitions)
    t.strictSame([...one.owned].filter((partition) => two.owned.has(partition)), [])
    await Promise.all([one.leave(), two.leave(), other.leave()])
  },

  'a member that leaves hands over what it had, and nothing is left out': async (t, log, topic, group) => {
    const [one, two] = [new Reader(log), new Reader(log)]
    await one.join({ group, topics: [topic] })
    await one.until(() => one.owned.size === log.partitions)
    await appendEverywhere(log, topic, 0, 10)
    await two.join({ group, topics: [topic] })
    await until(() => one.owned.size > 0 && two.owned.size > 0 && one.owned.size + two.owned.size === log.partitions)
    await appendEverywhere(log, topic, 10, 20)
    await until(() => distinct(one, two) === 20 * log.partitions)
    await one.leave()
    t.equal(one.owned.size, 0, 'all were revoked')
    await two.until(() => two.owned.size === log.partitions)
    await appendEverywhere(log, topic, 20, 30)
    await until(() => distinct(one, two) === 30 * log.partitions)
    t.notOk(one.isOverlapped || two.isOverlapped)
    await two.leave()
    await one.membership.ended
    await two.membership.ended
  },

  'a group continues at its committed offset': async (t, log, topic, group) => {
    const place = { topic, partition: 1 }
    await appendTo(log, place, 0, 10)
    const [one, two] = [new Reader(log), new Reader(log)]
    await one.join({ group, topics: [topic] })
    await one.until(() => one.values.length === 10)
    await one.membership.commit(place, 4)
    await one.leave()
    await two.join({ group, topics: [topic] })
    await two.until(() => two.values.length === 6)
    t.strictSame(two.values, ['4', '5', '6', '7', '8', '9'])
    await two.leave()
  },

  'an offset that a member returns when it is assigned a partition overrides the committed one': async (
    t,
    log,
    topic,
    group
  ) => {
    const place = { topic, partition: 1 }
    await appendTo(log, place, 0, 10)
    const [one, two] = [new Reader(log), new Reader(log, { begin: 7 })]
    await one.join({ group, topics: [topic] })
    await one.until(() => one.values.length === 10)
    await one.membership.commit(place, 2)
    await one.leave()
    await two.join({ group, topics: [topic] })
    await two.until(() => two.values.length === 3)
    t.strictSame(two.values, ['7', '8', '9'])
    await two.leave()
  },

  'a group that begins at the latest sees what comes from then on': async (t, log, topic, group) => {
    const place = { topic, partition: 0 }
    await appendTo(log, place, 0, 5)
    const reader = new Reader(log)
    await reader.join({ group, topics: [topic], from: 'latest' })
    await reader.until(() => reader.owned.size === log.partitions)
    // It misses records until it has found the end.
    let i = 5
    await untilAsync(async () => {
      if (reader.values.length === 0) await appendTo(log, place, i, ++i)
      return reader.values.length > 0
    })
    t.ok(Number(reader.values[0]) >= 5, 'nothing of before')
    t.ok(reader.inOrderWithoutHoles())
    await reader.leave()
  },

  'lag is what waits for this member': async (t, log, topic, group) => {
    await appendEverywhere(log, topic, 0, 10)
    const gate = new Gate()
    const reader = new Reader(log, { before: async () => gate.opened })
    await reader.join({ group, topics: [topic] })
    await reader.until(() => reader.owned.size === log.partitions)
    await untilAsync(async () => await reader.membership.lag() === 10 * log.partitions)
    t.equal(reader.values.length, 0, 'and none of it is done')
    gate.open()
    await reader.until(() => reader.values.length === 10 * log.partitions)
    await untilAsync(async () => await reader.membership.lag() === 0)
    await reader.leave()
  },

  'records of a partition never overlap, however slow the member, and leaving waits for it': async (
    t,
    log,
    topic,
    group
  ) => {
    const reader = new Reader(log, {
      before: async () => {
        await setTimeout(20)
      },
    })
    await reader.join({ group, topics: [topic] })
    for (let i = 0; i < 10; i++) await appendEverywhere(log, topic, i, i + 1)
    await reader.until(() => reader.values.length > 0)
    await reader.leave()
    t.notOk(reader.isOverlapped)
    t.equal(reader.working, 0)
    const { length } = reader.values
    const next = new Reader(log)
    await next.join({ group, topics: [topic] })
    await next.until(() => distinct(reader, next) === 10 * log.partitions)
    t.equal(reader.values.length, length, 'nothing comes after leaving')
    await next.leave()
  },

  'a member that rejects ends its membership with that error, and others get its partitions': async (
    t,
    log,
    topic,
    group
  ) => {
    const one = new Reader(log, {
      before: async (records) => {
        if (records.some(({ value }) => value === 'poison')) throw new Error('it was poison')
      },
    })
    await one.join({ group, topics: [topic] })
    await log.append([record(topic, 'a', 'poison')])
    await t.rejects(one.membership.ended, { message: 'it was poison' })
    t.equal(one.membership.joined, false)
    const two = new Reader(log)
    await two.join({ group, topics: [topic] })
    await two.until(() => two.values.includes('poison'))
    t.equal(two.membership.joined, true)
    await two.leave()
    t.equal(two.membership.joined, false)
  },

  'one group can read several topics': async (t, log, topic, group) => {
    await appendEverywhere(log, topic, 0, 2)
    await appendEverywhere(log, `${topic}-too`, 0, 3)
    const reader = new Reader(log)
    await reader.join({ group, topics: [topic, `${topic}-too`] })
    await reader.until(() => reader.values.length === 5 * log.partitions)
    t.equal(reader.seen.filter((one) => one.topic === topic).length, 2 * log.partitions)
    await reader.leave()
  },

  'a closed log takes nothing': async (t, log, topic) => {
    await log.append([record(topic, 'a', '1')])
    await log.close()
    const refused = await log.append([record(topic, 'a', '2')]).then(() => undefined, (error: Problem) => error)
    t.equal(refused?.code, 'log-unavailable')
    await log.close()
  },
}

/** Long enough for a rebalance of a real group. */
const PATIENCE = 30_000

const record = (topic: string, key: string, value: string, partition?: number): NewRecord => ({
  topic,
  key,
  value,
  headers: { ce_id: `id of ${value}`, note: 'Grüße' },
  ...(partition !== undefined && { partition }),
})

const partitions = (log: Log, topic: string): Partition[] =>
  Array.from({ length: log.partitions }, (_, partition) => ({ topic, partition }))

async function appendTo (log: Log, { topic, partition }: Partition, from: number, to: number): Promise<void> {
  await log.append(
    Array.from({ length: to - from }, (_, i) => record(topic, `key of ${partition}`, `${from + i}`, partition))
  )
}

async function appendEverywhere (log: Log, topic: string, from: number, to: number): Promise<void> {
  for (const place of partitions(log, topic)) await appendTo(log, place, from, to)
}

/** Waits until it is so. @throws Error after half a minute */
async function until (isSo: () => boolean): Promise<void> {
  await untilAsync(async () => isSo())
}

async function untilAsync (isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE; !await isSo(); await setTimeout(5)) {
    if (Date.now() > end) throw new Error(`It is still not so: ${String(isSo)}`)
  }
}

/** Number of different records that the readers have seen together; some may have come twice. */
const distinct = (...readers: readonly Reader[]): number =>
  new Set(readers.flatMap(({ seen }) => seen.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`)))
    .size

class Gate {
  open: () => void = () => {}
  readonly opened = new Promise<void>((resolve) => { this.open = resolve })
}

interface ReaderOptions {
  readonly begin?: number
  readonly before?: (records: readonly LogRecord[]) => Promise<unknown>
}

/** A member that records what it gets. */
class Reader implements Member {
  readonly seen: LogRecord[] = []
  readonly owned = new Set<string>()
  isOverlapped = false
  membership!: Membership
  readonly #log: Log
  readonly #options: ReaderOptions
  readonly #busy = new Set<string>()

  constructor (log: Log, options: ReaderOptions = {}) {
    this.#log = log
    this.#options = options
  }

  async join (options: JoinOptions): Promise<void> {
    this.membership = await this.#log.join(options, this)
    await this.until(() => this.membership.joined)
  }

  async assigned (partition: Partition): Promise<number | undefined> {
    this.owned.add(nameOf(partition))
    return this.#options.begin
  }

  async records (partition: Partition, records: readonly LogRecord[]): Promise<void> {
    const name = nameOf(partition)
    if (this.#busy.has(name) || !this.owned.has(name)) this.isOverlapped = true
    this.#busy.add(name)
    try {
      await this.#options.before?.(records)
      this.seen.push(...records)
    } finally {
      this.#busy.delete(name)
    }
  }

  async revoked (partition: Partition): Promise<void> {
    if (this.#busy.has(nameOf(partition))) this.isOverlapped = true
    this.owned.delete(nameOf(partition))
  }

  async until (isSo: () => boolean): Promise<void> {
    await until(isSo)
  }

  async leave (): Promise<void> {
    await this.membership.leave()
  }

  get working (): number {
    return this.#busy.size
  }

  get values (): string[] {
    return this.seen.map(({ value }) => value)
  }

  inOrderWithoutHoles (): boolean {
    const last = new Map<string, number>()
    return this.seen.every((one) => {
      const before = last.get(nameOf(one))
      last.set(nameOf(one), one.offset)
      return before === undefined || one.offset === before + 1
    })
  }
}

const nameOf = ({ topic, partition }: Partition): string => `${topic} ${partition}`
