// How many requests a minute a caller may make; counted where a route says so, not for every route.
import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { AccessConfig } from '../settings/access.ts'
import type { ApiKey } from '../settings/api-keys.ts'

const WINDOW_MS = 60_000
/** Callers that are counted at a time; beyond it those that were quiet longest begin anew. */
const MAX_CALLERS = 20_000

/** Counts a request of a key, or of an address where there is none. Throws Problem too-many-requests. */
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

/** Of IPv6 the network: one caller has billions of addresses in it. A caller who is gone has none. */
const addressOf = ({ ip }: FastifyRequest): string => normalizeIP((ip as string | undefined) ?? '')
