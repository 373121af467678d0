// The pool of worker threads that score. The HTTP thread passes them bytes. A thread that runs out of time or memory is
// replaced.
import { Piscina } from 'piscina'
import { Problem } from '../../core/errors.ts'
import { within } from '../../adapters/telemetry/spans.ts'
import type { Answered, ComputeTask, Outcome, WorkerReport } from '../compute/messages/messages.ts'
import type { DriftVerdict } from '../../core/verdicts/drift.ts'
import { failureOf, type PlainFailure } from '../compute/messages/plain-failure.ts'
import type { Config } from '../settings/config.ts'
import type { PackageCache } from '../packages/package-cache.ts'
import type { PackageBytes } from '../packages/resident-models.ts'
import type { ServedModels } from '../packages/served-models.ts'
import type { DriftQuestion, PoolOutcome, PoolTask, Proved, WorkerSettings } from './messages.ts'
import type { AnswerOptions, ComputeLoad, Scorer } from './scorer.ts'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const WORKER = new URL(`./worker.${extension}`, import.meta.url).href
const OPENER = new URL(`../packages/open-package.${extension}`, import.meta.url).href

/** Small young generation: keeps the memory per thread about 70 MB lower. */
const YOUNG_GENERATION_MB = 24

/** Idle threads end after this time, except the first one. */
const IDLE_MS = 60_000

interface PoolOptions {
  readonly config: Config
  /** The served models. Every request passes their catalogue to the thread. */
  readonly models: ServedModels
  /** Source of packages that a thread lacks. */
  readonly packageCache: PackageCache
  /** URL of a module that exports `openPackage`; default: packages/open-package.ts */
  readonly opener?: string
}

export class WorkerPool implements Scorer {
  readonly #config: Config
  readonly #models: ServedModels
  readonly #packageCache: PackageCache
  readonly #opener: string
  #pool: Piscina | undefined
  #current: Omit<PoolTask, 'task'> & { readonly source: unknown } | undefined
  #running = 0
  #refused = 0
  /** In order of arrival; each is called when its turn comes. */
  readonly #waiting: Array<() => void> = []

  constructor ({ config, models, packageCache, opener = OPENER }: PoolOptions) {
    this.#config = config
    this.#models = models
    this.#packageCache = packageCache
    this.#opener = opener
  }

  async start (
    onFault: (fault: unknown) => void,
    onReport: (report: WorkerReport) => void = () => {}
  ): Promise<string> {
    const { computeWorkers, computeMaxMemoryMb, backend, maxBodyBytes, maxValues, adHocMaxValues, registry } =
      this.#config
    const workerData: WorkerSettings = {
      opener: this.#opener,
      backend,
      modelBytes: registry.memoryBytes,
      reportsScores: registry.keepsScores,
      limits: { maxBodyBytes, maxValues, adHocMaxValues },
    }
    const pool = new Piscina({
      filename: WORKER,
      workerData,
      minThreads: 1,
      maxThreads: computeWorkers,
      idleTimeout: IDLE_MS,
      // Otherwise an idle thread blocks in Atomics.wait(), and its timers and promises do not run.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: computeMaxMemoryMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      execArgv: threadArguments(),
    })
    pool.on('error', onFault)
    pool.on('message', onReport)
    this.#pool = pool
    return this.#describe().catch((error: unknown) => { throw this.#typed(error, false) })
  }

  async prove (packageBytes: PackageBytes): Promise<Proved> {
    return (await this.#work('prove', packageBytes) as { proved: Proved }).proved
  }

  async examine (where: string, bytes: Uint8Array): Promise<void> {
    await this.#work('examine', { where, bytes })
  }

  async table (task: ComputeTask): Promise<Uint8Array> {
    return await this.#work('table', task) as Uint8Array
  }

  /** Runs work other than answers, within the time limit of a request. */
  async #work (name: string, question: unknown): Promise<unknown> {
    const limit = AbortSignal.timeout(this.#config.computeTimeoutMs)
    const outcome: unknown = await this.#pool!.run(question, { name, signal: limit }).catch((error: unknown) => {
      throw this.#typed(error, limit.aborted)
    })
    if (typeof outcome === 'object' && outcome !== null && 'failure' in outcome) {
      throw failureOf((outcome as { failure: PlainFailure }).failure)
    }
    return outcome
  }

  async drift (question: DriftQuestion): Promise<DriftVerdict | undefined> {
    return await this.#work('drift', question) as DriftVerdict | undefined
  }

  async answer (task: ComputeTask, gone: AbortSignal, { waits = false, span }: AnswerOptions = {}): Promise<Answered> {
    await within(span?.child('wait for a thread'), async () => this.#turn(gone, waits))
    const outcome = await within(span?.child('compute'), async () => this.#run(task)).catch((error: unknown) => {
      // The thread is lost. The next request starts, and its time begins, when there is a new thread.
      this.#describe().catch(() => {}).finally(() => { this.#next() })
      throw error
    })
    this.#next()
    if ('failure' in outcome) throw failureOf(outcome.failure)
    return outcome.answered
  }

  load (): ComputeLoad {
    return { waiting: this.#waiting.length, running: this.#running, refused: this.#refused }
  }

  async close (): Promise<void> {
    await this.#pool?.destroy()
  }

  /** Fulfilled when a thread is ready. */
  async #describe (): Promise<string> {
    return await this.#pool!.run(undefined, { name: 'describe' }) as string
  }

  /** The catalogue and shadows for every request. They change only with the served models. */
  #catalogue (): Omit<PoolTask, 'task'> {
    const { catalogue } = this.#models
    if (this.#current?.source !== catalogue) {
      const shadows = catalogue.flatMap(({ shadow }) =>
        shadow === undefined ? [] : [this.#packageCache.served(shadow.digest)]
      ).filter((packageBytes) => packageBytes !== undefined)
      const epoch = (this.#current?.epoch ?? 0) + 1
      this.#current = { source: catalogue, catalogue: JSON.stringify(catalogue), epoch, shadows }
    }
    const { source, ...current } = this.#current
    return current
  }

  /** Gives the place of an ended request to the request that has waited longest. */
  #next (): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }

  /**
   * Waits for a free thread. The queue is here and not in Piscina: a waiting request can be abandoned without ending a
   * thread, and its time limit begins when it runs.
   */
  async #turn (gone: AbortSignal, waits: boolean): Promise<void> {
    gone.throwIfAborted()
    const { computeWorkers, computeQueue } = this.#config
    if (this.#running < computeWorkers) {
      this.#running++
      return
    }
    if (!waits && this.#waiting.length >= computeQueue) {
      this.#refused++
      throw new Problem(
        'overloaded',
        `${this.#running} requests are being computed and ${computeQueue} wait, which is the limit; try again in a ` +
          'few seconds, or raise COMPUTE_QUEUE.',
        { extensions: { limit: computeQueue } }
      )
    }
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        gone.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1)
        reject(new DOMException('The caller is gone.', 'AbortError'))
      }
      gone.addEventListener('abort', leave, { once: true })
      this.#waiting.push(begin)
    })
  }

  async #run (task: ComputeTask): Promise<Outcome> {
    const limit = AbortSignal.timeout(this.#config.computeTimeoutMs)
    // The same for both attempts: names keep the meaning that they had when the request began.
    const current = this.#catalogue()
    try {
      const outcome = await this.#post({ ...current, task }, limit)
      if (!('missing' in outcome)) return outcome
      const provided = await this.#packageCache.fetch(outcome.missing)
      const again = await this.#post({ ...current, task: { ...task, body: outcome.body }, provided }, limit)
      if (!('missing' in again)) return again
      throw new Error(`a thread has not taken the package of ${provided.where}`)
    } catch (error) {
      throw this.#typed(error, limit.aborted)
    }
  }

  async #post (posted: PoolTask, signal: AbortSignal): Promise<PoolOutcome> {
    const body = ownBytes(posted.task.body)
    return await this.#pool!.run({ ...posted, task: { ...posted.task, body } }, {
      signal,
      transferList: [body.buffer],
    }) as PoolOutcome
  }

  /** The Problem of a request whose thread was ended. */
  #typed (error: unknown, late: boolean): unknown {
    const { computeTimeoutMs, computeMaxMemoryMb } = this.#config
    if (late) {
      return new Problem(
        'compute-timeout',
        `Computing the answer took longer than ${computeTimeoutMs} ms and was stopped; send the series in parts, ` +
          'include fewer parts of the answer, or raise COMPUTE_TIMEOUT_MS.',
        { extensions: { limit: computeTimeoutMs }, cause: error }
      )
    }
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') return error
    return new Problem(
      'memory-exceeded',
      `Computing needs more than ${computeMaxMemoryMb} MB of memory; send the series in parts, include fewer parts ` +
        'of the answer, or raise COMPUTE_MAX_MEMORY_MB.',
      { extensions: { limit: computeMaxMemoryMb }, cause: error }
    )
  }
}

/** Bytes that can be transferred to a thread. Small buffers share their memory with others, and are copied. */
function ownBytes (bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
    ? bytes as Uint8Array<ArrayBuffer>
    : new Uint8Array(bytes)
}

/** tsx registers itself on the main thread only (its issue 354): a thread that runs from source registers it once. */
function threadArguments (): string[] {
  const { execArgv } = process
  const at = execArgv.findIndex((argument) => argument.includes('tsx'))
  if (extension === 'js' || at < 0) return execArgv
  const code = `import{register}from${JSON.stringify(import.meta.resolve('tsx/esm/api'))};register()`
  const isPair = !execArgv[at]!.startsWith('-')
  return [
    ...execArgv.slice(0, isPair ? at - 1 : at),
    '--import',
    `data:text/javascript,${encodeURIComponent(code)}`,
    ...execArgv.slice(at + 1),
  ]
}
