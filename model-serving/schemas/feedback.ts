// The wire format of feedback and of threshold proposals.
import { z } from 'zod'
import { FeedbackFieldsSchema, FeedbackSchema } from '../../adapters/registry/records.ts'

export { FeedbackFieldsSchema }

export const FeedbackKeptSchema = z.strictObject(FeedbackSchema.shape)
export const FeedbackListSchema = z.strictObject({ feedback: z.array(FeedbackKeptSchema) })

export const ProposalBodySchema = z.strictObject({
  scoring: z.enum(['batch', 'causal']).default('causal').describe('Kind of scores to compare.'),
  threshold: z.number().gt(0).optional().describe(
    'Threshold to try. Default: the threshold that agrees best with the feedback.'
  ),
})

const OutcomeSchema = z.strictObject({
  threshold: z.number(),
  anomalies: z.int().describe('Anomalies in the stored scores.'),
  anomaliesPerWeek: z.number().nullable(),
  falseAlarms: z.int().describe('Intervals labelled as false alarms that are anomalous.'),
  confirmed: z.int().describe('Intervals labelled as confirmed that are anomalous.'),
  missed: z.int().describe('Intervals labelled as missed that are not anomalous.'),
})

export const ProposalSchema = z.strictObject({
  model: z.string(),
  version: z.string(),
  digest: z.string(),
  scoring: z.enum(['batch', 'causal']),
  scores: z.int().describe('Number of stored scores of this version.'),
  feedback: z.strictObject({
    used: z.int().describe('Feedback on intervals whose scores are stored.'),
    unused: z.int().describe('Feedback on other intervals.'),
  }),
  before: OutcomeSchema.describe('Outcome with threshold 1, the calibrated threshold.'),
  after: OutcomeSchema.describe(
    'Outcome with the proposed threshold. Nothing was changed: to use it, send it as `options.threshold`, or train ' +
      'again.'
  ),
  reason: z.string(),
})
export type Proposal = z.output<typeof ProposalSchema>
