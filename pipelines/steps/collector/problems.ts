// Every failure of the collector as application/problem+json (RFC 9457): a 4xx tells, a 5xx hides, and what may succeed
// later says when.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem, type ProblemCode } from '../../../core/errors.ts'
import type { StepMetrics } from '../../runtime/metrics.ts'
import { answerProblem } from '../../runtime/problem-answer.ts'
import { MEDIA_TYPES } from './read-observations.ts'

/** Seconds after which what waits will be less, or a broker be back. */
const RETRY_AFTER: Partial<Record<ProblemCode, number>> = { 'stream-saturated': 1, 'log-unavailable': 2 }

/** What Fastify raises → our code and remedy. */
const FRAMEWORK_ERRORS: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported-media-type',
    `Send ${MEDIA_TYPES.join(', ')}, and name it in Content-Type.`,
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'malformed-body',
    'The body is not as long as Content-Length says; it was cut off on the way.',
  ],
  FST_ERR_CTP_EMPTY_TYPE: [
    'unsupported-media-type',
    `Name the type of the body in Content-Type: ${MEDIA_TYPES.join(', ')}.`,
  ],
}

/** Answers the problem, and counts it. */
export function sendProblem (
  error: Error & { code?: string, statusCode?: number },
  request: FastifyRequest,
  reply: FastifyReply,
  metrics: StepMetrics,
  maxBodyBytes: number
): FastifyReply {
  const problem = toProblem(error, maxBodyBytes)
  metrics.rejected(problem.code)
  return answerProblem(request, reply, problem, {
    type: `urn:problem:${problem.code}`,
    retryAfter: RETRY_AFTER[problem.code],
    more: problem.extensions,
  })
}

function toProblem (error: Error & { code?: string, statusCode?: number }, maxBodyBytes: number): Problem {
  if (error instanceof Problem) return error
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new Problem(
      'body-too-large',
      `The body is larger than ${maxBodyBytes} bytes; send the observations in parts.`,
      { extensions: { limit: maxBodyBytes }, cause: error }
    )
  }
  const known = FRAMEWORK_ERRORS[error.code ?? '']
  if (known !== undefined) return new Problem(...known, { cause: error })
  if (error.statusCode === 400) {
    return new Problem('malformed-body', 'The request broke off or cannot be read; send it again.', { cause: error })
  }
  return new Problem(
    'internal-error',
    'The collector failed on this request; its log tells why, under the request id.',
    { cause: error }
  )
}
