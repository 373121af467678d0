// The routes of an engine that a service calls, and the meaning of their answers. Engines since 2023.
import { type HttpAnswer, type HttpClient, type HttpMessage, saidOf } from '../adapters/http-client.ts'
import type { Announcement } from '../schemas/service.ts'
import { ANNOUNCE_TIMEOUT_MS, PING_TIMEOUT_MS } from './link.ts'

/** The engine answered with an error. */
export class EngineRefusal extends Error {
  override readonly name = 'EngineRefusal'
  readonly status: number

  constructor (what: string, answer: HttpAnswer) {
    super(`${what}: the engine answered ${answer.status}, ${saidOf(answer)}`)
    this.status = answer.status
  }
}

/** A service as an engine knows it. */
interface KnownService {
  readonly id: string
  /** Without the slash that engines append. */
  readonly url: string
  readonly status: string
}

const isFine = ({ status }: HttpAnswer): boolean => status >= 200 && status < 300

interface Call {
  readonly body?: object
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export class EngineApi {
  readonly #base: string
  readonly #http: HttpClient

  constructor (base: string, http: HttpClient) {
    this.#base = base
    this.#http = http
  }

  /** @returns false if the engine already has a service with this slug */
  async announce (announcement: Announcement, signal?: AbortSignal): Promise<boolean> {
    const answer = await this.#call('POST', '/services', {
      body: announcement,
      timeoutMs: ANNOUNCE_TIMEOUT_MS,
      signal,
    })
    if (answer.status === 409) return false
    if (!isFine(answer)) throw new EngineRefusal('announcing', answer)
    return true
  }

  /** @returns undefined if the engine has no such service */
  async find (slug: string, timeoutMs = ANNOUNCE_TIMEOUT_MS, signal?: AbortSignal): Promise<KnownService | undefined> {
    const answer = await this.#call('GET', `/services/slug/${encodeURIComponent(slug)}`, { timeoutMs, signal })
    if (isFine(answer)) return knownService(answer)
    if (answer.status !== 404 && answer.status !== 405 && answer.status !== 422) {
      throw new EngineRefusal(`looking up ${slug}`, answer)
    }
    // Engines before 2024 have only the list. A newer engine says that the service is not found.
    return saidOf(answer) === 'Service Not Found' ? undefined : this.#findInList(slug, timeoutMs, signal)
  }

  async #findInList (slug: string, timeoutMs: number, signal?: AbortSignal): Promise<KnownService | undefined> {
    const answer = await this.#call('GET', '/services?limit=1000', { timeoutMs, signal })
    if (!isFine(answer)) throw new EngineRefusal('listing services', answer)
    const found = (Array.isArray(answer.body) ? answer.body as Array<Record<string, unknown>> : []).find((service) =>
      service['slug'] === slug
    )
    return found === undefined ? undefined : knownService({ ...answer, body: found })
  }

  /** Absent members keep their values. */
  async change (id: string, members: Partial<Announcement>, signal?: AbortSignal): Promise<void> {
    const answer = await this.#call('PATCH', `/services/${id}`, {
      body: members,
      timeoutMs: ANNOUNCE_TIMEOUT_MS,
      signal,
    })
    if (!isFine(answer)) throw new EngineRefusal('updating the service', answer)
  }

  /** Closes the engine's route to the service: the engine dispatches no further tasks. */
  async rest (id: string, timeoutMs = ANNOUNCE_TIMEOUT_MS, signal?: AbortSignal): Promise<void> {
    const path = `/services/${id}`
    let answer = await this.#call('PATCH', path, { body: { status: 'sleeping' }, timeoutMs, signal })
    // Engines before 2026 do not know this status.
    if (answer.status === 422) {
      answer = await this.#call('PATCH', path, { body: { status: 'disabled' }, timeoutMs, signal })
    }
    if (!isFine(answer)) throw new EngineRefusal('closing the route', answer)
  }

  /** @returns false if the engine does not know the service or has no heartbeat */
  async ping (announcement: Announcement, signal?: AbortSignal): Promise<boolean> {
    const answer = await this.#call('POST', `/services/${encodeURIComponent(announcement.slug)}/ping`, {
      body: announcement,
      timeoutMs: PING_TIMEOUT_MS,
      signal,
    })
    if (answer.status === 404 || answer.status === 405) return false
    if (!isFine(answer)) throw new EngineRefusal('heartbeat', answer)
    return true
  }

  async #call (method: HttpMessage['method'], path: string, { body, timeoutMs, signal }: Call): Promise<HttpAnswer> {
    return this.#http.send(
      { method, url: `${this.#base}${path}`, ...(body !== undefined && { body: JSON.stringify(body) }) },
      timeoutMs,
      signal
    )
  }
}

function knownService (answer: HttpAnswer): KnownService {
  const { id, url, status } = (answer.body ?? {}) as Record<string, unknown>
  if (typeof id !== 'string' || typeof url !== 'string') throw new EngineRefusal('looking up the service', answer)
  return { id, url: url.replace(/\/+$/, ''), status: String(status) }
}
