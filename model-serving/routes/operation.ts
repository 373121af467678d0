// GET /status, /livez, /readyz and /metrics: for people, engines, load balancers and Prometheus.
import type { FastifyInstance } from 'fastify'
import type { Config } from '../settings/config.ts'
import type { ModelLifecycle } from '../models/model-lifecycle.ts'
import type { ServedModels } from '../packages/served-models.ts'
import type { RouteDocument } from '../plugins/openapi.ts'
import { type Metrics, METRICS_TYPE } from '../metrics/metrics.ts'
import type { Work } from '../metrics/work-metrics.ts'
import { serviceVersion } from '../settings/project.ts'
import type { EngineState } from '../engine/link.ts'
import { ANSWER_EXAMPLES } from '../openapi/answer-examples.ts'
import { problemResponses } from '../schemas/problem.ts'
import { LiveSchema, MetricsSchema, ReadySchema, type Status, StatusSchema } from '../schemas/status.ts'
import type { TaskIntake } from '../tasks/task-intake.ts'

interface OperationParts {
  readonly intake: TaskIntake | undefined
  engines (): readonly EngineState[]
  readonly metrics: Metrics
  readonly lifecycle: ModelLifecycle | undefined
  /** Counted in addition to the models. */
  readonly work: Work
}

const statusDocument = {
  operationId: 'getStatus',
  summary: 'Get the status of the service',
  description: 'Answers 200 while the service runs, even before its models are loaded.',
  tags: ['operation'],
  response: {
    200: {
      description: 'The service and its models',
      content: { 'application/json': { schema: StatusSchema, examples: ANSWER_EXAMPLES.status } },
    },
    ...problemResponses('/status', ['unsupported-media-type', 'internal-error']),
  },
} satisfies RouteDocument

const liveDocument = {
  operationId: 'getLiveness',
  summary: 'Check whether the process is alive',
  tags: ['operation'],
  response: {
    200: {
      description: 'The process is alive',
      content: { 'application/json': { schema: LiveSchema, examples: ANSWER_EXAMPLES.live } },
    },
    ...problemResponses('/livez', ['unsupported-media-type', 'internal-error']),
  },
} satisfies RouteDocument

const metricsDocument = {
  operationId: 'getMetrics',
  summary: 'Get the metrics of the service and its models',
  tags: ['operation'],
  response: {
    200: {
      description: 'Metrics in Prometheus\' text format',
      content: { 'text/plain': { schema: MetricsSchema, examples: ANSWER_EXAMPLES.metrics } },
    },
    ...problemResponses('/metrics', ['unsupported-media-type', 'internal-error']),
  },
} satisfies RouteDocument

const readyDocument = {
  operationId: 'getReadiness',
  summary: 'Check whether the service is ready',
  description: 'Answers 200 once every model is loaded and has reproduced its golden scores, and 503 until then.',
  tags: ['operation'],
  response: {
    200: {
      description: 'The service is ready to score series',
      content: { 'application/json': { schema: ReadySchema, examples: ANSWER_EXAMPLES.ready } },
    },
    ...problemResponses('/readyz', ['unsupported-media-type', 'internal-error', 'not-ready']),
  },
} satisfies RouteDocument

export function addOperation (
  app: FastifyInstance,
  models: ServedModels,
  config: Config,
  { metrics, intake, engines, lifecycle, work }: OperationParts
): void {
  app.get(
    '/status',
    { schema: statusDocument },
    async () => ({
      ...statusOf(models, config),
      registry: registryState(lifecycle),
      shadows: lifecycle?.tally.list() ?? [],
      tasks: intake?.tasks.describe() ?? null,
      engines: engines(),
    })
  )
  app.get('/livez', { schema: liveDocument }, async () => ({ live: true }))
  app.get('/readyz', { schema: readyDocument }, async () => {
    models.list()
    return { ready: true }
  })
  metrics.include(work)
  app.get('/metrics', { schema: metricsDocument }, async (_, reply) => {
    return reply.type(METRICS_TYPE).serializer((text: string) => text).send(await metrics.text())
  })
}

function registryState (lifecycle: ModelLifecycle | undefined): Status['registry'] {
  if (lifecycle === undefined) return null
  return {
    sources: lifecycle.follower.locations,
    problem: lifecycle.follower.problem ?? null,
    refused: lifecycle.follower.refusals.map(({ name, version, digest, code, reason, at }) => ({
      name,
      version,
      digest,
      code,
      reason,
      at,
    })),
  }
}

function statusOf (models: ServedModels, config: Config): Omit<Status, 'tasks' | 'engines' | 'registry' | 'shadows'> {
  const {
    maxBodyBytes,
    maxValues,
    adHocMaxValues,
    computeWorkers,
    computeQueue,
    computeTimeoutMs,
    computeMaxMemoryMb,
  } = config
  return {
    status: models.ready ? 'ready' : 'loading',
    version: serviceVersion,
    uptimeSeconds: Math.floor(process.uptime()),
    backend: models.backend === undefined ? null : { name: models.backend.name, tfjs: models.backend.version },
    models: models.ready
      ? models.list().flatMap(({ name, live }) =>
        live === undefined
          ? []
          : [{ name, version: live.version, digest: live.digest, goldenDifference: live.goldenDifference }]
      )
      : [],
    limits: {
      maxBodyBytes,
      maxValues,
      adHocMaxValues,
      computeWorkers,
      computeQueue,
      computeTimeoutMs,
      computeMaxMemoryMb,
    },
  }
}
