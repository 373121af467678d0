// The wire format of GET /models.
import { z } from 'zod'
import { formatDuration } from '../../core/table/duration.ts'
import type { ModelIdentity } from '../packages/identity.ts'
import { describeSheet, SensitivityAnswerSchema } from './sensitivity.ts'

const ScoringSchema = z.strictObject({
  smoothing: z.int().min(1).describe('Number of errors over which a score is averaged.'),
  threshold: z.number().describe('Smoothed reconstruction error that equals score 1.'),
  level: z.strictObject({
    span: z.int().min(0).describe('Number of scores whose median is the level; 0: no level.'),
    factor: z.number().min(0),
  }).describe(
    'Where factor × level is above 1, scores are divided by it, so that slow drift is not an anomaly.'
  ),
})

/** How exactly the backend reproduces the golden scores of a package. */
export const goldenDifference = z.number().min(0)
  .describe(
    'Largest relative difference between the golden scores of the package and the scores on this machine. ' +
      '0: they are equal bit for bit.'
  )

export const ModelDescriptionSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  digest: z.string().describe('SHA-256 over the model package. Every answer of the model has it.'),
  goldenDifference,
  description: z.string(),
  architecture: z.string(),
  channels: z.array(z.string()),
  samplingInterval: z.string().meta({ format: 'duration' }),
  windowLength: z.int().min(1).describe('Observations in the longest window. A series must have at least so many.'),
  members: z.array(z.strictObject({
    windowLength: z.int().min(1).describe('Observations in a window.'),
    tail: z.int().min(1).describe('Number of newest observations of a window that count in causal scoring.'),
  })).describe('The autoencoders whose errors are combined.'),
  maxGap: z.int().min(0).describe('Longest gap that is filled before scoring, in observations.'),
  threshold: z.literal(1).describe('An observation is anomalous if its score is greater.'),
  scorings: z.strictObject({
    batch: ScoringSchema,
    causal: ScoringSchema,
  }),
  margins: z.record(z.string(), z.number()).describe(
    'Half-width of the expected band around the expected value, in the unit of the channel.'
  ),
  training: z.strictObject({
    observations: z.int(),
    series: z.int(),
    dataSha256: z.string(),
    tfjs: z.string(),
    backend: z.string(),
  }),
  sensitivity: SensitivityAnswerSchema,
})
export type ModelDescription = z.output<typeof ModelDescriptionSchema>

export const ModelListSchema = z.strictObject({
  models: z.array(ModelDescriptionSchema.extend({
    sensitivity: SensitivityAnswerSchema.omit({ findings: true }).describe(
      'The sensitivity sheet without its findings: `GET /models/{name}` has them.'
    ),
  })),
})
type ListedModel = z.output<typeof ModelListSchema>['models'][number]

export const ModelParamsSchema = z.strictObject({
  name: z.string().min(1).describe('Name of a served model.').meta({ examples: ['wind-turbine'] }),
})

const withoutScores = <T extends { scores?: unknown }>({ scores, ...rule }: T): Omit<T, 'scores'> => rule

export function describeModel ({ manifest, version, digest, goldenDifference }: ModelIdentity): ModelDescription {
  const { detector, training: { observations, series, dataSha256, tfjs, backend } } = manifest
  return {
    name: manifest.name,
    version,
    digest,
    goldenDifference,
    description: manifest.description,
    architecture: manifest.architecture,
    channels: [...detector.channels],
    samplingInterval: formatDuration(detector.interval),
    windowLength: detector.windowLength,
    members: detector.members.map(({ windowLength, tail }) => ({ windowLength, tail })),
    maxGap: detector.maxGap,
    threshold: 1,
    scorings: { batch: withoutScores(detector.batch), causal: withoutScores(detector.causal) },
    margins: Object.fromEntries(detector.channels.map((channel, c) => [channel, detector.margins[c]!])),
    training: { observations, series, dataSha256, tfjs, backend },
    sensitivity: describeSheet(manifest.sensitivity, detector.interval),
  }
}

/** The description in a list of all models. */
export function listModel ({ sensitivity: { findings, ...sensitivity }, ...model }: ModelDescription): ListedModel {
  return { ...model, sensitivity }
}
