// Fits a detector on normal series: scaler, channel weights, autoencoders, and thresholds by blocked cross-validation.
import { runLengths, standardisedRuns } from '../series/runs.ts'
import type { DetectorModel } from '../detector/model.ts'
import { fitEvidence } from '../evidence/fit/fit.ts'
import type { EvidenceFit, Rows } from '../evidence/model.ts'
import { rowsOf } from '../evidence/rows.ts'
import type { PatternModel, Scoring, ScoringModel } from '../scoring/detection.ts'
import { Problem } from '../errors.ts'
import { NO_LEVEL } from '../scoring/level.ts'
import type { Autoencoder } from '../scoring/reconstruction-error.ts'
import { fitScaler, type Scaler } from '../series/scaler.ts'
import { quantile } from '../quantile.ts'
import { emptyChannels, type Series, slice } from '../series/series.ts'
import { fitTail, NO_SCORES } from '../scoring/tail.ts'
import { sampleWindows, windowCount, type WindowMatrix } from '../series/window.ts'
import {
  blockAt,
  calibrate,
  type Calibration,
  type CalibrationSettings,
  type Fold,
} from './calibration.ts'
import { normalScores } from './normal-scores.ts'

/** One autoencoder to fit. */
export interface MemberSettings {
  /** Observations in a window. */
  readonly windowLength: number
  /** Newest observations of a window that count in causal scoring. */
  readonly tail: number
  /** Exponent of its errors in the geometric mean of the members' errors; absent: 1. */
  readonly weight?: number
}

interface ScoringSettings extends CalibrationSettings {
  /** Errors in the moving mean. `auto`: 31 trailing for causal scoring; 61 centred for batch, 121 for one channel. */
  readonly smoothing: number | 'auto'
}

export interface FitSettings {
  /** Longest gap that is filled, in observations. */
  readonly maxGap: number
  /** At most this many training windows, evenly spaced. */
  readonly maxWindows: number
  /** Contiguous blocks of the cross-validation. */
  readonly folds: number
  /**
   * Weight of the squared residuals of channels with two distinct training values (switches, commands), and of channels
   * with one.
   */
  readonly switchWeight: number
  readonly constantWeight: number
  readonly causal: ScoringSettings
  readonly batch: ScoringSettings
  readonly evidence?: {
    /**
     * Whether seasons of any period are looked for, or those of the calendar only. Default: of any period in a single
     * series, because several need not share a phase.
     */
    readonly anyPeriod?: boolean
    /** Values that are no example of normal behaviour, shape [channels][observations]; undefined: all are normal. */
    readonly suspects?: readonly Uint8Array[] | undefined
  }
  /** Only this scoring is fitted: evidence, scales and threshold. Default: both. */
  readonly scoring?: Scoring
}

/** The method's defaults, chosen on public benchmarks (docs/EXPERIMENTS.md). */
export const FIT_DEFAULTS: FitSettings = {
  maxGap: 3,
  maxWindows: 1000,
  folds: 4,
  switchWeight: 1e-4,
  constantWeight: 3,
  causal: { smoothing: 'auto', quantile: 0.99, factor: 'auto', levelSpan: 1001 },
  batch: { smoothing: 'auto', quantile: 0.99, factor: 'auto', levelSpan: 2001 },
}

const SMOOTHING: Record<Scoring, { several: number, one: number }> = {
  causal: { several: 31, one: 31 },
  batch: { several: 61, one: 121 },
}

/**
 * Errors in the moving mean. In hindsight a single channel needs a longer mean: it gives less evidence at each instant.
 * @example
 * defaultSmoothing('causal', 3) // 31
 * defaultSmoothing('batch', 1) // 121
 */
export function defaultSmoothing (scoring: Scoring, channels: number): number {
  return SMOOTHING[scoring][channels === 1 ? 'one' : 'several']
}

/** Trains an autoencoder on standardised windows. Called for each member, once per fold and once on everything. */
export type Learn<A extends Autoencoder> = (windows: WindowMatrix) => A | Promise<A>

/** A member to fit, and how. */
export interface MemberToFit<A extends Autoencoder> extends MemberSettings {
  readonly learn: Learn<A>
}

export interface FittedDetector<A extends Autoencoder> {
  readonly model: DetectorModel
  /** One for each member of the model. */
  readonly autoencoders: readonly A[]
  readonly calibration: Calibration['scores']
}

/**
 * Fits on one or more series of normal data with the same channels and interval.
 * @param members, or what chooses them once the evidence is fitted
 * @param forMembers the series that the autoencoders are fitted on; default: the same
 * @throws Problem no-training-data if the series hold no full window
 * @example
 * const wave = Array.from({ length: 60 }, (_, t) => Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const fitted = await fitDetector([series], FIT_DEFAULTS, [{ windowLength: 4, tail: 4, learn: learnerOf('linear') }])
 * detectBatch(fitted.model, fitted.autoencoders, series).score.length // 60
 */
export async function fitDetector<A extends Autoencoder> (
  series: readonly Series[],
  settings: FitSettings,
  members: ReadonlyArray<MemberToFit<A>> | ((evidence: DetectorModel['evidence']) => ReadonlyArray<MemberToFit<A>>),
  forMembers = series
): Promise<FittedDetector<A>> {
  const evidence = evidenceFor(series, settings)
  const chosen = typeof members === 'function' ? members(evidence) : members
  const fitted = await fitPattern(forMembers, settings, chosen)
  const model = { ...fitted.model, evidence, margins: marginsOf(evidence.batch ?? evidence.causal!) }
  return { ...fitted, model: { ...model, ...scoreTails(model, rowsOf(series), settings, fitted.calibration) } }
}

/** Both scorings with the tail of the scores of all evidence together. */
function scoreTails (
  model: DetectorModel,
  rows: Rows,
  { folds, evidence }: FitSettings,
  calibration: Calibration['scores']
): Pick<DetectorModel, Scoring> {
  const tailOf = (scoring: Scoring): ScoringModel => {
    if (model.evidence[scoring] === null) return model[scoring]
    const options = { scoring, calibration: calibration[scoring], folds, suspects: evidence?.suspects }
    return { ...model[scoring], scores: fitTail(normalScores(model, rows, options)) }
  }
  return { causal: tailOf('causal'), batch: tailOf('batch') }
}

/** Evidence for the scorings that are wanted. */
function evidenceFor (
  series: readonly Series[],
  { scoring, evidence: { anyPeriod = series.length === 1, suspects } = {} }: FitSettings
): DetectorModel['evidence'] {
  checkTrainable(series)
  const rows = rowsOf(series)
  const excluded = suspects ?? rows.columns.map((column) => new Uint8Array(column.length))
  const fit = (causal: boolean): EvidenceFit =>
    fitEvidence(rows, excluded, { causal, leftOut: 0, robust: suspects !== undefined, anyPeriod }).fit
  return {
    causal: scoring === 'batch' ? null : fit(true),
    batch: scoring === 'causal' ? null : fit(false),
  }
}

/** Half-width of the band that point evidence allows, per channel, in its unit. */
function marginsOf ({ channels }: EvidenceFit): number[] {
  return channels.map(({ baseline: { scale }, constant, season, own, relation }) => {
    if (constant) return 0
    const points = [season, own?.thresholds, relation?.thresholds].flatMap((one) => one == null ? [] : [one.point])
    const margin = Math.min(...points) * quantile(scale, 0.5)
    return Math.min(Number.MAX_VALUE, margin)
  })
}

/** The autoencoders, with their scales and thresholds. */
async function fitPattern<A extends Autoencoder> (
  series: readonly Series[],
  settings: FitSettings,
  members: ReadonlyArray<MemberToFit<A>>
): Promise<{ model: PatternModel, autoencoders: readonly A[], calibration: Calibration['scores'] }> {
  const model = prepare(series, settings, members)
  if (members.length === 0) return { model, autoencoders: [], calibration: NO_CALIBRATION }
  const autoencoders = await learnAll(series, model, settings, members)
  try {
    const folds = await learnFolds(series, model, settings, members)
    try {
      const { calibrated, scores } = calibrate(model, folds, settings, settings.scoring)
      return { model: { ...model, ...calibrated }, autoencoders, calibration: scores }
    } finally {
      for (const fold of folds) disposeAll(fold.autoencoders)
    }
  } catch (error) {
    disposeAll(autoencoders)
    throw error
  }
}

const NO_CALIBRATION = { causal: new Float64Array(0), batch: new Float64Array(0) }

/** The model before training, with scaler and weights. Throws if the series cannot be trained on. */
function prepare (series: readonly Series[], settings: FitSettings, members: readonly MemberSettings[]): PatternModel {
  checkTrainable(series)
  const shape = modelShape(series, settings, members)
  const lengths = series.flatMap((part) => runLengths(part, shape.maxGap))
  for (const { windowLength } of members) {
    if (lengths.reduce((sum, length) => sum + windowCount(length, windowLength), 0) < 2) throw tooLittle(windowLength)
  }
  const scaler = fitScaler(series.map((part) => part.values), shape.channels.length)
  return { ...shape, scaler, weights: channelWeights(series, scaler, settings) }
}

/** A channel without a value leaves no observation to train on. More data or a shorter window cannot help. */
function checkTrainable (series: readonly Series[]): void {
  if (series.length === 0) throw new Problem('no-training-data', 'There is no series to train on.')
  const empty = emptyChannels(series)
  if (empty.length > 0) {
    throw new Problem(
      'no-training-data',
      `There is no value of ${empty.join(', ')} in the training part; leave such channels out (--exclude).`
    )
  }
}

/** The model before training: scales and thresholds are 1, so scores are raw smoothed errors. */
function modelShape (
  series: readonly Series[],
  settings: FitSettings,
  members: readonly MemberSettings[]
): PatternModel {
  const { channels, interval } = series[0]!
  const scoring = (name: Scoring): ScoringModel => {
    const { smoothing } = settings[name]
    return {
      smoothing: smoothing === 'auto' ? defaultSmoothing(name, channels.length) : smoothing,
      threshold: 1,
      level: NO_LEVEL,
      scores: NO_SCORES,
    }
  }
  return {
    channels,
    interval,
    maxGap: settings.maxGap,
    scaler: { center: [], scale: [] },
    weights: [],
    windowLength: Math.max(1, ...members.map(({ windowLength }) => windowLength)),
    members: members.map(({ windowLength, tail, weight = 1 }) => ({
      windowLength,
      tail: Math.min(tail, windowLength),
      scale: { causal: 1, batch: 1 },
      weight,
    })),
    causal: scoring('causal'),
    batch: scoring('batch'),
    margins: channels.map(() => 0),
  }
}

/**
 * Weight of each channel. A switching channel has large errors at every switch, faulty or not: it hardly counts. A
 * channel that was constant in training and now moves counts more than others.
 */
function channelWeights (
  series: readonly Series[],
  scaler: Scaler,
  { switchWeight, constantWeight }: FitSettings
): number[] {
  const { channels } = series[0]!
  // A weight is relative to other channels.
  if (channels.length === 1) return [1]
  const weights = channels.map((_, c) => {
    if (scaler.scale[c] === 0) return constantWeight
    return hasMoreThanTwoValues(series, c) ? 1 : switchWeight
  })
  // If no channel counts in full, the heaviest do.
  const largest = weights.reduce((most, weight) => Math.max(most, weight), 0)
  if (largest === 0) return channels.map(() => 1)
  return largest < 1 ? weights.map((weight) => weight / largest) : weights
}

function hasMoreThanTwoValues (series: readonly Series[], c: number): boolean {
  const seen = new Set<number>()
  for (const { values, channels } of series) {
    for (let i = c; i < values.length && seen.size <= 2; i += channels.length) {
      if (!Number.isNaN(values[i]!)) seen.add(values[i]!)
    }
  }
  return seen.size > 2
}

function disposeAll (autoencoders: readonly Autoencoder[]): void {
  for (const autoencoder of autoencoders) autoencoder.dispose?.()
}

async function learnAll<A extends Autoencoder> (
  series: readonly Series[],
  { channels, scaler, maxGap }: PatternModel,
  settings: FitSettings,
  members: ReadonlyArray<MemberToFit<A>>
): Promise<A[]> {
  const runs = series.flatMap((part) => standardisedRuns(part, scaler, maxGap).map((run) => run.values))
  const autoencoders: A[] = []
  try {
    for (const { windowLength, learn } of members) {
      const windows = sampleWindows(runs, channels.length, windowLength, settings.maxWindows)
      if (windows.count < 2) throw tooLittle(windowLength)
      autoencoders.push(await learn(windows))
    }
  } catch (error) {
    disposeAll(autoencoders)
    throw error
  }
  return autoencoders
}

function tooLittle (windowLength: number): Problem {
  return new Problem(
    'no-training-data',
    `Training needs at least ${windowLength + 1} consecutive observations without long gaps; ` +
      'post or name more data, or choose a shorter window.'
  )
}

/** Blocked cross-validation: for each block of time a model that was fitted without it. */
async function learnFolds<A extends Autoencoder> (
  series: readonly Series[],
  model: PatternModel,
  settings: FitSettings,
  members: ReadonlyArray<MemberToFit<A>>
): Promise<Array<Fold<A>>> {
  const folds: Array<Fold<A>> = []
  try {
    for (let fold = 0; fold < settings.folds; fold++) {
      const blocks = series.map((part) => blockOf(part, fold, settings.folds))
      const outside = blocks.flatMap((block) => block.outside)
      // Weights come from all data: a switch that rests outside this block is still a switch.
      const seen = { ...model, scaler: fitScaler(outside.map((part) => part.values), model.channels.length) }
      folds.push({
        model: seen,
        autoencoders: await learnAll(outside, seen, settings, members),
        inside: blocks.map((block) => block.inside),
      })
    }
  } catch (error) {
    for (const { autoencoders } of folds) disposeAll(autoencoders)
    throw error
  }
  return folds
}

function blockOf (series: Series, fold: number, folds: number): { inside: Series, outside: Series[] } {
  const { from, to } = blockAt(series.length, fold, folds)
  const outside = [slice(series, 0, from), slice(series, to, series.length)].filter((part) => part.length > 0)
  return { inside: slice(series, from, to), outside }
}
