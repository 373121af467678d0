// Scales, thresholds and levels from blocked cross-validation: how normal data score in a model that has not seen them.
import { quantile } from '../quantile.ts'
import type { PatternModel, Member, Scoring, ScoringModel } from '../scoring/detection.ts'
import { causalErrors, causalScores } from '../scoring/pattern.ts'
import { batchErrors, batchScores } from '../scoring/pattern-hindsight.ts'
import { Problem } from '../errors.ts'
import { levelFactor, NO_LEVEL } from '../scoring/level.ts'
import type { Autoencoder, RunOfErrors } from '../scoring/reconstruction-error.ts'
import { soleErrors } from '../scoring/score.ts'
import type { Series } from '../series/series.ts'
import { fitTail } from '../scoring/tail.ts'
import { chooseThreshold, type ThresholdRule } from '../scoring/threshold.ts'

export interface CalibrationSettings {
  readonly quantile: number
  /** Factor of the threshold. `auto`: 1.1 for causal scoring, 1.15 for batch; 1.4 for a single channel. */
  readonly factor: number | 'auto'
  /** Observations in the median that is the level (core/scoring/level.ts); 0: no level. */
  readonly levelSpan: number
}

const FACTOR: Record<Scoring, { several: number, one: number }> = {
  causal: { several: 1.1, one: 1.4 },
  batch: { several: 1.15, one: 1.4 },
}

function ruleOf (scoring: Scoring, { quantile, factor }: CalibrationSettings, model: PatternModel): ThresholdRule {
  const usual = FACTOR[scoring][model.channels.length === 1 ? 'one' : 'several']
  return { quantile, factor: factor === 'auto' ? usual : factor }
}

/** A model, and the blocks that it was not fitted on. */
export interface Fold<A extends Autoencoder> {
  readonly model: PatternModel
  readonly autoencoders: readonly A[]
  readonly inside: readonly Series[]
}

/**
 * Observations of a block of time; `to` is the first one behind it.
 * @example
 * blockAt(10, 1, 4) // { from: 2, to: 5 }
 */
export const blockAt = (length: number, fold: number, folds: number): { from: number, to: number } =>
  ({ from: Math.floor(fold * length / folds), to: Math.floor((fold + 1) * length / folds) })

export interface Calibration {
  readonly calibrated: Pick<PatternModel, 'members' | 'causal' | 'batch'>
  /**
   * Smoothed reconstruction errors of held-out observations, divided by the threshold: block after block, in each block
   * series after series, each in order of time and followed by one NaN. NaN is not scored. Empty for a scoring that is
   * not calibrated.
   */
  readonly scores: Readonly<Record<Scoring, Float64Array>>
}

/** A held-out series of a block, and the errors of its fold's members. */
interface HeldOut {
  readonly model: PatternModel
  readonly length: number
  readonly runs: readonly RunOfErrors[]
}

const SCORINGS = {
  causal: { errorsOf: causalErrors, scoresOf: causalScores },
  batch: { errorsOf: batchErrors, scoresOf: batchScores },
}

/**
 * The model's scales, thresholds and levels.
 * @param model the model of all observations, its scales and thresholds 1
 * @param only the only scoring to calibrate; undefined: both
 * @throws Problem no-training-data if no held-out observation has a score
 * @example
 * const wave = Float64Array.from({ length: 300 }, (_, t) => Math.sin(t * t))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * calibrate(model, [{ model, autoencoders, inside: [series] }], FIT_DEFAULTS).scores.batch.length // 301
 */
export function calibrate (
  model: PatternModel,
  folds: ReadonlyArray<Fold<Autoencoder>>,
  settings: Readonly<Record<Scoring, CalibrationSettings>>,
  only?: Scoring
): Calibration {
  const [causal, batch] = (['causal', 'batch'] as const).map((scoring) => only !== undefined && only !== scoring
    ? { scales: model.members.map(() => 1), scoring: model[scoring], scores: new Float64Array(0) }
    : calibrateScoring(model, folds, settings[scoring], scoring)
  )
  return {
    calibrated: {
      members: model.members.map((member, m): Member => ({
        ...member,
        scale: { causal: causal!.scales[m]!, batch: batch!.scales[m]! },
      })),
      causal: causal!.scoring,
      batch: batch!.scoring,
    },
    scores: { causal: causal!.scores, batch: batch!.scores },
  }
}

function calibrateScoring (
  model: PatternModel,
  folds: ReadonlyArray<Fold<Autoencoder>>,
  settings: CalibrationSettings,
  scoring: Scoring
): { scales: number[], scoring: ScoringModel, scores: Float64Array } {
  const { errorsOf, scoresOf } = SCORINGS[scoring]
  const held = folds.flatMap((fold) => fold.inside.map((series): HeldOut => ({
    model: fold.model,
    length: series.length,
    runs: errorsOf(fold.model, fold.autoencoders, series),
  })))
  const scales = model.members.map((_, m) => model.members.length === 1 ? 1 : meanError(held, m, scoring))
  const members = model.members.map((member, m): Member => ({
    ...member,
    scale: { ...member.scale, [scoring]: scales[m]! },
  }))
  const errors = new Float64Array(held.reduce((sum, { length }) => sum + length + 1, 0)).fill(NaN)
  let from = 0
  for (const { model, runs, length } of held) {
    errors.set(scoresOf({ ...model, members }, runs, length), from)
    from += length + 1
  }
  if (!errors.some((error) => !Number.isNaN(error))) {
    throw new Problem(
      'no-training-data',
      `No observation was left to calibrate the threshold on: each of ${folds.length} blocks of time needs ` +
        `${model.windowLength} consecutive observations without long gaps. ` +
        'Post or name more data, or choose a shorter window or fewer folds.'
    )
  }
  const threshold = chooseThreshold(ruleOf(scoring, settings, model), errors)
  const scores = new Float64Array(errors.length)
  for (let i = 0; i < errors.length; i++) scores[i] = errors[i]! / threshold
  const span = settings.levelSpan
  const level = span === 0 ? NO_LEVEL : { span, factor: levelFactor(quantile(errors, 0.5) / threshold) }
  return { scales, scoring: { ...model[scoring], threshold, scores: fitTail(scores), level }, scores }
}

/** Smallest mean error of a member, in standard deviations: smaller ones are rounding. */
const LEAST_SCALE = 1e-3

/** Mean error of one member on held-out observations, before smoothing. */
function meanError (held: readonly HeldOut[], m: number, scoring: Scoring): number {
  let [sum, count] = [0, 0]
  for (const { model, runs } of held) {
    for (const { parts } of runs) {
      const errors = soleErrors(parts[m]!, model.channels.length, scoring === 'causal')
      for (let i = 0; i < errors.length; i++) sum += errors[i]!
      count += errors.length
    }
  }
  return count === 0 ? 1 : Math.max(LEAST_SCALE, sum / count)
}
