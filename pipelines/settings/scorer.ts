// Settings of the scorer, and the rules of incidents.
import type { z } from 'zod'
import { decimalNumber, wholeNumber } from '../../adapters/settings/values.ts'

export const SCORER_SETTINGS = {
  SCORER_PORT: wholeNumber(0, 65_535).default(8303).describe("Port of the scorer's /livez, /readyz and /metrics."),
  SCORER_TOP_CHANNELS: wholeNumber(1, 1000).default(5).describe(
    'Number of channels that a verdict or an incident names: those with the largest shares.'
  ),
  INCIDENT_OPEN_AFTER: wholeNumber(1, 1000).default(1).describe(
    'Anomalous observations in a row that open an incident.'
  ),
  INCIDENT_CLOSE_AFTER: wholeNumber(1, 100_000).default(6).describe(
    'Quiet observations in a row that close an incident; an observation without a score is quiet, too.'
  ),
  INCIDENT_CLOSE_BELOW: decimalNumber(0, 1).default(0.8).describe('Highest score of a quiet observation.'),
  INCIDENT_COOL_DOWN: wholeNumber(0, 100_000).default(12).describe(
    'If anomalies begin within so many observations after the closing, the same incident opens again.'
  ),
  INCIDENT_CRITICAL: decimalNumber(1, 1_000_000).default(2).describe(
    'Peak score from which an incident is critical; below, it is a warning.'
  ),
}
export type ScorerSettings = z.output<z.ZodObject<typeof SCORER_SETTINGS>>

export function incidentRules (
  settings: ScorerSettings
): { openAfter: number, closeAfter: number, closeBelow: number, coolDown: number, critical: number } {
  const {
    INCIDENT_OPEN_AFTER: openAfter,
    INCIDENT_CLOSE_AFTER: closeAfter,
    INCIDENT_CLOSE_BELOW: closeBelow,
    INCIDENT_COOL_DOWN: coolDown,
    INCIDENT_CRITICAL: critical,
  } = settings
  return { openAfter, closeAfter, closeBelow, coolDown, critical }
}
