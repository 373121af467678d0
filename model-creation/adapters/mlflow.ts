// Client of MLflow's tracking server over REST: experiments, runs, their parameters and metrics, and artifacts through
// the server. The only part of training that reads a clock.
import pRetry from 'p-retry'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import type { Environment } from '../../adapters/settings/environment.ts'
import { requiredVariables, serverUrl } from '../../adapters/settings/variables.ts'

const REQUEST_MS = 30_000
const UPLOAD_MS = 120_000

/** Retries after a lost connection: a server that refuses an upload may close the connection of the next request. */
const RETRIES = 2

/** MLflow's limits for one request. */
const METRICS_A_REQUEST = 1000
const PARAMS_A_REQUEST = 100
const PARAM_LENGTH = 6000

const Experiment = z.object({ experiment: z.object({ experiment_id: z.string(), lifecycle_stage: z.string() }) })
const Created = z.object({ experiment_id: z.string() })
const Run = z.object({ run: z.object({ info: z.object({ run_id: z.string(), artifact_uri: z.string() }) }) })
const Refusal = z.object({ error_code: z.string(), message: z.string().default('') })

export interface Metric {
  readonly key: string
  readonly value: number
  readonly step: number
}

type RunStatus = 'FINISHED' | 'FAILED'

/** The server answered with an error. */
class Refused extends Error {
  readonly status: number
  readonly code: string

  constructor (status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/**
 * The tracking server that MLFLOW_TRACKING_URI names; undefined if the variable is not set.
 * @throws Problem invalid-settings
 */
export function trackingServer (env: Environment): TrackingServer | undefined {
  const uri = env['MLFLOW_TRACKING_URI'] ?? ''
  return uri === '' ? undefined : new TrackingServer(serverUrl('MLFLOW_TRACKING_URI', uri), env)
}

export class TrackingServer {
  readonly #base: string
  readonly #host: string
  readonly #authorization: Readonly<Record<string, string>>
  readonly #experimentName: string

  constructor (url: URL, env: Environment) {
    this.#authorization = authorizationOf(url, env)
    this.#host = url.host
    this.#base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
    this.#experimentName = env['MLFLOW_EXPERIMENT_NAME'] ?? ''
  }

  /**
   * Finds or creates the experiment that MLFLOW_EXPERIMENT_NAME names; default: the model's name. Fails if the server
   * cannot be used.
   */
  async experiment (model: string): Promise<string> {
    const name = this.#experimentName || model
    const found = await this.#experimentNamed(name)
    if (found !== undefined) return found
    try {
      return Created.parse(await this.#post('experiments/create', { name })).experiment_id
    } catch (error) {
      // Another run has created the experiment meanwhile.
      const other = error instanceof Refused && error.code === 'RESOURCE_ALREADY_EXISTS'
        ? await this.#experimentNamed(name)
        : undefined
      if (other !== undefined) return other
      throw this.#explained(error)
    }
  }

  async #experimentNamed (name: string): Promise<string | undefined> {
    try {
      const { experiment } = Experiment.parse(
        await this.#request(`mlflow/experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`, {})
      )
      if (experiment.lifecycle_stage === 'active') return experiment.experiment_id
      throw new Problem(
        'invalid-settings',
        `The experiment "${name}" was deleted on the tracking server; ` +
          'restore it, or name another in MLFLOW_EXPERIMENT_NAME.'
      )
    } catch (error) {
      if (error instanceof Refused && error.code === 'RESOURCE_DOES_NOT_EXIST') return undefined
      throw this.#explained(error)
    }
  }

  async startRun (experiment: string, name: string, tags: Readonly<Record<string, string>>): Promise<TrackedRun> {
    const body = { experiment_id: experiment, run_name: name, start_time: Date.now(), tags: pairs(tags) }
    const { run: { info } } = Run.parse(await this.#call(async () => this.#post('runs/create', body, 0)))
    return {
      id: info.run_id,
      logParams: async (params) => {
        for (const part of chunks(pairs(params, PARAM_LENGTH), PARAMS_A_REQUEST)) {
          await this.#call(async () => this.#post('runs/log-batch', { run_id: info.run_id, params: part }))
        }
      },
      logMetrics: async (metrics) => {
        const timestamp = Date.now()
        for (const part of chunks(metrics.map((metric) => ({ ...metric, timestamp })), METRICS_A_REQUEST)) {
          await this.#call(async () => this.#post('runs/log-batch', { run_id: info.run_id, metrics: part }))
        }
      },
      setTags: async (more) => {
        await this.#call(async () => this.#post('runs/log-batch', { run_id: info.run_id, tags: pairs(more) }))
      },
      upload: async (path, content) => {
        const target = `${artifactRoot(info.artifact_uri)}/${path}`.split('/').map(encodeURIComponent).join('/')
        const init = { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body: content }
        await this.#call(async () => this.#request(`mlflow-artifacts/artifacts/${target}`, init, { limit: UPLOAD_MS }))
      },
      end: async (status) => {
        await this.#call(async () => this.#post('runs/update', { run_id: info.run_id, status, end_time: Date.now() }))
      },
    }
  }

  async #post (path: string, body: object, retries = RETRIES): Promise<unknown> {
    return this.#request(`mlflow/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }, { retries })
  }

  /** Logging the same thing twice has no effect, so it may be retried. Creating a run is not: that would make two. */
  async #request (path: string, init: RequestInit, { limit = REQUEST_MS, retries = RETRIES } = {}): Promise<unknown> {
    return pRetry(async () => this.#send(path, init, limit), {
      retries,
      minTimeout: 200,
      shouldRetry: ({ error }) => error instanceof TypeError,
    })
  }

  async #send (path: string, init: RequestInit, limit: number): Promise<unknown> {
    const response = await fetch(`${this.#base}/api/2.0/${path}`, {
      ...init,
      headers: { ...init.headers as Record<string, string>, ...this.#authorization },
      redirect: 'error',
      signal: AbortSignal.timeout(limit),
    })
    const text = await response.text()
    if (response.ok) return jsonOf(text)
    const { error_code: code, message } = Refusal.safeParse(jsonOf(text)).data ??
      { error_code: '', message: text.slice(0, 200) }
    throw new Refused(response.status, code, message)
  }

  async #call<T> (work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw this.#explained(error)
    }
  }

  #explained (error: unknown): Problem {
    if (error instanceof Problem) return error
    const cause = error as Error
    const server = `The tracking server ${this.#host}`
    if (!(error instanceof Refused)) {
      return new Problem(
        'server-unavailable',
        `${server} does not answer as MLflow does; check MLFLOW_TRACKING_URI, or unset it to record nothing.`,
        { cause }
      )
    }
    const { status, message } = error
    if (status === 401 || status === 403) {
      return new Problem(
        'invalid-settings',
        `${server} of MLFLOW_TRACKING_URI refuses access (${status}); ` +
          'set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.',
        { cause }
      )
    }
    return new Problem(
      'server-unavailable',
      `${server} of MLFLOW_TRACKING_URI refuses the record (${status}): ${message}`,
      { cause }
    )
  }
}

/** A started run. */
export interface TrackedRun {
  readonly id: string
  logParams (params: Readonly<Record<string, string>>): Promise<void>
  logMetrics (metrics: readonly Metric[]): Promise<void>
  setTags (tags: Readonly<Record<string, string>>): Promise<void>
  /** Stores an artifact; `/` separates the folders of `path`. */
  upload (path: string, content: Uint8Array<ArrayBuffer>): Promise<void>
  end (status: RunStatus): Promise<void>
}

/** A token has priority over a name with a password, and both have priority over credentials in the URL. */
function authorizationOf (url: URL, env: Environment): Record<string, string> {
  const basic = (name: string, password: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
  })
  const token = env['MLFLOW_TRACKING_TOKEN'] ?? ''
  if (token !== '') return { authorization: `Bearer ${token}` }
  if ((env['MLFLOW_TRACKING_USERNAME'] ?? '') !== '') {
    const { MLFLOW_TRACKING_USERNAME: name, MLFLOW_TRACKING_PASSWORD: password } = requiredVariables(env, [
      'MLFLOW_TRACKING_USERNAME',
      'MLFLOW_TRACKING_PASSWORD',
    ])
    return basic(name, password)
  }
  return url.username === '' ? {} : basic(decodeURIComponent(url.username), decodeURIComponent(url.password))
}

/** The path of a run's artifacts on the server. */
function artifactRoot (uri: string): string {
  const path = /^mlflow-artifacts:(?:\/\/[^/]*)?\/+(.+)$/.exec(uri)?.[1]
  if (path !== undefined) return path
  const scheme = uri.replace(/:.*/s, ':')
  throw new Problem(
    'invalid-settings',
    `The server of MLFLOW_TRACKING_URI does not take artifacts itself but names ${scheme} for them; ` +
      'start it with --serve-artifacts, or name another experiment in MLFLOW_EXPERIMENT_NAME.'
  )
}

function jsonOf (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const pairs = (values: Readonly<Record<string, string>>, length = Infinity): Array<{ key: string, value: string }> =>
  Object.entries(values).map(([key, value]) => ({ key, value: value.slice(0, length) }))

function chunks<T> (items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
