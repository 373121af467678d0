// Shared by the routes about models: the registry, and JSON bodies, which are small enough to be parsed on this thread.
import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import { checked } from '../schemas/check.ts'
import type { ModelLifecycle, OpenRegistry } from '../models/model-lifecycle.ts'

/** Problems of every route that needs the registry. */
export const REGISTRY_PROBLEMS = [
  'unauthorized',
  'forbidden',
  'too-many-requests',
  'unsupported-media-type',
  'no-registry',
  'registry-unavailable',
  'internal-error',
] as const

/** @throws Problem no-registry */
export function registryOf (lifecycle: ModelLifecycle | undefined): OpenRegistry {
  if (lifecycle?.registry !== undefined) return lifecycle.registry
  throw new Problem(
    'no-registry',
    'This service serves packages of a folder (MODELS_DIR), which have no versions; set MODEL_REGISTRY to a folder ' +
      'or s3://bucket/prefix.'
  )
}

/** Most bytes of a JSON body that is parsed on the HTTP thread. */
const MAX_BYTES = 65_536

/**
 * @param empty value of a missing body
 * @throws Problem malformed-body, body-too-large, unsupported-media-type, invalid-request
 */
export function jsonBody<T> (request: FastifyRequest, schema: z.ZodType<T>, empty?: object): T {
  const body = request.body as Buffer | undefined
  if (body === undefined || body.length === 0) {
    if (empty !== undefined) return checked(schema, empty)
    throw new Problem(
      'unsupported-media-type',
      'The request has no body; send application/json, and name it in Content-Type.'
    )
  }
  if (request.mediaType !== 'application/json') {
    throw new Problem('unsupported-media-type', 'Send application/json, and name it in Content-Type.')
  }
  if (body.length > MAX_BYTES) {
    throw new Problem('body-too-large', `The body is larger than ${MAX_BYTES} bytes.`, {
      extensions: { limit: MAX_BYTES },
    })
  }
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new Problem('malformed-body', `The body is not JSON: ${(cause as Error).message}.`, { cause })
  }
  return checked(schema, value)
}
