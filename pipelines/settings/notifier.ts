// Settings of the notifier: its receivers, and the time for retries.
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
  WEBHOOK_URL: url.optional().describe('Receiver of incidents as CloudEvents; needs WEBHOOK_SECRET.'),
  WEBHOOK_SECRET: z.string().regex(
    /^(?:whsec_)?[A-Za-z0-9+/]{32,}={0,2}$/,
    '24 bytes or more in base64, such as of `openssl rand -base64 32`; whsec_ may stand before it'
  ).optional()
    .meta({ secret: true, description: 'Signs webhooks by the rules of Standard Webhooks.' }),
  ALERTMANAGER_URL: base.optional().describe('Alertmanager that receives incidents, without /api/v2.'),
  DASHBOARD_URL: base.optional().describe('Address of the dashboard, for links in alerts.'),
  NOTIFIER_RETRY_MS: wholeNumber(0, 86_400_000).default(900_000).describe(
    'How long to retry a receiver that does not answer; then incidents go to the dead letters.'
  ),
}
export type NotifierSettings = z.output<z.ZodObject<typeof NOTIFIER_SETTINGS>>

/** @throws Problem invalid-settings if there is no receiver, or a webhook without a secret */
export function checkNotifier ({ WEBHOOK_URL, WEBHOOK_SECRET, ALERTMANAGER_URL }: NotifierSettings): void {
  if (WEBHOOK_URL === undefined && ALERTMANAGER_URL === undefined) {
    throw new Problem(
      'invalid-settings',
      'The notifier has no receiver; set WEBHOOK_URL and WEBHOOK_SECRET, or ALERTMANAGER_URL.'
    )
  }
  if (WEBHOOK_URL !== undefined && WEBHOOK_SECRET === undefined) {
    throw new Problem(
      'invalid-settings',
      'WEBHOOK_URL is set without WEBHOOK_SECRET; set it to the base64 of 24 bytes or more ' +
        '(`openssl rand -base64 32`), so that the receiver can check who sends the webhooks.'
    )
  }
}
