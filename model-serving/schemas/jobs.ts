// The wire format of jobs.
import { z } from 'zod'

export const JobSchema = z.strictObject({
  id: z.string(),
  kind: z.literal('training'),
  state: z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']),
  model: z.string().describe('Name of the model.'),
  createdAt: z.string().meta({ format: 'date-time' }),
  endedAt: z.string().meta({ format: 'date-time' }).nullable(),
  progress: z.strictObject({
    stage: z.string().nullable().describe(
      'fetch, prepare, train, evaluate, package or publish; null before it begins.'
    ),
    done: z.number().min(0).max(1).describe('Fraction of the stages that are done.'),
    messages: z.array(z.string()).describe('Latest messages of the training, the newest last.'),
  }),
  result: z.strictObject({
    name: z.string(),
    version: z.string(),
    digest: z.string(),
    existed: z.boolean().describe('Whether the same package had already been published.'),
    promoted: z.boolean(),
  }).nullable().describe('The published version; null until then.'),
  problem: z.string().nullable().describe('Why the job failed.'),
})
export type Job = z.output<typeof JobSchema>

export const JobListSchema = z.strictObject({ jobs: z.array(JobSchema) })
export const JobParamsSchema = z.strictObject({
  id: z.string().min(1).max(100).describe('Id of a job.').meta({ examples: ['00000000-0000-4000-8000-000000000000'] }),
})
