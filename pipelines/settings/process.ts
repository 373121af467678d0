// Settings that every step has: where it listens, what it logs, how long it may take to end.
import { z } from 'zod'
import { wholeNumber } from '../../adapters/settings/values.ts'

export const PROCESS_SETTINGS = {
  STREAM_HOST: z.string().default('127.0.0.1').describe('Address that the steps of the stream listen on.'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').describe(
    'Least severe log line that is written.'
  ),
  SHUTDOWN_GRACE_MS: wholeNumber(0, 600_000).default(10_000).describe(
    'Time that a step gets to finish what it has begun.'
  ),
  CHECKPOINT_MS: wholeNumber(10, 600_000).default(5000).describe(
    'How often a step saves its state; what came after it is worked on again after a crash.'
  ),
}
