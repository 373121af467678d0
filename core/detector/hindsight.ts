// Batch scoring, for complete series: evidence before and after an observation counts.
import { evidenceWithHindsight, strongestRatio } from '../evidence/hindsight.ts'
import { type ChannelRatios, PATTERN } from '../evidence/model.ts'
import { rowsOf } from '../evidence/rows.ts'
import type { Detection } from '../scoring/detection.ts'
import { centredLevels, divideByLevels } from '../scoring/level.ts'
import { patternBeforeLevel } from '../scoring/pattern-hindsight.ts'
import type { Autoencoder } from '../scoring/reconstruction-error.ts'
import { fillGaps } from '../series/impute.ts'
import type { Series } from '../series/series.ts'
import type { DetectorModel } from './model.ts'
import { remainderOf } from './remainder.ts'
import { reachOf, shutPatterns } from './smears.ts'
import { scoreOf, shareEvidence } from './union.ts'

/**
 * Batch scoring of a series. The score is above 1 where the evidence of a channel or that of the autoencoders passes
 * its threshold. An observation in a gap of more than `maxGap` is not scored.
 * @param autoencoders one for each member of the model
 * @throws TypeError if the model has no evidence for batch scoring
 * @example
 * const wave = Array.from({ length: 60 }, (_, t) => t === 30 ? 9 : Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * detectBatch(model, autoencoders, series).score[30] > 1 // true
 */
export function detectBatch (model: DetectorModel, autoencoders: readonly Autoencoder[], series: Series): Detection {
  const channels = model.channels.length
  const evidence = evidenceWithHindsight(model.evidence.batch!, rowsOf([series]))
  const detection = patternBeforeLevel(model, autoencoders, series)
  const levels = centredLevels(detection.score, model.batch.level)
  divideByLevels(detection.score, levels)
  const { incomplete } = fillGaps(series.values, channels, model.maxGap)
  const strongest = strongestRatio(evidence, series.length)
  const { smoothing } = model.batch
  const options = { reach: reachOf(model, smoothing), smoothing, channels }
  const shut = shutPatterns(detection.score, strongest, options, (stretches) => {
    const remains = remainderOf({ model, autoencoders, series, evidence }, stretches)
    divideByLevels(remains, levels)
    return remains
  })
  for (let t = 0; t < series.length; t++) {
    if (incomplete?.[t] === 1) detection.score[t] = NaN
    else decide(detection, t, evidence, { isEvident: strongest[t]! > 1, isShut: shut[t] === 1 })
  }
  return detection
}

/** Adds the evidence of the channels to the pattern score of an observation. */
function decide (
  { score, contributions, expected, evidence }: Detection,
  t: number,
  found: readonly ChannelRatios[],
  { isEvident, isShut }: { readonly isEvident: boolean, readonly isShut: boolean }
): void {
  const channels = found.length
  const pattern = score[t]!
  for (let c = 0; c < channels; c++) expected[t * channels + c] = found[c]!.expected[t]!
  if (!isEvident && !Number.isNaN(pattern)) {
    score[t] = scoreOf(pattern, 0, isShut)
    evidence[t] = PATTERN
    return
  }
  const ratio = Float64Array.from(found, (channel) => channel.ratio[t]!)
  const departure = Float64Array.from(found, (channel) => channel.departure[t]!)
  const top = shareEvidence({ ratio, departure }, contributions, t * channels)
  score[t] = scoreOf(pattern, ratio[top]!, isShut)
  evidence[t] = found[top]!.code[t]!
}
