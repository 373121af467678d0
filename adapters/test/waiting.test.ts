// Waits end in time, and leave no listener behind.
import { getEventListeners } from 'node:events'
import t from 'tap'
import { deferred, pause, untilAborted, withTimeout } from '../waiting.ts'

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

t.test('a pause ends after its time, or when the signal aborts', async (t) => {
  const stop = new AbortController()
  await pause(1, stop.signal)
  t.equal(listenersOf(stop.signal), 0)
  const paused = pause(3_600_000, stop.signal)
  stop.abort()
  await paused
  await pause(3_600_000, stop.signal)
  t.equal(listenersOf(stop.signal), 0)
})

t.test('work that ignores its signal is no longer waited for', async (t) => {
  const stop = new AbortController()
  t.equal(await untilAborted(Promise.resolve(1), stop.signal), 1)
  t.equal(await untilAborted(Promise.resolve(2), undefined), 2)
  await t.rejects(untilAborted(Promise.reject(new Error('it failed')), stop.signal), /it failed/)
  t.equal(listenersOf(stop.signal), 0)
  const { promise, reject } = deferred()
  const waiting = untilAborted(promise, stop.signal)
  stop.abort(new Error('that is enough'))
  await t.rejects(waiting, /that is enough/)
  t.equal(listenersOf(stop.signal), 0)
  await t.rejects(untilAborted(promise, stop.signal), /that is enough/, 'a signal that aborted before')
  reject(new Error('too late for anybody to handle'))
})

t.test('work that takes too long is no longer waited for', async (t) => {
  t.equal(await withTimeout(3_600_000, 'a read', Promise.resolve(1)), 1)
  await t.rejects(withTimeout(3_600_000, 'a read', Promise.reject(new Error('it failed'))), /it failed/)
  await t.rejects(withTimeout(1, 'a read', new Promise(() => {})), /a read took longer than 1 ms/)
})
