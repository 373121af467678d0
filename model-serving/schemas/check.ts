// Checks a part of a request against its zod schema. A mismatch becomes a Problem with JSON pointers.
import type { core, z } from 'zod'
import { pointer, Problem, type ProblemItem } from '../../core/errors.ts'
import { explainFault } from '../../adapters/settings/schema-faults.ts'

const MAX_ITEMS = 10

/**
 * The part as parsed by its schema.
 * @param base first tokens of the pointers; empty for the body
 * @throws Problem invalid-request
 */
export function checked<T> (schema: z.ZodType<T>, part: unknown, base: readonly string[] = []): T {
  const result = schema.safeParse(part, { error: explainFault })
  if (result.success) return result.data
  throw mismatch(result.error.issues, part, base)
}

function mismatch (issues: readonly core.$ZodIssue[], data: unknown, base: readonly string[]): Problem {
  const items = issues.slice(0, MAX_ITEMS).flatMap((issue) => itemsOf(issue, data, base)).slice(0, MAX_ITEMS)
  const sentences = items.slice(0, 3).map((item) =>
    `${item.pointer === '' ? 'the body' : item.pointer}: ${item.detail}`
  )
  return new Problem(
    'invalid-request',
    `${sentences.join('; ')}. GET /openapi.json has the schema; /docs shows it with examples.`,
    { items }
  )
}

function itemsOf (issue: core.$ZodIssue, data: unknown, base: readonly string[]): ProblemItem[] {
  const at = (...more: string[]): string => pointer(...base, ...issue.path, ...more)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MAX_ITEMS).map((key) => ({
      pointer: at(key),
      detail: 'no such member; remove it or correct its name',
    }))
  }
  return [{ pointer: at(), detail: issue.message, got: valueAt(data, issue.path) }]
}

function valueAt (data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    data
  )
}
