// Who may call a route: API keys with scopes, and so many requests a minute. Decided before a body is read, or later
// where a route says so.
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { Config } from '../settings/config.ts'
import { isEnforced } from '../settings/access.ts'
import { findKey, sentKey } from '../../adapters/http/api-keys.ts'
import { allows, type Scope } from '../settings/api-keys.ts'
import { addRateLimit } from './rate-limit.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What the caller's key must allow; `any`: every key will do. Without it, or with `none`, a route is open and not
     * counted.
     */
    scope?: Scope | 'any' | 'none'
    /**
     * Whether a request without any key may come as far as its handler, which then reads it and calls requireAccess(),
     * or serves it without.
     */
    deferAccess?: (request: FastifyRequest) => boolean
  }
}

/** The second one is that of Azure API Management. */
const KEY_HEADERS = ['x-api-key', 'ocp-apim-subscription-key']

type Admit = () => Promise<void>

/** Whether what a request has shown allows more than its route demands. */
const permissions = new WeakMap<FastifyRequest, (scope: Scope) => boolean>()

/** How a request to a protected route is admitted. */
const admissions = new WeakMap<FastifyRequest, Admit>()

export async function addAccess (app: FastifyInstance, { access }: Pick<Config, 'access'>): Promise<void> {
  const count = await addRateLimit(app, access)
  app.addHook('onRoute', demandScope)
  app.addHook('onRequest', async (request, reply) => {
    const { scope = 'none', deferAccess } = request.routeOptions.config
    if (scope === 'none') return
    const sent = sentKey(request.headers, KEY_HEADERS)
    const key = sent === undefined ? undefined : findKey(access.keys, sent)
    permissions.set(request, (wanted) => !isEnforced(access) || (key !== undefined && allows(key, wanted)))
    const admit = once(async () => {
      // Refusals count, too, or guessing would be the one thing without a limit.
      await count(request, reply, key)
      if (!isEnforced(access)) return
      if (key === undefined) throw unauthorized(sent !== undefined)
      if (!allows(key, scope)) throw forbidden(scope)
    })
    admissions.set(request, admit)
    const isDeferred = sent === undefined && deferAccess?.(request) === true
    if (!isDeferred) await admit()
  })
}

/**
 * For handlers of routes with `deferAccess`: counts and admits a request that was let through without a key; at once
 * for all others.
 * @throws Problem unauthorized, too-many-requests
 */
export async function requireAccess (request: FastifyRequest): Promise<void> {
  const admit = admissions.get(request)
  // No hook has seen it: nobody has decided anything.
  if (admit === undefined) throw unauthorized(false)
  await admit()
}

/**
 * For handlers of which a part demands more than the route does.
 * @throws Problem forbidden
 */
export function requireScope (request: FastifyRequest, scope: Scope): void {
  if (permissions.get(request)?.(scope) !== true) throw forbidden(scope)
}

const forbidden = (scope: string): Problem =>
  new Problem('forbidden', `This API key lacks the scope "${scope}"; take one that has it.`, { extensions: { scope } })

function once (admit: Admit): Admit {
  let outcome: Promise<void> | undefined
  return async () => { await (outcome ??= admit()) }
}

function unauthorized (isSent: boolean): Problem {
  const what = isSent ? 'The API key is none of the service\'s' : 'This route needs an API key'
  return new Problem('unauthorized', `${what}; send one as "Authorization: Bearer KEY" or "X-API-Key: KEY".`)
}

/** A route that changes or computes something must not be open because somebody forgot it. */
function demandScope ({ method, url, config, schema }: RouteOptions): void {
  const isReading = [method].flat().every((one) => ['GET', 'HEAD', 'OPTIONS'].includes(one))
  if (isReading || config?.scope !== undefined || (schema !== undefined && 'hide' in schema)) return
  throw new Error(
    `${String(method)} ${url} declares no scope; give it one in the route's config, "none" if it is open to all`
  )
}
