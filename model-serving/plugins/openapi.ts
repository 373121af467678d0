// GET /openapi.json and /docs: OpenAPI 3.1, generated from the zod schemas with which the routes validate.
import swagger, { type SwaggerTransform } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import { z } from 'zod'
import type { Config } from '../settings/config.ts'
import { components } from '../openapi/components.ts'
import type { JsonContent } from '../schemas/content.ts'
import { ANSWER_EXAMPLES } from '../openapi/answer-examples.ts'
import { HtmlAnswerSchema } from '../schemas/media.ts'
import { type DocumentedResponse, problemResponses } from '../schemas/problem.ts'
import { serviceVersion } from '../settings/project.ts'
import { isEnforced } from '../settings/access.ts'

/** The documentation of a route, in zod schemas. Fastify validates with the same schemas. */
export interface RouteDocument extends FastifySchema {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly params?: z.ZodType
  readonly querystring?: z.ZodType
  readonly body?: { readonly content: Record<string, JsonContent> }
  readonly response: Record<number, DocumentedResponse>
}

/** Path of Swagger UI. */
export const DOCS_PATH = '/docs'

/** Documents the page that Swagger UI itself hides. */
const docsDocument = {
  operationId: 'getDocs',
  summary: 'Read and try this API',
  tags: ['documentation'],
  response: {
    200: {
      description: 'Swagger UI',
      content: { 'text/html': { schema: HtmlAnswerSchema, examples: ANSWER_EXAMPLES.html } },
    },
    ...problemResponses(DOCS_PATH, ['unsupported-media-type', 'internal-error']),
  },
} satisfies RouteDocument

/** The same key in either header; Azure's clients send it as Ocp-Apim-Subscription-Key. */
const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key of the service, one of `API_KEYS`.' },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'The same key. The service also reads it from `Ocp-Apim-Subscription-Key`.',
  },
} as const
const KEY_HEADERS = [{ bearer: [] }, { apiKey: [] }]

type JsonSchema = Record<string, unknown>

const REFERENCES = '#/components/schemas/'
const SETTINGS = { target: 'draft-2020-12', unrepresentable: 'any', reused: 'inline' } as const

export async function addOpenApi (app: FastifyInstance, { access }: Pick<Config, 'access'>): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Time-series anomaly detection',
        version: serviceVersion,
        description:
          'Scores multivariate time series with autoencoders: how unusual each observation is, what was expected, ' +
          'and which channels contribute most. A request that is not valid HTTP is refused before it reaches a ' +
          'route, with the same problem documents: `malformed-request` (400), `request-timeout` (408), ' +
          '`headers-too-large` (431).',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as { name: string },
      },
      servers: [{ url: '/', description: 'This service' }],
      security: [],
      tags: [
        { name: 'scoring', description: 'Find anomalies in a series.' },
        { name: 'models', description: 'List, publish, train and promote models.' },
        { name: 'feedback', description: 'Label anomalies, and compare thresholds with the labels.' },
        { name: 'operation', description: 'Status for people, load balancers, Prometheus and engines.' },
        { name: 'documentation', description: 'The page, and this document.' },
      ],
      components: { schemas: namedSchemas() as Record<string, object>, securitySchemes: SECURITY_SCHEMES },
    },
    transform: documentRoute(isEnforced(access)),
    convertConstToEnum: false,
  })
  await app.register(swaggerUi, {
    routePrefix: DOCS_PATH,
    uiConfig: { tryItOutEnabled: true, displayRequestDuration: true },
  })
}

function namedSchemas (): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(components, { ...SETTINGS, io: 'output', uri: (id) => `${REFERENCES}${id}` })
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutIdentity(schema as JsonSchema)]))
}

const withoutIdentity = ({ $schema, $id, id, ...schema }: JsonSchema): JsonSchema => schema

function inputSchema (schema: z.ZodType): JsonSchema {
  return withoutIdentity(z.toJSONSchema(schema, { ...SETTINGS, io: 'input' }) as JsonSchema)
}

function outputSchema (schema: z.ZodType): JsonSchema {
  const id = components.get(schema)?.id
  return id === undefined
    ? withoutIdentity(z.toJSONSchema(schema, { ...SETTINGS, io: 'output' }) as JsonSchema)
    : { $ref: `${REFERENCES}${id}` }
}

const documentRoute = (isKeyRequired: boolean): SwaggerTransform => ({ schema: own, url, route }) => {
  const schema = url === DOCS_PATH && route.method === 'GET' ? docsDocument : own
  if (schema === undefined || 'hide' in schema) return { schema: { hide: true }, url }
  const { params, querystring, body, response, ...rest } = schema as RouteDocument
  return {
    url,
    schema: {
      ...rest,
      ...(isProtected(route) && { security: isKeyRequired ? KEY_HEADERS : [{}, ...KEY_HEADERS] }),
      ...(params !== undefined && { params: inputSchema(params) }),
      // explode: false makes a list one parameter, separated by commas.
      ...(querystring !== undefined && { querystring: { ...inputSchema(querystring), style: 'form', explode: false } }),
      ...(body !== undefined && { body: { content: mapValues(body.content, requestContent) } }),
      response: mapValues(response, documentResponse),
    } as FastifySchema,
  }
}

const isProtected = ({ config }: RouteOptions): boolean => (config?.scope ?? 'none') !== 'none'

function mapValues<A, B> (record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

/** @fastify/swagger reads the examples of a request body from `x-examples`. */
const requestContent = ({ schema, examples }: JsonContent): JsonSchema => ({
  schema: { ...inputSchema(schema), ...(examples && { 'x-examples': examples }) },
})

function documentResponse ({ description, headers, content }: DocumentedResponse): JsonSchema {
  return {
    description,
    ...(headers && { headers }),
    // @fastify/swagger recognises a response without a body by this type.
    ...(Object.keys(content).length === 0 && { type: 'null' }),
    content: mapValues(
      content,
      ({ schema, examples }) => ({ schema: outputSchema(schema), ...(examples && { examples }) })
    ),
  }
}
