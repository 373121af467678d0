// Runs a step over the log: decode, process, append and wait for it, save the state, commit; one worker for each
// partition.
import { setMaxListeners } from 'node:events'
import pRetry from 'p-retry'
import type { FastifyBaseLogger } from 'fastify'
import { Problem } from '../../core/errors.ts'
import { readTraceparent } from '../../adapters/telemetry/trace-context.ts'
import type { Tracer } from '../../adapters/telemetry/spans.ts'
import { traced } from './batch-spans.ts'
import { decode, encodeAll } from '../messages/cloud-events.ts'
import { toDeadLetter } from '../dead-letters/dead-letter.ts'
import type { Log, LogRecord, Membership, NewRecord, Partition } from '../messages/log.ts'
import { MESSAGES, type Message, type MessageType } from '../messages/messages.ts'
import type { StepMetrics } from './metrics.ts'
import { SavedState } from './saved-state.ts'
import type { Outlet, Received, Step, StepKind } from './step.ts'

export interface StepRun {
  readonly kind: StepKind
  readonly log: Log
  readonly metrics: StepMetrics
  readonly checkpointMs: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly logger: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>
  /** Default: the name of the kind. */
  readonly group?: string
  /** Where a group begins that has never committed. Default: earliest. */
  readonly from?: 'earliest' | 'latest'
  /** Default: nothing is traced. */
  readonly tracer?: Tracer | undefined
}

export interface RunningStep {
  /** Rejects when the step fails; fulfilled after close(). */
  readonly ended: Promise<void>
  /** What it still waits for; undefined: ready. */
  waitingFor (): string | undefined
  close (): Promise<void>
}

/** More than that is a leak. */
const MOST_LISTENERS = 1000

/** How often a step is told the time. */
const TICK_MS = 250

const RETRY = { retries: Infinity, minTimeout: 100, maxTimeout: 3000, factor: 2 }

/** CloudEvents `source` of what a step says. */
const sourceOf = ({ name }: StepKind): string => `/${name}`

export async function runStep (run: StepRun): Promise<RunningStep> {
  const { kind, log, metrics } = run
  const topics = [...new Set(kind.accepts.map((type) => MESSAGES[type].topic))]
  const workers = new Map<string, PartitionWorker>()
  const closing = new AbortController()
  // Each partition's step may listen.
  setMaxListeners(MOST_LISTENERS, closing.signal)
  const keyOf = ({ topic, partition }: Partition): string => `${topic}/${partition}`
  const told: { membership?: Membership } = {}
  const commit = async (partition: Partition, offset: number): Promise<void> =>
    told.membership?.commit(partition, offset)
  told.membership = await log.join({
    group: run.group ?? kind.name,
    topics,
    ...(run.from !== undefined && { from: run.from }),
  }, {
    assigned: async (partition) => {
      const worker = new PartitionWorker(run, partition, closing.signal, commit)
      workers.set(keyOf(partition), worker)
      return worker.open()
    },
    records: async (partition, records) => workers.get(keyOf(partition))?.take(records),
    revoked: async (partition) => {
      const worker = workers.get(keyOf(partition))
      workers.delete(keyOf(partition))
      await worker?.close()
    },
  })
  const { membership } = told
  metrics.gauge(
    'messages_waiting',
    'Records in the partitions of this process that it has not read yet.',
    async () => membership.lag()
  )
  const failed = new Promise<never>((_resolve, reject) => {
    const timer = setInterval(() => { for (const worker of workers.values()) worker.tick().catch(reject) }, TICK_MS)
    closing.signal.addEventListener('abort', () => { clearInterval(timer) })
  })
  return {
    ended: Promise.race([membership.ended, failed]),
    waitingFor: () => membership.joined ? undefined : `the group ${run.group ?? kind.name} of the log`,
    close: async () => {
      const left = membership.leave()
      closing.abort()
      await left
    },
  }
}

/** One partition's step. What is asked of it is done one after another. */
class PartitionWorker {
  readonly #run: StepRun
  readonly #partition: Partition
  readonly #closing: AbortSignal
  readonly #commit: (partition: Partition, offset: number) => Promise<void>
  readonly #state: SavedState | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #step: Step | undefined
  /** Of the record that comes next. */
  #offset: number | undefined
  #changed = false
  #savedAt = 0
  #isTicking = false

  constructor (
    run: StepRun,
    partition: Partition,
    closing: AbortSignal,
    commit: (partition: Partition, offset: number) => Promise<void>
  ) {
    this.#run = run
    this.#partition = partition
    this.#closing = closing
    this.#commit = commit
    this.#state = run.kind.stateTopic === undefined
      ? undefined
      : new SavedState(run.log, run.kind.stateTopic, partition.partition)
  }

  /** @returns the offset to go on at, where a state tells it */
  async open (): Promise<number | undefined> {
    const saved = await this.#persistently('receiving', async () => this.#state?.read())
    this.#step = await this.#run.kind.open(saved?.state, this.#closing)
    this.#offset = saved?.offset
    this.#savedAt = this.#run.now()
    return saved?.offset
  }

  async take (records: readonly LogRecord[]): Promise<void> {
    await this.#inTurn(async () => this.#wholly(async () => this.#take(records)))
  }

  /** Nothing while the last one still waits for its turn. */
  async tick (): Promise<void> {
    if (this.#isTicking) return
    this.#isTicking = true
    await this.#inTurn(async () => this.#wholly(async () => this.#tick())).finally(() => { this.#isTicking = false })
  }

  async close (): Promise<void> {
    await this.#inTurn(async () => {
      const step = this.#step
      this.#step = undefined
      if (step === undefined) return
      if (this.#changed) await this.#save(step)
      await step.close?.()
    })
  }

  async #inTurn (work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    await turn
  }

  /**
   * A step that failed in the middle may know what it has not said: nothing of it is saved any more, and its successor
   * does it again.
   */
  async #wholly (work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#step = undefined
      if (!this.#closing.aborted) throw error
    }
  }

  async #tick (): Promise<void> {
    const outlet = new Collected(this.#run.metrics)
    await this.#step?.tick?.(this.#run.now(), outlet)
    if (await this.#hand(outlet, [])) this.#changed = true
    await this.#saveIfDue()
  }

  async #take (records: readonly LogRecord[]): Promise<void> {
    const step = this.#step
    const last = records.at(-1)
    if (step === undefined || last === undefined) return
    const { metrics, now } = this.#run
    const outlet = new Collected(metrics)
    const messages = this.#read(records, outlet)
    for (const [type, count] of countByType(messages)) metrics.received(type, count)
    await traced(this.#run, this.#partition, messages, async () => {
      await step.process(messages, outlet)
      await this.#hand(outlet, records)
    })
    const done = now()
    for (const { receivedAt } of messages) metrics.took(done - receivedAt)
    this.#offset = last.offset + 1
    this.#changed = true
    await this.#saveIfDue()
  }

  /** Those that the step accepts; what cannot be read goes to the dead letters. */
  #read (records: readonly LogRecord[], outlet: Collected): Received[] {
    const { kind } = this.#run
    const messages: Received[] = []
    for (const record of records) {
      // Told before it is read: of some topics a step wants few.
      const type = record.headers['ce_type'] ?? ''
      if (Object.hasOwn(MESSAGES, type) && !kind.accepts.includes(type as MessageType)) continue
      try {
        for (const message of decode(record)) messages.push({ ...message, offset: record.offset })
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        outlet.rejectRecord(record.offset, error.code, error.message)
      }
    }
    return messages
  }

  /** @returns whether there was anything */
  async #hand (outlet: Collected, records: readonly LogRecord[]): Promise<boolean> {
    const { kind, metrics, now, logger } = this.#run
    const dead = new Map<number, NewRecord>()
    for (const { offset, code, detail } of outlet.rejected.sort((a, b) => a.offset - b.offset)) {
      metrics.rejected(code)
      const record = records.find((one) => one.offset === offset)!
      logger.warn({
        ...this.#partition,
        offset,
        code,
        detail,
        trace_id: readTraceparent(record.headers['ce_traceparent'])?.traceId,
      }, 'a message goes to the dead letters')
      // The whole record, with the first reason; what else it holds has been taken, and is a repetition when it is sent
      // again.
      if (!dead.has(offset)) {
        dead.set(offset, toDeadLetter(record, { reason: code, detail, step: kind.name, at: now() }))
      }
    }
    const fresh = encodeAll(outlet.sent, sourceOf(kind))
    if (fresh.length + dead.size === 0) return false
    await this.#append([...fresh, ...dead.values()])
    for (const [type, count] of countByType(outlet.sent)) metrics.sent(type, count)
    for (const message of outlet.sent) {
      if (message.type === 'verdict.v1' && message.data.score !== null) metrics.scored(message.data.score)
    }
    return true
  }

  async #saveIfDue (): Promise<void> {
    if (this.#changed && this.#step !== undefined && this.#run.now() - this.#savedAt >= this.#run.checkpointMs) {
      await this.#save(this.#step)
    }
  }

  async #save (step: Step): Promise<void> {
    const offset = this.#offset
    if (offset === undefined) return
    if (this.#state !== undefined) await this.#append([this.#state.record({ offset, state: step.save?.() })])
    await this.#commit(this.#partition, offset)
    this.#changed = false
    this.#savedAt = this.#run.now()
  }

  async #append (records: readonly NewRecord[]): Promise<void> {
    await this.#persistently('sending', async () => this.#run.log.append(records))
  }

  /** Until it succeeds; once the step is to end, no more than one attempt. */
  async #persistently<T> (stage: 'receiving' | 'sending', work: () => Promise<T>): Promise<T> {
    return pRetry(work, {
      ...RETRY,
      shouldRetry: ({ error }) =>
        !this.#closing.aborted && error instanceof Problem && error.code === 'log-unavailable',
      onFailedAttempt: ({ error }) => {
        this.#run.metrics.failed(stage)
        this.#run.logger.warn({ problem: error.message }, 'the log does not answer; trying again')
      },
    })
  }
}

function countByType (messages: readonly Message[]): Map<MessageType, number> {
  const counts = new Map<MessageType, number>()
  for (const { type } of messages) counts.set(type, (counts.get(type) ?? 0) + 1)
  return counts
}

/** What a step says in one go. */
class Collected implements Outlet {
  readonly sent: Message[] = []
  readonly rejected: Array<{ readonly offset: number, readonly code: string, readonly detail: string }> = []
  readonly #metrics: StepMetrics

  constructor (metrics: StepMetrics) {
    this.#metrics = metrics
  }

  send (message: Message): void {
    this.sent.push(message)
  }

  reject ({ offset }: Received, code: string, detail: string): void {
    this.rejectRecord(offset, code, detail)
  }

  rejectRecord (offset: number, code: string, detail: string): void {
    this.rejected.push({ offset, code, detail })
  }

  drop (_: Received, code: string): void {
    this.#metrics.dropped(code)
  }
}
