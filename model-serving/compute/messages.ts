// What a request and its answer are between the thread that speaks HTTP and the ones that score: plain data, bytes unread.
import type { AnswerType, BodyType } from '../schemas/media.ts'
import type { PlainFailure } from './plain-failure.ts'

/** Bytes of which nothing is known: what they are is found by looking at them. No client of POST /compute can send such. */
export const UNKNOWN_TYPE = 'application/octet-stream'

export interface ComputeTask {
  readonly body: Uint8Array
  readonly mediaType: BodyType | typeof UNKNOWN_TYPE
  /** The whole header, with character set or boundary. */
  readonly contentType: string
  /** Of a form: the field that holds a file of unknown kind. Default: `file`, which holds a table. */
  readonly fileField?: string
  /** As the URL says it, unchecked. */
  readonly query: Readonly<Record<string, unknown>>
  /** What is made of the one scored series. */
  readonly answerTypes: readonly AnswerType[]
}

/** The answers, and what the log tells of them. */
export interface Answered {
  /** One for each of the answer types. */
  readonly bodies: ReadonlyArray<Uint8Array<ArrayBuffer>>
  /** `name@version` */
  readonly model: string
  readonly observations: number
  /** Of them. */
  readonly anomalous: number
  readonly channels: number
}

export type Outcome = { readonly answered: Answered } | { readonly failure: PlainFailure }
