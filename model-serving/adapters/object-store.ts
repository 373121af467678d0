// Objects in the S3 store of a task, by MinIO's client: bounded in size and time, hosts looked up by the guard.
import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { Client } from 'minio'

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
const SOCKETS = 16

/** Codes that say the same tomorrow → the sentence for the person who asked. */
const LASTING: Readonly<Record<string, (key: string) => string>> = {
  NoSuchKey: (key) => `there is no object "${key}"; upload the file again`,
  NotFound: (key) => `there is no object "${key}"; upload the file again`,
  NoSuchBucket: () => 'there is no such bucket; the operator of the engine must correct its S3 settings',
  AccessDenied: () => 'access is denied; the operator of the engine must correct its S3 settings',
  InvalidAccessKeyId: () =>
    'the access key is not known there; the operator of the engine must correct its S3 settings',
  SignatureDoesNotMatch: () => 'the secret key is wrong; the operator of the engine must correct its S3 settings',
  AuthorizationHeaderMalformed: () => 'the region is wrong; the operator of the engine must correct its S3 settings',
  RequestTimeTooSkewed: () =>
    'the clocks of the store and of this service differ too much; their operators must correct them',
  MovedPermanently: () =>
    'it answers with a redirect, which is not followed; the operator of the engine must correct its S3 settings',
  PermanentRedirect: () =>
    'it answers with a redirect, which is not followed; the operator of the engine must correct its S3 settings',
  TemporaryRedirect: () =>
    'it answers with a redirect, which is not followed; the operator of the engine must correct its S3 settings',
  InvalidBucketNameError: () =>
    'the name of the bucket is none; the operator of the engine must correct its S3 settings',
  InvalidObjectNameError: (key) => `"${key}" is no name of an object`,
}

/** Opens stores; all share their connections. */
export class ObjectStores {
  readonly #lookup: LookupFunction
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: SOCKETS })
  readonly #https = new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS })

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
    this.#http.destroy()
    this.#https.destroy()
  }

  /** One a call: that is how the signal reaches its requests. */
  #client ({ host, accessKey, secretKey, region }: StoreSettings, signal: AbortSignal): Client {
    const useSSL = host.protocol === 'https:'
    const agent = useSSL ? this.#https : this.#http
    const send = useSSL ? httpsRequest : httpRequest
    const request = (options: RequestOptions, callback: (response: IncomingMessage) => void): ClientRequest => {
      const sent = send({ ...options, agent, lookup: this.#lookup, signal }, callback)
      sent.setTimeout(IDLE_MS, () => { sent.destroy(new Error(`no answer for ${IDLE_MS / 1000} s`)) })
      return sent
    }
    return new Client({
      endPoint: host.hostname.replace(/^\[|\]$/g, ''),
      useSSL,
      ...(host.port !== '' && { port: Number(host.port) }),
      accessKey,
      secretKey,
      region: region || 'us-east-1',
      pathStyle: true,
      // What may pass is tried again by the task, which then leaves its place to another one.
      retryOptions: { disableRetry: true },
      transport: { request } as unknown as NonNullable<ConstructorParameters<typeof Client>[0]['transport']>,
    })
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
      `The file "${key}" is larger than ${maxBytes} bytes, the limit of this service; send the series in parts, or resampled.`
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
    const { code = '', name, message } = error as NodeJS.ErrnoException
    const lasting = LASTING[code] ?? LASTING[name]
    const where = `Object store ${host.origin}, bucket "${bucket}"`
    if (lasting !== undefined) throw new StoreFailure(`${where}: ${lasting(key)}.`)
    if (name === 'HostRefused') throw new StoreFailure(`${where}: ${message}.`)
    throw new Error(`${where}: ${message || code}`)
  }
}
