// Steps over a log: messages come in and go out, unusable ones go to the dead letters, and a restart continues at the
// saved state.
import { setTimeout as sleep } from 'node:timers/promises'
import FakeTimers from '@sinonjs/fake-timers'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { Problem } from '../../../core/errors.ts'
import { decode, encode, encodeAll } from '../../messages/cloud-events.ts'
import { fromDeadLetter } from '../../dead-letters/dead-letter.ts'
import type { Log, LogRecord, Partition } from '../../messages/log.ts'
import { MemoryLog } from '../../adapters/memory/memory-log.ts'
import { deadTopic, type Message, type MessageOf, STATE_TOPICS, TOPICS } from '../../messages/messages.ts'
import { StepMetrics } from '../metrics.ts'
import { type RunningStep, runStep, type StepRun } from '../run-step.ts'
import type { StepKind } from '../step.ts'

const START = Date.UTC(2026, 0, 1)
const logger = { info: () => {}, warn: () => {}, error: () => {} }

const observation = (series: string, i: number): MessageOf<'observation.raw.v1'> => ({
  type: 'observation.raw.v1',
  id: `${series} ${i}`,
  receivedAt: START,
  data: { series, time: new Date(START + 1000 * i).toISOString(), values: { load: i } },
})

/** Sends how many of its series have come so far; rejects negative values, drops zeros. */
const counting: StepKind = {
  name: 'imputer',
  accepts: ['observation.raw.v1'],
  stateTopic: STATE_TOPICS.imputer,
  open: (saved) => {
    const counts = new Map(Object.entries((saved ?? {}) as Record<string, number>))
    return {
      process: (messages, out) => {
        for (const message of messages) {
          const { series, time, values: { load } } = (message as MessageOf<'observation.raw.v1'>).data
          if (load! < 0) out.reject(message, 'negative', 'load is below 0.')
          else if (load === 0) out.drop(message, 'nothing')
          else {
            const count = (counts.get(series) ?? 0) + 1
            counts.set(series, count)
            out.send({
              type: 'observation.regular.v1',
              id: `${series} ${count}`,
              receivedAt: message.receivedAt,
              data: { series, time, interval: 1000, values: { count }, imputed: [] },
            })
          }
        }
      },
      save: () => Object.fromEntries(counts),
    }
  },
}

async function run (
  t: Test,
  log: Log,
  options: Partial<StepRun> = {}
): Promise<RunningStep & { readonly metrics: StepMetrics }> {
  const metrics = new StepMetrics('imputer')
  const step = await runStep({ kind: counting, log, metrics, checkpointMs: 0, now: Date.now, logger, ...options })
  step.ended.catch(() => {})
  t.teardown(async () => step.close())
  return { ...step, metrics }
}

async function all (log: Log, topic: string): Promise<LogRecord[]> {
  return (await Promise.all(
    Array.from({ length: log.partitions }, async (_, partition) => log.read({ topic, partition }, 0, 10_000))
  )).flat()
}

async function until<T> (look: () => Promise<T | false | undefined>): Promise<T> {
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(5)) {
    const found = await look()
    if (found !== false && found !== undefined) return found
  }
  throw new Error(`It is still not so: ${String(look)}`)
}

const append = async (log: Log, ...messages: readonly Message[]): Promise<void> =>
  log.append(messages.map((message) => encode(message, '/test')))

/** The messages that were sent so far, in the order of each series. */
const said = async (log: Log): Promise<Message[]> => (await all(log, TOPICS.regular)).flatMap(decode)

const countsOf = (messages: readonly Message[], series: string): unknown[] =>
  messages.filter(({ data }) => data.series === series).map((message) =>
    (message as MessageOf<'observation.regular.v1'>).data.values['count']
  )

t.test('messages go through, unusable ones go to the dead letters, and all are counted', async (t) => {
  const log = new MemoryLog({ partitions: 2 })
  const step = await run(t, log)
  await append(
    log,
    observation('a', 1),
    observation('a', 0),
    observation('b', 1),
    observation('a', -1),
    observation('a', 2)
  )
  await log.append([{
    topic: TOPICS.raw,
    key: 'a',
    value: 'no JSON',
    headers: encode(observation('a', 1), '/test').headers,
  }])
  await append(log, observation('a', 3))
  const out = await until(async () => said(log).then((messages) => messages.length === 4 && messages))
  t.same(countsOf(out, 'a'), [1, 2, 3])
  t.same(countsOf(out, 'b'), [1])
  t.match((await all(log, TOPICS.regular))[0]!.headers, {
    ce_type: 'observation.regular.v1',
    ce_source: '/imputer',
    ce_time: '2026-01-01T00:00:00.000Z',
  })
  const dead = await until(async () =>
    all(log, deadTopic(TOPICS.raw)).then((records) => records.length === 2 && records)
  )
  t.match(dead.map((record) => fromDeadLetter(record)), [{
    reason: 'negative',
    detail: 'load is below 0.',
    step: 'imputer',
  }, { reason: 'invalid-request', original: { value: 'no JSON' } }])
  t.equal(step.waitingFor(), undefined)
  const text = await until(async () =>
    step.metrics.text().then((text) => text.includes('messages_waiting{step="imputer"} 0') && text)
  )
  for (const line of [
    'messages_received_total{type="observation.raw.v1",step="imputer"} 6',
    'messages_sent_total{type="observation.regular.v1",step="imputer"} 4',
    'messages_dropped_total{reason="nothing",step="imputer"} 1',
    'messages_rejected_total{reason="negative",step="imputer"} 1',
    'latency_seconds_count{step="imputer"} 6',
    'errors_total{stage="sending",step="imputer"} 0',
  ]) t.ok(text.includes(line), line)
})

t.test('a restart continues at the last saved state, and repeats the messages after it', async (t) => {
  const log = new MemoryLog({ partitions: 1 })
  let now = START
  const first = await run(t, log, { checkpointMs: 1000, now: () => now })
  const gone = async (count: number): Promise<Message[]> =>
    until(async () => said(log).then((messages) => messages.length >= count && messages))
  await append(log, observation('a', 1), observation('a', 2))
  await gone(2)
  now += 1000
  await append(log, observation('a', 3))
  await gone(3)
  await until(async () => (await all(log, STATE_TOPICS.imputer)).length > 0)
  await append(log, observation('a', 4), observation('b', 1))
  const before = await gone(5)
  // As after a crash: nothing more is saved, and another step begins with the same log.
  const copy = new MemoryLog({ partitions: 1 })
  await copy.append(
    (await Promise.all([TOPICS.raw, TOPICS.regular, STATE_TOPICS.imputer].map(async (topic) => all(log, topic))))
      .flat()
  )
  await first.close()
  await run(t, copy)
  const after = await until(async () => said(copy).then((messages) => messages.length >= 7 && messages))
  t.same(after.slice(0, 5).map(({ data }) => data), before.map(({ data }) => data))
  t.same(
    after.slice(5).map(({ data, receivedAt }) => [data, receivedAt]),
    before.slice(3).map(({ data, receivedAt }) => [data, receivedAt])
  )
  await append(copy, observation('a', 5))
  t.same(countsOf(await until(async () => said(copy).then((messages) => messages.length === 8 && messages)), 'a'), [
    1,
    2,
    3,
    4,
    4,
    5,
  ])
})

t.test('after an orderly end, nothing is repeated', async (t) => {
  const log = new MemoryLog({ partitions: 1 })
  const first = await run(t, log, { checkpointMs: 3_600_000 })
  await append(log, observation('a', 1), observation('a', 2))
  await until(async () => (await said(log)).length === 2)
  await first.close()
  await first.ended
  await run(t, log)
  await append(log, observation('a', 3))
  t.same(countsOf(await until(async () => said(log).then((messages) => messages.length >= 3 && messages)), 'a'), [
    1,
    2,
    3,
  ])
})

t.test('results of tick() are sent and saved', async (t) => {
  const log = new MemoryLog({ partitions: 1 })
  const patient: StepKind = {
    ...counting,
    open: async (saved) => {
      const { count = 0 } = (saved ?? {}) as { count?: number }
      let ticks = count
      return {
        process: () => {},
        tick: (_, out) => {
          if (ticks++ < 2) {
            out.send({
              type: 'gap.v1',
              id: String(ticks),
              receivedAt: START,
              data: { series: 'a', from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z', interval: 1000 },
            })
          }
        },
        save: () => ({ count: ticks }),
      }
    }
  }
  await run(t, log, { kind: patient })
  await append(log, observation('a', 1))
  await until(async () => (await said(log)).length === 2)
  const [state] = await until(async () =>
    all(log, STATE_TOPICS.imputer).then((records) =>
      (JSON.parse(records.at(-1)?.value ?? '{}') as { state?: { count: number } }).state?.count === 2 &&
      [records.at(-1)!]
    )
  )
  t.same(JSON.parse(state.value), { offset: 1, state: { count: 2 } })
})

t.test('calls of a log that does not answer are retried, and a failing step ends', async (t) => {
  const inner = new MemoryLog({ partitions: 1 })
  let failures = 2
  const log = new Proxy(inner, {
    get: (of, name) =>
      name === 'append'
        ? async (records: Parameters<Log['append']>[0]) =>
          records[0]!.topic === TOPICS.regular && failures-- > 0
            ? Promise.reject(new Problem('log-unavailable', 'away'))
            : inner.append(records)
        : Reflect.get(of, name, of) instanceof Function
          ? (Reflect.get(of, name, of) as () => unknown).bind(of)
          : Reflect.get(of, name, of),
  })
  const step = await run(t, log)
  await append(inner, observation('a', 1))
  await until(async () => (await said(inner)).length === 1)
  t.ok((await step.metrics.text()).includes('errors_total{stage="sending",step="imputer"} 2'))
  const wrong = await run(t, new MemoryLog({ partitions: 1 }), {
    kind: {
      ...counting,
      open: () => {
        throw new Error('no state of mine')
      },
    },
  })
  await t.rejects(wrong.ended, { message: 'no state of mine' })
})

t.test('a state topic that holds something else is named', async (t) => {
  const log = new MemoryLog({ partitions: 1 })
  await log.append([{ topic: STATE_TOPICS.imputer, key: '0', partition: 0, value: '[]', headers: {} }])
  const step = await run(t, log)
  await t.rejects(step.ended, { code: 'invalid-settings', message: /imputer\.state\.v1, partition 0, is no state/ })
})

t.test('a record with several unusable messages is one dead letter', async (t) => {
  const log = new MemoryLog({ partitions: 1 })
  const refusing: StepKind = {
    ...counting,
    accepts: ['observation.regular.v1'],
    open: () => ({
      process: (messages, out) => {
        for (const message of messages) out.reject(message, 'refused', `No ${message.id}.`)
      },
    }),
  }
  const step = await run(t, log, { kind: refusing })
  const messages = [1, 2, 3].map((i): Message => ({
    type: 'observation.regular.v1',
    id: `a${i}`,
    receivedAt: START,
    data: { series: 'a', time: new Date(START + i).toISOString(), interval: 1, values: { load: i }, imputed: [] },
  }))
  await log.append(encodeAll(messages, '/test'))
  const dead = await until(async () =>
    all(log, deadTopic(TOPICS.regular)).then((records) => records.length > 0 && records)
  )
  t.match(dead.map((record) => fromDeadLetter(record)), [{ reason: 'refused', detail: 'No a1+2/0.' }])
  t.equal(dead.length, 1)
  t.ok((await step.metrics.text()).includes('messages_rejected_total{reason="refused",step="imputer"} 3'))
})

/** The same log, but it takes the partitions of a failed member away. A log may do so or not. */
function takingAway (inner: MemoryLog): Log {
  const join: Log['join'] = async (options, member) => {
    const owned: Partition[] = []
    const membership = await inner.join(options, {
      ...member,
      assigned: async (partition) => {
        owned.push(partition)
        return member.assigned(partition)
      },
    })
    const ended = membership.ended.catch(async (error: unknown) => {
      for (const partition of owned) await member.revoked(partition)
      throw error
    })
    return {
      ended,
      commit: async (...of) => membership.commit(...of),
      lag: async () => membership.lag(),
      leave: async () => membership.leave(),
      get joined () {
        return membership.joined
      },
    }
  }
  return {
    partitions: inner.partitions,
    join,
    append: async (records) => inner.append(records),
    read: async (...of) => inner.read(...of),
    bounds: async (partition) => inner.bounds(partition),
    close: async () => inner.close(),
  }
}

t.test('if a step fails in a batch, nothing of the batch is saved: the next one repeats it', async (t) => {
  const log = new MemoryLog({ partitions: 1 })
  const stumbling = (at: number): StepKind => ({
    ...counting,
    open: async (saved, closing) => {
      const step = await counting.open(saved, closing)
      return {
        ...step,
        process: async (messages, out) => {
          for (const message of messages) {
            if ((message as MessageOf<'observation.raw.v1'>).data.values['load'] === at) throw new Error('stumbled')
            await step.process([message], out)
          }
        },
      }
    }
  })
  const first = await run(t, takingAway(log), { kind: stumbling(4), checkpointMs: 3_600_000 })
  await append(log, observation('a', 1), observation('a', 2))
  await until(async () => (await said(log)).length === 2)
  await append(log, ...[3, 4, 5].map((i) => observation('a', i)))
  await t.rejects(first.ended, { message: 'stumbled' })
  await first.close()
  t.same(await all(log, STATE_TOPICS.imputer), [], 'it knew one more than it had said')
  await run(t, log)
  await until(async () => (await said(log)).length >= 7)
  t.same(countsOf(await said(log), 'a'), [1, 2, 1, 2, 3, 4, 5])
})

t.test('however long a step takes, at most one tick waits for it', async (t) => {
  const clock = FakeTimers.install({ toFake: ['setInterval', 'clearInterval'] })
  t.teardown(() => { clock.uninstall() })
  const log = new MemoryLog({ partitions: 1 })
  let ticks = 0
  let release = (): void => {}
  const released = new Promise<void>((resolve) => { release = resolve })
  let processed = 0
  const process = async (): Promise<void> => {
    processed++
    await released
  }
  await run(t, log, { kind: { ...counting, open: () => ({ process, tick: () => { ticks++ } }) } })
  await append(log, observation('a', 1))
  await until(async () => processed === 1)
  const before = ticks
  clock.tick(1250)
  t.equal(ticks, before, 'ticks wait for the step')
  release()
  await until(async () => ticks > before)
  // The step works in order: waiting ticks are before this observation.
  await append(log, observation('a', 2))
  await until(async () => processed === 2)
  t.ok(ticks - before <= 2, `${ticks - before} at once`)
})

t.test('the metrics count scores of verdicts, and requests', async (t) => {
  const log = new MemoryLog({ partitions: 1 })
  const verdict = (id: string, score: number | null): MessageOf<'verdict.v1'> => ({
    type: 'verdict.v1',
    id,
    receivedAt: START,
    data: {
      series: 'a',
      time: new Date(START).toISOString(),
      model: { name: 'm', version: '1', digest: 'd' },
      score,
      anomalous: score !== null && score > 1,
      threshold: 1,
      contributions: null,
      values: {},
      expected: null,
      imputed: [],
    },
  })
  const kind: StepKind = {
    name: 'scorer',
    accepts: ['observation.raw.v1'],
    open: () => ({
      process: (_, out) => {
        for (const [i, score] of [0.3, 1.4, null].entries()) out.send(verdict(String(i), score))
      },
    }),
  }
  const { metrics } = await run(t, log, { kind })
  const app = Fastify()
  t.teardown(async () => app.close())
  metrics.watch(app)
  app.get('/live/:series', async () => 'x')
  for (const url of ['/live/a', '/live/b', '/nothing', '/nowhere']) await app.inject(url)
  await append(log, observation('a', 1))
  const text = await until(async () =>
    metrics.text().then((lines) => lines.includes('verdict_score_count{step="imputer"} 2') && lines)
  )
  t.match(text, 'verdict_score_bucket{le="1",step="imputer"} 1', 'what is not scored has none')
  t.match(text, 'http_request_duration_seconds_count{step="imputer",route="/live/:series",method="GET",status="200"} 2')
  t.match(text, 'http_request_duration_seconds_count{step="imputer",route="unknown",method="GET",status="404"} 2')
})
