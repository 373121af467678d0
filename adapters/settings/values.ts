// Value types that several settings share, and the parser of settings.
import { z } from 'zod'
import { parseDuration } from '../../core/table/duration.ts'
import { Problem } from '../../core/errors.ts'
import { explainFault } from './schema-faults.ts'

export function wholeNumber (least: number, most: number): z.ZodType<number, string> {
  const message = `a whole number from ${least} to ${most}`
  return z.string().regex(/^\d{1,15}$/, message).transform(Number).pipe(
    z.number().min(least, message).max(most, message)
  )
}

export function decimalNumber (least: number, most: number): z.ZodType<number, string> {
  const message = `a number from ${least} to ${most}`
  return z.string().regex(/^\d{1,15}(\.\d{1,15})?$/, message).transform(Number).pipe(
    z.number().min(least, message).max(most, message)
  )
}

/** An ISO 8601 duration, in milliseconds. */
export function duration (example: string): z.ZodType<number, string> {
  return z.string().transform((text, context) => {
    try {
      return parseDuration(text)
    } catch {
      context.addIssue({ code: 'custom', message: `an ISO 8601 duration such as ${example}` })
      return z.NEVER
    }
  })
}

/**
 * A list in one variable, separated by commas or white space. `fault` returns what is wrong with an entry, if anything.
 */
export function list (fault: (entry: string) => string | undefined): z.ZodType<readonly string[], string> {
  return z.string().transform((text, context) => {
    const entries = entriesOf(text)
    for (const entry of entries) {
      const message = fault(entry)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    }
    return entries
  })
}

export const entriesOf = (text: string): string[] => text.split(/[\s,]+/).filter((entry) => entry !== '')

/**
 * Parses settings by their schema; its keys are the variables. An empty variable counts as not set.
 * @throws Problem invalid-settings: names each wrong variable and what it must be, but never the value of a variable
 * marked `secret`
 */
export function parseSettings<Shape extends z.ZodRawShape> (
  schema: z.ZodObject<Shape>,
  env: Readonly<Record<string, string | undefined>>
): z.output<z.ZodObject<Shape>> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const result = schema.safeParse(set, { error: explainFault })
  if (result.success) return result.data
  const isSecret = (name: string): boolean => (schema.shape[name] as z.ZodType | undefined)?.meta()?.['secret'] === true
  const items = result.error.issues.map(({ path, message }) => {
    const name = String(path[0])
    return { pointer: `/${path.join('/')}`, detail: message, ...(!isSecret(name) && { got: env[name] }) }
  })
  const sentences = items.map(({ pointer, detail, got }) =>
    `${pointer.slice(1)}${got === undefined ? '' : ` is "${got}"`}: ${detail}.`
  )
  throw new Problem(
    'invalid-settings',
    `${sentences.join(' ')} Set or unset the variable; .env.example lists all of them.`,
    { items }
  )
}
