// Restricts the hosts that callers can make the service call: listed names only, and never special addresses of this
// machine or its cloud.
import { lookup as resolveName, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The service does not call the URL. The message has the reason and the remedy. */
export class HostRefused extends Error {
  override readonly name = 'HostRefused'
}

/** Ranges of ipaddr.js that contain no engine or object store. Transition ranges embed IPv4 addresses. */
const FORBIDDEN_RANGES = new Set([
  'unspecified',
  'linkLocal',
  'multicast',
  'broadcast',
  'reserved',
  'rfc6145',
  'rfc6052',
  '6to4',
  'teredo',
])
/** Metadata services outside of the link-local ranges. */
const METADATA = new Set(['fd00:ec2:0:0:0:0:0:254', '100.100.100.200', '192.0.0.192'])

/** Whether the address must never be called, whatever its name. */
export function isForbiddenAddress (address: string): boolean {
  const parsed = ipaddr.process(address.split('%', 1)[0]!)
  return FORBIDDEN_RANGES.has(parsed.range()) || METADATA.has(parsed.toString()) ||
    METADATA.has(parsed.toNormalizedString())
}

/** Maps all names of this machine to `localhost`. */
function canonicalName (hostname: string): string {
  const name = hostname.toLowerCase().replace(/^\[|\]$/g, '').replace(/\.$/, '')
  return name === 'localhost' || (isIP(name) !== 0 && ipaddr.process(name).range() === 'loopback') ? 'localhost' : name
}

function httpUrl (text: string): URL {
  if (!URL.canParse(text)) throw new HostRefused('is not a URL; write it as http://host:port')
  const url = new URL(text)
  if (!['http:', 'https:'].includes(url.protocol)) {
    throw new HostRefused(`is not http or https, but ${url.protocol.slice(0, 20)}`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new HostRefused('has a user name or password; leave them out')
  }
  return url
}

export class HostGuard {
  /** `name` or `name:port`. */
  readonly #allowed: ReadonlySet<string>

  /** @param allowed hosts, each with or without a port; without a port, all ports are allowed */
  constructor (allowed: readonly string[]) {
    this.#allowed = new Set(allowed.map((host) => {
      const { hostname, port } = new URL(`http://${host.includes('://') ? host.split('://', 2)[1]! : host}`)
      return port === '' ? canonicalName(hostname) : `${canonicalName(hostname)}:${port}`
    }))
  }

  /**
   * The URL, if its host is allowed. lookup() checks its address again.
   * @throws HostRefused
   */
  check (text: string): URL {
    const url = httpUrl(text)
    const name = canonicalName(url.hostname)
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    if (!this.#allowed.has(name) && !this.#allowed.has(`${name}:${port}`)) {
      throw new HostRefused(
        `is on the host ${url.hostname}:${port}, which is not allowed; the operator can add it to ENGINE_ALLOWED_HOSTS`
      )
    }
    const bare = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(bare) !== 0 && isForbiddenAddress(bare)) {
      throw new HostRefused('is a link-local, metadata or other special address, which is never called')
    }
    return url
  }

  /** For sockets: resolves a name as Node does, and refuses it if any of its addresses is forbidden. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const [first] = addresses ?? []
      if (error !== null || first === undefined) return callback(error ?? new Error(`${hostname} has no address`), '')
      if (addresses.some(({ address }) => isForbiddenAddress(address))) {
        return callback(
          new HostRefused(
            `${hostname} resolves to a link-local, metadata or other special address, which is never called`
          ),
          ''
        )
      }
      if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}
