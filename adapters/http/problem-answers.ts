// Failures as application/problem+json (RFC 9457): a status of 500 hides its cause from the caller, any other says what
// is wrong. The log has both.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem, type ProblemCode } from '../../core/errors.ts'
import { briefItem, shorten } from './brief.ts'
import { ALL_PROBLEMS, type AnyProblemCode } from './problem-codes.ts'

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** Items of one answer. */
const MAX_ITEMS = 10

/** What Fastify and its plugins throw, besides Problems. */
export type Failure = Error & { readonly code?: string, readonly statusCode?: number }

type Translation = readonly [code: ProblemCode, detail: string, extensions?: Record<string, unknown>]

/** Error code or HTTP status of Fastify and its plugins → our code and remedy. Their codes are no contract of ours. */
export type Translations = Readonly<Record<string, Translation>>

const SHARED: Translations = {
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'malformed-body',
    'The body is not as long as Content-Length says; it was cut off on the way.',
  ],
  400: ['malformed-body', 'The request broke off or cannot be read; send it again.'],
}

/** How the answers of one program differ from those of another. */
export interface ProblemStyle {
  /** The name of the program in sentences, such as `service`. */
  readonly program: string
  /** The URI that explains a code. */
  readonly typeOf: (code: AnyProblemCode) => string
  /** Seconds after which the same request may succeed; undefined: the answer does not say. */
  readonly retryAfterOf: (code: ProblemCode) => number | undefined
  /** Whether the document names the path of the request. */
  readonly hasInstance: boolean
  /** Statuses from 501 are errors in the log, too: the program exists to keep what it is sent. */
  readonly logsUnavailable: boolean
}

export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: AnyProblemCode
  readonly requestId: string
  readonly [member: string]: unknown
}

/** The problem that a failure amounts to. */
export function toProblem (error: Failure, program: string, translations: Translations): Problem {
  if (error instanceof Problem) return error
  for (const key of [error.code ?? '', String(error.statusCode ?? 500)]) {
    const known = translations[key] ?? SHARED[key]
    if (known === undefined) continue
    const [code, detail, extensions = {}] = known
    return new Problem(code, detail, { extensions, cause: error })
  }
  return new Problem('internal-error', internalDetail(program), { cause: error })
}

const internalDetail = (program: string): string =>
  `The ${program} failed on this request; its log tells why, under the request id.`

/** The answers of one program. */
export class ProblemAnswers {
  readonly #style: ProblemStyle

  constructor (style: ProblemStyle) {
    this.#style = style
  }

  /** Answers a problem and logs it: a failure of the program with its cause, a refusal in one line. */
  send (request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
    const { program, retryAfterOf } = this.#style
    const { code, message, extensions, status } = problem
    this.#log(request, problem)
    // The message of an internal error may name files, settings or addresses of the server.
    const isInternal = status === 500
    const seconds = retryAfterOf(code)
    if (seconds !== undefined && !reply.hasHeader('retry-after')) reply.header('retry-after', String(seconds))
    if (status === 401) reply.header('www-authenticate', 'Bearer')
    const items = problem.items.slice(0, MAX_ITEMS).map(briefItem)
    return this.sendDocument(request, reply, {
      code: isInternal ? 'internal-error' : code,
      detail: isInternal ? internalDetail(program) : message,
      more: { ...extensions, ...(items.length > 0 && { errors: items }) },
    })
  }

  #log ({ log }: FastifyRequest, problem: Problem): void {
    const { code, status, message, cause } = problem
    if (status === 500 || (this.#style.logsUnavailable && status > 500)) {
      log.error({ err: cause ?? problem, code }, message)
    } else log.info({ code }, 'request refused')
  }

  /** Sends the document of a code. */
  sendDocument (
    request: FastifyRequest,
    reply: FastifyReply,
    { code, detail, more = {} }: { readonly code: AnyProblemCode, readonly detail: string, readonly more?: object }
  ): FastifyReply {
    const instance = this.#style.hasInstance ? { instance: pathOf(request) } : {}
    const document = this.document(code, detail, request.id, { ...instance, ...more })
    return reply.code(document.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(document))
  }

  /** The document of a code. */
  document (code: AnyProblemCode, detail: string, requestId: string, more: object = {}): ProblemDocument {
    const { status, title } = ALL_PROBLEMS[code]
    return { type: this.#style.typeOf(code), title, status, detail: shorten(detail), code, requestId, ...more }
  }
}

const pathOf = (request: FastifyRequest): string => shorten(request.url.split('?', 1)[0]!)
