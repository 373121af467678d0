// The connection to an engine since 2023: announces the service, verifies the entry, sends heartbeats, and announces
// again if the engine has forgotten the service.
import pRetry from 'p-retry'
import { pause } from '../../adapters/waiting.ts'
import type { HttpClient } from '../adapters/http-client.ts'
import type { Announcement } from '../schemas/service.ts'
import { EngineApi, EngineRefusal } from './engine-api.ts'
import {
  ANNOUNCE_TIMEOUT_MS,
  type EngineLink,
  type EngineState,
  type LinkOptions,
  messageOf,
  retryOptions,
} from './link.ts'

export class CurrentLink implements EngineLink {
  readonly #options: LinkOptions
  readonly #announcement: Announcement
  readonly #api: EngineApi
  #state: EngineState

  constructor (options: LinkOptions, announcement: Announcement, http: HttpClient) {
    this.#options = options
    this.#announcement = announcement
    this.#api = new EngineApi(options.url, http)
    this.#state = { url: options.url, state: 'announcing', problem: null }
  }

  describe (): EngineState {
    return this.#state
  }

  async run (signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#announce(signal).catch(() => {})
      if (!signal.aborted) await this.#keepKnown(signal)
    }
  }

  async withdraw (timeoutMs: number): Promise<void> {
    const { url, log } = this.#options
    if (this.#state.state !== 'announced') return
    try {
      const known = await this.#api.find(this.#announcement.slug, timeoutMs)
      if (known !== undefined) await this.#api.rest(known.id, timeoutMs)
      this.#state = { url, state: 'withdrawn', problem: null }
      log.info({ engine: url }, 'the engine has marked this service as sleeping')
    } catch (error) {
      log.warn({ engine: url, problem: messageOf(error) }, 'the engine could not be told that this service ends')
    }
  }

  /** Rejects only if the signal aborts. */
  async #announce (signal: AbortSignal): Promise<void> {
    const { url, log } = this.#options
    await pRetry(async () => this.#announceOnce(signal), {
      ...retryOptions(this.#options),
      signal,
      // Every refusal is a warning for the operator. An unreachable engine is a warning once, then debug.
      onFailedAttempt: ({ error, attemptNumber }) => {
        if (signal.aborted) return
        this.#state = { url, state: 'announcing', problem: messageOf(error) }
        const isNews = error instanceof EngineRefusal || attemptNumber === 1
        log[isNews ? 'warn' : 'debug'](
          { engine: url, attempt: attemptNumber, problem: messageOf(error) },
          'not announced yet; trying again'
        )
      },
    })
    this.#state = { url, state: 'announced', problem: null }
    log.info({ engine: url, slug: this.#announcement.slug }, 'announced')
  }

  async #announceOnce (signal: AbortSignal): Promise<void> {
    try {
      if (await this.#api.announce(this.#announcement, signal)) return
      const known = await this.#api.find(this.#announcement.slug, ANNOUNCE_TIMEOUT_MS, signal)
      if (known === undefined) throw new Error('the engine answers that it has the service, but does not find it')
      // An open route keeps its old URL and fields: it must close first.
      await this.#api.rest(known.id, ANNOUNCE_TIMEOUT_MS, signal)
      await this.#api.change(known.id, this.#announcement, signal)
      await this.#verify(signal)
    } catch (error) {
      // p-retry does not retry a TypeError.
      throw error instanceof TypeError ? new Error(messageOf(error), { cause: error }) : error
    }
  }

  async #verify (signal: AbortSignal): Promise<void> {
    const { slug, url } = this.#announcement
    const stored = await this.#api.find(slug, ANNOUNCE_TIMEOUT_MS, signal)
    if (stored?.url === url && stored.status === 'available') return
    const entry = stored === undefined ? 'no service' : `${stored.url} as ${stored.status}`
    throw new Error(`the engine has ${entry}, not ${url} as available`)
  }

  /** Heartbeats until the engine has forgotten the service, or the signal aborts. */
  async #keepKnown (signal: AbortSignal): Promise<void> {
    const { url, pingIntervalMs, log } = this.#options
    while (!signal.aborted) {
      try {
        if (!await this.#isKnown(signal)) {
          log.warn({ engine: url }, 'the engine no longer knows this service; announcing again')
          return
        }
        if (this.#state.problem !== null) log.info({ engine: url }, 'the engine answers again')
        this.#state = { url, state: 'announced', problem: null }
      } catch (error) {
        if (signal.aborted) return
        log[this.#state.problem === null ? 'warn' : 'debug'](
          { engine: url, problem: messageOf(error) },
          'the engine did not take the heartbeat; trying again'
        )
        this.#state = { url, state: 'announced', problem: messageOf(error) }
      }
      await pause(pingIntervalMs, signal)
    }
  }

  /**
   * Engines before 2026 have no heartbeat; they call GET /status of the service. The service then only checks whether
   * it is still listed.
   */
  async #isKnown (signal: AbortSignal): Promise<boolean> {
    if (await this.#api.ping(this.#announcement, signal)) return true
    const known = await this.#api.find(this.#announcement.slug, ANNOUNCE_TIMEOUT_MS, signal)
    return known?.url === this.#announcement.url
  }
}
