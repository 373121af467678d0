// API keys of the programs that listen: kept as digests, compared in constant time; without one, only this machine is
// served.
import { createHash, timingSafeEqual } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import { entriesOf } from '../../adapters/settings/values.ts'

/** All characters that RFC 6750 allows in a bearer token, but for the comma that ends an entry. */
const KEY = /^[A-Za-z0-9._~+/=-]{16,}$/

const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest()

/** A list in one variable → digests: nothing that shows the settings can show a key. */
export const KeysSchema = z.string().transform((text, context): readonly Buffer[] => {
  const entries = entriesOf(text)
  entries.forEach((entry, i) => {
    // No text of an entry is told: it may be the key.
    if (!KEY.test(entry)) {
      context.addIssue({
        code: 'custom',
        message: `entry ${
          i + 1
        } is no usable key; it needs at least 16 characters, each one of A-Z a-z 0-9 . _ ~ + / = - (\`openssl rand -hex 24\` makes one)`,
      })
    }
  })
  if (entries.length === 0) context.addIssue({ code: 'custom', message: 'it holds no key; write one, or unset it' })
  return entries.map(digestOf)
})

/** Whether it is one of them; all are compared, as digests of one length. */
export function isKey (known: readonly Buffer[], sent: string | undefined): boolean {
  const digest = digestOf(sent ?? '')
  return known.map((one) => timingSafeEqual(one, digest)).includes(true)
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

export interface Openness {
  /** The program, such as `collector`; its variables begin so. */
  readonly name: string
  readonly host: string
  readonly keys: readonly Buffer[]
  readonly auth: 'auto' | 'off'
}

/** @throws Problem invalid-settings where the network would reach a program that asks for no key */
export function refuseOpenProgram ({ name, host, keys, auth }: Openness): void {
  if (auth === 'off' || keys.length > 0 || isLoopback(host)) return
  const variable = `${name.toUpperCase()}_API_KEYS`
  const message =
    `STREAM_HOST is "${host}", which others than this machine may reach, and the ${name} has no API key. Set ${variable} to the keys of its callers, ` +
    `or STREAM_HOST=127.0.0.1 to listen to this machine alone, or ${name.toUpperCase()}_AUTH=off where something in front authenticates.`
  throw new Problem('invalid-settings', message, {
    items: [{ pointer: '/STREAM_HOST', detail: `needs ${variable}`, got: host, want: 'a loopback address' }],
  })
}
