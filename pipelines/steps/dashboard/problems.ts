// Failures of the dashboard's routes as application/problem+json (RFC 9457), and what a request says against its
// schema.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { pointer, Problem, type ProblemCode, PROBLEMS } from '../../../core/errors.ts'
import { answerProblem } from '../../runtime/problem-answer.ts'

const RETRY_AFTER_SECONDS = 2

type Failure = Error & { readonly code?: string, readonly statusCode?: number }

/** HTTP status that Fastify and its plugins raise → our code and remedy. */
const FRAMEWORK_ERRORS: Readonly<Record<number, readonly [ProblemCode, string]>> = {
  400: ['malformed-body', 'The body is no JSON, or broke off; send it again.'],
  404: ['not-found', 'There is no such file.'],
  413: ['body-too-large', 'The body is larger than 16 kB; shorten the note.'],
  415: ['unsupported-media-type', 'Send application/json, and name it in Content-Type.'],
}

export function sendProblem (error: Failure, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error)
  return answerProblem(request, reply, problem, {
    type: `/docs/errors#${problem.code}`,
    retryAfter: PROBLEMS[problem.code].retryable ? RETRY_AFTER_SECONDS : undefined,
  })
}

function toProblem (error: Failure): Problem {
  if (error instanceof Problem && error.status !== 500) return error
  const known = error instanceof Problem ? undefined : FRAMEWORK_ERRORS[error.statusCode ?? 500]
  if (known !== undefined) return new Problem(...known, { cause: error })
  return new Problem(
    'internal-error',
    'The dashboard failed on this request; its log tells why, under the request id.',
    { cause: error }
  )
}

/** @throws Problem invalid-request, naming each member that is wrong */
export function checked<T> (schema: z.ZodType<T>, part: unknown, base: string): T {
  const result = schema.safeParse(part)
  if (result.success) return result.data
  const items = result.error.issues.slice(0, 10).map(({ path, message }) => ({
    pointer: pointer(base, ...path),
    detail: message,
  }))
  throw new Problem('invalid-request', `${items.map((item) => `${item.pointer}: ${item.detail}`).join('; ')}.`, {
    items,
  })
}
