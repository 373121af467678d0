// What pages of other origins may do from a browser: nothing, but for the origins of the setting CORS_ORIGINS.
import cors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../settings/config.ts'

/**
 * Keys travel in headers that a page sets itself, so no cookies and no credentials of the browser's: `*` stays
 * harmless.
 */
const OPTIONS: FastifyCorsOptions = {
  credentials: false,
  allowedHeaders: [
    'authorization',
    'x-api-key',
    'ocp-apim-subscription-key',
    'content-type',
    'content-encoding',
    'accept',
    'idempotency-key',
    'x-request-id',
  ],
  exposedHeaders: ['x-request-id', 'retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
  maxAge: 600,
  // What is no preflight is no fault of CORS: it goes on to the route, or to its 405.
  strictPreflight: false,
}

/**
 * Comes before what may refuse a request: a page may only read a refusal that carries these headers, and a preflight
 * has no key.
 */
export async function addCors (
  app: FastifyInstance,
  { access: { corsOrigins } }: Pick<Config, 'access'>
): Promise<void> {
  if (corsOrigins.length === 0) return
  const originOf = ({ headers: { origin } }: FastifyRequest): string | false => {
    if (origin === undefined) return false
    if (corsOrigins.includes('*')) return '*'
    return corsOrigins.includes(origin) && origin
  }
  app.addHook('onRequest', async (request, reply) => {
    if (originOf(request) !== false) reply.header('cross-origin-resource-policy', 'cross-origin')
  })
  // For each request, because of others than preflights alone; the methods of a route stand with it
  // (plugins/methods.ts).
  await app.register(cors, {
    delegator: (request, done) => {
      done(null, {
        ...OPTIONS,
        origin: originOf(request),
        preflight: request.headers['access-control-request-method'] !== undefined,
      })
    },
  })
}
