// Settings of the imputer.
import { z } from 'zod'
import { duration, wholeNumber } from '../../adapters/settings/values.ts'

export const IMPUTER_SETTINGS = {
  IMPUTER_PORT: wholeNumber(0, 65_535).default(8302).describe("Port of the imputer's /livez, /readyz and /metrics."),
  IMPUTER_STRATEGY: z.string().default('hold').describe(
    "What stands in for a missing value: hold (the model's own rule), linear, or the path of a module that exports `strategy`."
  ),
  IMPUTER_LATENESS: duration('PT30M').optional().describe(
    'How late an observation may be: an incomplete instant waits until one of its series comes that is more than so much later, ISO 8601. Default: three sampling intervals.'
  ),
  IMPUTER_PATIENCE_MS: wholeNumber(0, 86_400_000).default(10_000).describe(
    'How long an incomplete instant waits when nothing comes of its series at all.'
  ),
  IMPUTER_MAX_AHEAD: duration('PT1H').default(3_600_000).describe(
    'An observation that is of more than so long after its own arrival is rejected, ISO 8601: a clock or a time zone is wrong. Default: PT1H.'
  ),
}
