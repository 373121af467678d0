// What a caller reads about a value that does not match its schema.
import t from 'tap'
import { z } from 'zod'
import { explainFault } from '../settings/schema-faults.ts'

function explained (schema: z.ZodType, value: unknown): string | undefined {
  return schema.safeParse(value, { error: explainFault }).error?.issues[0]?.message
}

t.test('a fault states what the value must be', async (t) => {
  t.equal(explained(z.string(), 3), 'must be a string')
  t.equal(explained(z.int(), 1.5), 'must be a whole number')
  t.equal(explained(z.record(z.string(), z.number()), []), 'must be an object')
  t.equal(explained(z.enum(['batch', 'causal']), 'online'), 'must be one of batch, causal')
  t.equal(explained(z.literal(1), 2), 'must be 1')
  t.equal(explained(z.number().gt(0), -1), 'must be greater than 0')
  t.equal(explained(z.number().min(1), 0), 'must be at least 1')
  t.equal(explained(z.number().lt(1), 1), 'must be less than 1')
  t.equal(explained(z.int().max(5), 6), 'must be at most 5')
})

t.test('a missing value is called missing', async (t) => {
  t.equal(explained(z.object({ name: z.string() }), {}), 'missing; must be a string')
  t.equal(explained(z.object({ label: z.enum(['a', 'b']) }), {}), 'missing; must be one of a, b')
})

t.test('a message of the schema, and a kind of fault without an entry, stay', async (t) => {
  t.equal(explained(z.string('a name'), 3), 'a name')
  t.match(explained(z.string().min(2), 'x'), /^Too small/)
  t.match(explained(z.string().max(2), 'xxx'), /^Too big/)
  t.match(explained(z.uuid(), 'x'), /^Invalid/)
})
