// One shape for every failure: whatever is thrown leaves as application/problem+json.
import type { FastifyInstance } from 'fastify'
import {
  type Failure,
  ProblemAnswers,
  toProblem as translated,
  type Translations,
} from '../../adapters/http/problem-answers.ts'
import { Problem, PROBLEMS } from '../../core/errors.ts'
import { problemType } from '../schemas/problem.ts'

const RETRY_AFTER_SECONDS = 5

/** Characters of a path in a sentence. */
const MAX_PATH = 100

const PROGRAM = 'service'

export const ANSWERS = new ProblemAnswers({
  program: PROGRAM,
  typeOf: problemType,
  retryAfterOf: (code) => PROBLEMS[code].retryable ? RETRY_AFTER_SECONDS : undefined,
  hasInstance: true,
  logsUnavailable: false,
})

const TRANSLATIONS: Translations = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported-media-type',
    'Send application/json, text/csv or multipart/form-data, and name it in Content-Type.',
  ],
  FST_CP_ERR_INVALID_CONTENT_ENCODING: [
    'unsupported-media-type',
    'Content-Encoding must be gzip, br, deflate or identity.',
  ],
  FST_CP_ERR_INVALID_CONTENT: [
    'malformed-body',
    'The body cannot be decompressed as its Content-Encoding says; send it again, or uncompressed.',
  ],
  FST_ERR_BAD_URL: ['not-found', 'The path cannot be decoded; percent-encode it as UTF-8.'],
  FST_ERR_MAX_PARAM_LENGTH: ['not-found', 'The path is longer than any route of the service.'],
  // Static files: a file that may not be read does not exist.
  403: ['not-found', 'There is no such file.'],
  404: ['not-found', 'There is no such file.'],
}

/** Makes every failure of the app a problem document. */
export function addErrors (app: FastifyInstance, limits: { readonly maxBodyBytes: number }): void {
  app.setErrorHandler<Failure>((error, request, reply) =>
    ANSWERS.send(request, reply, toProblem(error, limits.maxBodyBytes))
  )
  app.setNotFoundHandler(({ method, url }) => {
    const path = url.split('?', 1)[0]!.slice(0, MAX_PATH)
    throw new Problem('not-found', `There is no ${method} ${path}; GET /openapi.json lists the routes.`)
  })
}

/** The problem that a failure amounts to. */
export function toProblem (error: Failure, maxBodyBytes: number): Problem {
  return translated(error, PROGRAM, {
    ...TRANSLATIONS,
    FST_ERR_CTP_BODY_TOO_LARGE: [
      'body-too-large',
      `The body is larger than ${maxBodyBytes} bytes after decompression; send the series in parts.`,
      { limit: maxBodyBytes },
    ],
  })
}
