// Delivers the outcomes of tasks to engines, with retries: an engine never asks for them.
import { setMaxListeners } from 'node:events'
import type { FastifyBaseLogger } from 'fastify'
import pRetry from 'p-retry'
import { type HttpAnswer, type HttpClient, saidOf } from '../adapters/http-client.ts'
import type { Notice } from './task.ts'

interface MessengerOptions {
  readonly http: HttpClient
  readonly retryDelayMs: number
  /** How long a delivery is retried. */
  readonly retryMs: number
  readonly log: FastifyBaseLogger
}

/** In a pipeline, the engine answers only after it has dispatched the next step. */
const ANSWER_MS = 60_000
const MAX_PAUSE_MS = 30_000

/** The engine refused the outcome, and would do so again. */
class Refused extends Error {}

export class Messenger {
  readonly #options: MessengerOptions

  constructor (options: MessengerOptions) {
    this.#options = options
  }

  /**
   * Retries until the engine takes the outcome, refuses it for good, or the time is over.
   * @returns whether the engine has taken or refused it: nothing is left to deliver
   */
  async deliver (taskId: string, notice: Notice, signal: AbortSignal): Promise<boolean> {
    const { retryDelayMs, retryMs, log } = this.#options
    setMaxListeners(0, signal)
    try {
      await pRetry(async () => this.once(notice, signal), {
        retries: Infinity,
        minTimeout: retryDelayMs,
        maxTimeout: MAX_PAUSE_MS,
        maxRetryTime: retryMs,
        randomize: true,
        signal,
        shouldRetry: ({ error }) => !(error instanceof Refused),
        onFailedAttempt: ({ error, attemptNumber }) => {
          if (!(error instanceof Refused) && !signal.aborted) {
            log[attemptNumber === 1 ? 'warn' : 'debug'](
              { taskId, attempt: attemptNumber, problem: error.message },
              'the engine did not take the outcome; trying again'
            )
          }
        },
      })
      return true
    } catch (error) {
      if (signal.aborted) return false
      log.error({ taskId, problem: (error as Error).message }, 'the engine could not be told the outcome of the task')
      return error instanceof Refused
    }
  }

  /**
   * Delivers in one attempt.
   * @throws Error if the engine does not take the outcome
   */
  async once (notice: Notice, signal: AbortSignal): Promise<void> {
    const answer = await this.#options.http.send(notice, ANSWER_MS, signal).catch((error: unknown) => {
      // p-retry does not retry a TypeError.
      const { message, code, name } = error as NodeJS.ErrnoException
      if (name === 'HostRefused') throw new Refused(message)
      throw new Error(message || code || String(error))
    })
    if (answer.status >= 200 && answer.status < 300) return
    const said = `${notice.method} ${new URL(notice.url).origin} answered ${answer.status}, ${saidOf(answer)}`
    throw mayPass(answer) ? new Error(said) : new Refused(said)
  }
}

/** Whether a retry may succeed. A proxy answers 404 while its engine restarts; a 404 of the engine has its own text. */
function mayPass (answer: HttpAnswer): boolean {
  const { status } = answer
  if (status === 404) return saidOf(answer) !== 'Task Not Found'
  return status >= 500 || status === 408 || status === 425 || status === 429
}
