// Requests, answers and reports as they pass between the HTTP thread and the worker threads: plain data. The HTTP
// thread does not parse the bytes.
import type { Scoring } from '../../../core/scoring/detection.ts'
import type { VersionRef } from '../../packages/catalogue.ts'
import type { AnswerType, BodyType } from '../../schemas/media.ts'
import type { PlainFailure } from './plain-failure.ts'

/** Type of bytes whose format is detected from their content. Clients of POST /compute cannot send it. */
export const UNKNOWN_TYPE = 'application/octet-stream'

export interface ComputeTask {
  readonly body: Uint8Array
  readonly mediaType: BodyType | typeof UNKNOWN_TYPE
  /** The whole header, including the character set or boundary. */
  readonly contentType: string
  /** Field of a form with a file of unknown format. Default: `file`, which contains a CSV table. */
  readonly fileField?: string
  /** From the URL, unchecked. */
  readonly query: Readonly<Record<string, unknown>>
  /** Media types in which the scored series is rendered. */
  readonly answerTypes: readonly AnswerType[]
}

/** The answers, and their figures for the log. */
export interface Answered {
  /** One per answer type. */
  readonly bodies: ReadonlyArray<Uint8Array<ArrayBuffer>>
  /** `name@version` */
  readonly model: string
  readonly observations: number
  /** Anomalous observations. */
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
  /** NaN: not scored. */
  readonly scores: Float32Array
}

/** How a shadow scored a series that its live version answered. */
export interface ShadowReport {
  readonly kind: 'shadow'
  readonly live: VersionRef
  readonly shadow: VersionRef
  readonly outcome:
    | { readonly observations: number, readonly disagreements: number }
    /** The shadow could not score the series. */
    | { readonly failure: string }
    /** Another comparison was waiting. */
    | { readonly skipped: true }
}

/** What threads report in addition to their answers. */
export type WorkerReport = ScoreReport | ShadowReport
