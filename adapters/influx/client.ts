// InfluxDB's client: bounded in time, its rows as they stream in, its errors as Problems.
import { HttpError, InfluxDB, type Row, type WriteOptions } from '@influxdata/influxdb-client'
import { Problem, type ProblemCode } from '../../core/errors.ts'
import type { InfluxAccess } from './access.ts'

/** @param idleMs a server that says nothing for so long is down */
export function openInflux (
  { url, token }: InfluxAccess,
  idleMs: number,
  writeOptions: Partial<WriteOptions> = {}
): InfluxDB {
  return new InfluxDB({ url, token, timeout: idleMs, writeOptions })
}

/** An answer that began well and ended in an error. */
class BrokenOff extends Error {}

/** The rows of a query. */
export async function * rowsOf (client: InfluxDB, org: string, query: string): AsyncGenerator<Row> {
  let table: Row['tableMeta'] | undefined
  for await (const row of client.getQueryApi(org).iterateRows(query)) {
    if (row.tableMeta !== table) {
      table = row.tableMeta
      if (isOfErrors(table)) throw new BrokenOff(row.values[table.column('error').index])
    }
    yield row
  }
}

/** What goes wrong after the first bytes comes as a table of its own. */
function isOfErrors ({ columns }: Row['tableMeta']): boolean {
  const labels = new Set(columns.map(({ label }) => label))
  return labels.has('error') && labels.has('reference') && !labels.has('_time') && !labels.has('_value')
}

type InfluxFault = 'unreachable' | 'busy' | 'token' | 'organisation' | 'bucket' | 'refused'

/** Too slow, and too much at once. */
const BUSY: ReadonlySet<number> = new Set([408, 429])

function faultOf (error: Error): InfluxFault {
  if (error instanceof BrokenOff) return 'busy'
  if (!(error instanceof HttpError)) return 'unreachable'
  const { statusCode, message } = error
  if (statusCode === 401 || statusCode === 403) return 'token'
  if (isOrganisationMissing(error)) return 'organisation'
  if (statusCode === 404 || /could not find bucket/.test(message)) return 'bucket'
  return statusCode >= 500 || BUSY.has(statusCode) ? 'busy' : 'refused'
}

/**
 * Whether the server has no such organisation: writes answer 404, queries 400 with this sentence. Other refusals quote
 * series and channels, which may be any words.
 */
export const isOrganisationMissing = ({ statusCode, message }: HttpError): boolean =>
  statusCode === 404
    ? /organization/.test(message)
    : statusCode === 400 && /^failed to decode request body: organization name ".*" not found$/s.test(message)

/** What was asked of the server. */
export interface InfluxRequest {
  readonly bucket: string
  /** What the token must be allowed to do. */
  readonly wants: 'read' | 'read and write'
  /** The code if the server refuses the request for another reason than the settings. */
  readonly refusal: ProblemCode
  /** Makes a sentence of "InfluxDB at … has no bucket …", with the remedy. */
  readonly noBucket: (what: string) => string
}

/**
 * The problem that an error of the client means: server-unavailable if it may pass, invalid-settings if a setting must
 * change, the code of the request if no server with these settings will ever take it.
 */
export function influxProblem (
  error: Error,
  { url, org }: InfluxAccess,
  { bucket, wants, refusal, noBucket }: InfluxRequest
): Problem {
  if (error instanceof Problem) return error
  const server = `InfluxDB at ${new URL(url).host}`
  const { message } = error
  const problem = (code: ProblemCode, sentence: string): Problem => new Problem(code, sentence, { cause: error })
  switch (faultOf(error)) {
    case 'unreachable':
      return problem('server-unavailable', `${server} does not answer; check INFLUX_URL. The client says: ${message}`)
    case 'busy':
      return problem('server-unavailable', `${server} cannot do it now: ${message}`)
    case 'token':
      return problem(
        'invalid-settings',
        `${server} refuses the token; check INFLUX_TOKEN, and that it may ${wants} the bucket "${bucket}".`
      )
    case 'organisation':
      return problem('invalid-settings', `${server} has no organisation "${org}" for this token; check INFLUX_ORG.`)
    case 'bucket':
      return problem(
        'invalid-settings',
        noBucket(`${server} has no bucket "${bucket}", or none that INFLUX_TOKEN may ${wants}`)
      )
    case 'refused':
      return problem(refusal, `${server} refuses it for the bucket "${bucket}": ${message}`)
  }
}
