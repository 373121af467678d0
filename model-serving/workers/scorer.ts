// What the service needs of whatever does the work.
import type { DriftVerdict } from '../../core/verdicts/drift.ts'
import type { Span } from '../../adapters/telemetry/spans.ts'
import type { Answered, ComputeTask } from '../compute/messages/messages.ts'
import type { PackageBytes } from '../packages/resident-models.ts'
import type { WorkerReport } from '../compute/messages/messages.ts'
import type { DriftQuestion, Proved } from './messages.ts'

/** How much there is to compute. */
export interface ComputeLoad {
  /** Requests that wait for a thread. */
  readonly waiting: number
  /** Requests that have one. */
  readonly running: number
  /** Requests refused since the start, because as many waited as may. */
  readonly refused: number
}

export interface AnswerOptions {
  readonly waits?: boolean
  readonly span?: Span | undefined
}

export interface Scorer {
  /**
   * Called once.
   * @param onFault told of what goes wrong outside of any request
   * @param onTold told of what was scored
   * @returns the version of TensorFlow.js
   */
  start (onFault: (fault: unknown) => void, onTold?: (told: WorkerReport) => void): Promise<string>
  /** Opens a package and reproduces its golden scores. @throws Problem of a package that cannot be used */
  prove (one: PackageBytes): Promise<Proved>
  /**
   * Opens a package of unknown origin and reproduces its golden scores; keeps nothing of it.
   * @throws Problem of a package that cannot be used
   */
  examine (where: string, bytes: Uint8Array): Promise<void>
  /** A posted series as the CSV table that training reads. @throws Problem of the series' faults */
  table (task: ComputeTask): Promise<Uint8Array>
  /**
   * @param gone aborts when nobody waits for the answer any more
   * @param waits whether it may wait however many others do: the caller bounds what it sends
   * @param span what it is part of, where that is traced
   * @throws Problem of the request's faults, overloaded, compute-timeout or memory-exceeded; `gone.reason` where it
   * never began
   */
  answer (task: ComputeTask, gone: AbortSignal, options?: AnswerOptions): Promise<Answered>
  /**
   * Whether recent scores of a served version are still those that it was calibrated on; undefined where nobody can
   * tell.
   */
  drift (question: DriftQuestion): Promise<DriftVerdict | undefined>
  load (): ComputeLoad
  /** Ends what still runs. */
  close (): Promise<void>
}
