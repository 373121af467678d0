// Descriptions of bodies for the OpenAPI document.
import type { z } from 'zod'

export interface NamedExample {
  readonly summary: string
  readonly value: unknown
}

/** One media type of a body: its zod schema and named examples. */
export interface JsonContent {
  readonly schema: z.ZodType
  readonly examples?: Record<string, NamedExample>
}
