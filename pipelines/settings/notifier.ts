// Settings of the notifier: whom it tells, and for how long it tries.
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import { wholeNumber } from '../../adapters/settings/values.ts'

const url = z.string().refine(
  (text) => /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).username === '',
  'an http or https URL, without user or password'
)
const base = url.transform((text) => text.replace(/\/+$/, ''))

export const NOTIFIER_SETTINGS = {
  NOTIFIER_PORT: wholeNumber(0, 65_535).default(8305).describe('Port of the notifier\'s /livez, /readyz and /metrics.'),
  WEBHOOK_URL: url.optional().describe('Who is told of incidents by a CloudEvent; needs WEBHOOK_SECRET.'),
  WEBHOOK_SECRET: z.string().regex(
    /^(?:whsec_)?[A-Za-z0-9+/]{32,}={0,2}$/,
    '24 bytes or more in base64, such as of `openssl rand -base64 32`; whsec_ may stand before it'
  ).optional()
    .meta({ secret: true, description: 'Signs webhooks, as Standard Webhooks describe it.' }),
  ALERTMANAGER_URL: base.optional().describe('An Alertmanager that is told of incidents, without /api/v2.'),
  DASHBOARD_URL: base.optional().describe('Where people find the dashboard; alerts lead there.'),
  NOTIFIER_RETRY_MS: wholeNumber(0, 86_400_000).default(900_000).describe(
    'How long one who cannot be told is tried again; then incidents go to the dead letters.'
  ),
}
export type NotifierSettings = z.output<z.ZodObject<typeof NOTIFIER_SETTINGS>>

/** @throws Problem invalid-settings where nobody is to be told, or a webhook would not be signed */
export function checkNotifier ({ WEBHOOK_URL, WEBHOOK_SECRET, ALERTMANAGER_URL }: NotifierSettings): void {
  if (WEBHOOK_URL === undefined && ALERTMANAGER_URL === undefined) {
    throw new Problem(
      'invalid-settings',
      'The notifier has nobody to tell; set WEBHOOK_URL and WEBHOOK_SECRET, or ALERTMANAGER_URL.'
    )
  }
  if (WEBHOOK_URL !== undefined && WEBHOOK_SECRET === undefined) {
    throw new Problem(
      'invalid-settings',
      'WEBHOOK_URL is set without WEBHOOK_SECRET; set it to the base64 of 24 bytes or more (`openssl rand -base64 32`), so that the receiver can tell whose webhooks these are.'
    )
  }
}
