// Headers that every answer carries: request id, and what a browser may do with the page. No CORS: other sites get nothing.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Scripts, data and images of this origin alone; inline styles for Swagger UI, data: and blob: images for charts. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** A caller's own request id is taken over where it is harmless in logs and headers. */
const HARMLESS_ID = /^[\w.:-]{1,64}$/

/** Makes request ids: the caller's own, else a counter. */
export function requestIds (): (request: { headers: Record<string, string | string[] | undefined> }) => string {
  let count = 0
  return ({ headers }) => {
    const own = headers['x-request-id']
    return typeof own === 'string' && HARMLESS_ID.test(own) ? own : `req-${(++count).toString(36)}`
  }
}

export function addHeaders (app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => { setHeaders(request, reply) })
  // An answer that is given while the service stops ends its connection, or the stop would wait for the caller to.
  let stopping = false
  app.addHook('preClose', async () => { stopping = true })
  app.addHook('onSend', async (_, reply) => { if (stopping) reply.header('connection', 'close') })
}

/** For answers that are given before any hook has run. */
export function setHeaders (request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(protectiveHeaders(request.id))
}

export function protectiveHeaders (requestId: string): Record<string, string> {
  return {
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': CONTENT_SECURITY_POLICY,
  }
}
