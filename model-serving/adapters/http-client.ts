// JSON over HTTP to engines: bounded in time and size, without redirects, and with a name lookup that the caller can
// set.
import type { LookupFunction } from 'node:net'
import { Agent, request } from 'undici'

/** An engine answers with a few kilobytes. */
const MAX_ANSWER_BYTES = 1_048_576
const CONNECT_MS = 5_000

export interface HttpMessage {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly url: string
  readonly body?: string | Uint8Array
  /** Type of the body; default: JSON. */
  readonly contentType?: string
  /** Parent span, if the message is traced. */
  readonly traceparent?: string | undefined
}

export interface HttpAnswer {
  readonly status: number
  /** Parsed JSON, or text if it is not JSON. */
  readonly body: unknown
}

export interface HttpClient {
  /** @throws Error if there is no answer within `timeoutMs` */
  send (message: HttpMessage, timeoutMs: number, signal?: AbortSignal): Promise<HttpAnswer>
  close (): Promise<void>
}

interface HttpClientOptions {
  readonly lookup?: LookupFunction | undefined
  /** Sent as a bearer token to these origins only. */
  readonly token?: { readonly value: string, readonly origins: readonly string[] } | undefined
}

export function createHttpClient ({ lookup, token }: HttpClientOptions = {}): HttpClient {
  const dispatcher = new Agent({
    connect: { timeout: CONNECT_MS, ...(lookup && { lookup }) },
    maxResponseSize: MAX_ANSWER_BYTES,
    keepAliveTimeout: 4_000,
  })
  const headersOf = (
    { url, body, contentType = 'application/json', traceparent }: HttpMessage
  ): Record<string, string> => ({
    accept: 'application/json',
    ...(body !== undefined && { 'content-type': contentType }),
    ...(traceparent !== undefined && { traceparent }),
    ...(token?.origins.includes(new URL(url).origin) && { authorization: `Bearer ${token.value}` }),
  })
  return {
    send: async (message, timeoutMs, signal) => {
      const limit = AbortSignal.timeout(timeoutMs)
      const { statusCode, body } = await request(message.url, {
        method: message.method,
        headers: headersOf(message),
        body: message.body ?? null,
        dispatcher,
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      })
      return { status: statusCode, body: parsed(await body.text()) }
    },
    close: async () => dispatcher.destroy(),
  }
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const MAX_SAID = 500

/** The answer of an engine for the log: its `detail` if it has one. */
export function saidOf ({ body }: HttpAnswer): string {
  const detail = typeof body === 'object' && body !== null && 'detail' in body ? body.detail : body
  const text = typeof detail === 'string' ? detail : JSON.stringify(detail) ?? ''
  return text.length > MAX_SAID ? `${text.slice(0, MAX_SAID)}…` : text
}
