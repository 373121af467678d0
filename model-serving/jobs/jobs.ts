// Trainings that callers have requested. They run one after another, each in its own process; cancelling kills it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyBaseLogger } from 'fastify'
import PQueue from 'p-queue'
import { Problem } from '../../core/errors.ts'
import { readPackageFiles } from '../../adapters/tfjs/package-files.ts'
import { randomId } from '../../adapters/identifiers.ts'
import type { Registry } from '../../adapters/registry/registry.ts'
import type { Config } from '../settings/config.ts'
import type { Job } from '../schemas/jobs.ts'
import { runTraining } from './train.ts'

/** A training that a caller has requested. */
export interface TrainingRequest {
  readonly name: string
  /** Flags of `npm run train`. */
  readonly flags: readonly string[]
  readonly promote: boolean
  /**
   * Writes the series into the folder: one CSV file, or a folder of CSV files.
   * @returns its path
   */
  place (folder: string, signal: AbortSignal): Promise<string>
}

interface JobsOptions {
  readonly registry: Registry
  /** Looks for new versions in the registry. Never rejects. */
  refresh (): Promise<void>
  readonly config: Pick<Config, 'registry'>
  readonly log: FastifyBaseLogger
}

/** Stages of a job, in order. */
const STAGES = ['fetch', 'prepare', 'train', 'evaluate', 'package', 'publish']
/** Ended jobs that are still listed. */
const REMEMBERED = 100
/** Messages kept per job. */
const MESSAGES = 20

interface Entry {
  job: Job
  readonly cancel: AbortController
}

export class Jobs {
  readonly #options: JobsOptions
  readonly #queue = new PQueue({ concurrency: 1 })
  readonly #entries = new Map<string, Entry>()

  constructor (options: JobsOptions) {
    this.#options = options
  }

  get config (): Config['registry'] {
    return this.#options.config.registry
  }

  /** @throws Problem overloaded */
  start (request: TrainingRequest): Job {
    const { maxJobs } = this.#options.config.registry
    const unfinished = this.list().filter(({ endedAt }) => endedAt === null).length
    if (unfinished >= maxJobs) {
      throw new Problem(
        'overloaded',
        `${unfinished} trainings wait or run, which is the limit; try again later, or raise MAX_JOBS.`,
        { extensions: { limit: maxJobs } }
      )
    }
    const id = randomId()
    const job: Job = {
      id,
      kind: 'training',
      state: 'queued',
      model: request.name,
      createdAt: new Date().toISOString(),
      endedAt: null,
      progress: { stage: null, done: 0, messages: [] },
      result: null,
      problem: null,
    }
    const entry = { job, cancel: new AbortController() }
    this.#entries.set(id, entry)
    this.#forget()
    this.#queue.add(async () => this.#run(entry, request)).catch((error: unknown) => {
      this.#options.log.error({ err: error, job: id }, 'a job failed unexpectedly')
    })
    return job
  }

  /** @throws Problem unknown-job */
  get (id: string): Job {
    return this.#entry(id).job
  }

  list (): Job[] {
    return [...this.#entries.values()].map(({ job }) => job)
  }

  /** Cancels the job. A job that has ended does not change. @throws Problem unknown-job */
  cancel (id: string): Job {
    const entry = this.#entry(id)
    if (entry.job.endedAt === null) {
      entry.cancel.abort()
      this.#end(entry, { state: 'cancelled' })
    }
    return entry.job
  }

  async close (): Promise<void> {
    for (const { job, cancel } of this.#entries.values()) if (job.endedAt === null) cancel.abort()
    await this.#queue.onIdle()
  }

  async #run (entry: Entry, request: TrainingRequest): Promise<void> {
    const { signal } = entry.cancel
    if (signal.aborted) return
    entry.job = { ...entry.job, state: 'running' }
    const folder = await mkdtemp(join(tmpdir(), 'training-'))
    try {
      const out = join(folder, 'package')
      this.#stage(entry, 'fetch')
      const data = await request.place(join(folder, 'data'), signal)
      await runTraining({
        data,
        out,
        flags: [...request.flags, '--name', request.name],
        signal,
        onStage: (stage) => { this.#stage(entry, stage) },
        onMessage: (message) => { this.#addMessage(entry, message.replaceAll(folder, '…')) },
      })
      this.#stage(entry, 'publish')
      this.#end(entry, { state: 'succeeded', result: await this.#publish(out, request) })
      this.#options.log.info({ job: entry.job.id, ...entry.job.result }, 'a model was trained')
    } catch (error) {
      if (signal.aborted) return this.#end(entry, { state: 'cancelled' })
      this.#end(entry, { state: 'failed', problem: (error as Error).message.replaceAll(folder, '…') })
      this.#options.log.warn({ job: entry.job.id, problem: entry.job.problem }, 'a training failed')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  async #publish (out: string, { promote }: TrainingRequest): Promise<NonNullable<Job['result']>> {
    const { registry, refresh } = this.#options
    const { name, version, digest, existed } = await registry.publish(
      'the trained package',
      await readPackageFiles(out)
    )
    if (promote) await registry.promote(name, version)
    await refresh()
    return { name, version: String(version), digest, existed, promoted: promote }
  }

  #stage (entry: Entry, stage: string): void {
    const { job } = entry
    if (job.endedAt !== null) return
    entry.job = {
      ...job,
      progress: { ...job.progress, stage, done: Math.max(0, STAGES.indexOf(stage)) / STAGES.length },
    }
  }

  #addMessage (entry: Entry, message: string): void {
    const { job } = entry
    entry.job = {
      ...job,
      progress: { ...job.progress, messages: [...job.progress.messages, message].slice(-MESSAGES) },
    }
  }

  /** Only the first call has an effect. */
  #end (entry: Entry, end: Pick<Job, 'state'> & Partial<Job>): void {
    const { job } = entry
    if (job.endedAt !== null) return
    entry.job = {
      ...job,
      ...end,
      endedAt: new Date().toISOString(),
      progress: { ...job.progress, done: end.state === 'succeeded' ? 1 : job.progress.done },
    }
  }

  #entry (id: string): Entry {
    const entry = this.#entries.get(id)
    if (entry !== undefined) return entry
    throw new Problem(
      'unknown-job',
      `There is no job "${id.slice(0, 60)}"; it never existed, it ended long ago, or the service has restarted since.`
    )
  }

  #forget (): void {
    const ended = [...this.#entries].filter(([, { job }]) => job.endedAt !== null)
    for (const [id] of ended.slice(0, Math.max(0, ended.length - REMEMBERED))) this.#entries.delete(id)
  }
}
