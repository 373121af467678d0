// Versions of models: lists, publishes, promotes and rolls back.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { AliasState } from '../../adapters/registry/aliases.ts'
import { unpackArchive } from '../../adapters/registry/archive.ts'
import type { Alias } from '../../adapters/registry/records.ts'
import type { ModelLifecycle } from '../models/model-lifecycle.ts'
import type { Idempotent, Reply } from '../plugins/idempotency.ts'
import { requireScope } from '../plugins/access.ts'
import type { RouteDocument } from '../plugins/openapi.ts'
import { ANSWER_EXAMPLES } from '../openapi/answer-examples.ts'
import { checked } from '../schemas/check.ts'
import { computeExamples } from '../openapi/examples.ts'
import { BODY_TYPES } from '../schemas/media.ts'
import { JobSchema } from '../schemas/jobs.ts'
import { trainingRequest } from '../jobs/training-request.ts'
import { problemResponses } from '../schemas/problem.ts'
import {
  describeVersions,
  NameParamsSchema,
  PackageBodySchema,
  PromoteBodySchema,
  type PublishQuery,
  PublishQuerySchema,
  PublishedSchema,
  RollbackBodySchema,
  ServedNowSchema,
  VersionsSchema,
} from '../schemas/registry.ts'
import { ComputeRequestSchema, CsvBodySchema, FormBodySchema } from '../schemas/compute.ts'
import type { Scorer } from '../workers/scorer.ts'
import { jsonBody, REGISTRY_PROBLEMS, registryOf } from './registry-requests.ts'

const CHANGING = ['malformed-body', 'body-too-large', 'invalid-request', 'idempotency-conflict'] as const

const versionsDocument = {
  operationId: 'listVersions',
  summary: 'List the versions of a model and the history of its aliases',
  tags: ['models'],
  params: NameParamsSchema,
  response: {
    200: {
      description: 'The versions',
      content: { 'application/json': { schema: VersionsSchema, examples: ANSWER_EXAMPLES.versions } },
    },
    ...problemResponses('/models/wind-turbine/versions', [
      ...REGISTRY_PROBLEMS,
      'invalid-request',
      'unknown-model',
      'not-found',
    ]),
  },
} satisfies RouteDocument

const document = () =>
  ({
    operationId: 'publishModel',
    summary: 'Publish a model package, or train one',
    description:
      'A package (`application/x-tar`) must reproduce its golden scores and its sensitivity; it is then published ' +
      'under its own name (`201`). A series, posted in any form that `POST /compute` reads or named by `from`, ' +
      'starts a training job (`202`); `GET /jobs/{id}` shows its progress. With the header `Idempotency-Key`, a ' +
      'repeated request gets the first answer and is not executed again.',
    tags: ['models'],
    querystring: PublishQuerySchema,
    body: {
      content: {
        'application/x-tar': { schema: PackageBodySchema },
        'application/json': { schema: ComputeRequestSchema, examples: { fault: computeExamples().json.fault } },
        'text/csv': { schema: CsvBodySchema },
        'multipart/form-data': { schema: FormBodySchema },
      },
    },
    response: {
      201: {
        description: 'The published version',
        content: { 'application/json': { schema: PublishedSchema, examples: ANSWER_EXAMPLES.published } },
      },
      202: {
        description: 'The training job',
        headers: { Location: { description: 'Path of the job.', type: 'string' } },
        content: { 'application/json': { schema: JobSchema, examples: ANSWER_EXAMPLES.job } },
      },
      ...problemResponses('/models', [
        ...REGISTRY_PROBLEMS,
        ...CHANGING,
        'package-refused',
        'version-conflict',
        'alias-conflict',
        'overloaded',
        'not-ready',
      ]),
    },
  }) satisfies RouteDocument

const promoteDocument = {
  operationId: 'promoteVersion',
  summary: 'Make a version live or a shadow',
  description:
    'Answers once this service has opened and proved the version and serves it. Until then, the previous version ' +
    'answers all requests.',
  tags: ['models'],
  params: NameParamsSchema,
  body: {
    content: {
      'application/json': {
        schema: PromoteBodySchema,
        examples: {
          live: { summary: 'Serve version 2', value: { version: 2 } },
          shadow: { summary: 'Try version 2 beside the live one', value: { version: 2, alias: 'shadow' } },
        },
      },
    },
  },
  response: {
    200: {
      description: 'Version that the alias stands for now',
      content: { 'application/json': { schema: ServedNowSchema, examples: ANSWER_EXAMPLES.servedNow } },
    },
    ...problemResponses('/models/wind-turbine/promote', [
      ...REGISTRY_PROBLEMS,
      ...CHANGING,
      'unknown-model',
      'unknown-version',
      'not-found',
      'alias-conflict',
    ]),
  },
} satisfies RouteDocument

const rollbackDocument = {
  operationId: 'rollBackVersion',
  summary: 'Undo the latest promotion',
  tags: ['models'],
  params: NameParamsSchema,
  body: {
    content: {
      'application/json': {
        schema: RollbackBodySchema,
        examples: { live: { summary: 'The live version', value: {} } },
      },
    },
  },
  response: {
    200: {
      description: 'Version that the alias stands for now',
      content: { 'application/json': { schema: ServedNowSchema, examples: ANSWER_EXAMPLES.servedNow } },
    },
    ...problemResponses('/models/wind-turbine/rollback', [
      ...REGISTRY_PROBLEMS,
      ...CHANGING,
      'unknown-model',
      'unknown-version',
      'not-found',
      'no-earlier-version',
      'alias-conflict',
    ]),
  },
} satisfies RouteDocument

type Named = { Params: { name: string } }

export function addRegistry (
  app: FastifyInstance,
  scorer: Scorer,
  lifecycle: ModelLifecycle | undefined,
  idempotent: Idempotent
): void {
  app.get<Named>(
    '/models/:name/versions',
    { schema: versionsDocument, config: { scope: 'any' } },
    async ({ params }) => describeVersions(await registryOf(lifecycle).registry.get(params.name))
  )
  app.post(
    '/models',
    { schema: document(), config: { scope: 'train' } },
    idempotent(async (request) => {
      const query = checked(PublishQuerySchema, request.query, ['query'])
      if (query.promote === true) requireScope(request, 'admin')
      return request.mediaType === 'application/x-tar'
        ? upload(lifecycle, scorer, request, query)
        : startTraining(lifecycle, scorer, request, query)
    })
  )
  app.post<Named>(
    '/models/:name/promote',
    { schema: promoteDocument, config: { scope: 'admin' } },
    idempotent(async (request) => {
      const { version, alias } = jsonBody(request, PromoteBodySchema)
      const { name } = request.params as Named['Params']
      return answerOf(lifecycle!, name, alias, await registryOf(lifecycle).registry.promote(name, version, alias))
    })
  )
  app.post<Named>(
    '/models/:name/rollback',
    { schema: rollbackDocument, config: { scope: 'admin' } },
    idempotent(async (request) => {
      const { alias } = jsonBody(request, RollbackBodySchema, {})
      const { name } = request.params as Named['Params']
      return answerOf(lifecycle!, name, alias, await registryOf(lifecycle).registry.rollback(name, alias))
    })
  )
}

/** Answers after this service has followed the alias or refused its version. */
async function answerOf (
  lifecycle: ModelLifecycle,
  name: string,
  alias: Alias,
  { current }: AliasState
): Promise<Reply> {
  await lifecycle.follower.refresh()
  const served = lifecycle.models.catalogue.find((model) => model.name === name)?.[alias]
  const refusal = lifecycle.follower.refusals.find(({ digest }) => digest === current?.digest)
  const { version = null, digest = null, at = null } = current ?? {}
  return {
    status: 200,
    body: {
      name,
      alias,
      version,
      digest,
      at,
      served: served?.digest === digest,
      problem: refusal?.reason ?? lifecycle.follower.problem ?? null,
    },
  }
}

async function upload (
  lifecycle: ModelLifecycle | undefined,
  scorer: Scorer,
  request: FastifyRequest,
  { promote = false }: PublishQuery
): Promise<Reply> {
  const { registry } = registryOf(lifecycle)
  const where = 'the uploaded package'
  const body = request.body as Buffer
  const published = await refusing(async () => {
    await scorer.examine(where, body)
    return registry.publish(where, await unpackArchive(where, body))
  })
  if (promote) await registry.promote(published.name, published.version)
  await lifecycle!.follower.refresh()
  const { name, version, digest, publishedAt, existed } = published
  return {
    status: 201,
    body: { name, version, digest, publishedAt, existed, promoted: promote },
    headers: { location: `/models/${name}/versions` },
  }
}

const UNPROVEN: readonly string[] = ['invalid-model-package', 'golden-scores-differ', 'sensitivity-differs']

/** A bad package is a fault of the service if the operator installed it, but of the caller if it was uploaded. */
async function refusing<T> (work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Problem) || !UNPROVEN.includes(error.code)) throw error
    throw new Problem('package-refused', error.message, { cause: error })
  }
}

async function startTraining (
  lifecycle: ModelLifecycle | undefined,
  scorer: Scorer,
  request: FastifyRequest,
  query: PublishQuery
): Promise<Reply> {
  registryOf(lifecycle)
  const mediaType = BODY_TYPES.find((type) => type === request.mediaType)
  const body = mediaType === undefined
    ? undefined
    : { body: request.body as Buffer, mediaType, contentType: request.headers['content-type'] ?? '' }
  const job = lifecycle!.jobs!.start(await trainingRequest(query, body, scorer, lifecycle!.jobs!.config))
  return { status: 202, body: job, headers: { location: `/jobs/${job.id}` } }
}
