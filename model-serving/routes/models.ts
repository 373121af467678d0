// GET /models and GET /models/{name}: the served models. For versions see routes/registry.ts.
import type { FastifyInstance } from 'fastify'
import type { ServedModels } from '../packages/served-models.ts'
import type { RouteDocument } from '../plugins/openapi.ts'
import { ANSWER_EXAMPLES } from '../openapi/answer-examples.ts'
import {
  describeModel,
  listModel,
  ModelDescriptionSchema,
  ModelListSchema,
  ModelParamsSchema,
} from '../schemas/models.ts'
import { problemResponses } from '../schemas/problem.ts'

const listDocument = {
  operationId: 'listModels',
  summary: 'List the served models',
  tags: ['models'],
  response: {
    200: {
      description: 'All served models',
      content: { 'application/json': { schema: ModelListSchema, examples: ANSWER_EXAMPLES.models } },
    },
    ...problemResponses('/models', [
      'unauthorized',
      'too-many-requests',
      'unsupported-media-type',
      'internal-error',
      'not-ready',
    ]),
  },
} satisfies RouteDocument

const oneDocument = {
  operationId: 'getModel',
  summary: 'Describe one model',
  tags: ['models'],
  params: ModelParamsSchema,
  response: {
    200: {
      description: 'The model',
      content: { 'application/json': { schema: ModelDescriptionSchema, examples: ANSWER_EXAMPLES.model } },
    },
    ...problemResponses('/models/wind-turbine', [
      'unauthorized',
      'too-many-requests',
      'unsupported-media-type',
      'unknown-model',
      'unknown-version',
      'not-found',
      'internal-error',
      'not-ready',
    ]),
  },
} satisfies RouteDocument

export function addModels (app: FastifyInstance, models: ServedModels): void {
  app.get(
    '/models',
    { schema: listDocument, config: { scope: 'any' } },
    async () => ({
      models: models.list().flatMap(({ live }) => live === undefined ? [] : [listModel(describeModel(live))]),
    })
  )
  app.get<{ Params: { name: string } }>(
    '/models/:name',
    { schema: oneDocument, config: { scope: 'any' } },
    async (request) => describeModel(models.get(request.params.name))
  )
}
