// Settings of the sink.
import { wholeNumber } from '../../adapters/settings/values.ts'
import { DATABASE_SETTINGS } from './database.ts'

export const SINK_SETTINGS = {
  ...DATABASE_SETTINGS,
  SINK_PORT: wholeNumber(0, 65_535).default(8304).describe(
    'Port of /livez, /readyz and /metrics of the sink; 0 takes a free one.'
  ),
}
