// The announcement of this service to an engine: the wire format of POST {engine}/services, engine version 1.2.0.
import { z } from 'zod'

/** Media types that an engine allows in a field. */
export const ENGINE_MEDIA_TYPES = [
  'image/jpeg',
  'image/png',
  'text/plain',
  'text/csv',
  'application/json',
  'application/pdf',
  'application/zip',
  'audio/mpeg',
  'audio/ogg',
] as const

/** The engine uses input names as Python keyword arguments. It stores other names, but then its route crashes. */
const inputName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a plain identifier')
  .refine((name) => !PYTHON_KEYWORDS.has(name), 'not a keyword of Python')

const PYTHON_KEYWORDS = new Set(
  ('False None True and as assert async await break class continue def del elif else except finally for from global ' +
    'if import in is lambda nonlocal not or pass raise return try while with yield').split(' ')
)

const types = z.array(z.enum(ENGINE_MEDIA_TYPES)).min(1)

/** Fields are matched by position, not by name: the n-th object of a task belongs to the n-th field. */
export const InputFieldsSchema = z.array(z.strictObject({ name: inputName, type: types })).min(1)
  .refine(
    (fields) => new Set(fields.map(({ name }) => name)).size === fields.length,
    'every input has a name of its own'
  )
export const OutputFieldsSchema = z.array(z.strictObject({ name: z.string().min(1), type: types })).min(1)

/** The engine accepts only names and acronyms from its own lists. */
export const TagsSchema = z.array(z.strictObject({ name: z.string().min(1), acronym: z.string().min(1) }))

/** Paths of the engine itself. A service with such a name gets no route, and deleting it removes the engine's route. */
const ENGINE_PATHS = new Set([
  'services',
  'tasks',
  'pipelines',
  'pipeline',
  'pipeline-executions',
  'pipeline-steps',
  'storage',
  'stats',
  'docs',
  'redoc',
  'openapi',
  'ws',
  'ping',
  'status',
])
export const SlugSchema = z.string().regex(
  /^[a-z][a-z0-9-]*$/,
  'lower-case letters, digits and hyphens, beginning with a letter'
)
  .refine((slug) => !ENGINE_PATHS.has(slug), 'not a path of the engine itself')

/** Absent members must stay absent: an engine that stores `docs_url: null` no longer answers. */
export interface Announcement {
  readonly name: string
  readonly slug: string
  readonly url: string
  readonly summary: string
  readonly description: string
  readonly status: 'available'
  readonly data_in_fields: z.output<typeof InputFieldsSchema>
  readonly data_out_fields: z.output<typeof OutputFieldsSchema>
  readonly tags: z.output<typeof TagsSchema>
  readonly has_ai: boolean
  readonly docs_url?: string
}
