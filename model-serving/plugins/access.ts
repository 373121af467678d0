// Access to routes: API keys with scopes, and a limit of requests per minute. Checked before the body is read, or later
// if the route defers it.
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
     * Scope that the key must allow; `any`: every key is sufficient. Without it, or with `none`, the route is open and
     * its requests are not counted.
     */
    scope?: Scope | 'any' | 'none'
    /**
     * Whether a request without a key may reach its handler. The handler reads it and calls requireAccess(), or serves
     * it without a key.
     */
    deferAccess?: (request: FastifyRequest) => boolean
  }
}

/** The second one is that of Azure API Management. */
const KEY_HEADERS = ['x-api-key', 'ocp-apim-subscription-key']

type Admit = () => Promise<void>

/** Whether the key of a request allows a scope. */
const permissions = new WeakMap<FastifyRequest, (scope: Scope) => boolean>()

/** Admits a request to a protected route. */
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
      // Refused requests count too: otherwise guessing keys would have no limit.
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
 * For handlers of routes with `deferAccess`: counts and admits a request that was let through without a key. Other
 * requests have been admitted already.
 * @throws Problem unauthorized, too-many-requests
 */
export async function requireAccess (request: FastifyRequest): Promise<void> {
  const admit = admissions.get(request)
  // No hook has run: nothing has been checked.
  if (admit === undefined) throw unauthorized(false)
  await admit()
}

/**
 * For handlers that need another scope for a part of their work.
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
  const what = isSent ? 'The service does not know this API key' : 'This route needs an API key'
  return new Problem('unauthorized', `${what}; send one as "Authorization: Bearer KEY" or "X-API-Key: KEY".`)
}

/** A route that changes or computes something must declare its scope, so that it cannot be open by mistake. */
function demandScope ({ method, url, config, schema }: RouteOptions): void {
  const isReading = [method].flat().every((one) => ['GET', 'HEAD', 'OPTIONS'].includes(one))
  if (isReading || config?.scope !== undefined || (schema !== undefined && 'hide' in schema)) return
  throw new Error(
    `${String(method)} ${url} declares no scope; give it one in the route's config, "none" if it is open to all`
  )
}
