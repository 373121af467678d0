// The shape of fitted evidence in a manifest.
import { z } from 'zod'
import { type EvidenceFit, SPANS } from '../evidence/model.ts'

const positive = z.number().positive()
const numbers = z.array(z.number())

const prediction = z.strictObject({ offset: z.number(), weights: numbers })

const sustained = z.array(positive.nullable()).length(SPANS.length)

const thresholds = z.strictObject({ point: positive, mean: sustained, power: sustained })

const baseline = z.strictObject({
  base: z.number(),
  level: z.int().nonnegative(),
  curved: z.boolean().optional(),
  multiplicative: z.boolean(),
  period: z.number().min(1),
  profile: numbers,
  scale: z.array(positive),
}).refine(({ period, profile, scale }) => [profile, scale].every(({ length }) => length === Math.round(period)), {
  message: 'profile and scale need one entry for each phase of the period',
})

const channel = z.strictObject({
  baseline,
  constant: z.boolean(),
  pair: z.tuple([z.number(), z.number()]).nullable(),
  season: thresholds.nullable(),
  usual: z.number().nonnegative(),
  own: z.strictObject({ forward: prediction, backward: prediction, limit: z.number().nonnegative(), thresholds })
    .nullable(),
  relation: z.strictObject({ prediction, raw: z.boolean(), factor: positive, thresholds }).nullable(),
  stillness: z.strictObject({
    frozenAfter: positive,
    usualStep: z.number().nonnegative(),
    meanStep: z.number().nonnegative(),
    quietAbove: z.number().nonnegative(),
  }).nullable(),
})

/** Fitted evidence of one scoring; null in a model that was fitted for the other one only. */
export const EvidenceFitSchema: z.ZodType<EvidenceFit> = z.strictObject({
  adaptive: z.boolean(),
  channels: z.array(channel),
  related: z.array(z.int().nonnegative()),
  raw: z.strictObject({ center: numbers, scale: z.array(positive) }),
}).refine(
  ({ channels, related, raw }) =>
    related.every((c, j) => c < channels.length && (j === 0 || c > related[j - 1]!)) &&
    [raw.center, raw.scale].every(({ length }) => length === related.length) &&
    channels.every(({ relation }, c) =>
      relation === null || (related.includes(c) && relation.prediction.weights.length === related.length)
    ),
  { message: 'related channels, their raw scales and the weights of relations must agree' }
)
