// Runs a step over the log, one worker for each partition: decode, process, append and wait for the acknowledgement,
// save the state, commit.
import { setMaxListeners } from 'node:events'
import pRetry from 'p-retry'
import type { FastifyBaseLogger } from 'fastify'
import { Problem } from '../../core/errors.ts'
import { readTraceparent } from '../../adapters/telemetry/trace-context.ts'
import type { Tracer } from '../../adapters/telemetry/spans.ts'
import { decode, encodeAll } from '../messages/cloud-events.ts'
import { toDeadLetter } from '../dead-letters/dead-letter.ts'
import type { Log, LogRecord, Membership, NewRecord, Partition } from '../messages/log.ts'
import { MESSAGES, type Message, type MessageType } from '../messages/messages.ts'
import { traced } from './batch-spans.ts'
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
  /** Where a group without a committed offset begins. Default: earliest. */
  readonly from?: 'earliest' | 'latest'
  /** Default: no tracing. */
  readonly tracer?: Tracer | undefined
}

export interface RunningStep {
  /** Rejects when the step fails; fulfilled after close(). */
  readonly ended: Promise<void>
  /** What the step still waits for; undefined if it is ready. */
  waitingFor (): string | undefined
  close (): Promise<void>
}

/** A larger number is a leak. */
const MOST_LISTENERS = 1000

/** Interval between two calls of `Step.tick()`. */
const TICK_MS = 250

const RETRY = { retries: Infinity, minTimeout: 100, maxTimeout: 3000, factor: 2 }

/** CloudEvents `source` of the messages that a step sends. */
const sourceOf = ({ name }: StepKind): string => `/${name}`

export async function runStep (run: StepRun): Promise<RunningStep> {
  const { kind, log, metrics } = run
  const topics = [...new Set(kind.accepts.map((type) => MESSAGES[type].topic))]
  const workers = new Map<string, PartitionWorker>()
  const closing = new AbortController()
  // The step of each partition may listen.
  setMaxListeners(MOST_LISTENERS, closing.signal)
  const keyOf = ({ topic, partition }: Partition): string => `${topic}/${partition}`
  // Workers can commit before join() has returned.
  const joined: { membership?: Membership } = {}
  const commit = async (partition: Partition, offset: number): Promise<void> =>
    joined.membership?.commit(partition, offset)
  const membership = joined.membership = await log.join({
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

/** The step of one partition. Its calls run one after another. */
class PartitionWorker {
  readonly #run: StepRun
  readonly #partition: Partition
  readonly #closing: AbortSignal
  readonly #commit: (partition: Partition, offset: number) => Promise<void>
  readonly #state: SavedState | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #step: Step | undefined
  /** Offset of the next record. */
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

  /** @returns the offset to continue at; undefined without a saved state */
  async open (): Promise<number | undefined> {
    const saved = await this.#persistently('receiving', async () => this.#state?.read())
    this.#step = await this.#run.kind.open(saved?.state, this.#closing)
    this.#offset = saved?.offset
    this.#savedAt = this.#run.now()
    return saved?.offset
  }

  async take (records: readonly LogRecord[]): Promise<void> {
    await this.#inTurn(async () => this.#endingStepOnFailure(async () => this.#take(records)))
  }

  /** Does nothing while the previous tick still waits for its turn. */
  async tick (): Promise<void> {
    if (this.#isTicking) return
    this.#isTicking = true
    try {
      await this.#inTurn(async () => this.#endingStepOnFailure(async () => this.#tick()))
    } finally {
      this.#isTicking = false
    }
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
   * The state of a step that failed halfway may include messages that were never sent. So the state is not saved any
   * more, and the next owner of the partition repeats the work.
   */
  async #endingStepOnFailure (work: () => Promise<void>): Promise<void> {
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
    if (await this.#appendResults(outlet, [])) this.#changed = true
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
      await this.#appendResults(outlet, records)
    })
    const done = now()
    for (const { receivedAt } of messages) metrics.took(done - receivedAt)
    this.#offset = last.offset + 1
    this.#changed = true
    await this.#saveIfDue()
  }

  /** The messages that the step accepts. Unreadable records go to the dead letters. */
  #read (records: readonly LogRecord[], outlet: Collected): Received[] {
    const { kind } = this.#run
    const messages: Received[] = []
    for (const record of records) {
      // The header is enough to skip a message: of some topics, a step accepts few.
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

  /** @returns whether there was a result */
  async #appendResults (outlet: Collected, records: readonly LogRecord[]): Promise<boolean> {
    const { kind, metrics, now, logger } = this.#run
    const dead = new Map<number, NewRecord>()
    for (const { offset, code, detail } of outlet.rejected.sort((a, b) => a.offset - b.offset)) {
      metrics.rejected(code)
      const record = records.find((candidate) => candidate.offset === offset)!
      logger.warn({
        ...this.#partition,
        offset,
        code,
        detail,
        trace_id: readTraceparent(record.headers['ce_traceparent'])?.traceId,
      }, 'a message goes to the dead letters')
      // The dead letter is the whole record, with the first reason. The step has taken its other messages: when the
      // record is replayed, they are dropped as repetitions.
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

  /** Retries until `work` succeeds. While the step closes, there is one attempt only. */
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

/** The results of one call of a step. */
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
