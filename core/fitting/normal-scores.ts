// Scores of the whole detector on the normal data that it is fitted on: how often they pass any threshold.
import type { DetectorModel } from '../detector/model.ts'
import { PatternGate, reachOf, shutPatterns } from '../detector/smears.ts'
import { scoreOf } from '../detector/union.ts'
import { evidenceWithHindsight, strongestRatio } from '../evidence/hindsight.ts'
import { emptyRatios, type EvidenceFit, type Rows } from '../evidence/model.ts'
import { EvidenceStream } from '../evidence/stream.ts'
import type { Scoring } from '../scoring/detection.ts'
import { blockAt } from './calibration.ts'

/** Observations around a suspect that its means reach. */
const MARGIN = 16

interface NormalScoresOptions {
  readonly scoring: Scoring
  /** Pattern scores of held-out observations as calibrate() gives them, block after block; empty without members. */
  readonly calibration: Float64Array
  /** Blocks of the cross-validation. */
  readonly folds: number
  /** 1 where a value is no example of normal behaviour, shape [channels][rows]. */
  readonly suspects?: readonly Uint8Array[] | undefined
}

/**
 * Scores of the rows that a detector is fitted on, series after series, each followed by one NaN. NaN is not scored:
 * rows around suspects, and rows without a pattern score if there are members.
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, 5, 2, 4, 3, 1, 5, 2, 4, 3, 1, 2] } })
 * const { model } = await fitAdHoc(series)
 * const options = { scoring: 'batch', calibration: new Float64Array(0), folds: 4 }
 * normalScores(model, rowsOf([series]), options).length // 13
 */
export function normalScores (model: DetectorModel, rows: Rows, options: NormalScoresOptions): Float64Array {
  const { scoring, calibration, suspects } = options
  const hasPatterns = calibration.length > 0
  const ratio = strongestOf(model.evidence[scoring]!, rows, scoring)
  const left = suspects === undefined ? undefined : aroundSuspects(suspects)
  const { edges } = rows
  const patterns = inOrderOfTime(calibration, edges, options.folds)
  const scores = new Float64Array(edges.at(-1)! + edges.length - 1).fill(NaN)
  for (let s = 0; s + 1 < edges.length; s++) {
    const [from, to] = [edges[s]!, edges[s + 1]!]
    const pattern = patterns.subarray(from, to)
    const shut = shutOf(model, scoring, { pattern, ratio: ratio.subarray(from, to) })
    for (let t = from; t < to; t++) {
      if (left?.[t] === 1 || (hasPatterns && Number.isNaN(patterns[t]!))) continue
      scores[t + s] = scoreOf(patterns[t]!, ratio[t]!, shut[t - from] === 1)
    }
  }
  return scores
}

/** Scores of the rows of all series; NaN where there are none. */
function inOrderOfTime (calibration: Float64Array, edges: readonly number[], folds: number): Float64Array {
  const scores = new Float64Array(edges.at(-1)!).fill(NaN)
  let at = 0
  for (let fold = 0; fold < folds && at < calibration.length; fold++) {
    for (let s = 0; s + 1 < edges.length; s++) {
      const { from, to } = blockAt(edges[s + 1]! - edges[s]!, fold, folds)
      scores.set(calibration.subarray(at, at + to - from), edges[s]! + from)
      at += to - from + 1
    }
  }
  return scores
}

function strongestOf (fit: EvidenceFit, rows: Rows, scoring: Scoring): Float64Array {
  const { length } = rows.index
  if (scoring === 'batch') return strongestRatio(evidenceWithHindsight(fit, rows), length)
  const strongest = new Float64Array(length)
  const channels = fit.channels.length
  const found = emptyRatios(channels)
  const values = new Float64Array(channels)
  const missing = new Uint8Array(channels)
  for (let s = 0; s + 1 < rows.edges.length; s++) {
    const stream = new EvidenceStream(fit)
    for (let t = rows.edges[s]!; t < rows.edges[s + 1]!; t++) {
      for (let c = 0; c < channels; c++) {
        values[c] = rows.columns[c]![t]!
        missing[c] = rows.missing[c]![t]!
      }
      stream.next({ index: rows.index[t]!, values, missing }, found)
      strongest[t] = Math.max(...found.ratio)
    }
  }
  return strongest
}

/** 1 where a pattern score above 1 does not count. */
function shutOf (
  model: DetectorModel,
  scoring: Scoring,
  { pattern, ratio }: { readonly pattern: Float64Array, readonly ratio: Float64Array }
): Uint8Array {
  const { smoothing } = model[scoring]
  const options = { reach: reachOf(model, smoothing), smoothing, channels: model.channels.length }
  if (scoring === 'batch') return shutPatterns(pattern, ratio, options)
  const gate = new PatternGate(options)
  return Uint8Array.from(pattern, (score, t) => gate.isShut(score, ratio[t]!) ? 1 : 0)
}

function aroundSuspects (suspects: readonly Uint8Array[]): Uint8Array {
  const around = new Uint8Array(suspects[0]!.length)
  for (const flags of suspects) {
    for (let t = 0; t < flags.length; t++) if (flags[t] === 1) around.fill(1, Math.max(0, t - MARGIN), t + MARGIN + 1)
  }
  return around
}
