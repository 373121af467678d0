// Body and query of POST /compute, as they came → input.
import { Problem } from '../../core/errors.ts'
import { checked } from '../schemas/check.ts'
import { ComputeQuerySchema, ComputeRequestSchema, FormBodySchema } from '../schemas/compute.ts'
import { inputFromJson } from './from-json.ts'
import { inputFromTable } from './from-table.ts'
import type { ComputeInput } from './input.ts'
import type { ComputeTask } from './messages.ts'
import { parseForm, parseJson, parseText } from './read-body.ts'

/** @throws Problem of whatever is wrong with the request, before a model is known */
export async function readRequest ({ body, mediaType, contentType, query }: ComputeTask, maxValues: number): Promise<ComputeInput> {
  if (mediaType === 'application/json') {
    const request = checked(ComputeRequestSchema, parseJson(body, contentType))
    refuseQuery(checked(ComputeQuerySchema, query, ['query']))
    return inputFromJson(request)
  }
  const text = mediaType === 'text/csv' ? parseText(body, contentType) : checked(FormBodySchema, await parseForm(body, contentType)).file
  return inputFromTable(text, checked(ComputeQuerySchema, query, ['query']), maxValues)
}

function refuseQuery (query: object): void {
  const [first] = Object.keys(query)
  if (first === undefined) return
  throw new Problem('invalid-request', 'A JSON request has its options in the body, under "options" and "model"; the query is for tables.',
    { items: [{ pointer: `/query/${first}`, detail: 'belongs into the body' }] })
}
