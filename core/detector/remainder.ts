// What remains of a pattern score once the evidence of channels is taken out of the series.
import type { ChannelRatios } from '../evidence/model.ts'
import { patternBeforeLevel } from '../scoring/pattern-hindsight.ts'
import type { Autoencoder } from '../scoring/reconstruction-error.ts'
import { type Series, slice } from '../series/series.ts'
import type { DetectorModel } from './model.ts'
import type { Stretch } from './smears.ts'

/** A detector and what it has found in a series. */
interface Found {
  readonly model: DetectorModel
  /** One for each member of the model. */
  readonly autoencoders: readonly Autoencoder[]
  readonly series: Series
  /** One for each channel. */
  readonly evidence: readonly ChannelRatios[]
}

/**
 * Batch pattern scores, relative to the calibrated threshold, of the series with evident values replaced by the
 * expected ones. Only stretches of it are scored, with as much around them as their scores depend on.
 * @param stretches in order of time
 * @returns shape [length]; NaN far from all stretches
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: new Float64Array(300).fill(9, 130, 131) } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * const evidence = evidenceWithHindsight(model.evidence.batch, rowsOf([series]))
 * remainderOf({ model, autoencoders, series, evidence }, [{ from: 120, to: 140 }]).length // 300
 */
export function remainderOf (
  { model, autoencoders, series, evidence }: Found,
  stretches: readonly Stretch[]
): Float64Array {
  const explained = withoutEvidence(series, evidence)
  const scores = new Float64Array(series.length).fill(NaN)
  const margin = model.windowLength + (model.batch.smoothing >> 1)
  for (const { from, to } of widened(stretches, margin)) {
    const part = slice(explained, Math.max(0, from), Math.min(series.length, to + 1))
    scores.set(patternBeforeLevel(model, autoencoders, part).score, Math.max(0, from))
  }
  return scores
}

function withoutEvidence (series: Series, evidence: readonly ChannelRatios[]): Series {
  const values = series.values.slice()
  evidence.forEach(({ ratio, expected }, c) => {
    for (let t = 0; t < ratio.length; t++) if (ratio[t]! > 1) values[t * evidence.length + c] = expected[t]!
  })
  return { ...series, values }
}

/** Stretches with a margin on both sides; those that touch are one. */
function widened (stretches: readonly Stretch[], margin: number): Stretch[] {
  const wide: Array<{ from: number, to: number }> = []
  for (const { from, to } of stretches) {
    const last = wide.at(-1)
    if (last !== undefined && from - margin <= last.to) last.to = to + margin
    else wide.push({ from: from - margin, to: to + margin })
  }
  return wide
}
