// A destination of notifications: each one is posted until the destination accepts it, or the time for retries is over.
import pRetry, { AbortError } from 'p-retry'

export interface Request {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface DestinationOptions {
  readonly name: string
  /** Time for retries; waiting notifications share it. */
  readonly retryMs: number
  readonly now: () => number
  /** Aborts when the process ends. */
  readonly closing: AbortSignal
}

const TIMEOUT_MS = 10_000

export class Destination {
  readonly name: string
  readonly #options: DestinationOptions
  /** Time of the first failure since the last success; undefined if it works. */
  #failingSince: number | undefined

  constructor (options: DestinationOptions) {
    this.name = options.name
    this.#options = options
  }

  /**
   * @param make builds the request, for each attempt
   * @returns why the destination did not accept it; undefined if it did
   * @throws the reason of `closing`
   */
  async deliver (make: () => Request): Promise<string | undefined> {
    const { retryMs, now, closing } = this.#options
    // Notifications that queued up during an outage share its time for retries: not each one gets all of it.
    const left = this.#failingSince === undefined ? retryMs : Math.max(0, this.#failingSince + retryMs - now())
    try {
      await pRetry(async () => this.#post(make()), {
        retries: left === 0 ? 0 : Infinity,
        maxRetryTime: left,
        minTimeout: 200,
        maxTimeout: 30_000,
        randomize: true,
        signal: closing,
      })
      this.#failingSince = undefined
      return undefined
    } catch (error) {
      closing.throwIfAborted()
      return `${this.name} did not take it: ${(error as Error).message}`
    }
  }

  /** @throws AbortError if a retry cannot help */
  async #post ({ url, headers, body }: Request): Promise<void> {
    const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.#options.closing])
    const status = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal }).then(
      async (answer) => {
        await answer.body?.cancel()
        return answer.status
      },
      (error: unknown) => {
        this.#failingSince ??= this.#options.now()
        throw new Error(reasonOf(error))
      }
    )
    if (status >= 200 && status <= 299) return
    if (status < 500 && status !== 408 && status !== 429) {
      throw new AbortError(`it answered ${status}${status < 400 ? ', and redirects are not followed' : ''}`)
    }
    this.#failingSince ??= this.#options.now()
    throw new Error(`it answered ${status}`)
  }
}

/** fetch() has the reason in the cause. */
const reasonOf = (error: unknown): string =>
  ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message
