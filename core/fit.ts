// Fits a detector on normal series: scaler, channel weights, autoencoder, and thresholds by blocked cross-validation.
import { type Detection, type DetectorModel } from './detection.ts'
import { detectCausal } from './detector.ts'
import { Problem } from './errors.ts'
import { detectBatch, standardisedRuns } from './hindsight.ts'
import { type Reconstruct } from './reconstruction-error.ts'
import { fitScaler } from './scaler.ts'
import { emptyChannels, type Series, slice } from './series.ts'
import { fitTail, type ScoreTail } from './tail.ts'
import { chooseThreshold, quantile, type ThresholdRule } from './threshold.ts'
import { sampleWindows, type WindowMatrix } from './window.ts'

export interface FitSettings {
  /** Observations in a window; `auto` is defaultWindowLength(). */
  readonly windowLength: number | 'auto'
  /** Longest gap that is filled, in observations. */
  readonly maxGap: number
  /** At most this many training windows, evenly spaced. */
  readonly maxWindows: number
  /** Contiguous blocks of the cross-validation. */
  readonly folds: number
  /** Weight of channels with at most two distinct training values (switches, commands) in the reconstruction error. */
  readonly switchWeight: number
  readonly causal: ThresholdRule & {
    /** `auto` is max(8, windowLength / 4). */
    readonly tail: number | 'auto'
    readonly smoothing: number
  }
  readonly batch: ThresholdRule & { readonly smoothing: number }
}

/** The method's defaults, chosen on public benchmarks (docs/EXPERIMENTS.md). */
export const FIT_DEFAULTS: FitSettings = {
  windowLength: 'auto',
  maxGap: 3,
  maxWindows: 1000,
  folds: 4,
  switchWeight: 0.05,
  causal: { tail: 'auto', smoothing: 31, quantile: 0.99, factor: 1.1 },
  batch: { smoothing: 61, quantile: 0.99, factor: 1.15 },
}

/** A fitted autoencoder: at least it reconstructs. */
export interface Autoencoder {
  readonly reconstruct: Reconstruct
  dispose? (): void
}

/** Trains an autoencoder on standardised windows. Called once per fold and once on everything. */
export type Learn<A extends Autoencoder> = (windows: WindowMatrix) => A | Promise<A>

export interface FittedDetector<A extends Autoencoder> {
  readonly model: DetectorModel
  readonly autoencoder: A
  /** Smoothed reconstruction errors of observations that the fold's model had not seen. */
  readonly calibration: { readonly causal: Float64Array, readonly batch: Float64Array }
}

/** 128 observations for one channel, else 16; at most a twelfth of the training part. */
export function defaultWindowLength (observations: number, channels: number): number {
  return Math.max(1, Math.min(channels === 1 ? 128 : 16, Math.floor(observations / 12)))
}

/**
 * Fits on one or more series of normal data with the same channels and interval.
 * @throws Problem no-training-data when the series hold no full window
 */
export async function fitDetector<A extends Autoencoder> (series: readonly Series[], settings: FitSettings, learn: Learn<A>): Promise<FittedDetector<A>> {
  checkTrainable(series)
  const shape = modelShape(series, settings)
  const { model, autoencoder } = await fitOnce(series, shape, settings, learn)
  const held = await crossValidate(series, model, settings, learn).catch((error: unknown) => {
    autoencoder.dispose?.()
    throw error
  })
  return {
    model: {
      ...model,
      causal: { ...model.causal, ...calibrated(settings.causal, held.causal) },
      batch: { ...model.batch, ...calibrated(settings.batch, held.batch) },
      margins: held.residuals.map((residuals) => orZero(settings.batch.factor * quantile(residuals, settings.batch.quantile))),
    },
    autoencoder,
    calibration: { causal: held.causal, batch: held.batch },
  }
}

/** The threshold, and what the scores are in its units. */
function calibrated (rule: ThresholdRule, scores: Float64Array): { threshold: number, scores: ScoreTail } {
  const threshold = chooseThreshold(rule, scores)
  return { threshold, scores: fitTail(scores.map((score) => score / threshold)) }
}

/** A channel without a value leaves no observation to learn from; told by name, for no more data and no shorter window helps. */
function checkTrainable (series: readonly Series[]): void {
  const empty = emptyChannels(series)
  if (empty.length > 0) throw new Problem('no-training-data', `There is no value of ${empty.join(', ')} in the training part; leave such channels out (--exclude).`)
}

const orZero = (value: number): number => Number.isNaN(value) ? 0 : Math.min(value, Number.MAX_VALUE)

/** The model before anything is learnt: thresholds are 1, so that scores are raw smoothed errors. */
function modelShape (series: readonly Series[], settings: FitSettings): DetectorModel {
  const first = series[0]
  if (first === undefined) throw new Problem('no-training-data', 'There is no series to train on.')
  const observations = Math.max(...series.map((one) => one.length))
  const windowLength = settings.windowLength === 'auto' ? defaultWindowLength(observations, first.channels.length) : settings.windowLength
  const tail = settings.causal.tail === 'auto' ? Math.max(8, Math.floor(windowLength / 4)) : settings.causal.tail
  return {
    channels: first.channels,
    interval: first.interval,
    maxGap: settings.maxGap,
    scaler: { center: [], scale: [] },
    weights: channelWeights(series, settings.switchWeight),
    windowLength,
    causal: { tail: Math.min(tail, windowLength), smoothing: settings.causal.smoothing, threshold: 1 },
    batch: { smoothing: settings.batch.smoothing, threshold: 1 },
    margins: first.channels.map(() => 0),
  }
}

/** Less weight for channels that only switch: their windows are reconstructed badly at every switch, faulty or not. */
function channelWeights (series: readonly Series[], switchWeight: number): number[] {
  const channels = series[0]!.channels.length
  // A lone channel has nothing to be weighed against.
  if (channels === 1) return [1]
  return series[0]!.channels.map((_, c) => hasMoreThanTwoValues(series, c) ? 1 : switchWeight)
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

async function fitOnce<A extends Autoencoder> (series: readonly Series[], shape: DetectorModel, settings: FitSettings, learn: Learn<A>): Promise<{ model: DetectorModel, autoencoder: A }> {
  const scaler = fitScaler(series.map((one) => one.values), shape.channels.length)
  const runs = series.flatMap((one) => standardisedRuns(one, scaler, shape.maxGap).map((run) => run.values))
  const windows = sampleWindows(runs, shape.channels.length, shape.windowLength, settings.maxWindows)
  if (windows.count < 2) {
    throw new Problem('no-training-data', `Training needs at least ${shape.windowLength + 1} consecutive observations without long gaps; ` +
      'post or name more data, or choose a shorter window.')
  }
  return { model: { ...shape, scaler }, autoencoder: await learn(windows) }
}

interface HeldOut {
  readonly causal: Float64Array
  readonly batch: Float64Array
  /** |observed − expected| per channel. */
  readonly residuals: number[][]
}

/** Blocked cross-validation: each block of time is scored by a model that was fitted without it, the block scored as served. */
async function crossValidate<A extends Autoencoder> (series: readonly Series[], shape: DetectorModel, settings: FitSettings, learn: Learn<A>): Promise<HeldOut> {
  const causal: number[] = []
  const batch: number[] = []
  const residuals = shape.channels.map((): number[] => [])
  for (let fold = 0; fold < settings.folds; fold++) {
    const blocks = series.map((one) => blockOf(one, fold, settings.folds))
    const { model, autoencoder } = await fitOnce(blocks.flatMap((block) => block.outside), shape, settings, learn)
    for (const { inside } of blocks) {
      pushScores(causal, detectCausal(model, autoencoder.reconstruct, inside).score)
      const hindsight = detectBatch(model, autoencoder.reconstruct, inside)
      pushScores(batch, hindsight.score)
      pushResiduals(residuals, inside, hindsight)
    }
    autoencoder.dispose?.()
  }
  return { causal: Float64Array.from(causal), batch: Float64Array.from(batch), residuals }
}

function blockOf (series: Series, fold: number, folds: number): { inside: Series, outside: Series[] } {
  const from = Math.floor(fold * series.length / folds)
  const to = Math.floor((fold + 1) * series.length / folds)
  const outside = [slice(series, 0, from), slice(series, to, series.length)].filter((part) => part.length > 0)
  return { inside: slice(series, from, to), outside }
}

function pushScores (scores: number[], more: Float64Array): void {
  for (const score of more) if (!Number.isNaN(score)) scores.push(score)
}

function pushResiduals (residuals: number[][], series: Series, { expected }: Detection): void {
  const channels = residuals.length
  for (let i = 0; i < expected.length; i++) {
    const residual = Math.abs(series.values[i]! - expected[i]!)
    if (!Number.isNaN(residual)) residuals[i % channels]!.push(residual)
  }
}
