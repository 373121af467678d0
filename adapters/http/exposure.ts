// The refusal to serve a network without an API key.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Problem } from '../../core/errors.ts'

export interface Exposure {
  /** The name of the program in sentences, such as `collector`. */
  readonly program: string
  readonly host: string
  readonly keys: readonly unknown[]
  readonly auth: 'auto' | 'off'
  /** The variables that set the three. */
  readonly variables: { readonly host: string, readonly keys: string, readonly auth: string }
}

/** @throws Problem invalid-settings if other machines could reach a program that demands no key */
export function refuseOpenProgram ({ program, host, keys, auth, variables }: Exposure): void {
  if (auth === 'off' || keys.length > 0 || isLoopback(host)) return
  const message =
    `${variables.host} is "${host}", which others than this machine may reach, and the ${program} has no API key. ` +
    `Set ${variables.keys} to the keys of its callers, or ${variables.host}=127.0.0.1 to serve this machine alone, ` +
    `or ${variables.auth}=off if something in front authenticates.`
  throw new Problem('invalid-settings', message, {
    items: [{
      pointer: `/${variables.host}`,
      detail: `needs ${variables.keys}`,
      got: host,
      want: 'a loopback address',
    }],
  })
}

/**
 * Whether only this machine reaches the address. Of names, only localhost counts: others may mean another address
 * tomorrow.
 */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || (isAddress(host) && ipaddr.process(host).range() === 'loopback')

/**
 * An address in full notation: ipaddr.js alone also reads 127.1 and 0x7f000001, Node alone also reads zones that
 * ipaddr.js does not.
 */
export const isAddress = (text: string): boolean => isIP(text) !== 0 && ipaddr.isValid(text)
