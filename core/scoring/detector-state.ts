// What a detector remembers of a series, as JSON: small, exact, and refused by any other model.
import { z } from 'zod'
import { decodeFloat32, decodeFloat64, encodeNumbers } from './base64.ts'
import type { DetectorModel } from './detection.ts'
import { Problem } from '../errors.ts'
import type { ImputerMemory } from '../series/impute.ts'
import { LARGEST_UNITS } from './score.ts'

/** Plain JSON; arrays of numbers as base64 of their little-endian bytes. */
export const DetectorStateSchema = z.strictObject({
  model: z.string().describe('What of the model fixes the meaning of the rest.'),
  last: z.string().describe('Newest value of each channel; 64 bits each.'),
  missingFor: z.string().describe('Observations since it, channel by channel; 64 bits each.'),
  window: z.string().describe('Newest standardised observations, at most a window, oldest first; 32 bits a value.'),
  errors: z.string().describe(
    'Newest errors, at most as many as are smoothed, oldest first, in units of 2⁻³²; 64 bits a part.'
  ),
  level: z.string().describe('Newest scores, at most the span of the level, oldest first; 64 bits each.'),
})
export type DetectorState = z.output<typeof DetectorStateSchema>

/** The same as arrays. */
export interface DetectorMemory extends ImputerMemory {
  /** Shape [observations × channels]. */
  readonly window: Float32Array
  /** Shape [errors × channels]. */
  readonly errors: Float64Array
  /** Shape [scores]. */
  readonly level: Float64Array
}

function signatureOf (
  { channels, interval, maxGap, windowLength, causal: { smoothing, threshold, level } }: DetectorModel
): string {
  return JSON.stringify([channels, interval, maxGap, windowLength, smoothing, threshold, level.span, level.factor])
}

export function packState (
  model: DetectorModel,
  { last, missingFor, window, errors, level }: DetectorMemory
): DetectorState {
  return {
    model: signatureOf(model),
    last: encodeNumbers(last),
    missingFor: encodeNumbers(missingFor),
    window: encodeNumbers(window),
    errors: encodeNumbers(errors),
    level: encodeNumbers(level),
  }
}

/** @throws Problem invalid-state where it is none, is damaged, or is another model's */
export function unpackState (model: DetectorModel, saved: unknown): DetectorMemory {
  const result = DetectorStateSchema.safeParse(saved)
  if (!result.success) {
    throw refused(`it is not of the shape that this program saves: ${z.prettifyError(result.error)}`, result.error)
  }
  const { data: state } = result
  if (state.model !== signatureOf(model)) {
    throw refused(
      `it is that of a model ${state.model.slice(0, 300)}, and this one is ${signatureOf(model).slice(0, 300)}`
    )
  }
  const memory = {
    last: decodeFloat64(state.last),
    missingFor: decodeFloat64(state.missingFor),
    window: decodeFloat32(state.window),
    errors: decodeFloat64(state.errors),
    level: decodeFloat64(state.level),
  }
  const fault = faultOf(model, memory)
  if (fault !== undefined) throw refused(`${fault} is not what a detector can hold`)
  return memory
}

/** Only a damaged state has one; its numbers would come back as scores that nobody can explain. */
function faultOf (
  { channels: { length: channels }, windowLength, causal }: DetectorModel,
  memory: DetectorMemory
): keyof DetectorMemory | undefined {
  const rows = (values: ArrayLike<number>, most: number): boolean =>
    values.length % channels === 0 && values.length <= most * channels
  const fits: Record<keyof DetectorMemory, boolean> = {
    last: memory.last.length === channels &&
      memory.last.every((value) => Number.isNaN(value) || Number.isFinite(value)),
    missingFor: memory.missingFor.length === channels &&
      memory.missingFor.every((count) => Number.isSafeInteger(count) && count >= 0),
    window: rows(memory.window, windowLength) && memory.window.every(Number.isFinite),
    errors: rows(memory.errors, causal.smoothing) &&
      memory.errors.every((units) => Number.isInteger(units) && units >= 0 && units <= LARGEST_UNITS),
    level: memory.level.length <= causal.level.span &&
      memory.level.every((score) => Number.isNaN(score) || (score >= 0 && score < Infinity)),
  }
  return (Object.keys(fits) as Array<keyof DetectorMemory>).find((name) => !fits[name])
}

function refused (reason: string, cause?: unknown): Problem {
  return new Problem(
    'invalid-state',
    `The saved state of a detector cannot be used: ${reason}. Leave it out, and the detector starts afresh.`,
    { cause }
  )
}
