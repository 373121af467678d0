// The state of a detector as JSON: its arrays as base64.
import { z } from 'zod'
import type { DetectorState } from '../../../core/detector/detector-state.ts'
import { decodeFloat32, decodeFloat64, encodeNumbers } from './base64.ts'

/** Plain JSON; arrays of numbers as base64 of their little-endian bytes. */
export const SavedDetectorSchema = z.strictObject({
  model: z.string().describe('The part of the model that gives the other members their meaning.'),
  last: z.string().describe('Newest value of each channel; 64 bits each.'),
  missingFor: z.string().describe('Observations since that value, channel by channel; 64 bits each.'),
  window: z.string().describe('Newest standardised observations, at most a window, oldest first; 32 bits a value.'),
  errors: z.string().describe(
    'Newest errors, at most as many as are smoothed, oldest first, in units of 2⁻³²; 64 bits a part.'
  ),
  level: z.string().describe('Newest scores, at most the span of the level, oldest first; 64 bits each.'),
  evidence: z.string().describe('What the evidence of single channels remembers; 64 bits a number.'),
})
export type SavedDetector = z.output<typeof SavedDetectorSchema>

/** At 12 channels the text has at most 52 kB: 4.3 kB a channel. */
export function encodeDetector (
  { model, last, missingFor, window, errors, level, evidence }: DetectorState
): SavedDetector {
  return {
    model,
    last: encodeNumbers(last),
    missingFor: encodeNumbers(missingFor),
    window: encodeNumbers(window),
    errors: encodeNumbers(errors),
    level: encodeNumbers(level),
    evidence: encodeNumbers(evidence),
  }
}

/** @throws Problem invalid-state if the text of an array is damaged */
export function decodeDetector (
  { model, last, missingFor, window, errors, level, evidence }: SavedDetector
): DetectorState {
  return {
    model,
    last: decodeFloat64(last),
    missingFor: decodeFloat64(missingFor),
    window: decodeFloat32(window),
    errors: decodeFloat64(errors),
    level: decodeFloat64(level),
    evidence: decodeFloat64(evidence),
  }
}
