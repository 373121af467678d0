// The wire format of an engine's tasks: what POST /compute gets from an engine, and what it is told of a task.
import { z } from 'zod'
import { ComputeAnswerSchema, ComputeRequestSchema } from './compute.ts'

const text = z.string().min(1).max(2000)

/** Engines of all versions: members that are not listed are passed over. */
export const EngineTaskSchema = z.looseObject({
  s3_access_key_id: text.describe('Key of the object store; never logged.'),
  s3_secret_access_key: text.describe('Secret of the object store; never logged.'),
  s3_region: z.string().max(100).nullish().describe('Region that requests are signed for.'),
  s3_host: text.describe('URL of the object store; its host must be an engine\'s, or one of ENGINE_ALLOWED_HOSTS.'),
  s3_bucket: text,
  task: z.looseObject({
    id: z.uuid(),
    data_in: z.array(text).min(1).max(100).describe('Keys of the input objects, in the order of the announced inputs.'),
  }),
  callback_url: text.nullish().describe(
    'URL that is told the outcome; its host as for s3_host. Default: /tasks/{id} of the one configured engine.'
  ),
}).describe('A task of an engine: the series lies in an object store, the answer goes there, and callback_url is told.')

export const TaskAcceptedSchema = z.strictObject({ status: z.literal('Task added to the queue') })
export const TASK_ACCEPTED: z.output<typeof TaskAcceptedSchema> = { status: 'Task added to the queue' }
export const QueueFullSchema = z.strictObject({ detail: z.literal('Queue is full') })
export const QUEUE_FULL: z.output<typeof QueueFullSchema> = { detail: 'Queue is full' }

/** What a task can be doing, in the engine's words. */
const TASK_STATUSES = ['pending', 'fetching', 'processing', 'saving', 'finished', 'error'] as const
export type TaskStatus = typeof TASK_STATUSES[number]

export const TaskStatusSchema = z.strictObject({ status: z.enum(TASK_STATUSES) })
/** `status` is for engines: without it they fail on the answer; this one they show. */
export const TaskUnknownSchema = z.strictObject({ status: z.literal('unavailable'), detail: z.string() })
export const TaskParamsSchema = z.strictObject({ id: z.uuid().describe('Id of the task.') })

/** For the OpenAPI document: what POST /compute takes, and answers, as JSON. */
/**
 * The choice of the time axis stands in the description: linters look for the members of a nested choice in the choice
 * itself.
 */
export const ComputeBodySchema = z.union([ComputeRequestSchema.meta({ oneOf: undefined }), EngineTaskSchema])
export const ComputeOutcomeSchema = z.union([ComputeAnswerSchema, TaskAcceptedSchema])
