// Settings of the imputer.
import { z } from 'zod'
import { duration, wholeNumber } from '../../adapters/settings/values.ts'

export const IMPUTER_SETTINGS = {
  IMPUTER_PORT: wholeNumber(0, 65_535).default(8302).describe("Port of the imputer's /livez, /readyz and /metrics."),
  IMPUTER_STRATEGY: z.string().default('hold').describe(
    "How missing values are filled: hold (the model's own rule), linear, or the path of a module that exports " +
      '`strategy`.'
  ),
  IMPUTER_LATENESS: duration('PT30M').optional().describe(
    'How late an observation may be, in the time of the series, ISO 8601: an incomplete instant waits until an ' +
      'observation of its series comes that is later by more than this. Default: three sampling intervals.'
  ),
  IMPUTER_PATIENCE_MS: wholeNumber(0, 86_400_000).default(10_000).describe(
    'How long an incomplete instant waits if no observation of its series comes.'
  ),
  IMPUTER_MAX_AHEAD: duration('PT1H').default(3_600_000).describe(
    'An observation is rejected if its time is later than its arrival by more than this, ISO 8601: a clock or a time ' +
      'zone is wrong. Default: PT1H.'
  ),
}
