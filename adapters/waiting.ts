// Waiting that ends early: at a time limit, when a signal aborts, or when somebody else settles it.
import { setTimeout as sleep } from 'node:timers/promises'
import pTimeout from 'p-timeout'

/** Waits. Ends early, without an error, when the signal aborts. */
export async function pause (ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}

/**
 * Does not wait for work that ignores the signal: such work goes on, and its result is dropped.
 * @throws the signal's reason once it aborts
 */
export async function untilAborted<T> (work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return pTimeout(work, { milliseconds: Infinity, ...(signal && { signal }) })
}

/**
 * Does not wait longer than the limit; the work itself goes on.
 * @param what the work, for the sentence of the error
 * @throws Error after `ms` milliseconds
 */
export async function withTimeout<T> (ms: number, what: string, work: Promise<T>): Promise<T> {
  return pTimeout(work, { milliseconds: ms, message: `${what} took longer than ${ms} ms` })
}

export interface Deferred {
  readonly promise: Promise<void>
  resolve (): void
  reject (error: unknown): void
}

/** A promise that its owner settles. A rejection that nobody waits for is no fault. */
export function deferred (): Deferred {
  let [resolve, reject]: [() => void, (error: unknown) => void] = [() => {}, () => {}]
  const promise = new Promise<void>((...settle) => { [resolve, reject] = settle })
  promise.catch(() => {})
  return { promise, resolve, reject }
}
