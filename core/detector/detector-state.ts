// What a detector remembers of a series: small, exact, and refused by any other model.
import { Problem } from '../errors.ts'
import { EvidenceStream } from '../evidence/stream.ts'
import type { PatternState } from '../scoring/pattern-state.ts'
import type { DetectorModel } from './model.ts'

/** Numbers that PatternGate remembers. */
const GATE = 4

/** The memory of both kinds of evidence. */
export interface DetectorState extends PatternState {
  /** What PatternGate remembers, then what EvidenceStream does. */
  readonly evidence: Float64Array
}

/**
 * The state of both kinds of evidence as one.
 * @param gate what PatternGate remembers
 * @example
 * const { model } = await fitAdHoc(fromColumns({ start: 0, interval: 1000, columns: { a: new Float64Array(60) } }))
 * const stream = new EvidenceStream(model.evidence.causal)
 * const state = packState(new PatternDetector(model, []).save(), [7, 9, 2, 1], stream)
 * state.evidence.slice(0, 4) // [7, 9, 2, 1]
 */
export function packState (
  pattern: PatternState,
  gate: readonly [number, number, number, number],
  evidence: EvidenceStream
): DetectorState {
  const memory = evidence.save()
  const all = new Float64Array(memory.length + gate.length)
  all.set(gate)
  all.set(memory, gate.length)
  return { ...pattern, evidence: all }
}

/** The parts of a saved state. */
export interface UnpackedState {
  readonly pattern: PatternState
  readonly gate: readonly number[]
  readonly evidence: EvidenceStream
}

/**
 * @throws Problem invalid-state if it has another shape, is damaged, or belongs to another model
 * @example
 * const { model } = await fitAdHoc(fromColumns({ start: 0, interval: 1000, columns: { a: new Float64Array(60) } }))
 * unpackState(model, { window: [] }) // throws invalid-state
 */
export function unpackState (model: DetectorModel, saved: unknown): UnpackedState {
  const { evidence: numbers, ...pattern } = (saved ?? {}) as Partial<DetectorState>
  const isGate = numbers instanceof Float64Array && numbers.length >= GATE &&
    numbers.subarray(0, GATE).every((n) => n >= 0)
  if (!isGate) throw refused('no numbers')
  const evidence = new EvidenceStream(model.evidence.causal!)
  try {
    evidence.restore(numbers.subarray(GATE))
  } catch (error) {
    throw refused((error as Error).message)
  }
  return { pattern: pattern as PatternState, gate: Array.from(numbers.subarray(0, GATE)), evidence }
}

function refused (reason: string): Problem {
  return new Problem(
    'invalid-state',
    `The saved state of a detector cannot be used: its evidence is damaged or belongs to another model (${reason}). ` +
      'Leave it out, and the detector starts afresh.'
  )
}
