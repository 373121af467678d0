// The wire format of versions, promotions and uploads.
import { z } from 'zod'
import type { AliasState } from '../../adapters/registry/aliases.ts'
import { ManifestSchema } from '../../core/package/manifest.ts'
import { ALIASES, type Step } from '../../adapters/registry/records.ts'
import type { RegisteredModel } from '../../adapters/registry/registry.ts'

const time = z.string().meta({ format: 'date-time' })
const digest = z.string().describe('SHA-256 over the model package.')
const alias = z.enum(ALIASES).describe(
  'live: the version that answers. shadow: a version that scores the same series without answering.'
)

export const NameParamsSchema = z.strictObject({
  name: ManifestSchema.shape.name.describe('Name of a model.').meta({ examples: ['wind-turbine'] }),
})

const StandingSchema = z.strictObject({ version: z.int(), digest, at: time }).nullable()

const StepsSchema = z.array(
  z.strictObject({
    action: z.enum(['promote', 'rollback', 'clear']),
    version: z.int().nullable(),
    digest: digest.nullable(),
    at: time,
  })
)

export const VersionsSchema = z.strictObject({
  name: z.string(),
  versions: z.array(z.strictObject({ version: z.int().min(1), digest, publishedAt: time, bytes: z.int() })).describe(
    'Versions by number. A version never changes.'
  ),
  aliases: z.strictObject({ live: StandingSchema, shadow: StandingSchema }).describe(
    'Version that each alias stands for, and since when; null if none.'
  ),
  history: z.strictObject({ live: StepsSchema, shadow: StepsSchema }).describe(
    'Changes of each alias, the oldest first.'
  ),
})
export type Versions = z.output<typeof VersionsSchema>

export const PublishedSchema = z.strictObject({
  name: z.string(),
  version: z.int().min(1),
  digest,
  publishedAt: time,
  existed: z.boolean().describe('Whether the same package had already been published.'),
  promoted: z.boolean().describe('Whether the version is live now.'),
})

const flag = z.enum(['true', 'false']).transform((text) => text === 'true')

export const PublishQuerySchema = z.strictObject({
  name: ManifestSchema.shape.name.optional().describe(
    'Name of the model to train. A package contains its own name.'
  ),
  promote: flag.optional().describe(
    'true: make the new version live at once; this needs a key with scope admin. Default: false.'
  ),
  from: z.string().max(1000).regex(
    /^s3:\/\//,
    'must be s3://bucket/key of a CSV file, or s3://bucket/prefix of several'
  ).optional().describe(
    'Series to train on, in the object store of the registry; instead of a body. TRAINING_SOURCES must allow it.'
  ),
  trainUntil: z.string().max(60).optional().meta({
    format: 'date-time',
    description: 'Train on the observations before this time, and test on the later ones. Default: train on all.',
  }),
  interval: z.string().max(40).optional().meta({
    format: 'duration',
    description: 'Sampling interval. Default: detected from the timestamps.',
  }),
  architecture: z.enum(['linear', 'masked', 'residual', 'dense', 'convolutional', 'recurrent', 'ensemble']).optional()
    .describe('Kind of autoencoder. Default: ensemble.'),
})
export type PublishQuery = z.output<typeof PublishQuerySchema>

export const PackageBodySchema = z.string().describe(
  'The files of a model package as a tar archive: `tar cf - -C models/pump .`'
).meta({ contentMediaType: 'application/x-tar' })

export const PromoteBodySchema = z.strictObject({
  version: z.int().min(1).describe('Number of the version.'),
  alias: alias.default('live'),
})
export const RollbackBodySchema = z.strictObject({ alias: alias.default('live') })

export const ServedNowSchema = z.strictObject({
  name: z.string(),
  alias,
  version: z.int().nullable().describe('Version that the alias stands for now.'),
  digest: digest.nullable(),
  at: time.nullable(),
  served: z.boolean().describe('Whether this service has opened the version and uses it.'),
  problem: z.string().nullable().describe(
    'Why the service does not use the version. It continues to use the previous one.'
  ),
})

export function describeVersions ({ name, versions, aliases }: RegisteredModel): Versions {
  const standing = ({ current }: AliasState): z.output<typeof StandingSchema> => current ?? null
  const stepOf = ({ action, at, ...step }: Step): Versions['history']['live'][number] => ({
    action,
    version: null,
    digest: null,
    ...step,
    at,
  })
  return {
    name,
    versions: versions.map(({ version, digest, publishedAt, bytes }) => ({ version, digest, publishedAt, bytes })),
    aliases: { live: standing(aliases.live), shadow: standing(aliases.shadow) },
    history: { live: aliases.live.history.map(stepOf), shadow: aliases.shadow.history.map(stepOf) },
  }
}
