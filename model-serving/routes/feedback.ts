// Feedback on anomalies, and the threshold that it proposes.
import type { FastifyInstance } from 'fastify'
import { pointer, Problem } from '../../core/errors.ts'
import { addFeedback as keepFeedback, listFeedback } from '../../adapters/registry/feedback.ts'
import type { ModelLifecycle } from '../models/model-lifecycle.ts'
import { proposeThreshold } from '../models/threshold-proposal.ts'
import type { Idempotent } from '../plugins/idempotency.ts'
import type { RouteDocument } from '../plugins/openapi.ts'
import { ANSWER_EXAMPLES } from '../openapi/answer-examples.ts'
import {
  FeedbackFieldsSchema,
  FeedbackKeptSchema,
  FeedbackListSchema,
  type Proposal,
  ProposalBodySchema,
  ProposalSchema,
} from '../schemas/feedback.ts'
import { problemResponses } from '../schemas/problem.ts'
import { NameParamsSchema } from '../schemas/registry.ts'
import { jsonBody, REGISTRY_PROBLEMS, registryOf } from './registry-requests.ts'

const COMMON = [...REGISTRY_PROBLEMS, 'unknown-model', 'invalid-request'] as const

const addDocument = {
  operationId: 'addFeedback',
  summary: 'Give feedback on an anomaly',
  description:
    'The registry keeps the feedback. The next retraining removes confirmed and missed faults from the training ' +
    'data, and treats false alarms as normal.',
  tags: ['feedback'],
  body: {
    content: {
      'application/json': {
        schema: FeedbackFieldsSchema,
        examples: {
          falseAlarm: {
            summary: 'A false alarm',
            value: {
              model: 'wind-turbine',
              start: '2026-03-30T06:10:00Z',
              end: '2026-03-31T07:00:00Z',
              label: 'false-alarm',
              note: 'maintenance',
            },
          },
        },
      },
    },
  },
  response: {
    201: {
      description: 'The stored feedback',
      content: { 'application/json': { schema: FeedbackKeptSchema, examples: ANSWER_EXAMPLES.feedback } },
    },
    ...problemResponses('/feedback', [...COMMON, 'malformed-body', 'body-too-large', 'idempotency-conflict']),
  },
} satisfies RouteDocument

const listDocument = {
  operationId: 'listFeedback',
  summary: 'List the feedback on a model',
  tags: ['feedback'],
  params: NameParamsSchema,
  response: {
    200: {
      description: 'All feedback, the oldest first',
      content: { 'application/json': { schema: FeedbackListSchema, examples: ANSWER_EXAMPLES.feedbackList } },
    },
    ...problemResponses('/models/wind-turbine/feedback', [...COMMON, 'not-found']),
  },
} satisfies RouteDocument

const proposalDocument = {
  operationId: 'proposeThreshold',
  summary: 'Compare another threshold with the calibrated one',
  description:
    'Applies another threshold to the stored scores of the live version (SCORE_HISTORY) and compares the outcome ' +
    'with the feedback. Changes nothing.',
  tags: ['feedback'],
  params: NameParamsSchema,
  body: {
    content: {
      'application/json': {
        schema: ProposalBodySchema,
        examples: {
          best: { summary: 'The best threshold', value: {} },
          tried: { summary: 'A given threshold', value: { threshold: 1.2 } },
        },
      },
    },
  },
  response: {
    200: {
      description: 'Outcome with the calibrated and with the other threshold',
      content: { 'application/json': { schema: ProposalSchema, examples: ANSWER_EXAMPLES.proposal } },
    },
    ...problemResponses('/models/wind-turbine/threshold-proposal', [
      ...COMMON,
      'not-found',
      'unknown-version',
      'malformed-body',
      'body-too-large',
      'not-ready',
    ]),
  },
} satisfies RouteDocument

type Named = { Params: { name: string } }

export function addFeedback (
  app: FastifyInstance,
  lifecycle: ModelLifecycle | undefined,
  idempotent: Idempotent
): void {
  app.post(
    '/feedback',
    { schema: addDocument, config: { scope: 'score' } },
    idempotent(async (request) => {
      const fields = jsonBody(request, FeedbackFieldsSchema)
      if (Date.parse(fields.end) < Date.parse(fields.start)) {
        throw new Problem(
          'invalid-request',
          '/end is before /start; give the first and the last time of the interval.',
          { items: [{ pointer: pointer('end'), detail: 'before start', got: fields.end }] }
        )
      }
      const { registry, store } = registryOf(lifecycle)
      const { aliases } = await registry.get(fields.model)
      const version = aliases.live.current === undefined ? null : String(aliases.live.current.version)
      return { status: 201, body: await keepFeedback(store, fields, { version, now: Date.now() }) }
    })
  )
  app.get<Named>('/models/:name/feedback', { schema: listDocument, config: { scope: 'any' } }, async ({ params }) => {
    const { registry, store } = registryOf(lifecycle)
    await registry.get(params.name)
    return { feedback: await listFeedback(store, params.name) }
  })
  app.post<Named>(
    '/models/:name/threshold-proposal',
    { schema: proposalDocument, config: { scope: 'score' } },
    async (request): Promise<Proposal> => {
      const { scoring, threshold } = jsonBody(request, ProposalBodySchema, {})
      const { store } = registryOf(lifecycle)
      const { manifest: { name }, version, digest } = lifecycle!.models.get(request.params.name)
      const runs = (await lifecycle!.history?.read(name, digest) ?? []).filter((run) => run.scoring === scoring)
      return {
        model: name,
        version,
        digest,
        scoring,
        ...proposeThreshold(runs, await listFeedback(store, name), threshold),
      }
    }
  )
}
