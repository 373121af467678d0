// Builds the service; never listens and never reads the environment.
import accepts from '@fastify/accepts'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
} from 'fastify'
import { traceRequests } from '../adapters/telemetry/requests.ts'
import type { Tracer } from '../adapters/telemetry/spans.ts'
import { AnswerCounts } from './workers/answer-counts.ts'
import type { Config } from './settings/config.ts'
import { Metrics } from './metrics/metrics.ts'
import { ShadowTally } from './models/shadow-tally.ts'
import type { ModelLifecycle } from './models/model-lifecycle.ts'
import type { ServedModels } from './packages/served-models.ts'
import { RequestTimes } from './metrics/request-times.ts'
import { addAccess } from './plugins/access.ts'
import { addBodies } from './plugins/bodies.ts'
import { refuseConnection } from './plugins/client-errors.ts'
import { addCors } from './plugins/cors.ts'
import { addErrors, ANSWERS, toProblem } from './plugins/errors.ts'
import { addIdempotency } from './plugins/idempotency.ts'
import { addHeaders, requestIds, setHeaders } from './plugins/headers.ts'
import { watchMethods } from './plugins/methods.ts'
import { addOpenApi } from './plugins/openapi.ts'
import { addValidation } from './plugins/validation.ts'
import { addCompute } from './routes/compute.ts'
import { addFeedback } from './routes/feedback.ts'
import { addJobs } from './routes/jobs.ts'
import { addModels } from './routes/models.ts'
import { addOperation } from './routes/operation.ts'
import { addPages } from './routes/pages.ts'
import { addRegistry } from './routes/registry.ts'
import { addTasks } from './routes/tasks.ts'
import type { EngineState } from './engine/link.ts'
import type { TaskIntake } from './tasks/task-intake.ts'
import type { Scorer } from './workers/scorer.ts'

export interface AppDependencies {
  readonly config: Config
  /** May still be empty: the service answers 503 until it is opened. */
  readonly models: ServedModels
  /** Answers POST /compute; closed with the app. */
  readonly scorer: Scorer
  /** Fastify's logger setting: pino options, or false. */
  readonly logger: FastifyServerOptions['logger']
  /** Default: nothing is traced. */
  readonly tracer?: Tracer | undefined
  /** Opens what loads and unloads models; closed with the app. Default: the served models stay. */
  readonly openLifecycle?: ((log: FastifyBaseLogger) => ModelLifecycle) | undefined
  /** Default: new counters of these models. */
  readonly metrics?: Metrics | undefined
  /** Opens what takes tasks of engines. Default: the service takes none. */
  readonly openIntake?: ((log: FastifyBaseLogger) => TaskIntake) | undefined
  /** Routes that an embedding program adds. */
  readonly extension?: Extension | undefined
  /** For GET /status. */
  readonly engines?: () => readonly EngineState[]
}

/** Routes of an embedding program. They share the headers, errors and access control of the service. */
export interface Extension {
  /** Whether it has a page at `/`. The page of the service is then at `/score` only. */
  readonly home: boolean
  add (app: FastifyInstance, tracer: Tracer | undefined): Promise<void>
}

export async function buildApp (dependencies: AppDependencies): Promise<FastifyInstance> {
  const { config, models, scorer, tracer, openLifecycle, openIntake, extension } = dependencies
  const { metrics = new Metrics(models, new ShadowTally()), engines = () => [] } = dependencies
  const app = createServer(dependencies)
  traceRequests(app, tracer)
  const answers = new AnswerCounts()
  const requests = new RequestTimes()
  requests.watch(app)
  await addPlugins(app, config)
  const refuseOtherMethods = watchMethods(app)
  const intake = openIntake?.(app.log)
  const lifecycle = openLifecycle?.(app.log)
  const idempotent = addIdempotency(app)
  addCompute(app, { models, scorer, answers, intake })
  addTasks(app, intake)
  addModels(app, models)
  addRegistry(app, scorer, lifecycle, idempotent)
  addJobs(app, lifecycle)
  addFeedback(app, lifecycle, idempotent)
  addOperation(app, models, config, {
    metrics,
    intake,
    engines,
    lifecycle,
    work: { answers, requests, scorer, tasks: intake?.tasks },
  })
  await addPages(app, { home: extension?.home !== true })
  if (extension !== undefined) await app.register(async (scope) => extension.add(scope, tracer))
  refuseOtherMethods()
  // Fastify calls it after the last answer.
  app.addHook('onClose', async () => {
    await lifecycle?.close()
    await scorer.close()
  })
  return app
}

function createServer ({ config, logger }: AppDependencies): FastifyInstance {
  const makeId = requestIds()
  const app: FastifyInstance = Fastify({
    logger: logger ?? false,
    // The service logs one line per scored series and per refusal instead (routes/compute.ts, plugins/errors.ts).
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.maxBodyBytes,
    trustProxy: config.access.trustedProxies.length > 0 && [...config.access.trustedProxies],
    genReqId: makeId,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    // The router raises these errors before any hook runs.
    frameworkErrors: (error, request, reply) => {
      setHeaders(request, reply)
      ANSWERS.send(request, reply, toProblem(error, config.maxBodyBytes))
    },
    clientErrorHandler: (error, socket) => { refuseConnection(app.log, makeId({ headers: {} }), error, socket) },
  })
  return app
}

/** In this order: each plugin applies to the routes and hooks that are added after it. */
async function addPlugins (app: FastifyInstance, config: Config): Promise<void> {
  addErrors(app, config)
  addValidation(app)
  addHeaders(app)
  await addCors(app, config)
  await addAccess(app, config)
  await app.register(accepts)
  await addBodies(app)
  await addOpenApi(app, config)
}
