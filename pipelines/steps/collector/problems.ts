// How the collector answers failures, and counts them.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Failure, ProblemAnswers, toProblem, type Translations } from '../../../adapters/http/problem-answers.ts'
import type { ProblemCode } from '../../../core/errors.ts'
import type { StepMetrics } from '../../runtime/metrics.ts'
import { MEDIA_TYPES } from './read-observations.ts'

/** Seconds after which fewer observations wait, or a broker is back. */
const RETRY_AFTER: Partial<Record<ProblemCode, number>> = { 'stream-saturated': 1, 'log-unavailable': 2 }

const PROGRAM = 'collector'

const ANSWERS = new ProblemAnswers({
  program: PROGRAM,
  typeOf: (code) => `urn:problem:${code}`,
  retryAfterOf: (code) => RETRY_AFTER[code],
  hasInstance: false,
  logsUnavailable: true,
})

const TRANSLATIONS: Translations = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported-media-type',
    `Send ${MEDIA_TYPES.join(', ')}, and name it in Content-Type.`,
  ],
  FST_ERR_CTP_EMPTY_TYPE: [
    'unsupported-media-type',
    `Name the type of the body in Content-Type: ${MEDIA_TYPES.join(', ')}.`,
  ],
}

/** What an error handler needs besides the failure. */
export interface Handling {
  readonly metrics: StepMetrics
  readonly maxBodyBytes: number
}

/** Answers the problem, and counts it. */
export function sendProblem (
  error: Failure,
  request: FastifyRequest,
  reply: FastifyReply,
  { metrics, maxBodyBytes }: Handling
): FastifyReply {
  const problem = toProblem(error, PROGRAM, {
    ...TRANSLATIONS,
    FST_ERR_CTP_BODY_TOO_LARGE: [
      'body-too-large',
      `The body is larger than ${maxBodyBytes} bytes; send the observations in parts.`,
      { limit: maxBodyBytes },
    ],
  })
  metrics.rejected(problem.code)
  return ANSWERS.send(request, reply, problem)
}
