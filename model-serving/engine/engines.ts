// The connections to all engines. They are independent: none waits for another.
import { setMaxListeners } from 'node:events'
import { hostname } from 'node:os'
import type { FastifyBaseLogger } from 'fastify'
import { randomId } from '../../adapters/identifiers.ts'
import { createRandom } from '../../core/random.ts'
import { createHttpClient, type HttpClient } from '../adapters/http-client.ts'
import type { EngineConfig } from '../settings/engine.ts'
import type { Announcement } from '../schemas/service.ts'
import { CurrentLink } from './current-link.ts'
import { Link2022 } from './link-2022.ts'
import type { EngineLink, EngineState } from './link.ts'

/** Time limit for telling the engines that the service ends: running tasks wait for it. */
const WITHDRAW_MS = 3_000

export class Engines {
  readonly #links: readonly EngineLink[]
  readonly #http: HttpClient
  readonly #stop = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  /** @param http for the tests; default: HTTP with the token of the settings */
  constructor (config: EngineConfig, serviceUrl: string, log: FastifyBaseLogger, http: HttpClient = clientOf(config)) {
    const announcement: Announcement = { ...config.announcement, url: serviceUrl }
    const Link = config.dialect === '2022' ? Link2022 : CurrentLink
    // Services that started together must not come back together.
    const random = createRandom(randomId()).uniform
    // Each engine listens.
    setMaxListeners(0, this.#stop.signal)
    this.#http = http
    this.#links = config.urls.map((url) =>
      new Link(
        { url, retryDelayMs: config.retryDelayMs, pingIntervalMs: config.pingIntervalMs, log, random },
        announcement,
        http
      )
    )
  }

  describe (): EngineState[] {
    return this.#links.map((link) => link.describe())
  }

  start (): void {
    this.#running = Promise.all(this.#links.map(async (link) => link.run(this.#stop.signal)))
  }

  /** Heartbeats end first: a heartbeat after the withdrawal would open the route of the engine again. */
  async withdraw (): Promise<void> {
    this.#stop.abort()
    await this.#running
    await Promise.all(this.#links.map(async (link) => link.withdraw(WITHDRAW_MS)))
    await this.#http.close()
  }
}

function clientOf ({ token, urls }: EngineConfig): HttpClient {
  return createHttpClient({
    token: token === undefined ? undefined : { value: token, origins: urls.map((url) => new URL(url).origin) },
  })
}

/**
 * The URL at which engines reach the service: the setting, else the address that it listens on, with the host name if
 * it listens on all addresses.
 */
export function serviceUrlOf (configured: string | undefined, listening: string): string {
  if (configured !== undefined) return configured
  const url = new URL(listening)
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = hostname()
  return url.origin
}
