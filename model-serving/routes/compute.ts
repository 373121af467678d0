// POST /compute: takes a series and returns its scores, in any of several media types.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { AnswerCounts } from '../workers/answer-counts.ts'
import type { ComputeTask } from '../compute/messages/messages.ts'
import type { ServedModels } from '../packages/served-models.ts'
import { requireAccess } from '../plugins/access.ts'
import type { RouteDocument } from '../plugins/openapi.ts'
import { ComputeQuerySchema, CsvBodySchema, FormBodySchema } from '../schemas/compute.ts'
import { ANSWER_EXAMPLES } from '../openapi/answer-examples.ts'
import { type ComputeExamples, computeExamples } from '../openapi/examples.ts'
import {
  ANSWER_TYPES,
  type AnswerType,
  BODY_TYPES,
  CsvAnswerSchema,
  PngAnswerSchema,
  SvgAnswerSchema,
} from '../schemas/media.ts'
import { problemResponses } from '../schemas/problem.ts'
import { ComputeBodySchema, ComputeOutcomeSchema, QueueFullSchema } from '../schemas/task.ts'
import type { TaskIntake } from '../tasks/task-intake.ts'
import type { Scorer } from '../workers/scorer.ts'
import { mayBeEngine, takeTask } from './tasks.ts'

const REFUSALS = problemResponses('/compute', [
  'malformed-body',
  'unauthorized',
  'forbidden',
  'engine-tasks-off',
  'too-many-requests',
  'unknown-model',
  'unknown-version',
  'not-acceptable',
  'body-too-large',
  'unsupported-media-type',
  'invalid-request',
  'model-required',
  'unknown-channel',
  'missing-channel',
  'channel-length-mismatch',
  'series-too-short',
  'series-too-long',
  'timestamps-not-ascending',
  'invalid-timestamp',
  'invalid-value',
  'interval-mismatch',
  'invalid-table',
  'no-training-data',
  'memory-exceeded',
  'internal-error',
  'not-ready',
  'registry-unavailable',
  'overloaded',
  'compute-timeout',
])

const document = (examples: ComputeExamples) =>
  ({
    operationId: 'compute',
    summary: 'Score a series',
    description:
      'Post a series as JSON, as a CSV table, or as a form with a CSV file. The scores do not depend on the form. ' +
      'If no served model has the posted channels, a linear model is fitted on the series itself (`ad-hoc`, ' +
      '`options.fit`). A JSON body contains its options; a table takes them from the query. The Accept header ' +
      'selects JSON, a CSV table or a plot. Engines post tasks here: a body with `task`, `s3_host` and ' +
      '`callback_url` is answered at once and processed later, and its results go to the object store.',
    tags: ['scoring'],
    querystring: ComputeQuerySchema,
    body: {
      content: {
        'application/json': { schema: ComputeBodySchema, examples: examples.json },
        'text/csv': { schema: CsvBodySchema, examples: examples.csv },
        'multipart/form-data': {
          schema: FormBodySchema,
          examples: { fault: { summary: examples.csv.fault.summary, value: { file: examples.csv.fault.value } } },
        },
      },
    },
    response: {
      200: {
        description: 'The scored series',
        content: {
          'application/json': {
            schema: ComputeOutcomeSchema,
            examples: { ...ANSWER_EXAMPLES.compute, ...ANSWER_EXAMPLES.taskAccepted },
          },
          'text/csv': { schema: CsvAnswerSchema, examples: ANSWER_EXAMPLES.table },
          'image/svg+xml': { schema: SvgAnswerSchema, examples: ANSWER_EXAMPLES.plot },
          'image/png': { schema: PngAnswerSchema },
        },
      },
      ...REFUSALS,
      503: {
        ...REFUSALS[503]!,
        content: {
          ...REFUSALS[503]!.content,
          'application/json': { schema: QueueFullSchema, examples: ANSWER_EXAMPLES.queueFull },
        },
      },
    },
  }) satisfies RouteDocument

interface ComputeParts {
  readonly models: ServedModels
  readonly scorer: Scorer
  /** Counts the answers. */
  readonly answers: AnswerCounts
  /** Undefined if the service takes no tasks of engines. */
  readonly intake: TaskIntake | undefined
}

export function addCompute (app: FastifyInstance, { models, scorer, answers, intake }: ComputeParts): void {
  app.route({
    method: 'POST',
    url: '/compute',
    schema: document(computeExamples()),
    config: { scope: 'score', deferAccess: (request) => mayBeEngine(intake, request) },
    // Refused before the body is read.
    onRequest: async (request) => {
      models.list()
      answerType(request)
    },
    handler: async (request, reply) => {
      if (takeTask(intake, request, reply)) return reply
      await requireAccess(request)
      const task = taskOf(request)
      const gone = goneSignal(reply)
      try {
        const { bodies, ...counts } = await scorer.answer(task, gone, { span: request.span })
        answers.add(counts)
        request.span?.set({
          'ae.model': counts.model,
          'ae.observations': counts.observations,
          'ae.channels': counts.channels,
        })
        request.log.info({ ...counts, durationMs: Math.round(reply.elapsedTime) }, 'series scored')
        return send(reply, task.answerTypes[0]!, bodies[0]!)
      } catch (error) {
        if (!gone.aborted) throw error
        request.log.info('the caller is gone')
        return reply.hijack()
      }
    },
  })
}

/** Aborts when the connection closes before the answer is sent. */
function goneSignal (reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => { controller.abort() })
  return controller.signal
}

/** @throws Problem not-acceptable */
function answerType (request: FastifyRequest): AnswerType {
  const type = request.accepts().type([...ANSWER_TYPES])
  if (typeof type === 'string') return type as AnswerType
  throw new Problem('not-acceptable', `Accept must allow one of ${ANSWER_TYPES.join(', ')}.`, {
    extensions: { acceptable: ANSWER_TYPES },
  })
}

/** @throws Problem unsupported-media-type */
function taskOf (request: FastifyRequest): ComputeTask {
  const mediaType = BODY_TYPES.find((type) => type === request.mediaType)
  if (mediaType === undefined) {
    throw new Problem(
      'unsupported-media-type',
      'The request has no body; send application/json, text/csv or multipart/form-data, and name it in Content-Type.'
    )
  }
  return {
    body: request.body as Buffer,
    mediaType,
    contentType: request.headers['content-type'] ?? '',
    query: request.query as ComputeTask['query'],
    answerTypes: [answerType(request)],
  }
}

function send (reply: FastifyReply, type: AnswerType, { buffer }: Uint8Array): FastifyReply {
  return reply
    .type(type === 'image/png' ? type : `${type}; charset=utf-8`)
    .header('vary', [reply.getHeader('vary'), 'accept'].filter(Boolean).join(', '))
    .send(Buffer.from(buffer))
}
