// A task of an engine since 2023: the series and its answers are objects in an S3 store, and the outcome is sent as a
// PATCH to the callback.
import { randomId } from '../../adapters/identifiers.ts'
import type { ObjectStore } from '../adapters/object-store.ts'
import { UNKNOWN_TYPE } from '../compute/messages/messages.ts'
import type { AnswerType } from '../schemas/media.ts'
import type { Notice, Task, TaskInput } from './task.ts'

interface S3TaskOptions {
  readonly id: string
  /** Key of the input. */
  readonly input: string
  readonly outputs: readonly AnswerType[]
  readonly callback: URL
  readonly store: ObjectStore
  readonly maxBytes: number
}

/** The engine reads the type of an object from its key. */
const EXTENSIONS: Readonly<Record<AnswerType, string>> = {
  'application/json': 'json',
  'text/csv': 'csv',
  'image/png': 'png',
  'image/svg+xml': 'svg',
}

export class S3Task implements Task {
  readonly id: string
  readonly outputs: readonly AnswerType[]
  readonly #options: S3TaskOptions
  /** The same in every attempt, so that a failed attempt leaves no extra objects. */
  readonly #keys: readonly string[]

  constructor (options: S3TaskOptions) {
    this.id = options.id
    this.outputs = options.outputs
    this.#options = options
    this.#keys = options.outputs.map((type) => `${randomId()}.${EXTENSIONS[type]}`)
  }

  async fetch (signal: AbortSignal): Promise<TaskInput> {
    const { store, input, maxBytes } = this.#options
    // The extension of the key and the type of the object are not reliable.
    return { body: await store.get(input, maxBytes, signal), mediaType: UNKNOWN_TYPE, contentType: '' }
  }

  async save (answers: readonly Uint8Array[], signal: AbortSignal): Promise<Notice> {
    await Promise.all(
      answers.map(async (answer, i) => this.#options.store.put(this.#keys[i]!, answer, this.outputs[i]!, signal))
    )
    return this.#notice('finished', this.#keys)
  }

  failed (message: string): Notice {
    return this.#notice('error', [], message)
  }

  progressed (): Notice {
    return this.#notice('processing')
  }

  /** Every notice needs the list data_out. */
  #notice (status: 'processing' | 'finished' | 'error', keys: readonly string[] = [], message?: string): Notice {
    return {
      method: 'PATCH',
      url: this.#options.callback.href,
      body: JSON.stringify({ data_out: keys, status, ...(message !== undefined && { error_message: message }) }),
    }
  }
}
