// Options of the connection to the brokers, for all clients.
import type { BaseOptions } from '@platformatic/kafka'
import { withTimeout } from '../../../adapters/waiting.ts'
import type { LogSettings } from '../../settings/log.ts'

/** Callers retry themselves, so the client does not retry silently. */
const ONE_RETRY = 1
const RETRY_MS = 200
const CONNECT_MS = 5000
/**
 * Longest time of a request with its retry. If a connection is lost at the wrong moment, the client's promise never
 * settles.
 */
export const ANSWER_MS = 8000
const CLOSE_MS = 3000

export function connectionOf (settings: LogSettings): BaseOptions {
  const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = settings
  return {
    clientId: 'ae-anomaly-detection',
    bootstrapBrokers: [...settings.KAFKA_BROKERS],
    retries: ONE_RETRY,
    retryDelay: RETRY_MS,
    connectTimeout: CONNECT_MS,
    timeout: ANSWER_MS / 2,
    ...(settings.KAFKA_TLS === 'on' && { tls: {} }),
    ...(username !== undefined &&
      { sasl: { mechanism: 'SCRAM-SHA-512' as const, username, password: password ?? '' } }),
  }
}

/** Closes the client, whatever it still does. Never rejects. */
export async function closeClient (client: { close (force?: boolean): Promise<void> } | undefined): Promise<void> {
  if (client !== undefined) await withTimeout(CLOSE_MS, 'closing', client.close(true)).catch(() => {})
}
