// Tasks of engines: POST /compute takes them, and GET /tasks/{id}/status shows their state in the engine's terms.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { RouteDocument } from '../plugins/openapi.ts'
import { ANSWER_EXAMPLES } from '../openapi/answer-examples.ts'
import { type DocumentedResponse, problemResponses } from '../schemas/problem.ts'
import { QUEUE_FULL, TASK_ACCEPTED, TaskParamsSchema, TaskStatusSchema, TaskUnknownSchema } from '../schemas/task.ts'
import type { TaskIntake } from '../tasks/task-intake.ts'
import { engineBody, MAX_TASK_BYTES } from '../tasks/engine-body.ts'
import type { Task } from '../tasks/task.ts'

function withUnknown (refusals: Record<number, DocumentedResponse>): Record<number, DocumentedResponse> {
  const unknown = { 'application/json': { schema: TaskUnknownSchema, examples: ANSWER_EXAMPLES.taskUnknown } }
  return {
    ...refusals,
    404: {
      ...refusals[404]!,
      description: 'The service knows no task with this id, or takes no tasks',
      content: { ...refusals[404]!.content, ...unknown },
    },
  }
}

const document = (path: string, operationId: string) =>
  ({
    operationId,
    summary: 'Get the state of an engine\'s task',
    tags: ['operation'],
    params: TaskParamsSchema,
    response: {
      200: {
        description: 'State of the task',
        content: { 'application/json': { schema: TaskStatusSchema, examples: ANSWER_EXAMPLES.taskStatus } },
      },
      ...withUnknown(
        problemResponses(path, ['unsupported-media-type', 'not-found', 'invalid-request', 'internal-error'])
      ),
    },
  }) satisfies RouteDocument

export function addTasks (app: FastifyInstance, intake: TaskIntake | undefined): void {
  const handler = async (request: FastifyRequest<{ Params: { id: string } }>, reply: FastifyReply): Promise<object> => {
    const { id } = request.params
    const status = intake?.tasks.statusOf(id)
    if (status !== undefined) return { status }
    reply.code(404)
    return { status: 'unavailable', detail: `Task ${id} not found` }
  }
  app.get('/tasks/:id/status', {
    schema: document('/tasks/00000000-0000-4000-8000-000000000000/status', 'getTaskStatus'),
  }, handler)
  // Engines of early 2023 use this path.
  app.get(
    '/status/:id',
    { schema: document('/status/00000000-0000-4000-8000-000000000000', 'getTaskStatusOf2023') },
    handler
  )
}

/** Whether a request without a key may come from an engine: it has a small JSON body, or a form with a callback URL. */
export function mayBeEngine (intake: TaskIntake | undefined, request: FastifyRequest): boolean {
  if (intake === undefined) return false
  if (request.mediaType === 'application/json') {
    return Number(request.headers['content-length'] ?? Infinity) <= MAX_TASK_BYTES
  }
  return isForm(intake, request)
}

/**
 * Takes the task of an engine's request: answers at once, and works on it later.
 * @returns false if the request comes from an API client
 * @throws Problem engine-tasks-off, or invalid-request
 */
export function takeTask (intake: TaskIntake | undefined, request: FastifyRequest, reply: FastifyReply): boolean {
  const task = taskOf(intake, request)
  if (task === undefined) return false
  const isTaken = intake!.tasks.take(task, request.span)
  request.log.info(
    { taskId: task.id, ...intake!.tasks.describe() },
    isTaken ? 'task taken' : 'task refused: the queue is full'
  )
  if (!isTaken) reply.code(503).header('retry-after', '5').send(QUEUE_FULL)
  else reply.send(isForm(intake!, request) ? { task_id: task.id } : TASK_ACCEPTED)
  return true
}

function taskOf (intake: TaskIntake | undefined, request: FastifyRequest): Task | undefined {
  const body = request.body as Buffer
  if (intake !== undefined && isForm(intake, request)) {
    return intake.formTaskOf(body, request.headers['content-type'] ?? '', request.query as Record<string, unknown>)
  }
  const posted = request.mediaType === 'application/json' ? engineBody(body) : undefined
  if (posted === undefined) return undefined
  if (intake !== undefined) return intake.taskOf(posted)
  throw new Problem(
    'engine-tasks-off',
    'This service takes no tasks of engines; set ENGINE_URLS to the engines, or set ENGINE_TASKS=on and ' +
      'ENGINE_ALLOWED_HOSTS.'
  )
}

const isForm = (intake: TaskIntake, { mediaType, query }: FastifyRequest): boolean =>
  intake.dialect === '2022' && mediaType === 'multipart/form-data' && typeof query === 'object' && query !== null &&
  'callback_url' in query
