// The names in a path against their zod schema. Body and query of POST /compute are checked where they are read
// (compute/read-request.ts), off this thread; their schemas stand in the routes for the OpenAPI document. Answers are
// not checked on the way out: their schemas are proved by the tests, and a hundred thousand numbers would be walked
// twice.
import type { FastifyInstance, FastifySchema } from 'fastify'
import type { z } from 'zod'
import { checked } from '../schemas/check.ts'

/** Lets routes declare zod schemas. */
export function addValidation (app: FastifyInstance): void {
  app.setValidatorCompiler<z.ZodType & FastifySchema>(({ schema, httpPart }) => (data) =>
    httpPart === 'params' ? { value: checked(schema, data, ['params']) } : { value: data })
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
}
