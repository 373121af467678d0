// Headers that every answer carries: request id, and what a browser may do with the page and the answers.
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'

const PROTECTION: FastifyHelmetOptions = {
  // Scripts, data and images of this origin alone; inline styles for Swagger UI, data: and blob: images for charts.
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      connectSrc: ["'self'"],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  frameguard: { action: 'deny' },
  // The service speaks HTTP; what encrypts in front of it promises to go on doing so, or does not.
  strictTransportSecurity: false,
}

/**
 * What helmet sets, asked of it once, in an app of its own (3 ms): as a plugin it would leave out the answers that are
 * given before any hook has run, or before there is a request (plugins/client-errors.ts), and those must carry the
 * same.
 */
const HELMET_HEADERS = await askHelmet()

async function askHelmet (): Promise<Readonly<Record<string, string>>> {
  const app = Fastify()
  await app.register(helmet, PROTECTION)
  app.get('/', (_, reply) => reply.send(reply.raw.getHeaders()))
  const answer = await app.inject('/')
  await app.close()
  return answer.json()
}

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

export const protectiveHeaders = (requestId: string): Record<string, string> => ({
  'x-request-id': requestId,
  ...HELMET_HEADERS,
})
