// GET /status, /livez and /readyz: for people, engines and load balancers.
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'
import type { ModelRegistry } from '../models.ts'
import type { RouteDocument } from '../plugins/openapi.ts'
import { serviceVersion } from '../project.ts'
import type { EngineState } from '../engine/link.ts'
import { ANSWER_EXAMPLES } from '../schemas/answer-examples.ts'
import { problemResponses } from '../schemas/problem.ts'
import { LiveSchema, ReadySchema, type Status, StatusSchema } from '../schemas/status.ts'
import type { TaskDoor } from '../tasks/door.ts'

export interface EngineSide {
  readonly door: TaskDoor | undefined
  engines (): readonly EngineState[]
}

const statusDocument = {
  operationId: 'getStatus',
  summary: 'Tell what runs here',
  description: 'Always 200 while the service runs, also before its models are loaded.',
  tags: ['operation'],
  response: {
    200: { description: 'The service and its models', content: { 'application/json': { schema: StatusSchema, examples: ANSWER_EXAMPLES.status } } },
    ...problemResponses('/status', ['unsupported-media-type', 'internal-error']),
  },
} satisfies RouteDocument

const liveDocument = {
  operationId: 'getLiveness',
  summary: 'Tell whether the process answers',
  tags: ['operation'],
  response: {
    200: { description: 'It does', content: { 'application/json': { schema: LiveSchema, examples: ANSWER_EXAMPLES.live } } },
    ...problemResponses('/livez', ['unsupported-media-type', 'internal-error']),
  },
} satisfies RouteDocument

const readyDocument = {
  operationId: 'getReadiness',
  summary: 'Tell whether series can be scored',
  description: 'True only once every model is loaded and has reproduced its golden scores.',
  tags: ['operation'],
  response: {
    200: { description: 'They can', content: { 'application/json': { schema: ReadySchema, examples: ANSWER_EXAMPLES.ready } } },
    ...problemResponses('/readyz', ['unsupported-media-type', 'internal-error', 'not-ready']),
  },
} satisfies RouteDocument

export function addOperation (app: FastifyInstance, models: ModelRegistry, config: Config, engine: EngineSide): void {
  app.get('/status', { schema: statusDocument }, async () => ({ ...statusOf(models, config), tasks: engine.door?.tasks.describe() ?? null, engines: engine.engines() }))
  app.get('/livez', { schema: liveDocument }, async () => ({ live: true }))
  app.get('/readyz', { schema: readyDocument }, async () => {
    models.list()
    return { ready: true }
  })
}

function statusOf (models: ModelRegistry, config: Config): Omit<Status, 'tasks' | 'engines'> {
  const { maxBodyBytes, maxValues, adHocMaxValues, computeWorkers, computeQueue, computeTimeoutMs, computeMaxMemoryMb } = config
  return {
    status: models.ready ? 'ready' : 'loading',
    version: serviceVersion,
    uptimeSeconds: Math.floor(process.uptime()),
    backend: models.backend === undefined ? null : { name: models.backend.name, tfjs: models.backend.version },
    models: models.ready ? models.list().map(({ manifest: { name, version }, digest, goldenDifference }) => ({ name, version, digest, goldenDifference })) : [],
    limits: { maxBodyBytes, maxValues, adHocMaxValues, computeWorkers, computeQueue, computeTimeoutMs, computeMaxMemoryMb },
  }
}
