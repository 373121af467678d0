// Schemas with names in the OpenAPI document: generated clients have types with these names.
import { z } from 'zod'
import { ComputeAnswerSchema } from '../schemas/compute.ts'
import { ModelDescriptionSchema, ModelListSchema } from '../schemas/models.ts'
import { ProblemDocumentSchema } from '../schemas/problem.ts'
import {
  ComputeOutcomeSchema,
  QueueFullSchema,
  TaskAcceptedSchema,
  TaskStatusSchema,
  TaskUnknownSchema,
} from '../schemas/task.ts'
import { JobSchema } from '../schemas/jobs.ts'
import { FeedbackKeptSchema, FeedbackListSchema, ProposalSchema } from '../schemas/feedback.ts'
import { PublishedSchema, ServedNowSchema, VersionsSchema } from '../schemas/registry.ts'
import { LiveSchema, ReadySchema, StatusSchema } from '../schemas/status.ts'

export const components = z.registry<{ id: string }>()
  .add(ComputeAnswerSchema, { id: 'ComputeAnswer' })
  .add(ComputeOutcomeSchema, { id: 'ComputeOutcome' })
  .add(ModelDescriptionSchema, { id: 'ModelDescription' })
  .add(ModelListSchema, { id: 'ModelList' })
  .add(ProblemDocumentSchema, { id: 'Problem' })
  .add(StatusSchema, { id: 'Status' })
  .add(VersionsSchema, { id: 'Versions' })
  .add(PublishedSchema, { id: 'Published' })
  .add(ServedNowSchema, { id: 'ServedNow' })
  .add(JobSchema, { id: 'Job' })
  .add(FeedbackKeptSchema, { id: 'Feedback' })
  .add(FeedbackListSchema, { id: 'FeedbackList' })
  .add(ProposalSchema, { id: 'ThresholdProposal' })
  .add(LiveSchema, { id: 'Live' })
  .add(ReadySchema, { id: 'Ready' })
  .add(TaskAcceptedSchema, { id: 'TaskAccepted' })
  .add(QueueFullSchema, { id: 'QueueFull' })
  .add(TaskStatusSchema, { id: 'TaskStatus' })
  .add(TaskUnknownSchema, { id: 'TaskUnknown' })
