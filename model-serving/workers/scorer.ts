// The interface of what scores: worker threads, or in tests this thread.
import type { DriftVerdict } from '../../core/verdicts/drift.ts'
import type { Span } from '../../adapters/telemetry/spans.ts'
import type { Answered, ComputeTask, WorkerReport } from '../compute/messages/messages.ts'
import type { PackageBytes } from '../packages/resident-models.ts'
import type { DriftQuestion, Proved } from './messages.ts'

/** Requests that wait and run. */
export interface ComputeLoad {
  /** Requests that wait for a thread. */
  readonly waiting: number
  /** Requests that have a thread. */
  readonly running: number
  /** Requests refused since the start because the queue was full. */
  readonly refused: number
}

export interface AnswerOptions {
  /** Whether the request may wait even if the queue is full: the caller bounds its own requests. */
  readonly waits?: boolean
  /** Parent span, if the request is traced. */
  readonly span?: Span | undefined
}

export interface Scorer {
  /**
   * Called once.
   * @param onFault called with errors outside of any request
   * @param onReport called with the reports of the threads
   * @returns the version of TensorFlow.js
   */
  start (onFault: (fault: unknown) => void, onReport?: (report: WorkerReport) => void): Promise<string>
  /** Opens a package and reproduces its golden scores. @throws Problem of a package that cannot be used */
  prove (packageBytes: PackageBytes): Promise<Proved>
  /**
   * Opens a package of unknown origin, reproduces its golden scores and closes it.
   * @throws Problem of a package that cannot be used
   */
  examine (where: string, bytes: Uint8Array): Promise<void>
  /** A posted series as the CSV table that training reads. @throws Problem of the series */
  table (task: ComputeTask): Promise<Uint8Array>
  /**
   * @param gone aborts when the caller no longer waits for the answer
   * @throws Problem of the request, overloaded, compute-timeout or memory-exceeded; `gone.reason` if it aborts before
   * the request begins
   */
  answer (task: ComputeTask, gone: AbortSignal, options?: AnswerOptions): Promise<Answered>
  /** Whether recent scores of a served version have drifted; undefined if no thread has the version open. */
  drift (question: DriftQuestion): Promise<DriftVerdict | undefined>
  load (): ComputeLoad
  /** Ends the threads, and with them the running requests. */
  close (): Promise<void>
}
