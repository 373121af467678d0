// What a request and its answer are between the thread that speaks HTTP and the ones that score: plain data, bytes
// unread.
import type { Scoring } from '../../../core/scoring/detection.ts'
import type { VersionRef } from '../../packages/catalogue.ts'
import type { AnswerType, BodyType } from '../../schemas/media.ts'
import type { PlainFailure } from './plain-failure.ts'

/**
 * Bytes of which nothing is known: what they are is found by looking at them. No client of POST /compute can send such.
 */
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

/** Scores of a served version, on a regular grid. */
export interface ScoreReport {
  readonly kind: 'scores'
  readonly ref: VersionRef
  readonly scoring: Scoring
  /** Milliseconds since 1970. */
  readonly start: number
  readonly interval: number
  /** NaN where not scored. */
  readonly scores: Float32Array
}

/** What a shadow made of a series that its live version answered. */
export interface ShadowReport {
  readonly kind: 'shadow'
  readonly live: VersionRef
  readonly shadow: VersionRef
  readonly outcome:
    | { readonly observations: number, readonly disagreements: number }
    /** It could not score what its live version could; or the thread had more to do than that. */
    | { readonly failure: string }
    | { readonly skipped: true }
}

/** What threads report besides their answers. */
export type WorkerReport = ScoreReport | ShadowReport
