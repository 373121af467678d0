// The wire format of feedback, and of what it says about thresholds.
import { z } from 'zod'
import { FeedbackFieldsSchema, FeedbackSchema } from '../../adapters/registry/records.ts'

export { FeedbackFieldsSchema }

export const FeedbackKeptSchema = z.strictObject(FeedbackSchema.shape)
export const FeedbackListSchema = z.strictObject({ feedback: z.array(FeedbackKeptSchema) })

export const ProposalBodySchema = z.strictObject({
  scoring: z.enum(['batch', 'causal']).default('causal').describe('Whose scores are looked at.'),
  threshold: z.number().gt(0).optional().describe(
    'A threshold to be tried. Default: the one that the feedback is best served by.'
  ),
})

const OutcomeSchema = z.strictObject({
  threshold: z.number(),
  anomalies: z.int().describe('Anomalies in the stored scores.'),
  anomaliesPerWeek: z.number().nullable(),
  falseAlarms: z.int().describe('Intervals that people called false alarms, and that are flagged.'),
  confirmed: z.int().describe('Intervals that people confirmed, and that are flagged.'),
  missed: z.int().describe('Intervals that people called missed, and that are still not flagged.'),
})

export const ProposalSchema = z.strictObject({
  model: z.string(),
  version: z.string(),
  digest: z.string(),
  scoring: z.enum(['batch', 'causal']),
  scores: z.int().describe('Stored scores of this version that were looked at.'),
  feedback: z.strictObject({
    used: z.int().describe('Statements on intervals whose scores are stored.'),
    unused: z.int(),
  }),
  before: OutcomeSchema.describe('With threshold 1, the calibrated one.'),
  after: OutcomeSchema.describe(
    'With the proposed one. Nothing is changed: send it as options.threshold, or train again.'
  ),
  reason: z.string(),
})
export type Proposal = z.output<typeof ProposalSchema>
