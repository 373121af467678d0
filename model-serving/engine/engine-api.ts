// The routes of an engine that a service calls, and what their answers mean. Engines since 2023.
import { type HttpAnswer, type HttpClient, type HttpMessage, saidOf } from '../adapters/http-client.ts'
import type { Announcement } from '../schemas/service.ts'
import { ANNOUNCE_TIMEOUT_MS, PING_TIMEOUT_MS } from './link.ts'

/** The engine answered, but not what was hoped for. */
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
  /** As announced: engines show it with a slash at its end. */
  readonly url: string
  readonly status: string
}

const isFine = ({ status }: HttpAnswer): boolean => status >= 200 && status < 300

export class EngineApi {
  readonly #base: string
  readonly #http: HttpClient

  constructor (base: string, http: HttpClient) {
    this.#base = base
    this.#http = http
  }

  /** @returns false where the engine has a service of this slug already */
  async announce (announcement: Announcement, signal?: AbortSignal): Promise<boolean> {
    const answer = await this.#call('POST', '/services', ANNOUNCE_TIMEOUT_MS, announcement, signal)
    if (answer.status === 409) return false
    if (!isFine(answer)) throw new EngineRefusal('announcing', answer)
    return true
  }

  /** @returns undefined where the engine has no such service */
  async find (slug: string, timeoutMs = ANNOUNCE_TIMEOUT_MS, signal?: AbortSignal): Promise<KnownService | undefined> {
    const answer = await this.#call('GET', `/services/slug/${encodeURIComponent(slug)}`, timeoutMs, undefined, signal)
    if (isFine(answer)) return knownService(answer)
    if (answer.status !== 404 && answer.status !== 405 && answer.status !== 422) {
      throw new EngineRefusal(`looking up ${slug}`, answer)
    }
    // Before 2024 engines could only list. Today's say which it is that they do not have.
    return saidOf(answer) === 'Service Not Found' ? undefined : this.#findInList(slug, timeoutMs, signal)
  }

  async #findInList (slug: string, timeoutMs: number, signal?: AbortSignal): Promise<KnownService | undefined> {
    const answer = await this.#call('GET', '/services?limit=1000', timeoutMs, undefined, signal)
    if (!isFine(answer)) throw new EngineRefusal('listing services', answer)
    const found = (Array.isArray(answer.body) ? answer.body as Array<Record<string, unknown>> : []).find((service) =>
      service['slug'] === slug
    )
    return found === undefined ? undefined : knownService({ ...answer, body: found })
  }

  /** Members that are not named keep their values. */
  async change (id: string, members: Partial<Announcement>, signal?: AbortSignal): Promise<void> {
    const answer = await this.#call('PATCH', `/services/${id}`, ANNOUNCE_TIMEOUT_MS, members, signal)
    if (!isFine(answer)) throw new EngineRefusal('updating the service', answer)
  }

  /** Closes the engine's route to the service, so that it dispatches no more. */
  async rest (id: string, timeoutMs = ANNOUNCE_TIMEOUT_MS, signal?: AbortSignal): Promise<void> {
    let answer = await this.#call('PATCH', `/services/${id}`, timeoutMs, { status: 'sleeping' }, signal)
    // Engines before 2026 do not know the word.
    if (answer.status === 422) {
      answer = await this.#call('PATCH', `/services/${id}`, timeoutMs, { status: 'disabled' }, signal)
    }
    if (!isFine(answer)) throw new EngineRefusal('closing the route', answer)
  }

  /** @returns false where the engine does not know the service, or knows no heartbeat */
  async ping (announcement: Announcement, signal?: AbortSignal): Promise<boolean> {
    const answer = await this.#call(
      'POST',
      `/services/${encodeURIComponent(announcement.slug)}/ping`,
      PING_TIMEOUT_MS,
      announcement,
      signal
    )
    if (answer.status === 404 || answer.status === 405) return false
    if (!isFine(answer)) throw new EngineRefusal('heartbeat', answer)
    return true
  }

  async #call (
    method: HttpMessage['method'],
    path: string,
    timeoutMs: number,
    body?: object,
    signal?: AbortSignal
  ): Promise<HttpAnswer> {
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
