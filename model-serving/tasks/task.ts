// A task of an engine in any dialect: how to fetch its series, save its answers and report its outcome.
import type { HttpMessage } from '../adapters/http-client.ts'
import type { ComputeTask } from '../compute/messages/messages.ts'
import type { AnswerType } from '../schemas/media.ts'

/** The bytes of the series, not parsed yet. */
export type TaskInput = Pick<ComputeTask, 'body' | 'mediaType' | 'contentType' | 'fileField'>

/** A message to the engine about a task. The dialect determines its method and shape. */
export type Notice = HttpMessage

export interface Task {
  readonly id: string
  /** Media types of the answers, in the order of the announced outputs. */
  readonly outputs: readonly AnswerType[]
  /** @throws StoreFailure if a retry cannot succeed; after other errors it may */
  fetch (signal: AbortSignal): Promise<TaskInput>
  /**
   * Saves the answers where the engine wants them. Can be repeated.
   * @returns the notice of success for the engine
   * @throws StoreFailure if a retry cannot succeed; after other errors it may
   */
  save (answers: readonly Uint8Array[], signal: AbortSignal): Promise<Notice>
  failed (message: string): Notice
  /** Undefined if the dialect has no such notice. */
  progressed (): Notice | undefined
}
