// CORS: browsers may call the service from pages of CORS_ORIGINS, and from no other origin.
import cors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../settings/config.ts'

/** Pages send keys in headers, without cookies or other credentials of the browser. That makes `*` harmless. */
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
  // An OPTIONS request that is not a preflight goes to its route, or gets 405.
  strictPreflight: false,
}

/**
 * Add it before plugins that refuse requests: a page can read a refusal only if it has these headers, and a preflight
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
  // A delegator, because the options depend on the request. The routes declare their methods (plugins/methods.ts).
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
