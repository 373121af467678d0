// What a detector remembers of a series: small, exact, and refused by any other model.
import { Problem } from '../errors.ts'
import { EvidenceStream } from '../evidence/stream.ts'
import type { PatternState } from '../scoring/pattern-state.ts'
import type { DetectorModel } from './model.ts'

/** Numbers that TrailingSmear remembers. */
const SMEAR = 3

/** The memory of both kinds of evidence. */
export interface DetectorState extends PatternState {
  /** What TrailingSmear remembers, then what EvidenceStream does. */
  readonly evidence: Float64Array
}

/**
 * The state of both kinds of evidence as one.
 * @param smear what TrailingSmear remembers
 * @example
 * const { model } = await fitAdHoc(fromColumns({ start: 0, interval: 1000, columns: { a: new Float64Array(60) } }))
 * const state = packState(new PatternDetector(model, []).save(), [7, 9, 2], new EvidenceStream(model.evidence.causal))
 * state.evidence.slice(0, 3) // [7, 9, 2]
 */
export function packState (
  pattern: PatternState,
  smear: readonly [number, number, number],
  evidence: EvidenceStream
): DetectorState {
  const memory = evidence.save()
  const all = new Float64Array(memory.length + smear.length)
  all.set(smear)
  all.set(memory, smear.length)
  return { ...pattern, evidence: all }
}

/** The parts of a saved state. */
export interface UnpackedState {
  readonly pattern: PatternState
  readonly smear: readonly number[]
  readonly evidence: EvidenceStream
}

/**
 * @throws Problem invalid-state if it has another shape, is damaged, or belongs to another model
 * @example
 * const { model } = await fitAdHoc(fromColumns({ start: 0, interval: 1000, columns: { a: new Float64Array(60) } }))
 * unpackState(model, { window: [] }) // throws invalid-state
 */
export function unpackState (model: DetectorModel, saved: unknown): UnpackedState {
  const { evidence: numbers, ...pattern } = saved as Partial<DetectorState>
  const isSmear = numbers instanceof Float64Array && numbers.length >= SMEAR &&
    numbers.subarray(0, SMEAR).every((n) => n >= 0)
  if (!isSmear) {
    throw refused('no numbers')
  }
  const evidence = new EvidenceStream(model.evidence.causal!)
  try {
    evidence.restore(numbers.subarray(SMEAR))
  } catch (error) {
    throw refused((error as Error).message)
  }
  return { pattern: pattern as PatternState, smear: Array.from(numbers.subarray(0, SMEAR)), evidence }
}

function refused (reason: string): Problem {
  return new Problem(
    'invalid-state',
    `The saved state of a detector cannot be used: its evidence is damaged or belongs to another model (${reason}). ` +
      'Leave it out, and the detector starts afresh.'
  )
}
