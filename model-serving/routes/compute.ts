// POST /compute: a series in, scores out, in the media types that the caller sends and wants.
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import { answerTable } from '../compute/answer-table.ts'
import { compute } from '../compute/compute.ts'
import { inputFromJson } from '../compute/from-json.ts'
import { inputFromTable } from '../compute/from-table.ts'
import { type ComputeInput } from '../compute/input.ts'
import { type Config } from '../config.ts'
import { type ModelRegistry } from '../models.ts'
import { type RouteDocument } from '../plugins/openapi.ts'
import {
  type ComputeAnswer, ComputeAnswerSchema, type ComputeQuery, ComputeQuerySchema, type ComputeRequest, ComputeRequestSchema, CsvBodySchema, FormBodySchema, type Part, PARTS,
} from '../schemas/compute.ts'
import { ANSWER_EXAMPLES } from '../schemas/answer-examples.ts'
import { type ComputeExamples, computeExamples } from '../schemas/examples.ts'
import { ANSWER_TYPES, type AnswerType, CsvAnswerSchema, PngAnswerSchema, SvgAnswerSchema } from '../schemas/media.ts'
import { problemResponses } from '../schemas/problem.ts'

const document = (examples: ComputeExamples) => ({
  operationId: 'compute',
  summary: 'Score a series',
  description: 'Post a series as JSON, as a CSV table or as a form with a CSV file; the same series gets the same scores in each form. ' +
    'Options stand in the JSON body, or in the query of a table. The Accept header chooses JSON, a CSV table or a plot.',
  tags: ['scoring'],
  querystring: ComputeQuerySchema,
  body: {
    content: {
      'application/json': { schema: ComputeRequestSchema, examples: examples.json },
      'text/csv': { schema: CsvBodySchema, examples: examples.csv },
      'multipart/form-data': { schema: FormBodySchema, examples: { fault: { summary: examples.csv.fault.summary, value: { file: examples.csv.fault.value } } } },
    },
  },
  response: {
    200: {
      description: 'The scored series',
      content: {
        'application/json': { schema: ComputeAnswerSchema, examples: ANSWER_EXAMPLES.compute },
        'text/csv': { schema: CsvAnswerSchema, examples: ANSWER_EXAMPLES.table },
        'image/svg+xml': { schema: SvgAnswerSchema, examples: ANSWER_EXAMPLES.plot },
        'image/png': { schema: PngAnswerSchema },
      },
    },
    ...problemResponses('/compute', [
      'malformed-body', 'unknown-model', 'not-acceptable', 'body-too-large', 'unsupported-media-type', 'invalid-request', 'model-required',
      'unknown-channel', 'missing-channel', 'channel-length-mismatch', 'series-too-short', 'series-too-long', 'timestamps-not-ascending',
      'invalid-timestamp', 'invalid-value', 'interval-mismatch', 'invalid-table', 'internal-error', 'not-ready',
    ]),
  },
}) satisfies RouteDocument

export function addCompute (app: FastifyInstance, models: ModelRegistry, { maxValues }: Pick<Config, 'maxValues'>): void {
  app.route<{ Querystring: ComputeQuery }>({
    method: 'POST',
    url: '/compute',
    schema: document(computeExamples()),
    // Before the body is read: these refusals need nothing of it.
    onRequest: async (request) => {
      models.list()
      answerType(request)
    },
    handler: async (request, reply) => {
      const input = readInput(request, maxValues)
      const type = answerType(request)
      const answer = compute(models, input, maxValues, partsFor(type, input))
      const observations = answer.score?.length
      const body = await render(answer, type)
      request.log.info({
        model: `${answer.model.name}@${answer.model.version}`, observations, channels: input.channels.length, durationMs: Math.round(reply.elapsedTime),
      }, 'series scored')
      return send(reply, type, body)
    },
  })
}

/** @throws Problem not-acceptable */
function answerType (request: FastifyRequest): AnswerType {
  const type = request.accepts().type([...ANSWER_TYPES])
  if (typeof type === 'string') return type as AnswerType
  throw new Problem('not-acceptable', `Accept must allow one of ${ANSWER_TYPES.join(', ')}.`, { extensions: { acceptable: ANSWER_TYPES } })
}

function readInput (request: FastifyRequest<{ Querystring: ComputeQuery }>, maxValues: number): ComputeInput {
  const { body, query } = request
  if (request.mediaType === 'application/json') return refusingQuery(query, () => inputFromJson(body as ComputeRequest))
  if (request.mediaType === 'text/csv') return inputFromTable(body as string, query, maxValues)
  if (request.mediaType === 'multipart/form-data') return inputFromTable((body as { file: string }).file, query, maxValues)
  throw new Problem('unsupported-media-type', 'There is no body; send application/json, text/csv or multipart/form-data, and name it in Content-Type.')
}

function refusingQuery (query: object, read: () => ComputeInput): ComputeInput {
  const [first] = Object.keys(query)
  if (first === undefined) return read()
  throw new Problem('invalid-request', 'A JSON request has its options in the body, under "options" and "model"; the query is for tables.',
    { items: [{ pointer: `/query/${first}`, detail: 'belongs into the body' }] })
}

/** A plot shows everything, a table has its verdicts and says what was filled; JSON is what was asked for. */
function partsFor (type: AnswerType, input: ComputeInput): readonly Part[] | undefined {
  if (type === 'application/json') return undefined
  return type === 'text/csv' ? [...input.options.include, 'score', 'isAnomaly', 'quality'] : PARTS
}

async function render (answer: ComputeAnswer, type: AnswerType): Promise<string | Buffer> {
  if (type === 'application/json') return JSON.stringify(answer)
  if (type === 'text/csv') return answerTable(answer)
  // Loaded with the first plot: the charting library is large, and most callers want numbers.
  const { renderPng, renderSvg } = await import('../plot/render.ts')
  return type === 'image/png' ? renderPng({ answer }) : renderSvg({ answer })
}

function send (reply: FastifyReply, type: AnswerType, body: string | Buffer): FastifyReply {
  return reply.type(type === 'image/png' ? type : `${type}; charset=utf-8`).header('vary', 'accept').send(body)
}
