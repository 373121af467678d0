// Settings of access: keys, rates, proxies and origins. They are refused if the network could reach the service without
// a key.
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { isAddress, refuseOpenProgram } from '../../adapters/http/exposure.ts'
import { list, wholeNumber } from '../../adapters/settings/values.ts'
import { type ApiKey, ApiKeysSchema } from './api-keys.ts'

export interface AccessConfig {
  readonly auth: 'auto' | 'off'
  readonly keys: readonly ApiKey[]
  /** Most requests per minute and caller; 0: no limit. */
  readonly requestsPerMinute: number
  /** Addresses and ranges of proxies whose X-Forwarded-For is trusted. */
  readonly trustedProxies: readonly string[]
  /** Origins of pages that may call the service from a browser; `*` alone allows every origin. */
  readonly corsOrigins: readonly string[]
}

export const ACCESS_SETTINGS = {
  API_KEYS: ApiKeysSchema.default([]).meta({
    secret: true,
    description: 'Keys of the callers: entries SCOPE[+SCOPE…]:KEY, separated by commas or white space.',
  }),
  API_AUTH: z.enum(['auto', 'off']).default('auto').describe(
    'auto demands a key where API_KEYS is set, and serves other addresses than loopback with keys alone; off demands ' +
      'none.'
  ),
  RATE_LIMIT_PER_MINUTE: wholeNumber(0, 1_000_000).default(0).describe(
    'Most requests a minute of one key, or of one address without a key; 0 sets no limit.'
  ),
  TRUST_PROXY: list(proxyFault).default([]).describe(
    'Addresses or CIDR ranges of the proxies whose X-Forwarded-For the service trusts.'
  ),
  CORS_ORIGINS: list(originFault).refine((origins) => origins.length < 2 || !origins.includes('*'), '"*" stands alone')
    .default([])
    .describe('Origins of pages that may call the service from a browser; * allows every one.'),
}

type AccessSettings = { readonly [Name in keyof typeof ACCESS_SETTINGS]: z.output<typeof ACCESS_SETTINGS[Name]> }

/** @throws Problem invalid-settings if other machines could reach a service that demands no key */
export function accessOf (settings: AccessSettings & { readonly SERVICE_HOST: string }): AccessConfig {
  const access = {
    auth: settings.API_AUTH,
    keys: settings.API_KEYS,
    requestsPerMinute: settings.RATE_LIMIT_PER_MINUTE,
    trustedProxies: settings.TRUST_PROXY,
    corsOrigins: settings.CORS_ORIGINS,
  }
  refuseOpenService({ host: settings.SERVICE_HOST, access })
  return access
}

/** Whether callers need a key. */
export const isEnforced = ({ auth, keys }: AccessConfig): boolean => auth === 'auto' && keys.length > 0

/** @throws Problem invalid-settings if other machines could reach a service that demands no key */
export function refuseOpenService ({ host, access }: { readonly host: string, readonly access: AccessConfig }): void {
  refuseOpenProgram({ program: 'service', host, keys: access.keys, auth: access.auth, variables: VARIABLES })
}

const VARIABLES = { host: 'SERVICE_HOST', keys: 'API_KEYS', auth: 'API_AUTH' }

/** Refuses 10/8, which would mean 0.0.0.10, and ranges of all addresses, with which callers could choose their own. */
function proxyFault (entry: string): string | undefined {
  const isRange = ipaddr.IPv4.isValidCIDRFourPartDecimal(entry) || ipaddr.IPv6.isValidCIDR(entry)
  if (isAddress(entry) || (isRange && !entry.endsWith('/0'))) return undefined
  return 'a list of addresses or CIDR ranges, such as 10.0.0.0/8, of the proxies alone'
}

function originFault (entry: string): string | undefined {
  if (entry === '*' || (/^https?:/.test(entry) && URL.canParse(entry) && new URL(entry).origin === entry)) {
    return undefined
  }
  return 'a list of origins, such as https://app.example.org (scheme, host and port, in small letters, without a ' +
    'path), or *'
}
