// Settings of the dashboard: where it listens, who may look, and where feedback goes.
import { z } from 'zod'
import { findKey, KeysSchema } from '../../adapters/http/api-keys.ts'
import { refuseOpenProgram } from '../../adapters/http/exposure.ts'
import { STORE_SETTINGS } from '../../adapters/s3/access.ts'
import { wholeNumber } from '../../adapters/settings/values.ts'
import { MODEL_SETTINGS } from './models.ts'

export const DASHBOARD_SETTINGS = {
  DASHBOARD_PORT: wholeNumber(0, 65_535).default(8301).describe('Port that the dashboard listens on.'),
  DASHBOARD_API_KEYS: KeysSchema.default([]).meta({
    secret: true,
    description: 'Keys of those who may look and annotate, separated by commas; none: everybody who reaches it.',
  }),
  DASHBOARD_AUTH: z.enum(['auto', 'off']).default('auto').describe(
    'auto: callers need a key if there are keys. off: a proxy authenticates them.'
  ),
  // The registry stores feedback on incidents.
  MODEL_REGISTRY: MODEL_SETTINGS.MODEL_REGISTRY,
  ...STORE_SETTINGS,
}
type DashboardSettings = z.output<z.ZodObject<typeof DASHBOARD_SETTINGS>>

/** @returns a function that decides whether a caller with this key, or without one, is admitted */
export function admitsOf (
  { DASHBOARD_API_KEYS: known, DASHBOARD_AUTH: auth }: Pick<DashboardSettings, 'DASHBOARD_API_KEYS' | 'DASHBOARD_AUTH'>
): (key: string | undefined) => boolean {
  if (auth === 'off' || known.length === 0) return () => true
  return (key) => key !== undefined && findKey(known, key) !== undefined
}

/** @throws Problem invalid-settings if other machines could reach a dashboard that demands no key */
export function refuseOpenDashboard (
  host: string,
  { DASHBOARD_API_KEYS: keys, DASHBOARD_AUTH: auth }: Pick<DashboardSettings, 'DASHBOARD_API_KEYS' | 'DASHBOARD_AUTH'>
): void {
  refuseOpenProgram({ program: 'dashboard', host, keys, auth, variables: VARIABLES })
}

const VARIABLES = { host: 'STREAM_HOST', keys: 'DASHBOARD_API_KEYS', auth: 'DASHBOARD_AUTH' }
