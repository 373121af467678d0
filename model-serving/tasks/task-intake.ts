// Reads the tasks that engines post, and refuses tasks that name a host that is not allowed.
import type { FastifyBaseLogger } from 'fastify'
import { createHttpClient, type HttpClient } from '../adapters/http-client.ts'
import { HostGuard, HostRefused } from '../adapters/host-guard.ts'
import { ObjectStores } from '../adapters/object-store.ts'
import { Problem } from '../../core/errors.ts'
import type { Config } from '../settings/config.ts'
import { checked } from '../schemas/check.ts'
import { EngineTaskSchema } from '../schemas/task.ts'
import type { Scorer } from '../workers/scorer.ts'
import { FormTask } from './form-task.ts'
import { Journal } from './journal.ts'
import { Messenger } from './messenger.ts'
import { S3Task } from './s3-task.ts'
import type { Task } from './task.ts'
import { Tasks } from './tasks.ts'

/** Series fetched ahead of those that are scored, so that a free thread has the next one at once. */
const AHEAD = 2

export type IntakeConfig = Pick<Config, 'engine' | 'maxBodyBytes' | 'computeWorkers'>

export class TaskIntake {
  readonly #config: IntakeConfig
  readonly #guard: HostGuard
  readonly #stores: ObjectStores
  readonly #http: HttpClient
  readonly tasks: Tasks

  get dialect (): Config['engine']['dialect'] {
    return this.#config.engine.dialect
  }

  constructor (config: IntakeConfig, scorer: Scorer, log: FastifyBaseLogger) {
    const { engine } = config
    this.#config = config
    this.#guard = new HostGuard(engine.allowedHosts)
    this.#stores = new ObjectStores(this.#guard.lookup)
    const token = engine.token === undefined
      ? undefined
      : { value: engine.token, origins: engine.urls.map((url) => new URL(url).origin) }
    this.#http = createHttpClient({ lookup: this.#guard.lookup, token })
    const { maxTasks, retryDelayMs, storageRetryMs, callbackRetryMs, tellsProgress, model, tasksDir } = engine
    this.tasks = new Tasks({
      maxTasks,
      retryDelayMs,
      storageRetryMs,
      tellsProgress,
      model,
      scorer,
      log,
      concurrency: config.computeWorkers + AHEAD,
      messenger: new Messenger({ http: this.#http, retryDelayMs, retryMs: callbackRetryMs, log }),
      journal: new Journal(tasksDir, log),
    })
  }

  /**
   * The task in the body of an engine.
   * @throws Problem invalid-request if a member is missing, is wrong, or names a host that is not allowed
   */
  taskOf (body: unknown): Task {
    const { task, callback_url: callback, ...store } = checked(EngineTaskSchema, body)
    const host = this.#allowed(store.s3_host, '/s3_host')
    if (host.pathname !== '/' || host.search !== '') {
      throw invalid('/s3_host', 'has a path; name only scheme, host and port')
    }
    return new S3Task({
      id: task.id,
      input: task.data_in[0]!,
      outputs: this.#config.engine.outputs,
      callback: this.#allowed(callback ?? this.#defaultCallback(task.id), '/callback_url'),
      maxBytes: this.#config.maxBodyBytes,
      store: this.#stores.open({
        host,
        bucket: store.s3_bucket,
        accessKey: store.s3_access_key_id,
        secretKey: store.s3_secret_access_key,
        region: store.s3_region ?? undefined,
      }),
    })
  }

  /**
   * The task of a 2022 engine: a form with the series; the query names the task and the callback.
   * @throws Problem invalid-request
   */
  formTaskOf (
    body: Uint8Array,
    contentType: string,
    { callback_url: callback, task_id: id }: Readonly<Record<string, unknown>>
  ): Task {
    if (typeof id !== 'string' || id === '' || id.length > 200) {
      throw invalid('/query/task_id', 'is missing; 2022 engines send it')
    }
    const { announcement: { data_in_fields: inputs, data_out_fields: fields }, outputs } = this.#config.engine
    const url = this.#allowed(String(callback), '/query/callback_url')
    return new FormTask({
      id,
      callback: url,
      input: { body, mediaType: 'multipart/form-data', contentType, fileField: inputs[0]!.name },
      outputs,
      names: fields.map(({ name }) => name),
    })
  }

  /** Ends the running tasks within the grace time, then closes all connections. */
  async close (graceMs: number): Promise<void> {
    await this.tasks.close(graceMs)
    this.#stores.close()
    await this.#http.close()
  }

  #allowed (text: string, at: string): URL {
    try {
      return this.#guard.check(text)
    } catch (error) {
      if (error instanceof HostRefused) throw invalid(at, error.message)
      throw error
    }
  }

  /** Engines of early 2023 send no callback URL: there was only one engine. */
  #defaultCallback (id: string): string {
    const { urls } = this.#config.engine
    if (urls.length === 1) return `${urls[0]!}/tasks/${id}`
    throw invalid('/callback_url', 'is missing; it can be left out only if ENGINE_URLS names a single engine')
  }
}

function invalid (at: string, detail: string): Problem {
  return new Problem('invalid-request', `${at} ${detail}.`, { items: [{ pointer: at, detail }] })
}
