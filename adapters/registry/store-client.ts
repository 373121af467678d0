// MinIO's client for an S3 store, bounded in time, with connections that can be ended.
import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Client } from 'minio'

/** Where a store is, and who asks. */
export interface StoreAccess {
  /** The server, without a path. */
  readonly endpoint: URL
  readonly accessKey: string
  readonly secretKey: string
  readonly sessionToken?: string
  readonly region: string
}

/** A client of a store, with connections of its own. */
export interface Connection {
  readonly client: Client
  /** Ends its connections, and what still waits for them. */
  destroy (): void
}

/**
 * @param idleMs a server that sends nothing for so long is down
 * @param onEnd called when the answer to a request is over, or broke off
 */
export function connect (
  { endpoint, accessKey, secretKey, sessionToken, region }: StoreAccess,
  idleMs: number,
  onEnd?: () => void
): Connection {
  const useSSL = endpoint.protocol === 'https:'
  const agent = new (useSSL ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: 16 })
  const send = useSSL ? httpsRequest : httpRequest
  const request = (options: RequestOptions, callback: (response: IncomingMessage) => void): ClientRequest => {
    const sent = send({ ...options, agent }, callback)
    sent.setTimeout(idleMs, () => { sent.destroy(new Error(`no answer for ${idleMs / 1000} s`)) })
    if (onEnd !== undefined) sent.on('response', (response) => { response.on('close', onEnd) })
    return sent
  }
  const client = new Client({
    endPoint: endpoint.hostname.replace(/^\[|\]$/g, ''),
    useSSL,
    ...(endpoint.port !== '' && { port: Number(endpoint.port) }),
    accessKey,
    secretKey,
    ...(sessionToken !== undefined && { sessionToken }),
    region,
    pathStyle: true,
    retryOptions: { disableRetry: true },
    transport: { request } as unknown as NonNullable<ConstructorParameters<typeof Client>[0]['transport']>,
  })
  return { client, destroy: () => { agent.destroy() } }
}
