// Validates path parameters against their zod schemas. Worker threads check the body and query of POST /compute
// (compute/read/read-request.ts); their schemas in the routes serve the OpenAPI document. Answers are not validated:
// the tests check their schemas, and walking a hundred thousand numbers again would cost time.
import type { FastifyInstance, FastifySchema } from 'fastify'
import type { z } from 'zod'
import { checked } from '../schemas/check.ts'

/** Lets routes declare zod schemas. */
export function addValidation (app: FastifyInstance): void {
  app.setValidatorCompiler<z.ZodType & FastifySchema>(({ schema, httpPart }) => (data) =>
    httpPart === 'params' ? { value: checked(schema, data, ['params']) } : { value: data })
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
}
