// Settings of the collector: where it listens, who may send, and how much may wait.
import { z } from 'zod'
import { KeysSchema } from '../../adapters/http/api-keys.ts'
import { refuseOpenProgram } from '../../adapters/http/exposure.ts'
import { wholeNumber } from '../../adapters/settings/values.ts'

export const COLLECTOR_SETTINGS = {
  COLLECTOR_PORT: wholeNumber(0, 65_535).default(8300).describe('Port that the collector listens on.'),
  COLLECTOR_API_KEYS: KeysSchema.default([]).meta({
    secret: true,
    description: 'Keys of those who may send observations, separated by commas; none: everybody who reaches it.',
  }),
  COLLECTOR_AUTH: z.enum(['auto', 'off']).default('auto').describe(
    'auto: callers need a key if there are keys. off: a proxy authenticates them.'
  ),
  COLLECTOR_MAX_BODY_BYTES: wholeNumber(1000, 2 ** 30).default(8 * 2 ** 20).describe(
    'Largest body of a request, before and after decompression.'
  ),
  COLLECTOR_MAX_WAITING: wholeNumber(1, 10_000_000).default(20_000).describe(
    'Observations that may wait to be stored; more are refused for the moment.'
  ),
}
export type CollectorSettings = z.output<z.ZodObject<typeof COLLECTOR_SETTINGS>>

/** @throws Problem invalid-settings if other machines could reach a collector that demands no key */
export function refuseOpenCollector (
  host: string,
  { COLLECTOR_API_KEYS: keys, COLLECTOR_AUTH: auth }: Pick<CollectorSettings, 'COLLECTOR_API_KEYS' | 'COLLECTOR_AUTH'>
): void {
  refuseOpenProgram({ program: 'collector', host, keys, auth, variables: VARIABLES })
}

const VARIABLES = { host: 'STREAM_HOST', keys: 'COLLECTOR_API_KEYS', auth: 'COLLECTOR_AUTH' }
