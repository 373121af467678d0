// The log in memory: the laws of every log, its limited size, and that it loses nothing that a group needs.
import t from 'tap'
import type { Member, Membership, NewRecord } from '../../../messages/log.ts'
import { MemoryLog } from '../memory-log.ts'
import { LAWS } from './laws.ts'

for (const [name, law] of Object.entries(LAWS)) {
  t.test(name, async (t) => {
    const log = new MemoryLog()
    await law(t, log, 'topic', 'group')
    await log.close()
  })
}

const record = (value: string, topic = 'topic'): NewRecord => ({ topic, key: 'a', value, headers: {}, partition: 0 })
const place = { topic: 'topic', partition: 0 }
const idle: Member = { assigned: async () => undefined, records: async () => {}, revoked: async () => {} }
const turns = async (): Promise<void> => { for (let i = 0; i < 20; i++) await new Promise(setImmediate) }

t.test('records that no group needs make room', async (t) => {
  const log = new MemoryLog({ partitions: 1, maxSize: 100_000 })
  for (let i = 0; i < 5000; i++) await log.append([record(`${i}`)])
  const { first, next } = await log.bounds(place)
  t.equal(next, 5000)
  t.ok(next - first > 150 && next - first < 210, `it holds ${next - first}`)
  t.equal((await log.read(place, 0, 1))[0]?.value, `${first}`, 'reading begins at the first one that is still there')
  t.strictSame((await log.read(place, 4998, 10)).map(({ value }) => value), ['4998', '4999'])
  await log.close()
})

t.test('records that a group still needs stay, and append() waits', async (t) => {
  const log = new MemoryLog({ partitions: 1, maxSize: 50_000 })
  const membership = await log.join({ group: 'slow', topics: ['topic'] }, idle)
  await turns()
  let appended = 0
  const done = (async () => {
    for (; appended < 300; appended++) await log.append([record(`${appended}`)])
  })()
  await turns()
  t.ok(appended < 110, `${appended} fit`)
  t.strictSame((await log.bounds(place)).first, 0)
  const before = appended
  await membership.commit(place, before)
  await turns()
  t.ok(appended > before)
  for (let i = 0; i < 10; i++) {
    await membership.commit(place, appended)
    await turns()
  }
  await done
  t.equal((await log.bounds(place)).next, 300)
  await log.close()
})

t.test('a group that begins at the latest needs only what it has not got, and only while it has members', async (t) => {
  const log = new MemoryLog({ partitions: 1, maxSize: 50_000 })
  const { promise, resolve } = gate()
  const membership = await log.join({ group: 'screen', topics: ['topic'], from: 'latest' }, {
    ...idle,
    records: async () => promise,
  })
  await turns()
  let appended = 0
  const done = (async () => {
    for (; appended < 300; appended++) await log.append([record(`${appended}`)])
  })()
  await turns()
  t.ok(appended < 110)
  resolve()
  await done
  await membership.leave()
  for (let i = 0; i < 300; i++) await log.append([record(`${i}`)])
  t.equal((await log.bounds(place)).next, 600)
  await log.close()
})

t.test('appends that wait keep their order, and are refused when the log is closed', async (t) => {
  const log = new MemoryLog({ partitions: 1, maxSize: 2000 })
  const seen: string[] = []
  const membership = await log.join({ group: 'slow', topics: ['topic'] }, {
    ...idle,
    records: async (_, records) => {
      seen.push(...records.map(({ value }) => value))
    },
  })
  const appends = Array.from({ length: 30 }, async (_, i) => log.append([record(`${i}`), record(`${i} too`)]))
  for (let i = 0; i < 40; i++) {
    await turns()
    await membership.commit(place, seen.length)
  }
  await Promise.all(appends)
  await turns()
  t.strictSame(seen, Array.from({ length: 30 }, (_, i) => [`${i}`, `${i} too`]).flat())
  const late = log.append(Array.from({ length: 30 }, (_, i) => record(`late ${i}`)))
  await turns()
  await log.close()
  await t.rejects(late, { code: 'log-unavailable' })
})

t.test('a state topic has the newest record of each key', async (t) => {
  const log = new MemoryLog({ partitions: 1, maxSize: 1000 })
  for (let i = 0; i < 100; i++) {
    await log.append([record(`${i}`, 'imputer.state.v1'), { ...record(`b${i}`, 'imputer.state.v1'), key: 'b' }])
  }
  const state = { topic: 'imputer.state.v1', partition: 0 }
  t.strictSame(await log.bounds(state), { first: 198, next: 200 })
  t.strictSame((await log.read(state, 0, 10)).map(({ value, offset }) => [value, offset]), [['99', 198], ['b99', 199]])
  t.strictSame((await log.read(state, 199, 10)).map(({ value }) => value), ['b99'])
  t.strictSame(await log.read(state, 200, 10), [])
  await log.close()
})

t.test('an unknown partition is named', async (t) => {
  const log = new MemoryLog({ partitions: 2 })
  await t.rejects(log.read({ topic: 'topic', partition: 2 }, 0, 1), {
    code: 'log-unavailable',
    message: '"topic" has no partition 2; it has 0 to 1.',
  })
  await log.close()
})

function gate (): { promise: Promise<void>, resolve: () => void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((_resolve) => { resolve = _resolve })
  return { promise, resolve }
}

t.test('a reader of a full topic can append to another topic meanwhile', async (t) => {
  const log = new MemoryLog({ partitions: 1, maxSize: 20_000 })
  t.teardown(async () => log.close())
  const passed = { count: 0 }
  const step: Membership = await log.join({ group: 'step', topics: ['a'] }, {
    assigned: async () => undefined,
    records: async (partition, records) => {
      await log.append(records.map(({ key, value }) => ({ topic: 'b', key, value, headers: {} })))
      passed.count += records.length
      await step.commit(partition, records.at(-1)!.offset + 1)
    },
    revoked: async () => {},
  })
  for (let i = 0; i < 200; i++) {
    await log.append(
      Array.from(
        { length: 5 },
        (_, j) => ({ topic: 'a', key: 'k', value: `${i} ${j} ${'x'.repeat(200)}`, headers: {} })
      )
    )
  }
  for (const end = Date.now() + 10_000; passed.count < 1000 && Date.now() < end;) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
  }
  t.equal(passed.count, 1000)
})
