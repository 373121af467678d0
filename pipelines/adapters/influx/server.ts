// One InfluxDB server: lines go to a bucket in one awaited request, rows come of a query, buckets are made where they
// are missing.
import { HttpError, type InfluxDB, type Row, type WriteApi } from '@influxdata/influxdb-client'
import type { InfluxAccess } from '../../../adapters/influx/access.ts'
import { influxProblem, isOrganisationMissing, openInflux, rowsOf } from '../../../adapters/influx/client.ts'
import type { Problem } from '../../../core/errors.ts'

/** A server that says nothing for so long is down. */
const IDLE_MS = 20_000

/** InfluxDB recommends 5000 short lines; those of verdicts are long. */
const MAX_CHARACTERS = 2_000_000

/** On the way within a machine compressing costs more than it saves. */
const isNear = ({ hostname }: URL): boolean => /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname)
const GZIP_FROM_BYTES = 2000

/** Only ever told of what writeFailed() does not take: nothing. */
const refuse = async (error: Error): Promise<void> => { throw error }

export class InfluxServer {
  readonly host: string
  readonly #access: InfluxAccess
  readonly #client: InfluxDB
  readonly #writers = new Map<string, WriteApi>()

  constructor (access: InfluxAccess) {
    const url = new URL(access.url)
    this.host = url.host
    this.#access = access
    // The client would send full batches by itself, which nobody awaits, and try again for minutes, which is up to
    // those who write. A text of many lines counts as one; so none is ever full, and flush() sends what was given just
    // before, and nothing else.
    this.#client = openInflux(access, IDLE_MS, {
      batchSize: 2,
      maxBatchBytes: Number.MAX_SAFE_INTEGER,
      flushInterval: 0,
      maxRetries: 0,
      maxBufferLines: 0,
      writeFailed: refuse,
      gzipThreshold: isNear(url) ? Number.MAX_SAFE_INTEGER : GZIP_FROM_BYTES,
    })
  }

  /** @throws Problem as influxProblem() says */
  async write (bucket: string, lines: readonly string[]): Promise<void> {
    const writer = this.#writerOf(bucket)
    for (const text of textsOf(lines)) {
      writer.writeRecord(text)
      await writer.flush().catch((error: unknown) => { throw this.#problemOf(error as Error, bucket) })
    }
  }

  #writerOf (bucket: string): WriteApi {
    let writer = this.#writers.get(bucket)
    if (writer === undefined) {
      writer = this.#client.getWriteApi(this.#access.org, bucket, 'ns')
      this.#writers.set(bucket, writer)
    }
    return writer
  }

  /** @throws Problem as influxProblem() says */
  async * rows (bucket: string, query: string): AsyncGenerator<Row> {
    try {
      yield * rowsOf(this.#client, this.#access.org, query)
    } catch (error) {
      throw this.#problemOf(error as Error, bucket)
    }
  }

  /**
   * Makes it where it is missing and the token may; where it may not, writing tells.
   * @throws Problem server-unavailable; invalid-settings where there is no such organisation, or the token is none
   */
  async ensureBucket (name: string): Promise<void> {
    const { org } = this.#access
    try {
      if (await this.#exists(name)) return
      const [found] = (await this.#get<{ orgs: Array<{ id: string }> }>('orgs', { org })).orgs
      if (found !== undefined) {
        await this.#client.transport.request('/api/v2/buckets', { orgID: found.id, name, retentionRules: [] }, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
        })
      }
    } catch (error) {
      // It may not do so, or somebody else has just made it.
      if (
        error instanceof HttpError && [403, 404, 422].includes(error.statusCode) && !isOrganisationMissing(error)
      ) return
      throw this.#problemOf(error as Error, name)
    }
  }

  async #exists (name: string): Promise<boolean> {
    try {
      return (await this.#get<{ buckets: unknown[] }>('buckets', { org: this.#access.org, name })).buckets.length > 0
    } catch (error) {
      if (error instanceof HttpError && error.statusCode === 404 && !isOrganisationMissing(error)) return false
      throw error
    }
  }

  async #get<Answer> (resource: string, parameters: Record<string, string>): Promise<Answer> {
    return this.#client.transport.request(`/api/v2/${resource}?${new URLSearchParams(parameters)}`, '', {
      method: 'GET',
    }) as Promise<Answer>
  }

  #problemOf (error: Error, bucket: string): Problem {
    return influxProblem(error, this.#access, {
      bucket,
      wants: 'read and write',
      refusal: 'invalid-request',
      noBucket: (what) => `${what}; make it, or let the token make it.`,
    })
  }
}

/** Lines together, as many as one request should have. */
function * textsOf (lines: readonly string[]): Generator<string> {
  let begin = 0
  let size = 0
  for (let i = 0; i < lines.length; i++) {
    size += lines[i]!.length
    if (size < MAX_CHARACTERS && i < lines.length - 1) continue
    yield lines.slice(begin, i + 1).join('\n')
    begin = i + 1
    size = 0
  }
}
