// Idempotency-Key: a repeated request is executed once, and gets the same answer again.
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { pointer, Problem } from '../../core/errors.ts'

/** The answer of a handler. */
export interface Reply {
  readonly status: number
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

interface Kept {
  readonly fingerprint: string
  readonly reply: Promise<Reply>
  isDone: boolean
}

export type Idempotent = (
  handler: (request: FastifyRequest) => Promise<Reply>,
) => (request: FastifyRequest, reply: FastifyReply) => Promise<object>

const KEPT_MS = 24 * 3_600_000
const MOST_KEPT = 10_000
const LONGEST_KEY = 200

/** Keeps answers for a day, in the memory of this process. */
export function addIdempotency (app: FastifyInstance): Idempotent {
  const kept = new LRUCache<string, Kept>({ max: MOST_KEPT, ttl: KEPT_MS })
  app.addHook('onClose', async () => { kept.clear() })
  return (handler) => async (request, reply) => {
    const { status, body, headers = {} } = await once(kept, request, async () => handler(request))
    return reply.code(status).headers(headers).send(body)
  }
}

async function once (
  kept: LRUCache<string, Kept>,
  request: FastifyRequest,
  work: () => Promise<Reply>
): Promise<Reply> {
  const key = request.headers['idempotency-key']
  if (key === undefined) return work()
  if (typeof key !== 'string' || key === '' || key.length > LONGEST_KEY) {
    throw new Problem('invalid-request', `Idempotency-Key must have from 1 to ${LONGEST_KEY} characters.`, {
      items: [{ pointer: pointer('headers', 'idempotency-key'), detail: 'too short or too long' }],
    })
  }
  const fingerprint = fingerprintOf(request)
  const place = `${callerOf(request)} ${key}`
  const before = kept.get(place)
  if (before !== undefined) {
    if (before.fingerprint !== fingerprint) {
      throw new Problem(
        'invalid-request',
        'Another request has used this Idempotency-Key; use a new key for each request.',
        { items: [{ pointer: pointer('headers', 'idempotency-key'), detail: 'was used for another request' }] }
      )
    }
    if (!before.isDone) {
      throw new Problem(
        'idempotency-conflict',
        'The first request with this Idempotency-Key is still running; try again in a moment.'
      )
    }
    return before.reply
  }
  const entry: Kept = { fingerprint, reply: work(), isDone: false }
  kept.set(place, entry)
  try {
    const reply = await entry.reply
    entry.isDone = true
    return reply
  } catch (error) {
    // Nothing was changed: the request may be retried.
    kept.delete(place)
    throw error
  }
}

function fingerprintOf ({ method, url, body }: FastifyRequest): string {
  return createHash('sha256').update(`${method} ${url}\n`).update(Buffer.isBuffer(body) ? body : '').digest('hex')
}

/** Different callers may choose the same key. */
function callerOf ({ headers }: FastifyRequest): string {
  return createHash('sha256').update(
    ['authorization', 'x-api-key', 'ocp-apim-subscription-key'].map((name) => String(headers[name] ?? '')).join('\n')
  ).digest('hex')
}
