// The worker threads that score. This side knows HTTP's bytes alone; a thread that runs too long or out of memory is replaced.
import { Piscina } from 'piscina'
import { Problem } from '../../core/errors.ts'
import type { Answered, ComputeTask, Outcome } from '../compute/messages.ts'
import { failureOf } from '../compute/plain-failure.ts'
import type { Config } from '../config.ts'
import { digestsOf, type PoolTask, type Start, type WorkerSettings } from './messages.ts'
import type { Loaded, Scorer } from './scorer.ts'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const WORKER = new URL(`./worker.${extension}`, import.meta.url).href
const LOADER = new URL(`../load-models.${extension}`, import.meta.url).href

/** What a request leaves behind goes soon: with V8's own limit a thread's memory grows by 70 MB more before it does. */
const YOUNG_GENERATION_MB = 24

/** A thread that is idle for so long ends, but for the first one. */
const IDLE_MS = 60_000

export class WorkerPool implements Scorer {
  readonly #config: Config
  readonly #loader: string
  #pool: Piscina | undefined
  #digests = ''
  #running = 0
  /** In order of arrival; each is called when its turn comes. */
  readonly #waiting: Array<() => void> = []

  /** @param loader URL of a module that exports `loadModels` like load-models.ts */
  constructor (config: Config, loader = LOADER) {
    this.#config = config
    this.#loader = loader
  }

  async start (onFault: (fault: unknown) => void): Promise<Loaded> {
    const { computeWorkers, computeMaxMemoryMb, modelsDir, backend, maxBodyBytes, maxValues, adHocMaxValues } = this.#config
    const workerData: WorkerSettings = { loader: this.#loader, load: { modelsDir, backend }, limits: { maxBodyBytes, maxValues, adHocMaxValues } }
    const pool = new Piscina({
      filename: WORKER,
      workerData,
      minThreads: 1,
      maxThreads: computeWorkers,
      idleTimeout: IDLE_MS,
      // Otherwise a thread without work sleeps in a wait, in which none of its timers and promises runs.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: computeMaxMemoryMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      execArgv: threadArguments(),
    })
    pool.on('error', onFault)
    this.#pool = pool
    const start = await this.#describe().catch((error: unknown) => { throw this.#typed(error, false) })
    if ('failure' in start) throw failureOf(start.failure)
    this.#digests = digestsOf(start.loaded)
    return start.loaded
  }

  async answer (task: ComputeTask, gone: AbortSignal, { waits = false }: { readonly waits?: boolean } = {}): Promise<Answered> {
    await this.#turn(gone, waits)
    const outcome = await this.#run(task).catch((error: unknown) => {
      // The thread is lost: the next request's time does not begin before there is another.
      this.#describe().catch(() => {}).finally(() => { this.#next() })
      throw error
    })
    this.#next()
    if ('failure' in outcome) throw failureOf(outcome.failure)
    return outcome.answered
  }

  async close (): Promise<void> {
    await this.#pool?.destroy()
  }

  /** Waits for a thread that has loaded the models. */
  async #describe (): Promise<Start> {
    return await this.#pool!.run(undefined, { name: 'describe' }) as Start
  }

  /** Gives the place of an ended request to the one that waits longest. */
  #next (): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }

  /** Kept here and not by the pool: only what waits can be given up without ending a thread, and only what runs has its time limit. */
  async #turn (gone: AbortSignal, waits: boolean): Promise<void> {
    gone.throwIfAborted()
    const { computeWorkers, computeQueue } = this.#config
    if (this.#running < computeWorkers) {
      this.#running++
      return
    }
    if (!waits && this.#waiting.length >= computeQueue) {
      throw new Problem('overloaded', `${this.#running} requests are being computed and ${computeQueue} wait, as many as may; try again in a few seconds, or raise COMPUTE_QUEUE.`,
        { extensions: { limit: computeQueue } })
    }
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        gone.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1)
        reject(new DOMException('Nobody waits for the answer any more.', 'AbortError'))
      }
      gone.addEventListener('abort', leave, { once: true })
      this.#waiting.push(begin)
    })
  }

  async #run (task: ComputeTask): Promise<Outcome> {
    const limit = AbortSignal.timeout(this.#config.computeTimeoutMs)
    const body = ownBytes(task.body)
    const posted: PoolTask = { task: { ...task, body }, digests: this.#digests }
    try {
      return await this.#pool!.run(posted, { signal: limit, transferList: [body.buffer] }) as Outcome
    } catch (error) {
      throw this.#typed(error, limit.aborted)
    }
  }

  /** What the end of a thread means for the request that it had. */
  #typed (error: unknown, late: boolean): unknown {
    const { computeTimeoutMs, computeMaxMemoryMb } = this.#config
    if (late) {
      return new Problem('compute-timeout', `Computing the answer took longer than ${computeTimeoutMs} ms and was stopped; send the series in parts, include fewer parts of the answer, or raise COMPUTE_TIMEOUT_MS.`,
        { extensions: { limit: computeTimeoutMs }, cause: error })
    }
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') return error
    return new Problem('memory-exceeded', `Computing needs more than ${computeMaxMemoryMb} MB of memory; send the series in parts, include fewer parts of the answer, or raise COMPUTE_MAX_MEMORY_MB.`,
      { extensions: { limit: computeMaxMemoryMb }, cause: error })
  }
}

/** Bytes in memory of their own, which can be handed over: small buffers share theirs with others. */
function ownBytes (bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer ? bytes as Uint8Array<ArrayBuffer> : new Uint8Array(bytes)
}

/** tsx reads TypeScript on the main thread alone (its issue 354): a thread that runs from source asks for it itself, and not twice. */
function threadArguments (): string[] {
  const { execArgv } = process
  const at = execArgv.findIndex((argument) => argument.includes('tsx'))
  if (extension === 'js' || at < 0) return execArgv
  const code = `import{register}from${JSON.stringify(import.meta.resolve('tsx/esm/api'))};register()`
  const isPair = !execArgv[at]!.startsWith('-')
  return [...execArgv.slice(0, isPair ? at - 1 : at), '--import', `data:text/javascript,${encodeURIComponent(code)}`, ...execArgv.slice(at + 1)]
}
