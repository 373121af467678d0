// The manifest of a model package: all that serving must know and must not choose by itself.
import { z } from 'zod'
import type { DetectorModel } from '../detector/model.ts'
import { EvidenceFitSchema } from './evidence-schema.ts'
import { type ScoreTail, TAIL_PROBABILITIES } from '../scoring/tail.ts'
import type { Probes } from '../sensitivity/probes.ts'
import type { SensitivitySheet } from '../sensitivity/sheet.ts'

const numbers = z.array(z.number())
const count = z.number().int().positive()

const positive = z.number().positive()

const ScoreTailSchema: z.ZodType<ScoreTail> = z.strictObject({
  count: z.number().int().nonnegative(),
  quantiles: numbers.length(TAIL_PROBABILITIES.length),
  runs: numbers.length(TAIL_PROBABILITIES.length),
  shape: z.number(),
  scale: positive,
})

const scoring = z.strictObject({
  smoothing: count,
  threshold: positive,
  level: z.strictObject({ span: z.number().int().nonnegative(), factor: z.number().nonnegative() }),
  scores: ScoreTailSchema,
})

const odd = (value: number): boolean => value % 2 === 1

const MemberSchema = z.strictObject({
  windowLength: count,
  tail: count,
  scale: z.strictObject({ causal: positive, batch: positive }),
  weight: positive,
}).refine(({ tail, windowLength }) => tail <= windowLength, { message: 'must be at most windowLength', path: ['tail'] })

const different = (names: readonly string[]): boolean => new Set(names).size === names.length

const DetectorModelSchema = z.strictObject({
  channels: z.array(z.string().min(1)).min(1).refine(different, 'two channels have the same name'),
  interval: count.meta({ description: 'Sampling interval in milliseconds.' }),
  maxGap: z.number().int().nonnegative(),
  scaler: z.strictObject({ center: numbers, scale: numbers }),
  weights: numbers,
  windowLength: count,
  members: z.array(MemberSchema).min(1),
  causal: scoring,
  batch: scoring.refine(({ smoothing }) => odd(smoothing), {
    message: 'must be odd: the mean is centred',
    path: ['smoothing'],
  })
    .refine(({ level }) => level.span === 0 || odd(level.span), {
      message: 'must be odd: the level is centred',
      path: ['level', 'span'],
    }),
  margins: numbers,
  evidence: z.strictObject({ causal: EvidenceFitSchema.nullable(), batch: EvidenceFitSchema.nullable() }),
}).refine(
  ({ channels, scaler, weights, margins }) =>
    [scaler.center, scaler.scale, weights, margins].every((list) => list.length === channels.length),
  { message: 'scaler, weights and margins need one entry for each channel' }
)
  .refine(
    ({ channels, evidence }) =>
      [evidence.causal, evidence.batch].every((fit) => fit === null || fit.channels.length === channels.length),
    { message: 'evidence needs one entry for each channel', path: ['evidence'] }
  )
  .refine(({ members, windowLength }) => windowLength === Math.max(...members.map((member) => member.windowLength)), {
    message: 'must be that of the longest member',
    path: ['windowLength'],
  }) satisfies z.ZodType<DetectorModel>

const share = z.number().min(0).max(1)
const shares = z.strictObject({
  found: share.describe('Share that is found.'),
  named: share.describe('Share that is found, the right channel first.'),
})
const rate = z.number().min(0)
const byScoring = <T extends z.ZodType>(schema: T): z.ZodObject<{ batch: T, causal: T }> =>
  z.strictObject({ batch: schema, causal: schema })

const INJECTED_KINDS = ['spike', 'level', 'drift', 'noise', 'quiet', 'missing-cycle', 'swap', 'break'] as const

/** What a detector finds of injected anomalies (core/sensitivity/sheet.ts). */
export const SensitivitySchema = z.strictObject({
  observations: z.int().min(0).describe(
    'Observations that were held out and scored. 0: nothing was measured, the training part was too short.'
  ),
  falseAlarms: byScoring(rate).describe('Anomalies per 1,000 of these observations, without an injection.'),
  findings: z.array(z.strictObject({
    channel: z.string(),
    kind: z.enum(INJECTED_KINDS),
    size: z.number().nullable().describe('In standard deviations of the channel; null if the kind has only a length.'),
    length: z.int().min(1).describe('Observations.'),
    injected: z.int().min(1).describe('How many were injected.'),
    batch: shares,
    causal: shares,
  })),
}) satisfies z.ZodType<SensitivitySheet>

/** Raise it on every change that an older reader would misunderstand; readers refuse other numbers. */
export const MANIFEST_FORMAT = 3

export const ManifestSchema = z.strictObject({
  format: z.literal(MANIFEST_FORMAT),
  name: z.string().regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'lower-case letters, digits, dot, dash or underscore; at most 63'
  ),
  version: z.string().min(1),
  description: z.string(),
  architecture: z.string().min(1),
  detector: DetectorModelSchema,
  training: z.strictObject({
    tfjs: z.string(),
    backend: z.enum(['native', 'wasm', 'cpu']),
    parameters: z.record(z.string(), z.unknown()),
    dataSha256: z.string().regex(/^[0-9a-f]{64}$/),
    series: z.number().int().positive(),
    observations: z.number().int().positive(),
  }),
  sensitivity: SensitivitySchema,
  /**
   * The record of the training. The digest does not cover it: the same data, code and parameters give the same digest,
   * recorded or not.
   */
  tracking: z.exactOptional(z.strictObject({ mlflowRunId: z.string().regex(/^[\w-]{1,64}$/) })),
})

export type Manifest = z.infer<typeof ManifestSchema>

const stretch = {
  start: z.number().int(),
  values: z.record(z.string(), z.array(z.number().nullable())),
}

const ProbesSchema: z.ZodType<Probes> = z.strictObject({
  ...stretch,
  calmAt: byScoring(z.array(z.number().nullable())),
  probes: z.array(z.strictObject({
    scoring: z.enum(['batch', 'causal']),
    channel: z.string(),
    from: z.int().min(0),
    length: count,
    found: z.number(),
    missed: z.number(),
  })),
})

/**
 * What a package must reproduce wherever it is loaded: the scores of a short series, by both scorings, and the verdicts
 * on its probes (core/sensitivity/probes.ts).
 */
export const GoldenSchema = z.strictObject({
  ...stretch,
  causal: z.array(z.number().nullable()),
  batch: z.array(z.number().nullable()),
  probes: ProbesSchema,
})

export type Golden = z.infer<typeof GoldenSchema>
