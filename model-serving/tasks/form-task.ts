// A task of a 2022 engine: the series is in the request, the answer goes to the callback.
import type { AnswerType } from '../schemas/media.ts'
import type { Notice, Task, TaskInput } from './task.ts'

interface FormTaskOptions {
  readonly id: string
  readonly callback: URL
  readonly input: TaskInput
  readonly outputs: readonly AnswerType[]
  /** Names of the outputs. */
  readonly names: readonly string[]
}

export class FormTask implements Task {
  readonly id: string
  readonly outputs: readonly AnswerType[]
  readonly #options: FormTaskOptions

  constructor (options: FormTaskOptions) {
    this.id = options.id
    this.outputs = options.outputs
    this.#options = options
  }

  async fetch (): Promise<TaskInput> {
    return this.#options.input
  }

  /** Sends a single JSON answer as it is, other answers as a form with one part per output. */
  async save (answers: readonly Uint8Array[]): Promise<Notice> {
    const [type] = this.outputs
    if (answers.length === 1 && type === 'application/json') return this.#notice(answers[0]!, type)
    const form = new FormData()
    answers.forEach((answer, i) => {
      form.append(
        this.#options.names[i]!,
        new Blob([answer as Uint8Array<ArrayBuffer>], { type: this.outputs[i]! }),
        this.#options.names[i]!
      )
    })
    const response = new Response(form)
    return this.#notice(new Uint8Array(await response.arrayBuffer()), response.headers.get('content-type')!)
  }

  failed (message: string): Notice {
    return this.#notice(JSON.stringify({ type: 'error', message }), 'application/json')
  }

  progressed (): undefined {
    return undefined
  }

  #notice (body: string | Uint8Array, contentType: string): Notice {
    const url = new URL(this.#options.callback)
    url.searchParams.set('task_id', this.id)
    return { method: 'POST', url: url.href, body, contentType }
  }
}
