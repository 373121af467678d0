// A task of an engine, whichever dialect it came in: where its series is, where its answer goes, who is told.
import type { HttpMessage } from '../adapters/http-client.ts'
import type { ComputeTask } from '../compute/messages/messages.ts'
import type { AnswerType } from '../schemas/media.ts'

/** The series as it came, not looked at yet. */
export type TaskInput = Pick<ComputeTask, 'body' | 'mediaType' | 'contentType' | 'fileField'>

/** WorkerReport to the engine; the method and the shape are the dialect's. */
export type Notice = HttpMessage

export interface Task {
  readonly id: string
  /** What is made of the series, in the order of the announced outputs. */
  readonly outputs: readonly AnswerType[]
  /**
   * @throws StoreFailure where trying again is of no use; anything else may pass
   */
  fetch (signal: AbortSignal): Promise<TaskInput>
  /**
   * Puts the answers where the engine wants them. Can be repeated.
   * @returns what the engine is to be told
   * @throws StoreFailure where trying again is of no use; anything else may pass
   */
  save (answers: readonly Uint8Array[], signal: AbortSignal): Promise<Notice>
  failed (message: string): Notice
  /** Undefined where the dialect has no such notice. */
  progressed (): Notice | undefined
}
