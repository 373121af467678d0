// GET /docs: the API of the collector as OpenAPI 3.1, from the schema of an observation.
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { z } from 'zod'
import { PROBLEMS, type ProblemCode } from '../../../core/errors.ts'
import { RawObservationSchema } from '../../messages/messages.ts'

const first = {
  series: 'T03',
  time: '2026-01-31T13:50:00Z',
  values: { wind_speed_ms: 8.4, power_kw: 1210, gearbox_oil_temp_c: null },
}
const second = { ...first, time: '2026-01-31T14:00:00Z' }
const withoutSeries = ({ series, ...rest }: typeof first): Omit<typeof first, 'series'> => rest

const CODES: readonly ProblemCode[] = [
  'malformed-body',
  'unauthorized',
  'body-too-large',
  'unsupported-media-type',
  'invalid-request',
  'invalid-table',
  'invalid-timestamp',
  'invalid-value',
  'stream-saturated',
  'log-unavailable',
]

/** Examples of request bodies. */
export const EXAMPLES = {
  'application/json': {
    one: { summary: 'One observation', value: first },
    several: { summary: 'Several, of any series', value: [first, second] },
    series: {
      summary: 'Several of one series',
      value: { series: 'T03', observations: [withoutSeries(first), withoutSeries(second)] },
    },
  },
  'application/x-ndjson': {
    lines: { summary: 'One document a line', value: `${JSON.stringify(first)}\n${JSON.stringify(second)}\n` },
  },
  'text/csv': {
    table: {
      summary: 'A table',
      value:
        'series,timestamp,wind_speed_ms,power_kw\nT03,2026-01-31T13:50:00Z,8.4,1210\nT03,2026-01-31T14:00:00Z,8.1,\n',
    },
  },
} as const

const { $schema, ...observation } = z.toJSONSchema(RawObservationSchema, { target: 'draft-2020-12', io: 'input' })
const { series: _, ...members } = observation.properties!
const jsonBody = {
  anyOf: [
    observation,
    { type: 'array', items: observation, minItems: 1 },
    {
      type: 'object',
      properties: {
        series: observation.properties!['series'],
        observations: {
          type: 'array',
          minItems: 1,
          items: { type: 'object', properties: members, required: ['time', 'values'] },
        },
      },
      required: ['observations'],
    },
  ],
}

const problem = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    requestId: { type: 'string' },
    errors: { type: 'array', items: { type: 'object' } },
  },
}

function problemResponses (): Record<number, object> {
  const byStatus: Record<number, { description: string, content: object }> = {}
  for (const code of CODES) {
    const { status, title } = PROBLEMS[code]
    byStatus[status] = {
      description: [byStatus[status]?.description, `${code}: ${title}.`].filter(Boolean).join(' '),
      content: { 'application/problem+json': { schema: problem } },
    }
  }
  return byStatus
}

const content = (schema: object, examples: object): object => ({ schema: { ...schema, 'x-examples': examples } })

export const COLLECT_DOCUMENT = {
  operationId: 'collect',
  summary: 'Send observations',
  description:
    'The answer comes once the observations are stored safely: acknowledged observations are never lost. ' +
    'One wrong observation refuses the whole request. An observation that is sent twice counts once. ' +
    'Bodies may be compressed by gzip.',
  tags: ['observations'],
  security: [{}, { bearer: [] }, { apiKey: [] }],
  querystring: {
    type: 'object',
    properties: { series: { type: 'string', description: 'The series of a table that has no such column.' } },
  },
  body: {
    content: {
      'application/json': content(jsonBody, EXAMPLES['application/json']),
      'application/x-ndjson': content({ type: 'string' }, EXAMPLES['application/x-ndjson']),
      'text/csv': content({ type: 'string' }, EXAMPLES['text/csv']),
    },
  },
  response: {
    202: {
      description: 'All observations are stored.',
      content: {
        'application/json': {
          schema: { type: 'object', properties: { accepted: { type: 'integer' } }, required: ['accepted'] },
        },
      },
    },
    ...problemResponses(),
  },
} as FastifySchema

/** Call it before you add the routes that it describes. */
export async function addDocs (app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Collector of observations',
        version: '1',
        description: 'Takes observations of time series into the stream.',
        license: { name: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        },
      },
    },
  })
  await app.register(swaggerUi, { routePrefix: '/docs' })
}
