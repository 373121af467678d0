// Kinds of values that several settings have.
import { z } from 'zod'

export function wholeNumber (least: number, most: number): z.ZodType<number, string> {
  const message = `a whole number from ${least} to ${most}`
  return z.string().regex(/^\d{1,15}$/, message).transform(Number).pipe(z.number().min(least, message).max(most, message))
}

/** A list in one variable, separated by commas or white space. `fault` says what is wrong with an entry, if anything. */
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
