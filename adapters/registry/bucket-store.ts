// A registry in a MinIO bucket: conditional puts (If-None-Match: *) create objects, and the server reports changes.
import type { Client } from 'minio'
import { Problem } from '../../core/errors.ts'
import type { StoreAccess } from '../s3/access.ts'
import { Connections } from '../s3/client.ts'
import { faultOf, reasonOf } from '../s3/faults.ts'
import type { RegistryStore, StoredObject, Watch } from './store.ts'

export interface BucketSettings extends StoreAccess {
  readonly bucket: string
  /** The start of every key: empty, or ends with a slash. */
  readonly prefix: string
}

/** A server that stays silent for longer counts as down. */
const IDLE_MS = 10_000

/** How long to wait before restoring a broken watch. */
const WATCH_AGAIN_MS = 5000

/** The code if there is one: it says more than the message. */
function briefReason (error: unknown): string {
  const { code, name = 'Error' } = error as { code?: string, name?: string }
  return code ?? (name === 'Error' ? reasonOf(error) : name)
}

/** The bucket must exist. */
export function bucketStore (settings: BucketSettings): RegistryStore {
  const { bucket, prefix } = settings
  const location = `s3://${bucket}/${prefix}`.replace(/\/$/, '')
  const connections = new Connections()
  const client = connections.client(settings, { idleMs: IDLE_MS })
  const attempt = async <T>(work: () => Promise<T>): Promise<T> =>
    work().catch((cause: unknown) => {
      throw new Problem(
        'registry-unavailable',
        `The registry ${location} cannot be used (${briefReason(cause)}); check that ${settings.endpoint.origin} ` +
          'runs and has the bucket, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
        { cause }
      )
    })
  return {
    location,
    create: async (key, content) =>
      attempt(async () => {
        const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
        return client.putObject(bucket, prefix + key, bytes, bytes.length, { 'If-None-Match': '*' }).then(
          () => true,
          (error: unknown) => {
            if (faultOf(error) === 'exists') return false
            throw error
          }
        )
      }),
    get: async (key) => attempt(async () => read(client, bucket, prefix + key)),
    list: async (under) => attempt(async () => list(client, bucket, prefix, under)),
    remove: async (key) => attempt(async () => client.removeObject(bucket, prefix + key)),
    watch: (under, onChange) => watch(settings, prefix + under, onChange),
    close: () => { connections.destroy() },
  }
}

async function read (client: Client, bucket: string, key: string): Promise<Uint8Array | undefined> {
  try {
    const chunks: Buffer[] = []
    for await (const chunk of await client.getObject(bucket, key)) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  } catch (error) {
    if (faultOf(error) === 'no-object') return undefined
    throw error
  }
}

async function list (client: Client, bucket: string, prefix: string, under: string): Promise<StoredObject[]> {
  const found: StoredObject[] = []
  for await (const item of client.listObjectsV2(bucket, prefix + under, true)) {
    const { name, size, lastModified } = item as { name?: string, size: number, lastModified?: Date }
    if (name !== undefined && lastModified !== undefined) {
      found.push({ key: name.slice(prefix.length), bytes: size, createdAt: lastModified.getTime() })
    }
  }
  return found.sort((a, b) => a.key < b.key ? -1 : 1)
}

/**
 * Listens to MinIO's own notifications, and restores the connection if it breaks. Other stores have none, which is not
 * a failure. The last public build of MinIO buffers 4 kB of notifications before it sends any, so callers must also
 * poll. The client does not notice if an answer breaks off: `onEnd` watches for its end.
 */
function watch (settings: BucketSettings, prefix: string, onChange: () => void): Watch {
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let stop = (): void => {}
  const listen = (): void => {
    let over = false
    const again = (): void => {
      if (closed || over) return
      over = true
      stop()
      timer = setTimeout(listen, WATCH_AGAIN_MS)
      timer.unref()
    }
    // The server sends a keep-alive every few seconds.
    const connections = new Connections()
    const client = connections.client(settings, { idleMs: 3 * IDLE_MS, onEnd: again })
    const poller = client.listenBucketNotification(settings.bucket, prefix, '', [
      's3:ObjectCreated:*',
      's3:ObjectRemoved:*',
    ])
    stop = () => {
      poller.stop()
      connections.destroy()
    }
    poller.on('notification', onChange)
    poller.on('error', again)
  }
  listen()
  return {
    close () {
      closed = true
      clearTimeout(timer)
      stop()
    },
  }
}
