// Builds the service; never listens and never reads the environment.
import accepts from '@fastify/accepts'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import type { Config } from './config.ts'
import type { ModelRegistry } from './models.ts'
import { addAccess } from './plugins/access.ts'
import { addBodies } from './plugins/bodies.ts'
import { refuseConnection } from './plugins/client-errors.ts'
import { addCors } from './plugins/cors.ts'
import { addErrors, sendProblem, toProblem } from './plugins/errors.ts'
import { addHeaders, requestIds, setHeaders } from './plugins/headers.ts'
import { watchMethods } from './plugins/methods.ts'
import { addOpenApi } from './plugins/openapi.ts'
import { addValidation } from './plugins/validation.ts'
import { addCompute } from './routes/compute.ts'
import { addModels } from './routes/models.ts'
import { addOperation } from './routes/operation.ts'
import { addPages } from './routes/pages.ts'
import { addTasks } from './routes/tasks.ts'
import type { EngineState } from './engine/link.ts'
import type { TaskDoor } from './tasks/door.ts'
import type { Scorer } from './workers/scorer.ts'

export interface AppDependencies {
  readonly config: Config
  /** May still be empty: the service answers 503 until it is opened. */
  readonly models: ModelRegistry
  /** Answers POST /compute; closed with the app. */
  readonly scorer: Scorer
  /** Fastify's logger setting: pino options, or false. */
  readonly logger: FastifyServerOptions['logger']
  /** Takes tasks of engines; default: none are taken. */
  readonly openDoor?: ((log: FastifyBaseLogger) => TaskDoor) | undefined
  /** For GET /status. */
  readonly engines?: () => readonly EngineState[]
}

export async function buildApp ({ config, models, scorer, logger, openDoor, engines = () => [] }: AppDependencies): Promise<FastifyInstance> {
  const makeId = requestIds()
  const app = Fastify({
    logger: logger ?? false,
    // One line for each scored series and each refusal (routes/compute.ts, plugins/errors.ts) tells more in fewer lines.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.maxBodyBytes,
    trustProxy: config.access.trustedProxies.length > 0 && [...config.access.trustedProxies],
    genReqId: makeId,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    // Raised by the router, before any hook of ours.
    frameworkErrors: (error, request, reply) => {
      setHeaders(request, reply)
      sendProblem(request, reply, toProblem(error, config.maxBodyBytes))
    },
    clientErrorHandler: (error, socket) => { refuseConnection(app.log, makeId({ headers: {} }), error, socket) },
  })
  addErrors(app, config)
  addValidation(app)
  addHeaders(app)
  await addCors(app, config)
  await addAccess(app, config)
  await app.register(accepts)
  await addBodies(app)
  await addOpenApi(app, config)
  const refuseOtherMethods = watchMethods(app)
  const door = openDoor?.(app.log)
  addCompute(app, models, scorer, door)
  addTasks(app, door)
  addModels(app, models)
  addOperation(app, models, config, { door, engines })
  await addPages(app)
  refuseOtherMethods()
  // Called when the last answer is out.
  app.addHook('onClose', async () => scorer.close())
  return app
}
