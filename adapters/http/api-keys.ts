// API keys in settings and in requests: the program keeps digests alone, so nothing that shows the settings can show a
// key.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { entriesOf } from '../settings/values.ts'

/** A key that the program knows. */
export interface KnownKey {
  readonly digest: Buffer
}

/**
 * All characters that RFC 6750 allows in a bearer token. The `:` and the `,` are not among them: they separate parts of
 * a setting.
 */
const KEY = /^[A-Za-z0-9._~+/=-]{16,}$/

export const isUsableKey = (text: string): boolean => KEY.test(text)

export const KEY_RULE =
  'it needs at least 16 characters, each one of A-Z a-z 0-9 . _ ~ + / = - (`openssl rand -hex 24` makes one)'

export const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest()

/** Reads one entry: a key, or what is wrong with it, as the rest of a sentence that names the entry. */
type ReadEntry<Key> = (entry: string, number: number, before: readonly Key[]) => Key | string

/**
 * A list of keys in one variable. Faults name the number of the entry, never its text: the text may be the key.
 * @param ifEmpty what to write instead of a list without entries, which nobody sets on purpose
 */
export function keyList<Key extends KnownKey> (
  readEntry: ReadEntry<Key>,
  ifEmpty: string
): z.ZodType<readonly Key[], string> {
  return z.string().transform((text, context): readonly Key[] => {
    const keys: Key[] = []
    const entries = entriesOf(text)
    for (const [i, entry] of entries.entries()) {
      const key = readEntry(entry, i + 1, keys)
      if (typeof key === 'string') context.addIssue({ code: 'custom', message: `entry ${i + 1} ${key}` })
      else keys.push(key)
    }
    if (entries.length === 0) context.addIssue({ code: 'custom', message: ifEmpty })
    return keys
  })
}

/** Keys that all allow the same. */
export const KeysSchema = keyList<KnownKey>(
  (entry) => isUsableKey(entry) ? { digest: digestOf(entry) } : `is no usable key; ${KEY_RULE}`,
  'it holds no key; write one, or unset it'
)

/** The known key that was sent. Compares with all of them, in constant time: how long it takes tells nothing. */
export function findKey<Key extends KnownKey> (keys: readonly Key[], sent: string): Key | undefined {
  const digest = digestOf(sent)
  let found: Key | undefined
  for (const key of keys) {
    if (timingSafeEqual(key.digest, digest)) found = key
  }
  return found
}

/**
 * The key that a request shows, undefined if it shows none. Headers that only carry keys count first: a proxy may have
 * added its own Authorization.
 * @param names those headers, in small letters
 */
export function sentKey (headers: IncomingHttpHeaders, names: readonly string[] = ['x-api-key']): string | undefined {
  const own = names.map((name) => headers[name]).find(Boolean)
  if (own !== undefined) return String(own)
  const bearer = /^bearer(?: +(.*))?$/i.exec(headers.authorization ?? '')
  return bearer === null ? undefined : (bearer[1] ?? '').trimEnd()
}
