// The registry's small objects and their keys. No object records who did something.
import { z } from 'zod'
import { ManifestSchema } from '../../core/package/manifest.ts'

export const ALIASES = ['live', 'shadow'] as const
/** `live` answers requests; `shadow` scores the same traffic without answering. */
export type Alias = typeof ALIASES[number]

const version = z.int().min(1)
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const time = z.iso.datetime()

/** `models/{name}/versions/{version}.json`: a version is published once this object exists. */
export const VersionSchema = z.object({
  version,
  digest,
  publishedAt: time,
  /** Size of the package's object. */
  bytes: z.int().min(1),
})
export type Version = z.output<typeof VersionSchema>

/**
 * `models/{name}/aliases/{alias}/{number}.json`: one step in the alias's history. `clear` leaves it without a version.
 */
export const StepSchema = z.discriminatedUnion('action', [
  z.object({ action: z.enum(['promote', 'rollback']), version, digest, at: time }),
  z.object({ action: z.literal('clear'), at: time }),
])
export type Step = z.output<typeof StepSchema>

const FEEDBACK_LABELS = ['false-alarm', 'missed', 'confirmed'] as const

/** What a person says about an interval, flagged or not. */
export const FeedbackFieldsSchema = z.strictObject({
  model: ManifestSchema.shape.name.describe('Name of the model.'),
  start: z.iso.datetime({ offset: true }).describe('Start of the interval, RFC 3339.'),
  end: z.iso.datetime({ offset: true }).describe('End of the interval, inclusive.'),
  label: z.enum(FEEDBACK_LABELS).describe(
    'false-alarm: flagged, but normal; missed: not flagged, but a fault; confirmed: flagged, and a fault.'
  ),
  series: z.string().min(1).max(200).optional().describe(
    'Name of the series: that of its training file, without .csv. Default: all series.'
  ),
  note: z.string().max(2000).optional().describe('Anything worth knowing.'),
})
/** `feedback/{name}/{id}.json` */
export const FeedbackSchema = z.object({
  id: z.string(),
  at: time,
  version: z.string().nullable(),
  ...FeedbackFieldsSchema.shape,
})
export type FeedbackFields = z.output<typeof FeedbackFieldsSchema>
export type Feedback = z.output<typeof FeedbackSchema>

/** Zero-padded: keys sort by number. */
const padded = (number: number): string => String(number).padStart(6, '0')

export const keys = {
  models: 'models/',
  package: (name: string, ofDigest: string): string =>
    `models/${name}/packages/${ofDigest.slice('sha256:'.length)}.tar`,
  version: (name: string, number: number): string => `models/${name}/versions/${padded(number)}.json`,
  step: (name: string, alias: Alias, number: number): string =>
    `models/${name}/aliases/${alias}/${padded(number)}.json`,
  feedbackOf: (name: string): string => `feedback/${name}/`,
}

export type Place =
  | { readonly kind: 'version', readonly name: string, readonly number: number }
  | { readonly kind: 'package', readonly name: string, readonly digest: string }
  | { readonly kind: 'step', readonly name: string, readonly alias: Alias, readonly number: number }

const PLACE =
  /^models\/([^/]+)\/(?:versions\/(\d{6,})\.json|packages\/([0-9a-f]{64})\.tar|aliases\/(live|shadow)\/(\d{6,})\.json)$/

/** What a key below `models/` stands for; undefined if it is not a key of the registry. */
export function placeOf (key: string): Place | undefined {
  const [, name, ofVersion, hex, alias, step] = PLACE.exec(key) ?? []
  if (name === undefined) return undefined
  if (ofVersion !== undefined) return { kind: 'version', name, number: Number(ofVersion) }
  if (hex !== undefined) return { kind: 'package', name, digest: `sha256:${hex}` }
  return { kind: 'step', name, alias: alias as Alias, number: Number(step) }
}

/** Parses an object; undefined if it is missing or does not match the schema. */
export function readRecord<T> (schema: z.ZodType<T>, content: Uint8Array | undefined): T | undefined {
  if (content === undefined) return undefined
  try {
    return schema.safeParse(JSON.parse(new TextDecoder().decode(content))).data
  } catch {
    return undefined
  }
}
