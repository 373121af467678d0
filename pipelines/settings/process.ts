// Settings of every step: address, log, and time limits.
import { z } from 'zod'
import { wholeNumber } from '../../adapters/settings/values.ts'

export const PROCESS_SETTINGS = {
  STREAM_HOST: z.string().default('127.0.0.1').describe('Address that the steps of the stream listen on.'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').describe(
    'Lowest level of written log lines.'
  ),
  SHUTDOWN_GRACE_MS: wholeNumber(0, 600_000).default(10_000).describe(
    'Time for a step to finish its work at the end.'
  ),
  CHECKPOINT_MS: wholeNumber(10, 600_000).default(5000).describe(
    'How often a step saves its state; after a crash, it repeats the work since then.'
  ),
}
