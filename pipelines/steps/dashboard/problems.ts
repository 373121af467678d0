// How the dashboard answers failures, and what a request says against its schema.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { type Failure, ProblemAnswers, toProblem, type Translations } from '../../../adapters/http/problem-answers.ts'
import { pointer, Problem, PROBLEMS } from '../../../core/errors.ts'
import { explainFault } from '../../../adapters/settings/schema-faults.ts'

const RETRY_AFTER_SECONDS = 2

const PROGRAM = 'dashboard'

const ANSWERS = new ProblemAnswers({
  program: PROGRAM,
  typeOf: (code) => `/docs/errors#${code}`,
  retryAfterOf: (code) => PROBLEMS[code].retryable ? RETRY_AFTER_SECONDS : undefined,
  hasInstance: false,
  logsUnavailable: true,
})

const TRANSLATIONS: Translations = {
  400: ['malformed-body', 'The body is no JSON, or broke off; send it again.'],
  404: ['not-found', 'There is no such file.'],
  413: ['body-too-large', 'The body is larger than 16 kB; shorten the note.'],
  415: ['unsupported-media-type', 'Send application/json, and name it in Content-Type.'],
}

export const sendProblem = (error: Failure, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
  ANSWERS.send(request, reply, toProblem(error, PROGRAM, TRANSLATIONS))

/** @throws Problem invalid-request, naming each member that is wrong */
export function checked<T> (schema: z.ZodType<T>, part: unknown, base: string): T {
  const result = schema.safeParse(part, { error: explainFault })
  if (result.success) return result.data
  const items = result.error.issues.slice(0, 10).map(({ path, message }) => ({
    pointer: pointer(base, ...path),
    detail: message,
  }))
  throw new Problem('invalid-request', `${items.map((item) => `${item.pointer}: ${item.detail}`).join('; ')}.`, {
    items,
  })
}
