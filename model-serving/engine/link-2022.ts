// The connection to a 2022 engine: the announcement is also the heartbeat, its only answer is 200, and the service
// cannot withdraw.
import { pause } from '../../adapters/waiting.ts'
import { type HttpClient, saidOf } from '../adapters/http-client.ts'
import type { Announcement } from '../schemas/service.ts'
import { ANNOUNCE_TIMEOUT_MS, type EngineLink, type EngineState, type LinkOptions, messageOf } from './link.ts'

/** The engine makes its own OpenAPI document from this. The types are strings that look like lists. */
export function announcement2022 (
  { url, slug, summary, data_in_fields: inputs, data_out_fields: outputs }: Announcement
): object {
  const types = (fields: ReadonlyArray<{ type: readonly string[] }>): string[] =>
    fields.map(({ type }) => `[${type.join(', ')}]`)
  return {
    url: `${url}/compute`,
    type: 'service',
    api: {
      route: slug,
      body: inputs.map(({ name }) => name),
      bodyType: types(inputs),
      resultType: types(outputs),
      summary,
    },
  }
}

export class Link2022 implements EngineLink {
  readonly #options: LinkOptions
  readonly #body: string
  readonly #http: HttpClient
  #state: EngineState

  constructor (options: LinkOptions, announcement: Announcement, http: HttpClient) {
    this.#options = options
    this.#body = JSON.stringify(announcement2022(announcement))
    this.#http = http
    this.#state = { url: options.url, state: 'announcing', problem: null }
  }

  describe (): EngineState {
    return this.#state
  }

  async run (signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#announce(signal)
      await pause(this.#options.pingIntervalMs, signal)
    }
  }

  /** The engine forgets the service by itself, after a minute or two. */
  async withdraw (): Promise<void> {
    this.#state = { ...this.#state, state: 'withdrawn' }
  }

  async #announce (signal: AbortSignal): Promise<void> {
    const { url, log } = this.#options
    const problem = await this.#http.send(
      { method: 'POST', url: `${url}/services`, body: this.#body },
      ANNOUNCE_TIMEOUT_MS,
      signal
    )
      .then(
        (answer) => answer.status === 200 ? null : `the engine answered ${answer.status}, ${saidOf(answer)}`,
        messageOf
      )
    if (signal.aborted) return
    const before = this.#state
    this.#state = { url, state: problem === null ? 'announced' : 'announcing', problem }
    if (problem === null && before.state !== 'announced') log.info({ engine: url }, 'announced')
    if (problem !== null && problem !== before.problem) {
      log.warn({ engine: url, problem }, 'not announced yet; trying again')
    }
  }
}
