// Checks of the most frequent messages, ten times as fast as their schemas: ajv compiles the same schemas. A check never
// passes what the schema refuses. The schema judges what a check refuses, and words the error.
import { createRequire } from 'node:module'
import type { Ajv } from 'ajv'
import { z } from 'zod'
import { MESSAGES, type MessageType } from './messages.ts'

type Check = (content: unknown) => boolean

/** Importing ajv and compiling takes about 80 ms, so the first message pays for it, not the start of the process. */
function checkOf (type: MessageType): Check {
  let compiled: Check | undefined
  return (content) => (compiled ??= compile(type))(content)
}

function compile (type: MessageType): Check {
  const schema = z.toJSONSchema(MESSAGES[type].record, {
    target: 'draft-7',
    override: ({ jsonSchema: { propertyNames } }) => {
      // Zod drops a member of this name. The check refuses it, so the schema decides.
      if (typeof propertyNames === 'object') propertyNames.not = { const: '__proto__' }
    },
  })
  return compiler().compile(schema)
}

let ajv: Ajv | undefined

/**
 * Lengths count UTF-16 units, which is faster and never fewer than the characters. Zod's pattern of a time is stricter
 * than the format `date-time`, so formats are not checked.
 */
function compiler (): Ajv {
  const ajvModule = createRequire(import.meta.url)('ajv') as typeof import('ajv')
  return ajv ??= new ajvModule.Ajv({ validateFormats: false, allowUnionTypes: true, unicode: false, logger: false })
}

/** By type of message, for what a record holds. Other types are rare: their schema is quick enough. */
export const QUICK_CHECKS: { readonly [Type in MessageType]?: Check } = {
  'observation.raw.v1': checkOf('observation.raw.v1'),
  'observation.regular.v1': checkOf('observation.regular.v1'),
  'verdict.v1': checkOf('verdict.v1'),
}
