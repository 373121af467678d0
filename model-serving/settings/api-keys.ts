// The setting API_KEYS: keys with scopes.
import { digestOf, findKey, isUsableKey, KEY_RULE, keyList, type KnownKey } from '../../adapters/http/api-keys.ts'

const SCOPES = ['score', 'train', 'admin'] as const

/** What a key allows: `score` and `train` only themselves, `admin` everything. */
export type Scope = typeof SCOPES[number]

export interface ApiKey extends KnownKey {
  /** Its place in the setting, from 1: its name in sentences and counters. */
  readonly number: number
  readonly scopes: readonly Scope[]
}

/** Entries `SCOPE[+SCOPE…]:KEY`. */
export const ApiKeysSchema = keyList<ApiKey>(readEntry, 'it holds no entry; write SCOPE:KEY, or unset it')

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
  if (!isUsableKey(key)) return `has no usable key; ${KEY_RULE}`
  const same = findKey(before, key)
  if (same !== undefined) return `has the key of entry ${same.number}; write each key once, with all of its scopes`
  return { number, digest: digestOf(key), scopes }
}

const isScope = (name: string): name is Scope => (SCOPES as readonly string[]).includes(name)

export const allows = ({ scopes }: ApiKey, scope: Scope | 'any'): boolean =>
  scope === 'any' || scopes.includes(scope) || scopes.includes('admin')
