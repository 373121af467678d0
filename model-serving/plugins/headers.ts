// Headers that every answer carries: request id, and what a browser may do with the page and the answers.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PROTECTIVE_HEADERS } from '../../adapters/http/protective-headers.ts'

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
  reply.headers(headersOf(request.id))
}

export const headersOf = (requestId: string): Record<string, string> => ({
  'x-request-id': requestId,
  ...PROTECTIVE_HEADERS,
})
