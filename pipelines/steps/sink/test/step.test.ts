// The sink stores everything once the database answers. Only messages that the database refuses for good go to the dead
// letters.
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { Problem } from '../../../../core/errors.ts'
import { SqliteDatabase } from '../../../adapters/sqlite/sqlite-database.ts'
import type { Batch, Database } from '../../../database/database.ts'
import { incident, verdict } from '../../../database/test/laws.ts'
import type { Message } from '../../../messages/messages.ts'
import type { Outlet, Received } from '../../../runtime/step.ts'
import { sinkKind } from '../step.ts'

const ALWAYS = { from: -Infinity, to: Infinity }
const at = (seconds: number): string => verdict('a', seconds).time

const database = new SqliteDatabase({ file: join(t.testdir(), 'history.sqlite'), keep: 10_000 })
t.teardown(async () => database.close())

/** SQLite that does not always answer: a fake of the contract, not of a vendor. */
class FlakyDatabase implements Pick<Database, 'write'> {
  readonly batches: Batch[] = []
  away = false
  refuses: (batch: Batch) => boolean = () => false

  async write (batch: Batch): Promise<void> {
    if (this.away) throw new Problem('server-unavailable', 'It is away.')
    await nextTurn()
    if (this.refuses(batch)) throw new Problem('invalid-request', 'It refuses it.')
    this.batches.push(batch)
    await database.write(batch)
  }
}

function received (...messages: Array<Pick<Message, 'type' | 'data'>>): Received[] {
  return messages.map(({ type, data }, offset) => ({ type, data, id: `${offset}`, receivedAt: 0, offset }) as Received)
}

class Outcome implements Outlet {
  readonly rejected: string[] = []
  send (): void {
    throw new Error('a sink says nothing')
  }

  drop (): void {
    throw new Error('a sink leaves nothing out')
  }

  reject ({ offset }: Received, code: string, detail: string): void {
    this.rejected.push(`${offset} ${code} ${detail}`)
  }
}

const open = async (flaky: FlakyDatabase, closing = new AbortController().signal, onTrouble?: () => void) =>
  sinkKind({ database: flaky, ...(onTrouble && { onTrouble }) }).open(undefined, closing)

t.test('each type goes where it belongs, in one write', async (t) => {
  const flaky = new FlakyDatabase()
  const step = await open(flaky)
  const out = new Outcome()
  await step.process(received(
    { type: 'observation.raw.v1', data: { series: 'a', time: at(0), values: { x: 1 } } },
    { type: 'verdict.v1', data: verdict('a', 0) },
    { type: 'gap.v1', data: { series: 'a', from: at(1), to: at(2), interval: 1000 } },
    { type: 'incident.opened.v1', data: incident('a', 'a/1') },
    { type: 'incident.annotated.v1', data: { series: 'a', incident: 'a/1', at: at(3), kind: 'confirmed' } },
    { type: 'incident.closed.v1', data: incident('a', 'a/1', { end: at(102), closed: true }) },
    { type: 'incident.updated.v1', data: incident('a', 'a/1', { end: at(101) }) }
  ), out)
  t.equal(flaky.batches.length, 1)
  t.strictSame(flaky.batches[0]!.observations, [{ series: 'a', time: at(0), values: { x: 1 } }])
  t.strictSame(await database.verdicts('a', ALWAYS, 10), [verdict('a', 0)])
  t.equal((await database.gaps('a', ALWAYS)).length, 1)
  t.match(await database.incident('a/1'), { closed: true, end: at(102), feedback: 'confirmed' })
  t.strictSame(out.rejected, [])
  t.equal(step.save, undefined, 'it has no state')
  await step.process([], out)
  t.equal(flaky.batches.length, 1, 'nothing is no write')
})

t.test('what is refused for ever is rejected alone', async (t) => {
  const flaky = new FlakyDatabase()
  flaky.refuses = ({ verdicts }) => verdicts.some(({ score }) => score === -1)
  const step = await open(flaky)
  const out = new Outcome()
  const verdicts = Array.from({ length: 21 }, (_, i) => verdict('refused', i, { score: i === 4 || i === 20 ? -1 : i }))
  await step.process(received(...verdicts.map((data) => ({ type: 'verdict.v1' as const, data }))), out)
  t.strictSame(out.rejected, ['4 refused-by-database It refuses it.', '20 refused-by-database It refuses it.'])
  t.strictSame(await database.verdicts('refused', ALWAYS, 100), verdicts.filter(({ score }) => score !== -1))
})

t.test('while the database is away it waits, and goes on once it is back', async (t) => {
  const flaky = new FlakyDatabase()
  flaky.away = true
  const attempts = new EventEmitter()
  const signal = AbortSignal.timeout(20_000)
  const failedTwice = once(attempts, 'failed', { signal }).then(async () => once(attempts, 'failed', { signal }))
  const step = await open(flaky, undefined, () => { attempts.emit('failed') })
  let done = false
  const work = Promise.resolve(step.process(received({ type: 'verdict.v1', data: verdict('away', 0) }), new Outcome()))
    .then(() => {
      done = true
    })
  await failedTwice
  t.notOk(done)
  flaky.away = false
  await work
  t.equal((await database.verdicts('away', ALWAYS, 10)).length, 1)
})

t.test('it gives up at once when the process ends', async (t) => {
  const flaky = new FlakyDatabase()
  const closing = new AbortController()
  flaky.away = true
  const waiting = (await open(flaky, closing.signal)).process(
    received({ type: 'verdict.v1', data: verdict('ended', 0) }),
    new Outcome()
  )
  flaky.write = async () => new Promise(() => {})
  const hanging = (await open(flaky, closing.signal)).process(
    received({ type: 'verdict.v1', data: verdict('ended', 1) }),
    new Outcome()
  )
  setImmediate(() => {
    closing.abort(new Error('closing'))
  })
  await t.rejects(Promise.resolve(waiting), { message: 'closing' })
  await t.rejects(Promise.resolve(hanging), { message: 'closing' })
  await t.rejects(
    Promise.resolve(
      (await open(flaky, closing.signal)).process(
        received({ type: 'verdict.v1', data: verdict('ended', 2) }),
        new Outcome()
      )
    ),
    { message: 'closing' }
  )
})

t.test('any other failure ends the step', async (t) => {
  const flaky = new FlakyDatabase()
  flaky.write = async () => {
    throw new Problem('invalid-settings', 'The token is wrong.')
  }
  await t.rejects(
    Promise.resolve(
      (await open(flaky)).process(received({ type: 'verdict.v1', data: verdict('a', 0) }), new Outcome())
    ),
    { code: 'invalid-settings' }
  )
})

t.test('partitions that write at the same time share requests, and one does not spoil the others', async (t) => {
  const flaky = new FlakyDatabase()
  flaky.refuses = ({ verdicts }) => verdicts.some(({ score }) => score === -1)
  const kind = sinkKind({ database: flaky })
  const out = new Outcome()
  const verdicts = Array.from({ length: 20 }, (_, i) => verdict(`shared ${i}`, 0, { score: i === 7 ? -1 : i }))
  await Promise.all(
    verdicts.map(async (data) =>
      (await kind.open(undefined, new AbortController().signal)).process(received({ type: 'verdict.v1', data }), out)
    )
  )
  t.strictSame(out.rejected, ['0 refused-by-database It refuses it.'])
  for (const { series, score } of verdicts) {
    t.equal((await database.verdicts(series, ALWAYS, 10)).length, score === -1 ? 0 : 1)
  }
  flaky.batches.length = 0
  flaky.refuses = () => false
  await Promise.all(
    verdicts.map(async (data) =>
      (await kind.open(undefined, new AbortController().signal)).process(received({ type: 'verdict.v1', data }), out)
    )
  )
  t.equal(flaky.batches.length, 2, 'the first one, then all others together')
})
