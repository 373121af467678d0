// One shape for every failure: whatever is thrown leaves as application/problem+json; a 4xx tells, a 5xx hides.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem, type ProblemCode, PROBLEMS } from '../../core/errors.ts'
import { briefItem, shorten } from '../compute/plain-failure.ts'
import { ALL_PROBLEMS, type AnyProblemCode, type ProblemDocument, problemType } from '../schemas/problem.ts'

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

const MAX_ITEMS = 10
/** Characters of a path that are told. */
const MAX_GOT = 100

/** What Fastify and its plugins raise → our code and remedy; their own codes are no contract. */
const FRAMEWORK_ERRORS: ReadonlyMap<string, { code: ProblemCode, detail: string }> = new Map([
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', {
    code: 'unsupported-media-type',
    detail: 'Send application/json, text/csv or multipart/form-data, and name it in Content-Type.',
  }],
  ['FST_CP_ERR_INVALID_CONTENT_ENCODING', {
    code: 'unsupported-media-type',
    detail: 'Content-Encoding must be gzip, br, deflate or identity.',
  }],
  ['FST_CP_ERR_INVALID_CONTENT', {
    code: 'malformed-body',
    detail: 'The body cannot be decompressed as its Content-Encoding says; send it again, or uncompressed.',
  }],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', {
    code: 'malformed-body',
    detail: 'The body is not as long as Content-Length says; it was cut off on the way.',
  }],
  ['FST_ERR_BAD_URL', { code: 'not-found', detail: 'The path cannot be decoded; percent-encode it as UTF-8.' }],
  ['FST_ERR_MAX_PARAM_LENGTH', { code: 'not-found', detail: 'The path is longer than any route of the service.' }],
])

/** Makes every failure of the app a problem document. */
export function addErrors (app: FastifyInstance, limits: { readonly maxBodyBytes: number }): void {
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    sendProblem(request, reply, toProblem(error, limits.maxBodyBytes))
  )
  app.setNotFoundHandler((request) => {
    throw new Problem(
      'not-found',
      `There is no ${request.method} ${pathOf(request).slice(0, MAX_GOT)}; GET /openapi.json lists the routes.`
    )
  })
}

/** The problem that a failure amounts to. */
export function toProblem (error: FastifyError | Problem, maxBodyBytes: number): Problem {
  if (error instanceof Problem) return error
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new Problem(
      'body-too-large',
      `The body is larger than ${maxBodyBytes} bytes after decompression; send the series in parts.`,
      { extensions: { limit: maxBodyBytes }, cause: error }
    )
  }
  const known = FRAMEWORK_ERRORS.get(error.code)
  if (known !== undefined) return new Problem(known.code, known.detail, { cause: error })
  if (error.statusCode === 400) {
    return new Problem('malformed-body', 'The request broke off or cannot be read; send it again.', { cause: error })
  }
  // Static files: what may not be read does not exist.
  if (error.statusCode === 403 || error.statusCode === 404) {
    return new Problem('not-found', 'There is no such file.', { cause: error })
  }
  return new Problem('internal-error', 'The service failed on this request; its log tells why, under the request id.', {
    cause: error,
  })
}

/** Codes whose message may name files, settings or addresses of the server. */
const isInternal = (code: ProblemCode): boolean => ALL_PROBLEMS[code].status === 500

/** Answers a problem and logs it: its own failures with their cause, the caller's in one line. */
export function sendProblem (request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  if (isInternal(problem.code)) request.log.error({ err: problem.cause ?? problem }, problem.message)
  else request.log.info({ code: problem.code }, 'request refused')
  if (PROBLEMS[problem.code].retryable && !reply.hasHeader('retry-after')) reply.header('retry-after', '5')
  if (problem.code === 'unauthorized') reply.header('www-authenticate', 'Bearer')
  const detail = isInternal(problem.code)
    ? 'The service failed on this request; its log tells why, under the request id.'
    : problem.message
  const code = isInternal(problem.code) ? 'internal-error' : problem.code
  const items = problem.items.slice(0, MAX_ITEMS).map(briefItem)
  return sendDocument(request, reply, code, detail, {
    ...problem.extensions,
    ...(items.length > 0 && { errors: items }),
  })
}

/** Sends the document of a code. */
export function sendDocument (
  request: FastifyRequest,
  reply: FastifyReply,
  code: AnyProblemCode,
  detail: string,
  more: object = {}
): FastifyReply {
  const document = problemDocument(code, detail, request.id, { instance: pathOf(request), ...more })
  return reply.code(document.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(document))
}

/** The document of a code. */
export function problemDocument (
  code: AnyProblemCode,
  detail: string,
  requestId: string,
  more: object
): ProblemDocument {
  const { status, title } = ALL_PROBLEMS[code]
  return { type: problemType(code), title, status, detail: shorten(detail), code, requestId, ...more }
}

const pathOf = (request: FastifyRequest): string => shorten(request.url.split('?', 1)[0]!)
