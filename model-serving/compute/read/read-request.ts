// Body and query of POST /compute, or a file of unknown format → input.
import { Problem } from '../../../core/errors.ts'
import { checked } from '../../schemas/check.ts'
import { ComputeQuerySchema, ComputeRequestSchema, FormBodySchema } from '../../schemas/compute.ts'
import type { ComputeLimits } from '../../settings/config.ts'
import { type ComputeTask, UNKNOWN_TYPE } from '../messages/messages.ts'
import { inputFromJson } from './from-json.ts'
import { inputFromTable } from './from-table.ts'
import type { ComputeInput } from './input.ts'
import { parseForm, parseFormFile, parseJson, parseText } from './read-body.ts'
import { inputFromFile } from './read-file.ts'

/** @throws Problem of the request; problems with the model come later */
export async function readRequest (task: ComputeTask, limits: ComputeLimits): Promise<ComputeInput> {
  const { body, mediaType, contentType, fileField, query } = task
  if (mediaType === UNKNOWN_TYPE) return inputOfFile(body, task, limits)
  if (fileField !== undefined) return inputOfFile(await parseFormFile(body, contentType, fileField), task, limits)
  if (mediaType === 'application/json') {
    const request = checked(ComputeRequestSchema, parseJson(body, contentType))
    refuseQuery(checked(ComputeQuerySchema, query, ['query']))
    return inputFromJson(request)
  }
  const text = mediaType === 'text/csv'
    ? parseText(body, contentType)
    : checked(FormBodySchema, await parseForm(body, contentType)).file
  return inputFromTable(text, checked(ComputeQuerySchema, query, ['query']), limits.maxValues)
}

function inputOfFile (
  body: Uint8Array,
  { query }: ComputeTask,
  { maxValues, maxBodyBytes }: ComputeLimits
): ComputeInput {
  return {
    ...inputFromFile(body, { maxBytes: maxBodyBytes, maxValues }),
    ...(typeof query['model'] === 'string' && { model: query['model'] }),
  }
}

function refuseQuery (query: object): void {
  const [first] = Object.keys(query)
  if (first === undefined) return
  throw new Problem(
    'invalid-request',
    'A JSON request has its options in the body, in "options" and "model"; the query is for tables.',
    { items: [{ pointer: `/query/${first}`, detail: 'belongs in the body' }] }
  )
}
