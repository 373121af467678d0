// MinIO's client for an S3 store, bounded in time, with connections that can be ended.
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
import type { StoreAccess } from './access.ts'

const SOCKETS = 16

/** How the requests of a client travel. */
export interface TransportOptions {
  /** A server that sends and takes nothing for so long is down. */
  readonly idleMs: number
  /** Default: the lookup of Node. */
  readonly lookup?: LookupFunction
  /** Ends the requests. */
  readonly signal?: AbortSignal
  /** Called when the answer to a request is over, or broke off. */
  readonly onEnd?: () => void
}

/** Connections to any number of stores, kept for the next request. */
export class Connections {
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: SOCKETS })
  readonly #https = new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS })

  /** Nothing is tried twice: whoever asks knows better when to try again. */
  client (access: StoreAccess, { idleMs, onEnd, ...more }: TransportOptions): Client {
    const { endpoint, accessKey, secretKey, sessionToken, region } = access
    const useSSL = endpoint.protocol === 'https:'
    const agent = useSSL ? this.#https : this.#http
    const send = useSSL ? httpsRequest : httpRequest
    const request = (options: RequestOptions, callback: (response: IncomingMessage) => void): ClientRequest => {
      const sent = send({ ...options, ...more, agent }, callback)
      sent.setTimeout(idleMs, () => { sent.destroy(new Error(`no answer for ${idleMs / 1000} s`)) })
      if (onEnd !== undefined) sent.on('response', (response) => { response.on('close', onEnd) })
      return sent
    }
    return new Client({
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
  }

  /** Ends the connections, and what still waits for them. */
  destroy (): void {
    this.#http.destroy()
    this.#https.destroy()
  }
}
