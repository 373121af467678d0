// Lists and downloads the CSV files of a bucket in MinIO or another S3 store, with time limits.
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Client } from 'minio'
import { Problem } from '../../core/errors.ts'
import { parseLocation, type StoreAccess } from '../../adapters/s3/access.ts'
import { Connections } from '../../adapters/s3/client.ts'
import { faultOf, reasonOf, type StoreFault } from '../../adapters/s3/faults.ts'

/** A store that stays silent for longer counts as down. */
const IDLE_MS = 30_000

/** A place in a store: one object, or everything below a folder. */
interface StoreLocation {
  readonly bucket: string
  /** Empty, an object's key, or a folder that ends with a slash. */
  readonly prefix: string
}

interface StoredObject {
  readonly key: string
  /** Bytes. */
  readonly size: number
}

/**
 * @throws Problem invalid-settings if it is anything else
 * @example
 * storeLocation('s3://plant/raw/2026') // { bucket: 'plant', prefix: 'raw/2026/' }
 */
export function storeLocation (source: string): StoreLocation {
  const place = parseLocation(source)
  if (place === undefined) {
    throw new Problem('invalid-settings', `"${source}" is not a place in an object store; write s3://bucket/folder.`)
  }
  const { bucket, path } = place
  const isFolder = path !== '' && !path.endsWith('/') && !CSV.test(path)
  return { bucket, prefix: isFolder ? `${path}/` : path }
}

const CSV = /\.csv$/i

/** The files of one place. */
export class StoreSource {
  readonly #access: StoreAccess
  readonly #location: StoreLocation
  readonly #client: Client

  constructor (access: StoreAccess, location: StoreLocation) {
    this.#access = access
    this.#location = location
    this.#client = new Connections().client(access, { idleMs: IDLE_MS })
  }

  /** All CSV files. @throws Problem no-training-data if there are none */
  async list (): Promise<StoredObject[]> {
    const { bucket, prefix } = this.#location
    const found: StoredObject[] = []
    await this.#explained(async () => {
      for await (
        const item of this.#client.listObjectsV2(bucket, prefix, true) as AsyncIterable<{ name?: string, size: number }>
      ) {
        if (item.name !== undefined && CSV.test(item.name)) found.push({ key: item.name, size: item.size })
      }
    })
    if (found.length > 0) return found
    throw new Problem(
      'no-training-data',
      `There is no .csv object in s3://${bucket}/${prefix}; name the folder that holds them.`
    )
  }

  async download ({ key, size }: StoredObject, file: string): Promise<void> {
    await this.#explained(async () => {
      const target = createWriteStream(file)
      await pipeline(await this.#client.getObject(this.#location.bucket, key), target)
      if (target.bytesWritten !== size) throw new Error(`${key} ended after ${target.bytesWritten} of ${size} bytes`)
    })
  }

  async #explained<T> (work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw explained(error, this.#access, this.#location)
    }
  }
}

/** What to correct for each fault. */
const REMEDIES: Readonly<Partial<Record<StoreFault, (location: StoreLocation) => string>>> = {
  'no-bucket': ({ bucket }) => `there is no bucket "${bucket}"; name another s3://bucket/folder`,
  'no-object': ({ prefix }) => `an object of "${prefix}" was removed after it was listed; fetch again`,
  denied: ({ bucket }) => `the key of AWS_ACCESS_KEY_ID may not read the bucket "${bucket}"`,
  'unknown-key': () => 'AWS_ACCESS_KEY_ID is not known there',
  'wrong-secret': () => 'AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID',
  'wrong-region': () => 'AWS_REGION is not the region of the store',
}

/** Makes a problem that names the variable or argument to correct. */
function explained (error: unknown, { endpoint }: StoreAccess, location: StoreLocation): Problem {
  const fault = faultOf(error)
  const remedy = fault === undefined ? undefined : REMEDIES[fault]
  if (remedy !== undefined) {
    return new Problem('invalid-settings', `Object store ${endpoint.host}: ${remedy(location)}.`)
  }
  return new Problem(
    'server-unavailable',
    `Object store ${endpoint.host} does not answer as it should (${reasonOf(error)}); check AWS_ENDPOINT_URL.`
  )
}
