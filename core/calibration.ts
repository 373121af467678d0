// From blocked cross-validation to scales, thresholds and levels: what normal data look like to a model that has not seen them.
import type { Detection, DetectorModel, Member, Scoring, ScoringModel } from './detection.ts'
import { detectCausal } from './detector.ts'
import { detectBatch } from './hindsight.ts'
import { Problem } from './errors.ts'
import { levelFactor, NO_LEVEL } from './level.ts'
import type { Autoencoder } from './reconstruction-error.ts'
import type { Series } from './series.ts'
import { fitTail } from './tail.ts'
import { chooseThreshold, quantile, type ThresholdRule } from './threshold.ts'

export interface CalibrationSettings extends ThresholdRule {
  /** Observations whose median is the level (core/level.ts); 0: scores are never relative to a level. */
  readonly levelSpan: number
}

export interface Fitted<A extends Autoencoder> {
  readonly model: DetectorModel
  readonly autoencoders: readonly A[]
}

/** A model that was fitted without the blocks that it is held out from. */
export interface Fold<A extends Autoencoder> extends Fitted<A> {
  readonly inside: readonly Series[]
}

export interface Calibration {
  readonly calibrated: Pick<DetectorModel, 'members' | 'causal' | 'batch' | 'margins'>
  /**
   * Smoothed reconstruction errors of what the fold's model had not seen, over the threshold: block after block, and within it
   * series after series, each in order of time and with a NaN behind it; NaN where not scored.
   */
  readonly scores: Readonly<Record<Scoring, Float64Array>>
}

/** @param model fitted on everything, its scales and thresholds 1 */
export function calibrate (model: DetectorModel, folds: ReadonlyArray<Fold<Autoencoder>>, settings: Readonly<Record<Scoring, CalibrationSettings>>): Calibration {
  const members = model.members.map((member, m): Member => ({ ...member, scale: memberScale(model, folds, m) }))
  const held = heldOutScores(members, folds)
  if (!held.batch.some((error) => !Number.isNaN(error))) {
    throw new Problem('no-training-data', `No observation was left to calibrate the threshold on: each of ${folds.length} blocks of time needs ${model.windowLength} consecutive observations without long gaps. ` +
      'Post or name more data, or choose a shorter window or fewer folds.')
  }
  const scoring = (name: Scoring): { scored: ScoringModel, scores: Float64Array } => {
    const threshold = chooseThreshold(settings[name], held[name])
    const scores = held[name].map((error) => error / threshold)
    const span = settings[name].levelSpan
    const level = span === 0 ? NO_LEVEL : { span, factor: levelFactor(quantile(held[name], 0.5) / threshold) }
    return { scored: { ...model[name], threshold, scores: fitTail(scores), level }, scores }
  }
  const [causal, batch] = [scoring('causal'), scoring('batch')]
  return {
    calibrated: {
      members,
      causal: causal.scored,
      batch: batch.scored,
      margins: held.residuals.map((residuals) => Math.min(Number.MAX_VALUE, settings.batch.factor * quantile(residuals, settings.batch.quantile))),
    },
    scores: { causal: causal.scores, batch: batch.scores },
  }
}

/** Smallest size of a member's errors, in standard deviations: below it they are rounding. */
const LEAST_SCALE = 1e-3

/** Mean error of one member on what it has not seen, before smoothing. */
function memberScale (model: DetectorModel, folds: ReadonlyArray<Fold<Autoencoder>>, m: number): Member['scale'] {
  if (model.members.length === 1) return { causal: 1, batch: 1 }
  const alone = (fold: Fold<Autoencoder>): DetectorModel => ({
    ...fold.model,
    windowLength: model.members[m]!.windowLength,
    members: [model.members[m]!],
    causal: { ...model.causal, smoothing: 1 },
    batch: { ...model.batch, smoothing: 1 },
  })
  const mean = (detect: typeof detectCausal): number => {
    const errors = folds.flatMap((fold) => fold.inside.map((series) => detect(alone(fold), [fold.autoencoders[m]!], series).score.filter((score) => !Number.isNaN(score))))
    const count = errors.reduce((sum, one) => sum + one.length, 0)
    return count === 0 ? 1 : Math.max(LEAST_SCALE, errors.reduce((sum, one) => one.reduce((partial, error) => partial + error, sum), 0) / count)
  }
  return { causal: mean(detectCausal), batch: mean(detectBatch) }
}

/** Smoothed errors in order of time, NaN where not scored and between blocks, and |observed − expected| per channel, of all held-out blocks. */
function heldOutScores (members: readonly Member[], folds: ReadonlyArray<Fold<Autoencoder>>): { causal: Float64Array, batch: Float64Array, residuals: number[][] } {
  const causal: number[] = []
  const batch: number[] = []
  const residuals = folds[0]!.model.channels.map((): number[] => [])
  for (const { model, autoencoders, inside } of folds) {
    for (const series of inside) {
      pushScores(causal, detectCausal({ ...model, members }, autoencoders, series).score)
      const hindsight = detectBatch({ ...model, members }, autoencoders, series)
      pushScores(batch, hindsight.score)
      pushResiduals(residuals, series, hindsight)
    }
  }
  return { causal: Float64Array.from(causal), batch: Float64Array.from(batch), residuals }
}

function pushScores (scores: number[], more: Float64Array): void {
  for (const score of more) scores.push(score)
  scores.push(NaN)
}

function pushResiduals (residuals: number[][], series: Series, { expected }: Detection): void {
  const channels = residuals.length
  for (let i = 0; i < expected.length; i++) {
    const residual = Math.abs(series.values[i]! - expected[i]!)
    if (!Number.isNaN(residual)) residuals[i % channels]!.push(residual)
  }
}
