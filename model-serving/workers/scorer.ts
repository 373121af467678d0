// What POST /compute needs of whatever does the work.
import type { Answered, ComputeTask } from '../compute/messages.ts'
import type { BackendDescription, ModelIdentity } from '../models.ts'

/** Models that are loaded and proved. */
export interface Loaded {
  readonly models: readonly ModelIdentity[]
  readonly backend: BackendDescription
}

export interface Scorer {
  /**
   * Called once.
   * @param onFault told of what goes wrong outside of any request
   * @throws Problem that prevents the service
   */
  start (onFault: (fault: unknown) => void): Promise<Loaded>
  /**
   * @param gone aborts when nobody waits for the answer any more
   * @param waits whether it may wait however many others do: the caller bounds what it sends
   * @throws Problem of the request's faults, overloaded, compute-timeout or memory-exceeded; `gone.reason` where it never began
   */
  answer (task: ComputeTask, gone: AbortSignal, options?: { readonly waits?: boolean }): Promise<Answered>
  /** Ends what still runs. */
  close (): Promise<void>
}
