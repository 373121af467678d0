// What a browser may do with the pages and the answers of a program.
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import Fastify, { type FastifyInstance } from 'fastify'

const PROTECTION: FastifyHelmetOptions = {
  // Scripts, data and images of this origin alone; inline styles for Swagger UI and charts, data: and blob: images for
  // charts.
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
  // The programs speak HTTP: only what encrypts in front of them can promise to go on doing so.
  strictTransportSecurity: false,
}

/**
 * The headers that helmet sets. An app of its own asks helmet once (3 ms): as a plugin, helmet leaves out answers that
 * are given before any hook has run, or before there is a request.
 */
export const PROTECTIVE_HEADERS = await askHelmet()

async function askHelmet (): Promise<Readonly<Record<string, string>>> {
  const app = Fastify()
  await app.register(helmet, PROTECTION)
  app.get('/', (_, reply) => reply.send(reply.raw.getHeaders()))
  const answer = await app.inject('/')
  await app.close()
  return answer.json()
}

/** Sets them on every answer of the app. */
export function addProtectiveHeaders (app: FastifyInstance): void {
  app.addHook('onRequest', async (_, reply) => { reply.headers(PROTECTIVE_HEADERS) })
}
