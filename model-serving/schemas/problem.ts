// The problem document of every route (RFC 9457), and the documentation of a route's problems.
import { z } from 'zod'
import { ALL_PROBLEMS, type AnyProblemCode } from '../../adapters/http/problem-codes.ts'
import type { JsonContent } from './content.ts'

/** Where a code is explained; relative, so it holds behind every host name. */
export const problemType = (code: AnyProblemCode): string => `/docs/errors#${code}`

export const ProblemDocumentSchema = z.looseObject({
  type: z.string().describe('Where the code is explained.').meta({ format: 'uri-reference' }),
  title: z.string().describe('Text of the code, always the same.'),
  status: z.int().min(400).max(599),
  detail: z.string().describe('What is wrong with this request, and how to fix it.'),
  instance: z.string().optional().describe('Path of the request; absent if the request could not be read.').meta({
    format: 'uri-reference',
  }),
  code: z.enum(Object.keys(ALL_PROBLEMS) as [AnyProblemCode, ...AnyProblemCode[]]).describe('Stable; branch on it.'),
  requestId: z.string().describe('Id of the request. The header x-request-id and the log of the service have it too.'),
  errors: z.array(z.strictObject({
    pointer: z.string().describe(
      'JSON pointer (RFC 6901) into the body. Pointers into other parts of the request begin with /query or /params.'
    ),
    detail: z.string(),
    got: z.unknown().optional(),
    want: z.unknown().optional(),
  })).optional().describe('Wrong places of the request, at most ten.'),
}).describe('Problem details (RFC 9457). Some codes add members, e.g. `needed`, `expected`, `limit` or `index`.')

export type ProblemDocument = z.infer<typeof ProblemDocumentSchema>

export interface DocumentedResponse {
  readonly description: string
  readonly headers?: Record<string, { description: string, type: string }>
  readonly content: Record<string, JsonContent>
}

/** Members that the code adds to its example. */
const EXTENSIONS: Partial<Record<AnyProblemCode, Record<string, unknown>>> = {
  forbidden: { scope: 'score' },
  'too-many-requests': { limit: 60 },
  'unknown-model': { models: ['wind-turbine'] },
  'unknown-version': { versions: ['1', '2'] },
  'model-required': { models: ['wind-turbine'] },
  'body-too-large': { limit: 33_554_432 },
  'unknown-channel': {
    expected: ['wind_speed_ms', 'power_kw'],
    errors: [{ pointer: '/channels/wind_speed', detail: 'not a channel of the model' }],
  },
  'missing-channel': { missing: ['power_kw'], expected: ['wind_speed_ms', 'power_kw'] },
  'series-too-short': { needed: 8, got: 3 },
  'series-too-long': { limit: 90_909, got: 100_000 },
  'timestamps-not-ascending': { index: 2, errors: [{ pointer: '/timestamps/2', detail: 'not after the one before' }] },
  'interval-mismatch': { got: 'PT1M', want: 'PT10M' },
  'invalid-value': {
    errors: [{ pointer: '/channels/power_kw/7', detail: 'not a finite number', got: 'n/a', want: 'number or null' }],
  },
}

const RETRY_AFTER = { 'Retry-After': { description: 'Seconds to wait before trying again.', type: 'integer' } }

const RATE_LIMIT = {
  'RateLimit-Limit': { description: 'Requests allowed per minute.', type: 'integer' },
  'RateLimit-Remaining': { description: 'Requests left in this minute.', type: 'integer' },
  'RateLimit-Reset': { description: 'Seconds until the minute ends.', type: 'integer' },
}

/** Headers of a status, in addition to Retry-After. */
const HEADERS: Readonly<Record<number, DocumentedResponse['headers']>> = {
  401: { 'WWW-Authenticate': { description: 'How to authenticate: Bearer.', type: 'string' } },
  405: { Allow: { description: 'Methods of the route.', type: 'string' } },
  429: RATE_LIMIT,
}

/** Responses of a route for these codes and for method-not-allowed. Each status is a response, each code an example. */
export function problemResponses (
  instance: string,
  codes: readonly AnyProblemCode[]
): Record<number, DocumentedResponse> {
  const responses: Record<number, DocumentedResponse> = {}
  for (const code of [...codes, 'method-not-allowed'] as const) {
    const { status, title, retryable } = ALL_PROBLEMS[code]
    const response = responses[status] ??= {
      description: '',
      ...((retryable || status in HEADERS) && { headers: { ...(retryable && RETRY_AFTER), ...HEADERS[status] } }),
      content: { 'application/problem+json': { schema: ProblemDocumentSchema, examples: {} } },
    }
    Object.assign(response, { description: [response.description, title].filter(Boolean).join('; ') })
    response.content['application/problem+json']!.examples![code] = { summary: title, value: exampleOf(instance, code) }
  }
  return responses
}

function exampleOf (instance: string, code: AnyProblemCode): ProblemDocument {
  const { status, title } = ALL_PROBLEMS[code]
  return {
    type: problemType(code),
    title,
    status,
    detail: `${title}.`,
    instance,
    code,
    requestId: 'req-1',
    ...EXTENSIONS[code],
  }
}
