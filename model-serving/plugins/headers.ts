// Headers of every answer: the request id, and the restrictions for browsers.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PROTECTIVE_HEADERS } from '../../adapters/http/protective-headers.ts'

/** The caller's request id is used if it is harmless in logs and headers. */
const HARMLESS_ID = /^[\w.:-]{1,64}$/

/** Makes request ids: the caller's id, else a counter. */
export function requestIds (): (request: { headers: Record<string, string | string[] | undefined> }) => string {
  let count = 0
  return ({ headers }) => {
    const own = headers['x-request-id']
    return typeof own === 'string' && HARMLESS_ID.test(own) ? own : `req-${(++count).toString(36)}`
  }
}

export function addHeaders (app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => { setHeaders(request, reply) })
  // While the service stops, every answer closes its connection. Otherwise the stop would wait for the caller.
  let stopping = false
  app.addHook('preClose', async () => { stopping = true })
  app.addHook('onSend', async (_, reply) => { if (stopping) reply.header('connection', 'close') })
}

/** Sets the headers of answers before any hook has run. */
export function setHeaders (request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(headersOf(request.id))
}

export const headersOf = (requestId: string): Record<string, string> => ({
  'x-request-id': requestId,
  ...PROTECTIVE_HEADERS,
})
