// Looks at a source again and again: at intervals, after notifications, and on request. Never looks twice at a time.
import type { Watch } from '../registry/store.ts'
import { pause } from '../waiting.ts'

interface PollerOptions {
  readonly look: () => Promise<void>
  readonly pollMs: number
  /** Receives each error of `look`. Polling goes on. */
  readonly onFailure: (error: Error) => void
}

interface Watchable {
  watch (onChange: () => void): Watch
}

/** Notifications come in groups. The poller looks once no more have come for this time. */
const SETTLE_MS = 50

export class Poller {
  readonly #options: PollerOptions
  readonly #closing = new AbortController()
  readonly #watches: Watch[] = []
  #polling: Promise<void> = Promise.resolve()
  #looking: Promise<void> | undefined
  #isRequested = false
  #settling: NodeJS.Timeout | undefined

  constructor (options: PollerOptions) {
    this.#options = options
  }

  /** Looks at once, then at intervals. */
  start (): void {
    this.#polling = this.#poll()
  }

  /** From now on, also looks after notifications of the source. */
  watch (source: Watchable): void {
    if (this.#isClosed) return
    this.#watches.push(source.watch(() => { this.#lookSoon() }))
  }

  /** Looks now. If a look is under way, another one follows it. Never rejects. */
  async refresh (): Promise<void> {
    this.#isRequested = true
    this.#looking ??= this.#look()
    await this.#looking
  }

  /** Waits for the look that is under way. */
  async close (): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#settling)
    for (const watch of this.#watches) watch.close()
    await this.#polling
    await this.#looking
  }

  get #isClosed (): boolean {
    return this.#closing.signal.aborted
  }

  async #poll (): Promise<void> {
    while (!this.#isClosed) {
      await this.refresh()
      await pause(this.#options.pollMs, this.#closing.signal)
    }
  }

  #lookSoon (): void {
    clearTimeout(this.#settling)
    if (!this.#isClosed) this.#settling = setTimeout(() => { this.refresh().catch(() => {}) }, SETTLE_MS)
  }

  async #look (): Promise<void> {
    const { look, onFailure } = this.#options
    while (this.#isRequested && !this.#isClosed) {
      this.#isRequested = false
      await look().catch((error: unknown) => { onFailure(error as Error) })
    }
    // In the same turn as the last check: a later request starts anew.
    this.#looking = undefined
  }
}
