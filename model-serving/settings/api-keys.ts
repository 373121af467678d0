// API keys: read from the setting API_KEYS and kept as digests alone, so that nothing that shows the settings can show
// a key.
import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { entriesOf } from '../../adapters/settings/values.ts'

const SCOPES = ['score', 'train', 'admin'] as const

/** What a key allows: `score` and `train` only themselves, `admin` everything. */
export type Scope = typeof SCOPES[number]

export interface ApiKey {
  /** Its place in the setting, from 1: its name in sentences and counters. */
  readonly number: number
  readonly digest: Buffer
  readonly scopes: readonly Scope[]
}

/**
 * All characters that RFC 6750 allows in a bearer token: neither the `:` nor the `,` that end things in the setting.
 */
const KEY = /^[A-Za-z0-9._~+/=-]{16,}$/

/**
 * Entries `SCOPE[+SCOPE…]:KEY`. What is wrong is told by the entry's number; no text of an entry is, it may be the key.
 */
export const ApiKeysSchema = z.string().transform((text, context): readonly ApiKey[] => {
  const keys: ApiKey[] = []
  const entries = entriesOf(text)
  for (const [i, entry] of entries.entries()) {
    const read = readEntry(entry, i + 1, keys)
    if (typeof read === 'string') context.addIssue({ code: 'custom', message: `entry ${i + 1} ${read}` })
    else keys.push(read)
  }
  // Nobody sets it in order to have no key.
  if (entries.length === 0) {
    context.addIssue({ code: 'custom', message: 'it holds no entry; write SCOPE:KEY, or unset it' })
  }
  return keys
})

/** The key of an entry, or what is wrong with it. */
function readEntry (entry: string, number: number, before: readonly ApiKey[]): ApiKey | string {
  const colon = entry.indexOf(':')
  if (colon < 0) {
    return `has no ":"; write SCOPE:KEY, with one of the scopes ${SCOPES.join(', ')} or several joined by "+"`
  }
  const scopes = entry.slice(0, colon).split('+')
  if (!scopes.every(isScope)) {
    return `has another scope than ${SCOPES.join(', ')} before its first ":"; several are joined by "+"`
  }
  const key = entry.slice(colon + 1)
  if (!KEY.test(key)) {
    return 'has no usable key; it needs at least 16 characters, each one of A-Z a-z 0-9 . _ ~ + / = - (`openssl rand -hex 24` makes one)'
  }
  const same = findKey(before, key)
  if (same !== undefined) return `has the key of entry ${same.number}; write each key once, with all of its scopes`
  return { number, digest: digestOf(key), scopes }
}

const isScope = (name: string): name is Scope => (SCOPES as readonly string[]).includes(name)

const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest()

/**
 * The one that was sent, if it is one of them. Takes as long whichever it is: all are compared, as digests of one
 * length.
 */
export function findKey (keys: readonly ApiKey[], sent: string): ApiKey | undefined {
  const digest = digestOf(sent)
  let found: ApiKey | undefined
  for (const key of keys) {
    if (timingSafeEqual(key.digest, digest)) found = key
  }
  return found
}

export const allows = ({ scopes }: ApiKey, scope: Scope | 'any'): boolean =>
  scope === 'any' || scopes.includes(scope) || scopes.includes('admin')
