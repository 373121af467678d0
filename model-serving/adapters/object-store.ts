// Objects in the S3 store of a task, by MinIO's client: bounded in size and time, hosts looked up by the guard.
import type { LookupFunction } from 'node:net'
import type { Client } from 'minio'
import { DEFAULT_REGION } from '../../adapters/s3/access.ts'
import { Connections } from '../../adapters/s3/client.ts'
import { faultOf, reasonOf, type StoreFault } from '../../adapters/s3/faults.ts'

/** What the store will say again tomorrow; the message is fit for the person who asked. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
}

export interface StoreSettings {
  readonly host: URL
  readonly bucket: string
  readonly accessKey: string
  readonly secretKey: string
  readonly region: string | undefined
}

export interface ObjectStore {
  /**
   * @throws StoreFailure where it is missing, forbidden or larger than `maxBytes`; anything else may pass
   */
  get (key: string, maxBytes: number, signal: AbortSignal): Promise<Buffer>
  /** @throws as get() */
  put (key: string, content: Uint8Array, contentType: string, signal: AbortSignal): Promise<void>
}

/** A store that sends or takes nothing for so long is down. */
const IDLE_MS = 10_000

const CORRECT = 'the operator of the engine must correct its S3 settings'

/** Fault → the sentence for the person who asked; the store will say the same tomorrow. */
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

/** Opens stores; all share their connections. */
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
   * One for each call: so the signal reaches its requests. The task tries again what may pass, and leaves its place to
   * another one until then.
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
 * Lasting failures as sentences; what may pass goes on as it is, without the secrets that clients hang on their errors.
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
