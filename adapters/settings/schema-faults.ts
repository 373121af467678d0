// Zod's messages in plain words: what a value must be, and whether it is missing.
import type { core } from 'zod'

/** For `safeParse(value, { error: explainFault })`. A message of the schema itself comes first. */
export const explainFault: core.$ZodErrorMap = (issue) => {
  const expected = expectationOf(issue)
  if (expected === undefined) return undefined
  return issue.input === undefined ? `missing; must be ${expected}` : `must be ${expected}`
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function expectationOf (issue: core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return KINDS[issue.expected]
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    return values.length === 1 ? values[0] : `one of ${values.join(', ')}`
  }
  return (issue.code === 'too_small' || issue.code === 'too_big') && ['number', 'int'].includes(issue.origin)
    ? boundOf(issue)
    : undefined
}

function boundOf (issue: core.$ZodRawIssue<core.$ZodIssueTooSmall | core.$ZodIssueTooBig>): string {
  if (issue.code === 'too_small') return `${issue.inclusive === false ? 'greater than' : 'at least'} ${issue.minimum}`
  return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`
}
