// The wire format of tasks: what an engine posts to /compute, and what it is answered.
import { z } from 'zod'
import { ComputeAnswerSchema, ComputeRequestSchema } from './compute.ts'

const text = z.string().min(1).max(2000)

/** Covers engines of all versions: unknown members are ignored. */
export const EngineTaskSchema = z.looseObject({
  s3_access_key_id: text.describe('Key of the object store; never logged.'),
  s3_secret_access_key: text.describe('Secret of the object store; never logged.'),
  s3_region: z.string().max(100).nullish().describe('Region for the signature of requests.'),
  s3_host: text.describe(
    'URL of the object store. Its host must be that of an engine or listed in ENGINE_ALLOWED_HOSTS.'
  ),
  s3_bucket: text,
  task: z.looseObject({
    id: z.uuid(),
    data_in: z.array(text).min(1).max(100).describe('Keys of the input objects, in the order of the announced inputs.'),
  }),
  callback_url: text.nullish().describe(
    'URL that receives the outcome. Its host must be allowed like that of s3_host. Default: /tasks/{id} of the only ' +
      'configured engine.'
  ),
}).describe(
  'A task of an engine. The series is read from an object store, the answer is written there, and callback_url ' +
    'receives the outcome.'
)

export const TaskAcceptedSchema = z.strictObject({ status: z.literal('Task added to the queue') })
export const TASK_ACCEPTED: z.output<typeof TaskAcceptedSchema> = { status: 'Task added to the queue' }
export const QueueFullSchema = z.strictObject({ detail: z.literal('Queue is full') })
export const QUEUE_FULL: z.output<typeof QueueFullSchema> = { detail: 'Queue is full' }

/** States of a task, in the engine's terms. */
const TASK_STATUSES = ['pending', 'fetching', 'processing', 'saving', 'finished', 'error'] as const
export type TaskStatus = typeof TASK_STATUSES[number]

export const TaskStatusSchema = z.strictObject({ status: z.enum(TASK_STATUSES) })
/** Engines show `status`. Without it they fail on the answer. */
export const TaskUnknownSchema = z.strictObject({ status: z.literal('unavailable'), detail: z.string() })
export const TaskParamsSchema = z.strictObject({ id: z.uuid().describe('Id of the task.') })

/**
 * JSON bodies and answers of POST /compute, for the OpenAPI document. The description names the two time axes instead
 * of a nested `oneOf`: linters look for the required members in the `oneOf` itself.
 */
export const ComputeBodySchema = z.union([ComputeRequestSchema.meta({ oneOf: undefined }), EngineTaskSchema])
export const ComputeOutcomeSchema = z.union([ComputeAnswerSchema, TaskAcceptedSchema])
