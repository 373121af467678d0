// What a detector remembers of a series: small, exact, and refused by any other model.
import { z } from 'zod'
import { Problem } from '../errors.ts'
import type { ImputerMemory } from '../series/impute.ts'
import type { PatternModel } from './detection.ts'
import { LARGEST_UNITS } from './score.ts'

/** What an interrupted detector needs to go on. Oldest first. */
interface PatternMemory extends ImputerMemory {
  /** Newest standardised observations, at most a window; shape [observations × channels]. */
  readonly window: Float32Array
  /** Newest errors, at most as many as are smoothed, in units of 2⁻³²; shape [errors × channels]. */
  readonly errors: Float64Array
  /** Newest scores, at most the span of the level; shape [scores]. */
  readonly level: Float64Array
}

/** The memory and the model that it belongs to. */
export interface PatternState extends PatternMemory {
  /** The part of the model that gives the arrays their meaning. */
  readonly model: string
}

const StateSchema = z.strictObject({
  model: z.string(),
  last: z.instanceof(Float64Array),
  missingFor: z.instanceof(Float64Array),
  window: z.instanceof(Float32Array),
  errors: z.instanceof(Float64Array),
  level: z.instanceof(Float64Array),
}) satisfies z.ZodType<PatternState>

function signatureOf (
  { channels, interval, maxGap, windowLength, causal: { smoothing, threshold, level } }: PatternModel
): string {
  return JSON.stringify([channels, interval, maxGap, windowLength, smoothing, threshold, level.span, level.factor])
}

/**
 * @example
 * const { model } = await fitAdHoc(fromColumns({ start: 0, interval: 1000, columns: { a: new Float64Array(60) } }))
 * const { model: signature, ...memory } = new PatternDetector(model, []).save()
 * packState(model, memory).model // '[["a"],1000,3,1,5,1,0,0]'
 */
export function packState (model: PatternModel, memory: PatternMemory): PatternState {
  return { model: signatureOf(model), ...memory }
}

/**
 * @throws Problem invalid-state if it has another shape, is damaged, or belongs to another model
 * @example
 * const { model } = await fitAdHoc(fromColumns({ start: 0, interval: 1000, columns: { a: new Float64Array(60) } }))
 * unpackState(model, { window: [] }) // throws invalid-state
 */
export function unpackState (model: PatternModel, saved: unknown): PatternMemory {
  const result = StateSchema.safeParse(saved)
  if (!result.success) {
    throw refused(`it does not have the shape that this program saves: ${z.prettifyError(result.error)}`, result.error)
  }
  const { data: state } = result
  if (state.model !== signatureOf(model)) {
    throw refused(
      `it belongs to a model ${state.model.slice(0, 300)}, and this one is ${signatureOf(model).slice(0, 300)}`
    )
  }
  const fault = faultOf(model, state)
  if (fault !== undefined) throw refused(`no detector can hold its ${fault}`)
  return state
}

/** The name of an array that only a damaged state can hold: it would give wrong scores. */
function faultOf (
  { channels: { length: channels }, windowLength, causal }: PatternModel,
  memory: PatternMemory
): keyof PatternMemory | undefined {
  const rows = (values: ArrayLike<number>, most: number): boolean =>
    values.length % channels === 0 && values.length <= most * channels
  const fits: Record<keyof PatternMemory, boolean> = {
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
  return (Object.keys(fits) as Array<keyof PatternMemory>).find((name) => !fits[name])
}

function refused (reason: string, cause?: unknown): Problem {
  return new Problem(
    'invalid-state',
    `The saved state of a detector cannot be used: ${reason}. Leave it out, and the detector starts afresh.`,
    { cause }
  )
}
