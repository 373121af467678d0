// What the pool and its threads say to each other.
import type { ComputeTask } from '../compute/messages.ts'
import type { PlainFailure } from '../compute/plain-failure.ts'
import type { Config } from '../config.ts'
import type { Loaded } from './scorer.ts'

/** Settings that bound what is computed. */
export type ComputeLimits = Pick<Config, 'maxBodyBytes' | 'maxValues' | 'adHocMaxValues'>

export interface WorkerSettings {
  /** URL of a module that exports `loadModels`. */
  readonly loader: string
  readonly load: Pick<Config, 'modelsDir' | 'backend'>
  readonly limits: ComputeLimits
}

export interface PoolTask {
  readonly task: ComputeTask
  /** Of the models that the service says it serves: another thread read them. */
  readonly digests: string
}

/** What became of a thread's start. */
export type Start = { readonly loaded: Loaded } | { readonly failure: PlainFailure }

export const digestsOf = ({ models }: Loaded): string => models.map(({ digest }) => digest).join()
