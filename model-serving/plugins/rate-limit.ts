// The limit of requests per minute and caller. The access plugin decides which routes count.
import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { AccessConfig } from '../settings/access.ts'
import type { ApiKey } from '../settings/api-keys.ts'

const WINDOW_MS = 60_000
/** Most callers that are counted at a time. Beyond it, the least recent callers start again at zero. */
const MAX_CALLERS = 20_000

/** Counts a request of a key, or of an address if there is no key. Throws Problem too-many-requests. */
type CountRequest = (request: FastifyRequest, reply: FastifyReply, key: ApiKey | undefined) => Promise<void>

export async function addRateLimit (
  app: FastifyInstance,
  { requestsPerMinute: max }: AccessConfig
): Promise<CountRequest> {
  if (max === 0) return async () => {}
  const callers = new WeakMap<FastifyRequest, string>()
  await app.register(rateLimit, {
    global: false,
    max,
    timeWindow: WINDOW_MS,
    cache: MAX_CALLERS,
    keyGenerator: (request) => callers.get(request)!,
  })
  const check = app.createRateLimit()
  return async (request, reply, key) => {
    callers.set(request, key === undefined ? addressOf(request) : `key ${key.number}`)
    const result = await check(request)
    if (result.isAllowed) return
    const { remaining, ttlInSeconds, isExceeded } = result
    reply.headers({ 'ratelimit-limit': max, 'ratelimit-remaining': remaining, 'ratelimit-reset': ttlInSeconds })
    if (!isExceeded) return
    reply.header('retry-after', ttlInSeconds)
    throw new Problem(
      'too-many-requests',
      `More than ${max} requests in a minute; send the next one in ${ttlInSeconds} s.`,
      { extensions: { limit: max } }
    )
  }
}

/** The network of an IPv6 address, because one caller has billions of addresses. A closed connection has no address. */
const addressOf = ({ ip }: FastifyRequest): string => normalizeIP((ip as string | undefined) ?? '')
