// Messages as CloudEvents: any reader of the Kafka binding reads ours, and we read theirs. Wrong records are refused
// with a reason, and can be replayed.
import { isDeepStrictEqual } from 'node:util'
import { CloudEvent, Kafka } from 'cloudevents'
import fc from 'fast-check'
import t from 'tap'
import { decode, encode, encodeAll } from '../cloud-events.ts'
import { fromDeadLetter, replayOf, toDeadLetter } from '../../dead-letters/dead-letter.ts'
import { listDead, replayDead } from '../../dead-letters/dead-letters.ts'
import type { LogRecord } from '../log.ts'
import { MemoryLog } from '../../adapters/memory/memory-log.ts'
import { type Message, MESSAGES, type MessageType, TOPICS } from '../messages.ts'
import { QUICK_CHECKS } from '../quick-checks.ts'

const TIME = '2026-03-01T12:10:00.000Z'
const raw: Message = {
  type: 'observation.raw.v1',
  id: 'T03 x',
  receivedAt: Date.parse('2026-03-01T12:10:01.234Z'),
  data: { series: 'T03 – Süd', time: TIME, values: { power_kw: 12.5, wind_ms: null } },
}
const verdict: Message = {
  type: 'verdict.v1',
  id: 'v',
  receivedAt: 0,
  data: {
    series: 'T03',
    time: TIME,
    model: { name: 'm', version: '1', digest: 'd' },
    score: 0.5,
    anomalous: false,
    threshold: 1,
    contributions: [{ channel: 'a', contribution: 1 }],
    values: { a: 1 },
    expected: { a: 2 },
    imputed: ['a'],
  },
}
const messages: readonly Message[] = [
  raw,
  verdict,
  { ...verdict, data: { ...verdict.data, score: null, anomalous: null, contributions: null, expected: null } },
  {
    type: 'observation.regular.v1',
    id: 'r',
    receivedAt: 1,
    data: { series: 'T', time: '2026-03-01T12:10:00+01:00', interval: 600_000, values: { a: null }, imputed: [] },
  },
  { type: 'gap.v1', id: 'g', receivedAt: 2, data: { series: 'T', from: TIME, to: TIME, interval: 1 } },
  {
    type: 'incident.annotated.v1',
    id: 'a',
    receivedAt: 3,
    data: { incident: 'i', series: 'T', at: TIME, kind: 'false-alarm', note: 'n' },
  },
]

t.test('a message is the same after encoding and decoding', async (t) => {
  for (const message of messages) t.strictSame(decode(encode(message, '/x')), [message])
})

/** The messages as readers of one series of one topic see them. */
const perSeries = (list: readonly Message[]): unknown =>
  Object.values(TOPICS).flatMap((topic) =>
    ['a', 'b'].map((series) =>
      list
        .filter((message) => MESSAGES[message.type].topic === topic && message.data.series === series)
        .map(({ type, data }) => [type, data])
    )
  )

t.test('runs are read as the same messages, each series in order, and no record is too large', async (t) => {
  const any = fc.record({
    message: fc.constantFrom(...messages),
    series: fc.constantFrom('a', 'b'),
    version: fc.constantFrom('1', '1', '1', '2'),
    interval: fc.constantFrom(1000, 1000, 1000, 2000),
    receivedAt: fc.nat(9),
    copies: fc.constantFrom(1, 1, 2, 3, 700),
  })
    .map(({ message, series, version, interval, receivedAt, copies }): Message[] => {
      const data: Record<string, unknown> = { ...message.data, series }
      if (message.type === 'verdict.v1') data['model'] = { ...message.data.model, version }
      if (message.type === 'observation.regular.v1') data['interval'] = interval
      return Array.from({ length: copies }, () => ({ ...message, receivedAt, data }) as Message)
    })
  fc.assert(
    fc.property(fc.array(any, { maxLength: 12 }).map((lists) => lists.flat()), (list) => {
      const records = encodeAll(list, '/x')
      const read = records.map((one) => decode(one))
      const ids = records.map(({ headers }) => headers['ce_id'])
      return isDeepStrictEqual(perSeries(read.flat()), perSeries(list)) && read.every((run) => run.length <= 500) &&
        Math.min(...read.flat().map(({ receivedAt }) => receivedAt)) ===
          Math.min(...list.map(({ receivedAt }) => receivedAt)) &&
        records.every(({ key }, i) => read[i]!.every(({ data }) => data.series === key)) && ids.every((id) => id !== '')
    }),
    { numRuns: 200 }
  )
  const regular = messages.find(({ type }) => type === 'observation.regular.v1')!
  const wide = {
    ...regular,
    data: { ...regular.data, values: Object.fromEntries(Array.from({ length: 2000 }, (_, c) => [`c${c}`, 1 / 3])) },
  } as Message
  t.same(encodeAll(Array<Message>(7).fill(wide), '/x').map((one) => decode(one).length), [2, 2, 2, 1])
  t.same(encodeAll([verdict, verdict, verdict], '/scorer').map(({ headers }) => headers['ce_id']), ['v+2'])
})

t.test('the CloudEvents library reads ours', async (t) => {
  const { key, value, headers } = encode(raw, '/collector')
  const event = Kafka.toEvent(
    { key, value, headers: { ...headers }, body: value } as Parameters<typeof Kafka.toEvent>[0]
  ) as CloudEvent<unknown>
  t.match(event, {
    id: 'T03 x',
    type: 'observation.raw.v1',
    source: '/collector',
    specversion: '1.0',
    time: '2026-03-01T12:10:01.234Z',
    datacontenttype: 'application/json',
    partitionkey: 'T03 – Süd',
  })
  t.strictSame(event.data, raw.data)
  t.ok(event.validate())
})

t.test("we read the CloudEvents library's", async (t) => {
  const event = new CloudEvent({
    id: raw.id,
    type: raw.type,
    source: '/elsewhere',
    time: new Date(raw.receivedAt).toISOString(),
    datacontenttype: 'application/json',
    partitionkey: raw.data.series,
    data: raw.data,
  })
  const { key, headers, value } = Kafka.binary(event) as {
    key: string,
    headers: Record<string, string>,
    value: unknown,
  }
  t.strictSame(decode({ key, headers, value: JSON.stringify(value) }), [raw])
})

t.test('a record that is no message is refused with the reason', async (t) => {
  const good = encode(raw, '/x')
  const without = (name: string): Record<string, string> =>
    Object.fromEntries(Object.entries(good.headers).filter(([one]) => one !== name))
  const cases: ReadonlyArray<readonly [Partial<typeof good>, RegExp]> = [
    [{ headers: without('ce_type') }, /ce_type is missing; send one of observation\.raw\.v1, /],
    [{ headers: { ...good.headers, ce_type: 'toString' } }, /ce_type is "toString"/],
    [{ headers: without('ce_id') }, /ce_id is missing/],
    [{ headers: without('ce_time') }, /ce_time is missing/],
    [
      { headers: { ...good.headers, ce_time: 'yesterday' } },
      /ce_time is "yesterday"; send the time of arrival in RFC 3339/,
    ],
    [{ value: '{' }, /no JSON/],
    [{ value: 'null' }, /It is no observation\.raw\.v1: /],
    [{ value: JSON.stringify({ ...raw.data, time: '2026-02-30T00:00:00Z' }) }, /observation\.raw\.v1: time: /],
    [{ value: JSON.stringify({ ...raw.data, values: { power_kw: '12' } }) }, /values\.power_kw: /],
    [{ value: JSON.stringify({ ...raw.data, more: 1 }) }, /more/],
    [{ key: 'T04' }, /key of the record is "T04", but its series is "T03 – Süd"/],
  ]
  for (const [change, message] of cases) {
    t.throws(() => decode({ ...good, ...change }), { code: 'invalid-request', message })
  }
})

/** The object with the member of this name: the record, or the first row of its run. */
function rowOf (content: Record<string, unknown>, name: string): Record<string, unknown> {
  const rows = content['observations'] ?? content['verdicts']
  const [row] = Array.isArray(rows) ? rows as unknown[] : []
  return typeof row === 'object' && row !== null && !(name in content) ? row as Record<string, unknown> : content
}

/** Sets a member; with `inner`, a member of that member. */
function set (row: Record<string, unknown>, name: string, inner: string | undefined, value: unknown): void {
  const found = inner !== undefined && Object.hasOwn(row, name) ? row[name] : undefined
  const [into, member] = typeof found === 'object' && found !== null ? [found, inner!] : [row, name]
  Object.defineProperty(into, member, { value, enumerable: true, configurable: true, writable: true })
}

t.test('the quick checks pass valid records, and nothing that the schema refuses', async (t) => {
  const contents = messages.map((message): { type: MessageType, content: unknown } => ({
    type: message.type,
    content: JSON.parse(encode(message, '/x').value),
  }))
  for (const { type, content } of contents) t.not(QUICK_CHECKS[type]?.(content), false)
  const strange = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(
      Infinity,
      NaN,
      -0,
      '',
      'x'.repeat(201),
      {},
      [],
      TIME,
      '2026-13-01T00:00:00Z',
      '2026-03-01 12:10:00Z',
      '2026-03-01T12:10:00',
      '2026-03-01T24:00:00Z',
      '2026-03-01T12:10:00.1234567890123Z',
      1.5,
      0
    )
  )
  const names = fc.constantFrom(
    'series',
    'time',
    'observations',
    'verdicts',
    '0',
    'values',
    'model',
    'score',
    'imputed',
    'interval',
    'contributions',
    'expected',
    '__proto__',
    'more',
    'name'
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...contents),
      fc.array(fc.tuple(names, fc.option(names, { nil: undefined }), strange), { maxLength: 3 }),
      ({ type, content }, changes) => {
        const altered = structuredClone(content) as Record<string, unknown>
        for (const [name, inner, value] of changes) set(rowOf(altered, name), name, inner, value)
        return QUICK_CHECKS[type]?.(altered) !== true || MESSAGES[type].record.safeParse(altered).success
      }
    ),
    { numRuns: 2000 }
  )
  t.pass()
})

const dead = { reason: 'late', detail: 'too late', step: 'imputer', at: Date.parse(TIME) }
const record: LogRecord = { ...encode(raw, '/collector'), partition: 2, offset: 41, timestamp: 5 }

t.test('a dead letter is the original with its reason, and a replay is the original', async (t) => {
  const letter = toDeadLetter(record, dead)
  t.match(letter, {
    topic: 'observations.raw.v1.dead',
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      dead_reason: 'late',
      dead_topic: 'observations.raw.v1',
      dead_partition: '2',
      dead_offset: '41',
      dead_at: TIME,
    },
  })
  const read = fromDeadLetter(letter)!
  t.match(read, { ...dead, partition: 2, offset: 41, replays: 0 })
  const { topic, key, value, headers } = record
  t.strictSame(read.original, { topic, key, value, headers })
  const replayed = replayOf(read)
  t.strictSame(decode(replayed), [raw])
  t.equal(fromDeadLetter(toDeadLetter({ ...record, headers: replayed.headers }, dead))!.replays, 1)
  t.equal(fromDeadLetter(record), undefined)
})

t.test('dead letters are listed and replayed, by topic, reason and offset', async (t) => {
  const log = new MemoryLog({ partitions: 2 })
  const lines: string[] = []
  const print = (line: string): void => { lines.push(line) }
  await listDead(log, {}, print)
  t.strictSame(lines.splice(0), ['There are no dead letters.'])
  for (let i = 0; i < 5; i++) {
    await log.append([
      toDeadLetter({ ...record, offset: i }, { ...dead, at: dead.at + i, reason: i === 2 ? 'poison' : 'late' }),
    ])
  }
  await log.append([toDeadLetter({ ...record, topic: 'verdicts.v1' }, dead)])
  await listDead(log, { limit: 2, topic: 'observations.raw.v1' }, print)
  t.match(lines.splice(0), [
    /^2026-03-01T12:10:00\.003Z {2}observations\.raw\.v1\.dead\/\d@3 {2}late \(imputer\): too late$/,
    /@4/,
    '2 of 5 dead letters.',
  ])
  await listDead(log, { json: true, reason: 'poison' }, print)
  t.match(lines.splice(0).map((line) => JSON.parse(line)), [{
    reason: 'poison',
    offset: 2,
    original: { key: record.key },
    place: { offset: 2 },
  }])
  t.equal(await replayDead(log, { reason: 'late', topic: 'observations.raw.v1.dead' }, print), 4)
  t.equal(await replayDead(log, { offset: 2, topic: 'observations.raw.v1' }, print), 1)
  const back =
    (await Promise.all([0, 1].map(async (partition) => log.read({ topic: 'observations.raw.v1', partition }, 0, 10))))
      .flat()
  t.equal(back.length, 5)
  t.ok(back.every(({ headers, value }) => headers['dead_replays'] === '1' && value === record.value))
  await t.rejects(listDead(log, { topic: 'nothing' }, print), {
    code: 'invalid-settings',
    message: /name one of observations\.raw\.v1/,
  })
  await log.close()
})
