// What all that follow a model share: when they look, what they refuse, and how often they report a problem.
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { Problem } from '../../../core/errors.ts'
import { deferred } from '../../waiting.ts'
import { CurrentProblem } from '../current-problem.ts'
import { Poller } from '../poller.ts'
import { isUnavailable, Refusals } from '../refusals.ts'

const DAY = 86_400_000

/** A poller whose looks end when the test says so, and how many have begun. */
function polling (pollMs = DAY) {
  const state = {
    begun: 0,
    underWay: 0,
    mostUnderWay: 0,
    end: [] as Array<(error?: Error) => void>,
    failures: [] as string[],
  }
  const poller = new Poller({
    pollMs,
    onFailure: ({ message }) => { state.failures.push(message) },
    look: async () => {
      state.begun++
      state.mostUnderWay = Math.max(state.mostUnderWay, ++state.underWay)
      const { promise, resolve, reject } = deferred()
      state.end.push((error) => { if (error === undefined) resolve(); else reject(error) })
      await promise.finally(() => { state.underWay-- })
    },
  })
  return { poller, state }
}

const untilMicrotask = async (count: number): Promise<void> => { for (let i = 0; i < count; i++) await undefined }

t.test('requests during a look are answered by one look that begins after it', async (t) => {
  const { poller, state } = polling()
  t.teardown(async () => poller.close())
  const requests = [poller.refresh(), poller.refresh(), poller.refresh()]
  t.equal(state.begun, 1)
  state.end[0]!()
  await sleep(1)
  t.equal(state.begun, 2)
  state.end[1]!()
  await Promise.all(requests)
  t.strictSame([state.begun, state.mostUnderWay], [2, 1])
})

t.test('a request is answered by a look that begins after it, however late in a look it comes', async (t) => {
  await fc.assert(fc.asyncProperty(fc.nat(12), async (microtasks) => {
    let begun = 0
    const poller = new Poller({ pollMs: DAY, onFailure: () => {}, look: async () => { begun++ } })
    const first = poller.refresh()
    await untilMicrotask(microtasks)
    const before = begun
    await poller.refresh()
    const isAnswered = begun > before
    await first
    await poller.close()
    return isAnswered
  }))
})

t.test('it looks at intervals, and goes on after a failure', async (t) => {
  const { poller, state } = polling(1)
  poller.start()
  t.equal(state.begun, 1, 'at once')
  state.end[0]!(new Error('away'))
  while (state.begun < 2) await sleep(1)
  t.strictSame(state.failures, ['away'])
  const closed = poller.close()
  state.end[1]!()
  await closed
  await sleep(5)
  t.equal(state.begun, 2, 'not after it was closed')
})

t.test('a group of notifications leads to one look', async (t) => {
  const { poller, state } = polling()
  const source = { notify: (): void => {}, isClosed: false }
  poller.watch({
    watch: (onChange) => {
      source.notify = onChange
      return { close: () => { source.isClosed = true } }
    },
  })
  for (let i = 0; i < 3; i++) source.notify()
  t.equal(state.begun, 0, 'not before the group has ended')
  while (state.begun < 1) await sleep(5)
  state.end[0]!()
  await sleep(100)
  t.equal(state.begun, 1)
  await poller.close()
  t.ok(source.isClosed)
  source.notify()
  await poller.refresh()
  t.equal(state.begun, 1, 'none after it was closed')
})

t.test('a version is refused for a minute; the reason is kept longer', (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const refusals = new Refusals(() => now)
  const bad = { name: 'pump', version: '2', digest: 'sha256:bad' }
  t.notOk(refusals.isRecent(bad.digest))
  const refusal = refusals.add(bad, new Problem('invalid-model-package', 'cut off'))
  t.strictSame(refusal, { ...bad, code: 'invalid-model-package', reason: 'cut off', at: '2026-01-01T00:00:00.000Z' })
  t.ok(refusals.isRecent(bad.digest))
  now += 60_000
  t.notOk(refusals.isRecent(bad.digest))
  t.strictSame(refusals.list(), [refusal])
  t.match(refusals.add({ ...bad, digest: 'sha256:other' }, new Error('a fault')), { code: 'internal-error' })
  refusals.keep(new Set(['sha256:other']))
  t.match(refusals.list(), [{ digest: 'sha256:other' }])
  refusals.delete('sha256:other')
  t.strictSame(refusals.list(), [])
  t.ok(isUnavailable(new Problem('registry-unavailable', 'away')))
  t.notOk(isUnavailable(new Problem('invalid-model-package', 'cut off')))
  t.notOk(isUnavailable(new Error('a fault')))
  t.end()
})

t.test('a problem is reported once, and again after it was gone', (t) => {
  const reports: string[] = []
  const problem = new CurrentProblem((message) => { reports.push(message) })
  for (const message of ['away', 'away', 'elsewhere', 'away']) problem.set(message)
  t.equal(problem.get(), 'away')
  problem.clear()
  t.equal(problem.get(), undefined)
  problem.set('away')
  t.strictSame(reports, ['away', 'elsewhere', 'away', 'away'])
  t.end()
})
