// Checks of what travels most, ten times as fast as their schemas. They never pass what the schema refuses; what they
// refuse the schema judges, and explains.
import { readIsoTime } from '../../core/table/iso-time.ts'
import type { MessageType } from './messages.ts'

type Check = (value: unknown) => boolean

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

const isText: Check = (value) => typeof value === 'string'
const isName: Check = (value) => typeof value === 'string' && value.length >= 1 && value.length <= 200
const isNumber: Check = (value) => Number.isFinite(value)
const isBoolean: Check = (value) => typeof value === 'boolean'
const isInstant: Check = (value) => typeof value === 'string' && INSTANT.test(value) && readIsoTime(value) !== undefined
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 1
const orNull = (check: Check): Check => (value) => value === null || check(value)

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const listOf = (check: Check): Check => (value) => Array.isArray(value) && value.every(check)

/** These members and no others. */
function object (members: Readonly<Record<string, Check>>): Check {
  const checks = new Map(Object.entries(members))
  return (value) => {
    if (!isPlain(value)) return false
    let count = 0
    for (const name in value) {
      if (checks.get(name)?.(value[name]) !== true) return false
      count++
    }
    return count === checks.size
  }
}

/** Any names. */
const record = (checkName: Check, check: Check): Check => (value) => {
  if (!isPlain(value)) return false
  for (const name in value) {
    if (!checkName(name) || !check(value[name]) || name === '__proto__') return false
  }
  return true
}

const someOf = (check: Check): Check => (value) => Array.isArray(value) && value.length > 0 && value.every(check)

const values = record(isName, orNull(isNumber))

const regular = object({ time: isInstant, values, imputed: listOf(isText) })

const verdict = object({
  time: isInstant,
  score: orNull(isNumber),
  anomalous: orNull(isBoolean),
  contributions: orNull(listOf(object({ channel: isText, contribution: isNumber }))),
  values,
  expected: orNull(record(isText, isNumber)),
  imputed: listOf(isText),
})

/** Of what a record holds, by type of message; for the others their schema is quick enough. */
export const QUICK_CHECKS: { readonly [Type in MessageType]?: Check } = {
  'observation.raw.v1': object({ series: isName, time: isInstant, values }),
  'observation.regular.v1': object({ series: isName, interval: isCount, observations: someOf(regular) }),
  'verdict.v1': object({
    series: isName,
    model: object({ name: isText, version: isText, digest: isText }),
    threshold: isNumber,
    verdicts: someOf(verdict),
  }),
}
