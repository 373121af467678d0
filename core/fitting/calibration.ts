// Scales, thresholds and levels from blocked cross-validation: how normal data score in a model that has not seen them.
import { quantile } from '../quantile.ts'
import type { PatternModel, Member, Scoring, ScoringModel } from '../scoring/detection.ts'
import { patternCausal } from '../scoring/pattern.ts'
import { patternBatch, patternScores } from '../scoring/pattern-hindsight.ts'
import { Problem } from '../errors.ts'
import { levelFactor, NO_LEVEL } from '../scoring/level.ts'
import type { Autoencoder } from '../scoring/reconstruction-error.ts'
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

export interface Calibration {
  readonly calibrated: Pick<PatternModel, 'members' | 'causal' | 'batch' | 'margins'>
  /**
   * Smoothed reconstruction errors of held-out observations, divided by the threshold: block after block, in each block
   * series after series, each in order of time and followed by one NaN. NaN is not scored.
   */
  readonly scores: Readonly<Record<Scoring, Float64Array>>
}

/** Batch scoring of the held-out blocks by their folds' models. */
interface HeldOut {
  /** Mean error of each member. */
  readonly scales: readonly number[]
  /** Smoothed errors in the layout of Calibration.scores, and the threshold chosen from them. */
  readonly errors: Float64Array
  readonly threshold: number
  /** The errors divided by the threshold. */
  readonly scores: Float64Array
  /** |observed − expected| of each channel, in the same layout. */
  readonly residuals: readonly Float64Array[]
}

/**
 * Scores the held-out blocks with hindsight.
 * @param model the model of all observations, its scales and thresholds 1
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave: new Float64Array(300) } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * const folds = [{ model, autoencoders, inside: [series] }]
 * holdOut(model, folds, FIT_DEFAULTS.batch).scores.length // 301
 */
export function holdOut (
  model: PatternModel,
  folds: ReadonlyArray<Fold<Autoencoder>>,
  settings: CalibrationSettings
): HeldOut {
  const scales = model.members.map((_, m) => memberScale(model, folds, m, 'batch'))
  const members = model.members.map((member, m): Member => ({ ...member, scale: { causal: 1, batch: scales[m]! } }))
  const residuals = model.channels.map(() => new Float64Array(lengthOf(folds)).fill(NaN))
  const errors = inOrder(folds, (fold, series, from) => {
    const { score, expected } = patternBatch({ ...fold.model, members }, fold.autoencoders, series)
    residuals.forEach((all, c) => {
      for (let t = 0; t < series.length; t++) {
        all[from + t] = Math.abs(series.values[t * residuals.length + c]! - expected[t * residuals.length + c]!)
      }
    })
    return score
  })
  if (!errors.some((error) => !Number.isNaN(error))) {
    throw new Problem(
      'no-training-data',
      `No observation was left to calibrate the threshold on: each of ${folds.length} blocks of time needs ` +
        `${model.windowLength} consecutive observations without long gaps. ` +
        'Post or name more data, or choose a shorter window or fewer folds.'
    )
  }
  return { scales, errors, ...relative(ruleOf('batch', settings, model), errors), residuals }
}

/**
 * The model's scales, thresholds, levels and margins.
 * @param batch the result of holdOut() for the same model and folds
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave: new Float64Array(300) } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * const folds = [{ model, autoencoders, inside: [series] }]
 * calibrate(model, folds, FIT_DEFAULTS, holdOut(model, folds, FIT_DEFAULTS.batch)).calibrated.members.length // 3
 */
export function calibrate (
  model: PatternModel,
  folds: ReadonlyArray<Fold<Autoencoder>>,
  settings: Readonly<Record<Scoring, CalibrationSettings>>,
  batch: HeldOut
): Calibration {
  const members = model.members.map((member, m): Member => ({
    ...member,
    scale: { causal: memberScale(model, folds, m, 'causal'), batch: batch.scales[m]! },
  }))
  const margin = ruleOf('batch', settings.batch, model)
  const errors = inOrder(
    folds,
    (fold, series) => patternCausal({ ...fold.model, members }, fold.autoencoders, series).score
  )
  const causal = { errors, ...relative(ruleOf('causal', settings.causal, model), errors) }
  return {
    calibrated: {
      members,
      causal: calibrated(model.causal, causal, settings.causal),
      batch: calibrated(model.batch, batch, settings.batch),
      margins: batch.residuals.map((residuals) =>
        Math.min(Number.MAX_VALUE, margin.factor * quantile(residuals, margin.quantile))
      ),
    },
    scores: { causal: causal.scores, batch: batch.scores },
  }
}

function calibrated (
  model: ScoringModel,
  { errors, threshold, scores }: Pick<HeldOut, 'errors' | 'threshold' | 'scores'>,
  { levelSpan: span }: CalibrationSettings
): ScoringModel {
  const level = span === 0 ? NO_LEVEL : { span, factor: levelFactor(quantile(errors, 0.5) / threshold) }
  return { ...model, threshold, scores: fitTail(scores), level }
}

function relative (rule: ThresholdRule, errors: Float64Array): { threshold: number, scores: Float64Array } {
  const threshold = chooseThreshold(rule, errors)
  const scores = new Float64Array(errors.length)
  for (let i = 0; i < errors.length; i++) scores[i] = errors[i]! / threshold
  return { threshold, scores }
}

/** Smallest mean error of a member, in standard deviations: smaller ones are rounding. */
const LEAST_SCALE = 1e-3

const SCORERS: Record<Scoring, (...given: Parameters<typeof patternScores>) => Float64Array> = {
  causal: (...given) => patternCausal(...given).score,
  batch: patternScores,
}

/** Mean error of one member on held-out observations, before smoothing. */
function memberScale (
  model: PatternModel,
  folds: ReadonlyArray<Fold<Autoencoder>>,
  m: number,
  scoring: Scoring
): number {
  if (model.members.length === 1) return 1
  const alone = (fold: Fold<Autoencoder>): PatternModel => ({
    ...fold.model,
    windowLength: model.members[m]!.windowLength,
    members: [model.members[m]!],
    causal: { ...model.causal, smoothing: 1 },
    batch: { ...model.batch, smoothing: 1 },
  })
  const errors = inOrder(folds, (fold, series) => SCORERS[scoring](alone(fold), [fold.autoencoders[m]!], series))
  let [sum, count] = [0, 0]
  for (let i = 0; i < errors.length; i++) {
    if (Number.isNaN(errors[i]!)) continue
    sum += errors[i]!
    count++
  }
  return count === 0 ? 1 : Math.max(LEAST_SCALE, sum / count)
}

/** Number of held-out observations, plus one for each series of a block. */
function lengthOf (folds: ReadonlyArray<Fold<Autoencoder>>): number {
  return folds.reduce((sum, { inside }) => inside.reduce((partial, series) => partial + series.length + 1, sum), 0)
}

/** A number for each held-out observation: block after block, series after series, each followed by one NaN. */
function inOrder (
  folds: ReadonlyArray<Fold<Autoencoder>>,
  scoresOf: (fold: Fold<Autoencoder>, series: Series, from: number) => Float64Array
): Float64Array {
  const scores = new Float64Array(lengthOf(folds)).fill(NaN)
  let from = 0
  for (const fold of folds) {
    for (const series of fold.inside) {
      scores.set(scoresOf(fold, series, from), from)
      from += series.length + 1
    }
  }
  return scores
}
