// Requests against their zod schemas; a mismatch is a Problem with JSON pointers. Answers are not checked on the way out:
// their schemas are proved by the tests, and a hundred thousand numbers would be walked twice.
import { type FastifyInstance, type FastifySchema } from 'fastify'
import { type core, type z } from 'zod'
import { pointer, Problem, type ProblemItem } from '../../core/errors.ts'

const MAX_ITEMS = 10

/** Where the parts of a request stand in pointers; a pointer without prefix points into the body. */
const BASES: Record<string, readonly string[]> = { body: [], querystring: ['query'], params: ['params'], headers: ['headers'] }

/** Lets routes declare zod schemas. */
export function addValidation (app: FastifyInstance): void {
  app.setValidatorCompiler<z.ZodType & FastifySchema>(({ schema, httpPart }) => (data) => {
    const result = schema.safeParse(data)
    return result.success ? { value: result.data } : { error: mismatch(result.error.issues, data, BASES[httpPart ?? 'body'] ?? []) }
  })
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
}

function mismatch (issues: readonly core.$ZodIssue[], data: unknown, base: readonly string[]): Problem {
  const items = issues.slice(0, MAX_ITEMS).flatMap((issue) => itemsOf(issue, data, base)).slice(0, MAX_ITEMS)
  const sentences = items.slice(0, 3).map((item) => `${item.pointer === '' ? 'the body' : item.pointer}: ${item.detail}`)
  return new Problem('invalid-request', `${sentences.join('; ')}. GET /openapi.json holds the schema, /docs shows it with examples.`, { items })
}

function itemsOf (issue: core.$ZodIssue, data: unknown, base: readonly string[]): ProblemItem[] {
  const at = (...more: string[]): string => pointer(...base, ...issue.path, ...more)
  if (issue.code === 'unrecognized_keys') return issue.keys.slice(0, MAX_ITEMS).map((key) => ({ pointer: at(key), detail: 'no such member; remove it or correct its name' }))
  return [{ pointer: at(), detail: issue.message, got: valueAt(data, issue.path) }]
}

function valueAt (data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<PropertyKey, unknown>)[key] : undefined, data)
}
