// The tasks of engines: bounded in number, a few worked on at a time. The engine gets the outcome of every task,
// whatever happens.
import { setMaxListeners } from 'node:events'
import type { FastifyBaseLogger } from 'fastify'
import PQueue from 'p-queue'
import pRetry from 'p-retry'
import { StoreFailure } from '../adapters/object-store.ts'
import { Problem } from '../../core/errors.ts'
import { type Span, within } from '../../adapters/telemetry/spans.ts'
import { untilAborted } from '../../adapters/waiting.ts'
import type { TaskStatus } from '../schemas/task.ts'
import { AnswerCounts } from '../workers/answer-counts.ts'
import type { Answered } from '../compute/messages/messages.ts'
import type { Scorer } from '../workers/scorer.ts'
import type { Journal } from './journal.ts'
import type { Messenger } from './messenger.ts'
import type { Notice, Task } from './task.ts'

export interface TasksOptions {
  readonly maxTasks: number
  /** Most tasks with their series in memory: being fetched, waiting for a thread, or being scored. */
  readonly concurrency: number
  readonly retryDelayMs: number
  /** How long a store that does not answer is retried. */
  readonly storageRetryMs: number
  readonly tellsProgress: boolean
  readonly model: string | undefined
  readonly scorer: Pick<Scorer, 'answer'>
  readonly messenger: Messenger
  readonly journal: Journal
  readonly log: FastifyBaseLogger
}

/** Most outcomes that engines have not taken yet: an engine that is gone for an hour must not fill the memory. */
const MAX_UNTOLD = 1000
/** Ended tasks that GET /tasks/{id}/status still knows. */
const REMEMBERED = 1000
const STORE_MAX_PAUSE_MS = 10_000

interface TasksState {
  /** Tasks that wait or run. */
  readonly unfinished: number
  /** Ended tasks whose outcome the engine has not taken yet. */
  readonly untold: number
  readonly limit: number
}

const STOPPED = 'The service was stopped before the task was done; submit it again.'
const INTERRUPTED = 'The service ended unexpectedly before the task was done; submit it again.'

export class Tasks {
  readonly #options: TasksOptions
  readonly #slots: PQueue
  readonly #statuses = new Map<string, TaskStatus>()
  /** Ids of the tasks that wait or run. */
  readonly #unfinished = new Set<string>()
  readonly #untold = new Set<string>()
  /** One promise per task, until its outcome is delivered. */
  readonly #running = new Set<Promise<void>>()
  /** Stops the work on tasks. */
  readonly #stopWork = new AbortController()
  /** Stops the delivery of outcomes, later than the work. */
  readonly #stopDelivery = new AbortController()
  #closing = false
  readonly answers = new AnswerCounts()
  /** Tasks that ended since the start. */
  readonly ended = { finished: 0, failed: 0 }

  constructor (options: TasksOptions) {
    this.#options = options
    this.#slots = new PQueue({ concurrency: options.concurrency })
    setMaxListeners(0, this.#stopWork.signal, this.#stopDelivery.signal)
  }

  describe (): TasksState {
    return { unfinished: this.#unfinished.size, untold: this.#untold.size, limit: this.#options.maxTasks }
  }

  /** Number of tasks that are being worked on. */
  get active (): number {
    return this.#slots.pending
  }

  /** Undefined if the task was never taken or ended long ago. */
  statusOf (id: string): TaskStatus | undefined {
    return this.#statuses.get(id)
  }

  /**
   * Takes a task and guarantees that its outcome is delivered. A task that is under way is not taken twice.
   * @param parent span of the request, if it is traced
   * @returns false if there is no room
   */
  take (task: Task, parent?: Span): boolean {
    if (this.#unfinished.has(task.id) || this.#untold.has(task.id)) return true
    if (this.#closing || this.#unfinished.size >= this.#options.maxTasks || this.#untold.size >= MAX_UNTOLD) {
      return false
    }
    this.#options.journal.begin(task.id, task.failed(INTERRUPTED))
    this.#unfinished.add(task.id)
    this.#setStatus(task.id, 'pending')
    this.#watch(this.#complete(task, parent?.child('task', { 'ae.task_id': task.id })))
    return true
  }

  /** Reports tasks that an earlier process did not finish. */
  recover (): void {
    for (const { id, notice } of this.#options.journal.takeOver()) {
      this.#options.log.warn({ taskId: id }, 'an earlier process did not finish the task; reporting it')
      this.#untold.add(id)
      this.#setStatus(id, 'error')
      this.#watch(this.#deliver(id, notice))
    }
  }

  /**
   * Takes no further tasks. Finishes tasks during most of the grace time, and reports the rest as failed in what is
   * left of it. Outcomes that cannot be delivered stay in the journal for the next start.
   */
  async close (graceMs: number): Promise<void> {
    this.#closing = true
    const timers = [
      setTimeout(() => { this.#stopWork.abort(new Error(STOPPED)) }, WORK_SHARE * graceMs),
      setTimeout(() => { this.#stopDelivery.abort(new Error(STOPPED)) }, graceMs),
    ]
    while (this.#running.size > 0) await Promise.all(this.#running)
    timers.forEach(clearTimeout)
  }

  #watch (work: Promise<void>): void {
    this.#running.add(work)
    work.catch((error: unknown) => { this.#options.log.error({ err: error }, 'a task was not completed') })
      .finally(() => { this.#running.delete(work) })
  }

  #setStatus (id: string, status: TaskStatus): void {
    this.#statuses.delete(id)
    this.#statuses.set(id, status)
    if (this.#statuses.size <= REMEMBERED + this.#options.maxTasks) return
    for (const old of this.#statuses.keys()) {
      if (this.#unfinished.has(old) || this.#untold.has(old)) continue
      this.#statuses.delete(old)
      return
    }
  }

  /** Works on a task and delivers its outcome. */
  async #complete (task: Task, span: Span | undefined): Promise<void> {
    const began = performance.now()
    const { log } = this.#options
    let notice: Notice
    let outcome: 'finished' | 'error' = 'finished'
    let failure: unknown
    try {
      const { notice: done, answered } = await this.#work(task, span)
      notice = done
      this.answers.add(answered)
      log.info({
        taskId: task.id,
        model: answered.model,
        observations: answered.observations,
        channels: answered.channels,
        durationMs: Math.round(performance.now() - began),
      }, 'task finished')
    } catch (error) {
      outcome = 'error'
      failure = error
      notice = task.failed(this.#messageFor(task, error))
    }
    this.ended[outcome === 'finished' ? 'finished' : 'failed']++
    this.#untold.add(task.id)
    this.#unfinished.delete(task.id)
    const delivery = span?.child('tell the engine')
    await within(delivery, async () => this.#deliver(task.id, { ...notice, traceparent: delivery?.traceparent }))
    span?.end(failure)
    this.#setStatus(task.id, outcome)
  }

  async #deliver (id: string, notice: Notice): Promise<void> {
    const isDelivered = await this.#options.messenger.deliver(id, notice, this.#stopDelivery.signal)
    // If not, the next start tries again.
    if (isDelivered) this.#options.journal.end(id)
    this.#untold.delete(id)
  }

  async #work (task: Task, span: Span | undefined): Promise<{ notice: Notice, answered: Answered }> {
    const { signal } = this.#stopWork
    const notices: { progress?: Promise<void> } = {}
    const answered = await this.#patiently(
      task.id,
      async () => this.#slots.add(async () => this.#score(task, notices, span), { signal })
    )
    this.#setStatus(task.id, 'saving')
    const notice = await this.#patiently(
      task.id,
      async () => within(span?.child('save'), async () => task.save(answered.bodies, signal))
    )
    // A late "processing" would overwrite the outcome.
    await notices.progress
    return { notice, answered }
  }

  /** Runs in a slot of the queue. */
  async #score (task: Task, notices: { progress?: Promise<void> }, span: Span | undefined): Promise<Answered> {
    const { scorer, model, messenger, tellsProgress } = this.#options
    const { signal } = this.#stopWork
    this.#setStatus(task.id, 'fetching')
    const input = await within(span?.child('fetch'), async () => untilAborted(task.fetch(signal), signal))
    this.#setStatus(task.id, 'processing')
    const progress = tellsProgress ? task.progressed() : undefined
    if (progress !== undefined) notices.progress = messenger.once(progress, this.#stopDelivery.signal).catch(() => {})
    const scoring = scorer.answer(
      { ...input, query: model === undefined ? {} : { model }, answerTypes: task.outputs },
      signal,
      { waits: true, span }
    )
    return await untilAborted(scoring, signal).catch((error: unknown) => {
      throw new Unscored(error)
    })
  }

  /** Retries outside of the queue: a store that is down does not delay other tasks. */
  async #patiently<T> (taskId: string, work: () => Promise<T>): Promise<T> {
    const { retryDelayMs, storageRetryMs, log } = this.#options
    const { signal } = this.#stopWork
    // Counted from the first failure: the time in the queue does not count.
    let failedSince: number | undefined
    return pRetry(work, {
      retries: Infinity,
      minTimeout: retryDelayMs,
      maxTimeout: STORE_MAX_PAUSE_MS,
      randomize: true,
      signal,
      shouldRetry: ({ error }) => {
        if (error instanceof StoreFailure || error instanceof Unscored) return false
        if (failedSince === undefined) {
          log.warn({ taskId, problem: error.message }, 'the object store of a task failed; trying again')
        }
        failedSince ??= performance.now()
        return performance.now() - failedSince < storageRetryMs
      },
    })
  }

  /** The error for the user of the engine. Faults of the service itself go to the log instead. */
  #messageFor (task: Task, error: unknown): string {
    const { log } = this.#options
    if (this.#stopWork.signal.aborted) {
      log.warn({ taskId: task.id }, 'task abandoned: the service stops')
      return STOPPED
    }
    const cause = error instanceof Unscored ? error.cause : error
    const isInternal = cause instanceof Problem ? cause.status === 500 : error instanceof Unscored
    if (isInternal) {
      log.error({ taskId: task.id, err: cause }, 'task failed')
      return `The service failed on this series; its log has the reason, under the task ${task.id}.`
    }
    const { message } = cause as Error
    log.info(
      { taskId: task.id, ...(cause instanceof Problem && { code: cause.code }), problem: message },
      'task failed'
    )
    return message
  }
}

/** Fraction of the grace time for finishing tasks; the rest is for delivering outcomes. */
const WORK_SHARE = 0.7

/** The series could not be scored. A retry would fail in the same way. */
class Unscored extends Error {
  constructor (cause: unknown) {
    super((cause as Error).message, { cause })
  }
}
