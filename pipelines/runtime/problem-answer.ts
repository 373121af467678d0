// A failure as application/problem+json (RFC 9457), for every route of the stream: a 4xx tells, a 5xx hides, and the
// log has both.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Problem, PROBLEMS } from '../../core/errors.ts'

export interface ProblemAnswer {
  /** Where the code is explained, or what stands for it. */
  readonly type: string
  /** Seconds after which it may succeed; default: it is not said. */
  readonly retryAfter?: number | undefined
  /** Members besides the standard ones. */
  readonly more?: Readonly<Record<string, unknown>>
}

export function answerProblem (
  request: FastifyRequest,
  reply: FastifyReply,
  problem: Problem,
  { type, retryAfter, more = {} }: ProblemAnswer
): FastifyReply {
  const { code, message: detail, items } = problem
  const { status, title } = PROBLEMS[code]
  if (status >= 500) request.log.error({ err: problem.cause ?? problem, code }, detail)
  else request.log.info({ code }, 'request refused')
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  const document = {
    type,
    title,
    status,
    detail,
    code,
    requestId: request.id,
    ...(items.length > 0 && { errors: items }),
    ...more,
  }
  return reply.code(status).type('application/problem+json').send(JSON.stringify(document))
}
