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
  /** Makes what brings models here and takes them away; closed with the app. Default: what is served stays. */
  readonly openLifecycle?: ((log: FastifyBaseLogger) => ModelLifecycle) | undefined
  /** Default: counts from now on, for these models. */
  readonly metrics?: Metrics | undefined
  /** Takes tasks of engines; default: none are taken. */
  readonly openIntake?: ((log: FastifyBaseLogger) => TaskIntake) | undefined
  /** What a program that embeds the service adds to it. */
  readonly extension?: Extension | undefined
  /** For GET /status. */
  readonly engines?: () => readonly EngineState[]
}

/** Routes beside those of the service, with its headers, errors and access. */
export interface Extension {
  /** It has a page at `/`: the service's own is at `/score`. */
  readonly home: boolean
  add (app: FastifyInstance, tracer: Tracer | undefined): Promise<void>
}

export async function buildApp (
  {
    config,
    models,
    scorer,
    logger,
    tracer,
    openLifecycle,
    openIntake,
    extension,
    metrics = new Metrics(models, new ShadowTally()),
    engines = () => [],
  }: AppDependencies
): Promise<FastifyInstance> {
  const makeId = requestIds()
  const app = Fastify({
    logger: logger ?? false,
    // One line for each scored series and each refusal (routes/compute.ts, plugins/errors.ts) tells more in fewer
    // lines.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.maxBodyBytes,
    trustProxy: config.access.trustedProxies.length > 0 && [...config.access.trustedProxies],
    genReqId: makeId,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    // Raised by the router, before any hook of ours.
    frameworkErrors: (error, request, reply) => {
      setHeaders(request, reply)
      ANSWERS.send(request, reply, toProblem(error, config.maxBodyBytes))
    },
    clientErrorHandler: (error, socket) => { refuseConnection(app.log, makeId({ headers: {} }), error, socket) },
  })
  traceRequests(app, tracer)
  const answers = new AnswerCounts()
  const requests = new RequestTimes()
  requests.watch(app)
  addErrors(app, config)
  addValidation(app)
  addHeaders(app)
  await addCors(app, config)
  await addAccess(app, config)
  await app.register(accepts)
  await addBodies(app)
  await addOpenApi(app, config)
  const refuseOtherMethods = watchMethods(app)
  const intake = openIntake?.(app.log)
  const lifecycle = openLifecycle?.(app.log)
  const idempotent = addIdempotency(app)
  addCompute(app, models, scorer, answers, intake)
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
  if (extension !== undefined) await app.register(async (own) => extension.add(own, tracer))
  refuseOtherMethods()
  // Called when the last answer is out.
  app.addHook('onClose', async () => {
    await lifecycle?.close()
    await scorer.close()
  })
  return app
}
