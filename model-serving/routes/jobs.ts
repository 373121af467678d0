// Lists, describes and cancels jobs.
import type { FastifyInstance } from 'fastify'
import type { Jobs } from '../jobs/jobs.ts'
import type { ModelLifecycle } from '../models/model-lifecycle.ts'
import type { RouteDocument } from '../plugins/openapi.ts'
import { ANSWER_EXAMPLES } from '../openapi/answer-examples.ts'
import { JobListSchema, JobParamsSchema, JobSchema } from '../schemas/jobs.ts'
import { problemResponses } from '../schemas/problem.ts'
import { registryOf } from './registry-requests.ts'

const COMMON = [
  'unauthorized',
  'forbidden',
  'too-many-requests',
  'unsupported-media-type',
  'no-registry',
  'internal-error',
] as const

const listDocument = {
  operationId: 'listJobs',
  summary: 'List the jobs',
  tags: ['models'],
  response: {
    200: {
      description: 'Jobs of this process that wait, run or ended recently',
      content: { 'application/json': { schema: JobListSchema, examples: ANSWER_EXAMPLES.jobs } },
    },
    ...problemResponses('/jobs', COMMON),
  },
} satisfies RouteDocument

const oneDocument = (texts: Pick<RouteDocument, 'operationId' | 'summary' | 'description'>) =>
  ({
    ...texts,
    tags: ['models'],
    params: JobParamsSchema,
    response: {
      200: {
        description: 'The job',
        content: { 'application/json': { schema: JobSchema, examples: ANSWER_EXAMPLES.job } },
      },
      ...problemResponses('/jobs/00000000-0000-4000-8000-000000000000', [
        ...COMMON,
        'unknown-job',
        'not-found',
        'invalid-request',
      ]),
    },
  }) satisfies RouteDocument

const getDocument = oneDocument({ operationId: 'getJob', summary: 'Get the progress of a job' })
const cancelDocument = oneDocument({
  operationId: 'cancelJob',
  summary: 'Cancel a job',
  description: 'A job that has ended does not change.',
})

export function addJobs (app: FastifyInstance, lifecycle: ModelLifecycle | undefined): void {
  const jobs = (): Jobs => {
    registryOf(lifecycle)
    return lifecycle!.jobs!
  }
  const config = { scope: 'train' } as const
  app.get('/jobs', { schema: listDocument, config }, async () => ({ jobs: jobs().list() }))
  app.get<{ Params: { id: string } }>(
    '/jobs/:id',
    { schema: getDocument, config },
    async ({ params }) => jobs().get(params.id)
  )
  app.delete<{ Params: { id: string } }>(
    '/jobs/:id',
    { schema: cancelDocument, config },
    async ({ params }) => jobs().cancel(params.id)
  )
}
