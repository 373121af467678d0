// Objects in the S3 store of a task, read and written by MinIO's client: bounded in size and time, with the lookup of
// the host guard.
import type { LookupFunction } from 'node:net'
import type { Client } from 'minio'
import { DEFAULT_REGION } from '../../adapters/s3/access.ts'
import { Connections } from '../../adapters/s3/client.ts'
import { faultOf, reasonOf, type StoreFault } from '../../adapters/s3/faults.ts'

/** A lasting failure: a retry cannot succeed. The message is for the user of the engine. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
}

interface StoreSettings {
  readonly host: URL
  readonly bucket: string
  readonly accessKey: string
  readonly secretKey: string
  readonly region: string | undefined
}

export interface ObjectStore {
  /**
   * @throws StoreFailure if it is missing, forbidden or larger than `maxBytes`; after other errors a retry may succeed
   */
  get (key: string, maxBytes: number, signal: AbortSignal): Promise<Buffer>
  /** @throws as get() */
  put (key: string, content: Uint8Array, contentType: string, signal: AbortSignal): Promise<void>
}

/** A store that transfers nothing for this time is down. */
const IDLE_MS = 10_000

const CORRECT = 'the operator of the engine must correct its S3 settings'

/** Messages of lasting failures, for the user of the engine. */
const LASTING: Readonly<Partial<Record<StoreFault, (key: string) => string>>> = {
  'no-object': (key) => `there is no object "${key}"; upload the file again`,
  'no-bucket': () => `there is no such bucket; ${CORRECT}`,
  denied: () => `access is denied; ${CORRECT}`,
  'unknown-key': () => `the access key is not known there; ${CORRECT}`,
  'wrong-secret': () => `the secret key is wrong; ${CORRECT}`,
  'wrong-region': () => `the region is wrong; ${CORRECT}`,
  'wrong-clock': () => 'the clocks of the store and of this service differ too much; their operators must correct them',
  redirect: () => `it answers with a redirect, which is not followed; ${CORRECT}`,
  'bad-bucket-name': () => `the name of the bucket is not valid; ${CORRECT}`,
  'bad-object-name': (key) => `"${key}" is not a valid name of an object`,
}

/** Opens stores. They share their connections. */
export class ObjectStores {
  readonly #lookup: LookupFunction
  readonly #connections = new Connections()

  constructor (lookup: LookupFunction) {
    this.#lookup = lookup
  }

  open (settings: StoreSettings): ObjectStore {
    return {
      get: async (key, maxBytes, signal) =>
        explained(
          settings,
          key,
          async () => read(await this.#client(settings, signal).getObject(settings.bucket, key), key, maxBytes)
        ),
      put: async (key, content, contentType, signal) =>
        explained(settings, key, async () => {
          const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
          await this.#client(settings, signal).putObject(settings.bucket, key, bytes, bytes.length, {
            'Content-Type': contentType,
          })
        }),
    }
  }

  close (): void {
    this.#connections.destroy()
  }

  /**
   * One client per call, so that the signal reaches its requests. The client does not retry: the task does, and gives
   * its slot to another task until then.
   */
  #client ({ host, accessKey, secretKey, region }: StoreSettings, signal: AbortSignal): Client {
    const access = { endpoint: host, accessKey, secretKey, region: region || DEFAULT_REGION }
    return this.#connections.client(access, { idleMs: IDLE_MS, lookup: this.#lookup, signal })
  }
}

async function read (
  stream: AsyncIterable<Buffer> & { destroy(): void, headers?: Record<string, string | undefined> },
  key: string,
  maxBytes: number
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  const tooLarge = (): StoreFailure => {
    stream.destroy()
    return new StoreFailure(
      `The file "${key}" is larger than ${maxBytes} bytes, the limit of this service; ` +
        'send the series in parts, or resampled.'
    )
  }
  if (Number(stream.headers?.['content-length'] ?? 0) > maxBytes) throw tooLarge()
  for await (const chunk of stream) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/**
 * Lasting failures become a StoreFailure. Other errors keep their message, without the secrets that clients attach.
 */
async function explained<T> ({ host, bucket }: StoreSettings, key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StoreFailure) throw error
    const fault = faultOf(error)
    const lasting = fault === undefined ? undefined : LASTING[fault]
    const where = `Object store ${host.origin}, bucket "${bucket}"`
    if (lasting !== undefined) throw new StoreFailure(`${where}: ${lasting(key)}.`)
    const { name, message } = error as Error
    if (name === 'HostRefused') throw new StoreFailure(`${where}: ${message}.`)
    throw new Error(`${where}: ${reasonOf(error)}`)
  }
}
