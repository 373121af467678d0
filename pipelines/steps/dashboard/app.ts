// The live dashboard as part of a Fastify app: the page and its files, its data, and a socket for live messages.
import fastifyWebsocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import { sentKey } from '../../../adapters/http/api-keys.ts'
import { Problem } from '../../../core/errors.ts'
import { Broadcast, type BroadcastLimits } from './broadcast.ts'
import { addPageFiles } from './page-files.ts'
import { sendProblem } from './problems.ts'
import { addRoutes, MAX_BODY_BYTES, type RouteDependencies } from './routes.ts'
import { type Admits, openSocket } from './socket.ts'

export interface DashboardDependencies extends Omit<RouteDependencies, 'now' | 'links'> {
  /** Path of the page, for example `/`. Everything else is below /live/. */
  readonly page: string
  /** Other pages that the page links to. Default: none. */
  readonly links?: RouteDependencies['links']
  /**
   * Whether a caller with this key, or without one, may read and annotate. Default: everybody may. The page and its
   * files hold no data and are public.
   */
  readonly admits?: Admits
  readonly limits?: Partial<BroadcastLimits>
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** Bytes of a message from a browser: such messages are small. */
const MAX_PAYLOAD = 4096

/** Call it before the app listens. Everything that it opens ends with the app. */
export async function addDashboard (
  app: FastifyInstance,
  { page, links = [], admits = () => true, limits, now = Date.now, ...routes }: DashboardDependencies
): Promise<{ readonly broadcast: Broadcast }> {
  const broadcast = new Broadcast(routes.live, limits)
  // Registered on the app itself, so that an upgrade of any other route gets an answer and its connection ends.
  await app.register(fastifyWebsocket, {
    options: { maxPayload: MAX_PAYLOAD, perMessageDeflate: false },
    preClose: (done) => { broadcast.close().then(() => { done() }, done) },
    errorHandler: (_error, socket) => { socket.terminate() },
  })
  await app.register(async (files) => addPageFiles(files, page))
  await app.register(async (scope) => {
    scope.setErrorHandler<Error>((error, request, reply) => sendProblem(error, request, reply))
    scope.setValidatorCompiler(() => (value) => ({ value }))
    scope.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      'application/json',
      { parseAs: 'string', bodyLimit: MAX_BODY_BYTES },
      scope.getDefaultJsonParser('error', 'error')
    )
    scope.get('/live/socket', { websocket: true }, (socket, request) => {
      openSocket(socket, request, broadcast, admits)
    })
    await scope.register(async (data) => {
      data.addHook('onRequest', async (request) => {
        if (!admits(sentKey(request.headers))) {
          throw new Problem('unauthorized', 'This route needs an API key; send one as "Authorization: Bearer KEY".')
        }
      })
      data.addHook('onSend', async (_, reply) => { reply.header('cache-control', 'no-store') })
      addRoutes(data, { ...routes, links, now })
    })
  })
  return { broadcast }
}
