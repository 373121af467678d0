// Sends observations to a collector, and retries until it has taken them. So nothing is lost.
import pRetry, { AbortError } from 'p-retry'
import { pause } from '../../adapters/waiting.ts'
import { Problem } from '../../core/errors.ts'
import type { RawObservation } from '../messages/messages.ts'

interface SenderOptions {
  /** URL of the collector, without a path. */
  readonly url: string
  readonly key?: string | undefined
  /** Once it has aborted, there are no retries. */
  readonly signal: AbortSignal
  readonly onRetry?: (reason: string) => void
}

const TIMEOUT_MS = 30_000
/** Limit, even if the collector asks for a longer pause. */
const LONGEST_PAUSE_MS = 30_000

/** A failure that a retry may repair, after the pause that the collector asks for. */
class Refusal extends Error {
  readonly pauseMs: number

  constructor (message: string, pauseMs: number) {
    super(message)
    this.pauseMs = pauseMs
  }
}

/**
 * @returns a function that sends; it rejects with a Problem if the collector refuses for good or the signal aborts
 */
export function httpSender (
  { url, key, signal, onRetry }: SenderOptions
): (observations: readonly RawObservation[]) => Promise<void> {
  const target = `${url.replace(/\/+$/, '')}/observations`
  const headers = { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) }
  return async (observations) => pRetry(async () => post(target, headers, JSON.stringify(observations)), {
    retries: Infinity,
    minTimeout: 100,
    maxTimeout: 5000,
    shouldRetry: () => !signal.aborted,
    onFailedAttempt: async ({ error }) => {
      onRetry?.(error.message)
      if (error instanceof Refusal) await pause(error.pauseMs, signal)
    },
  })
}

async function post (url: string, headers: Record<string, string>, body: string): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers,
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
    .catch((cause: unknown) => {
      throw new Refusal(`${url} does not answer: ${reasonOf(cause)}`, 0)
    })
  const text = await answer.text().catch(() => '')
  if (answer.status === 202) return
  const message = `${url} answered ${answer.status}: ${text.slice(0, 500)}`
  if (answer.status === 429 || answer.status >= 500) {
    throw new Refusal(message, Math.min(LONGEST_PAUSE_MS, 1000 * (Number(answer.headers.get('retry-after')) || 0)))
  }
  throw new AbortError(new Problem('invalid-request', message))
}

/** fetch() has the reason in the cause. */
const reasonOf = (error: unknown): string =>
  ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message
