// Ad-hoc models: a detector fitted on the series that it will score, for callers without a trained model.
import { runLengths } from '../series/runs.ts'
import { quantiles } from '../quantile.ts'
import type { DetectorModel, Scoring } from '../scoring/detection.ts'
import { pointer, Problem } from '../errors.ts'
import { channelValues, emptyChannels, type Series, slice } from '../series/series.ts'
import {
  defaultSmoothing,
  FIT_DEFAULTS,
  fitDetector,
  fitHalf,
  fitRest,
  type FitSettings,
  type FittedDetector,
  type HalfFitted,
  type MemberToFit,
} from './fit.ts'
import { defaultMembers, learnerOf, type SolvedAutoencoder } from './members.ts'

/** Fewest observations to fit an ad-hoc model on: four blocks of cross-validation, each with three windows of four. */
export const AD_HOC_LEAST = 48

/** Most training windows, and most values in a window: a fit must take seconds for any number of channels. */
const MAX_WINDOWS = 500
const MAX_WIDTH = 1024
/** Longest smoothing as a share of the series: a longer mean would smear a short anomaly over most of it. */
const SMOOTHED_SHARE = 0.02
const LEAST_SMOOTHING = 5

/**
 * Rounds of the robust fit; each leaves out at most this share of the observations, with errors above this × median.
 */
const ROUNDS = 2
const LEFT_OUT = 0.1
const SUSPICIOUS = 2

/** A detector fitted on the spot. */
export interface AdHocDetector {
  readonly model: DetectorModel
  readonly autoencoders: readonly SolvedAutoencoder[]
}

/**
 * Fits the default detector on the first `part.rows` observations, which the caller knows to be normal; without `part`
 * robustly on all observations.
 * @throws Problem series-too-short, missing-channel (a channel has no value), no-training-data (no run without gaps)
 * @example
 * const wave = Array.from({ length: 60 }, (_, t) => Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * (await fitAdHoc(series)).model.windowLength // 5
 * await fitAdHoc(slice(series, 0, 40)) // throws series-too-short
 */
export async function fitAdHoc (series: Series, part?: { readonly rows: number }): Promise<AdHocDetector> {
  const training = part === undefined ? series : slice(series, 0, Math.min(part.rows, series.length))
  checkTraining(training)
  return part === undefined ? fitRobust(training) : fitNormal(training)
}

function checkTraining (training: Series): void {
  if (training.length < AD_HOC_LEAST) {
    throw new Problem(
      'series-too-short',
      `There are ${training.length} observations to fit a model on; at least ${AD_HOC_LEAST} are needed. ` +
        'Send a longer series, fit on more of it (options.fit), or name a served model.',
      { extensions: { needed: AD_HOC_LEAST, got: training.length } }
    )
  }
  const missing = emptyChannels([training])
  if (missing.length === 0) return
  const names = missing.slice(0, 10).map((name) => `"${name.slice(0, 60)}"`).join(', ')
  throw new Problem(
    'missing-channel',
    `There is no value of ${names} among the ${training.length} observations to fit a model on; ` +
      'leave the channel out, or fit on more of the series (options.fit).',
    {
      items: missing.map((name) => ({ pointer: pointer('channels', name), detail: 'no value to fit on' })),
      extensions: { missing, expected: training.channels },
    }
  )
}

async function fitNormal (training: Series): Promise<FittedDetector<SolvedAutoencoder>> {
  return fitDetector([training], settingsFor(training), membersFor(training))
}

function membersFor (training: Series): Array<MemberToFit<SolvedAutoencoder>> {
  const { length, channels } = training
  const widest = Math.max(1, Math.min(Math.floor(MAX_WIDTH / channels.length), Math.floor(usualRun(training) / 2)))
  return defaultMembers(length, channels.length).map(({ architecture, windowLength, tail }) => {
    const bounded = Math.min(windowLength, widest)
    return { windowLength: bounded, tail: Math.min(tail, bounded), learn: learnerOf(architecture) }
  })
}

/** Runs of at least this length hold half of all observations that can be scored: windows must fit into them. */
function usualRun (series: Series): number {
  const lengths = runLengths(series, FIT_DEFAULTS.maxGap).sort((a, b) => b - a)
  const half = lengths.reduce((sum, length) => sum + length, 0) / 2
  let covered = 0
  return lengths.find((length) => (covered += length) >= half) ?? 0
}

/** The defaults, with means that suit a short series. */
function settingsFor ({ length, channels }: Series): FitSettings {
  const longest = Math.max(LEAST_SMOOTHING, Math.floor(SMOOTHED_SHARE * length))
  const smoothing = (scoring: Scoring): number => Math.min(defaultSmoothing(scoring, channels.length), longest)
  return {
    ...FIT_DEFAULTS,
    maxWindows: MAX_WINDOWS,
    causal: { ...FIT_DEFAULTS.causal, smoothing: smoothing('causal') },
    // A centred mean needs an odd number of observations.
    batch: { ...FIT_DEFAULTS.batch, smoothing: smoothing('batch') - (smoothing('batch') + 1) % 2 },
  }
}

/** Fits on all observations, leaves out those with by far the largest errors, and fits again. */
async function fitRobust (series: Series): Promise<FittedDetector<SolvedAutoencoder>> {
  let kept = withoutWild(series)
  let half = await halfOf(kept)
  for (let round = 0; round < ROUNDS; round++) {
    const cleaner = withoutWorst(kept, aligned(half.held.scores, series.length))
    if (cleaner === undefined) break
    kept = cleaner
    half = await halfOf(kept)
  }
  return fitRest(half)
}

async function halfOf (training: Series): Promise<HalfFitted<SolvedAutoencoder>> {
  return fitHalf([training], settingsFor(training), membersFor(training))
}

/** A value this many interquartile ranges from the median would dominate the standard deviation. */
const WILD = 30

/** The series without the values that lie further than WILD interquartile ranges from their channel's median. */
function withoutWild (series: Series): Series {
  const { length: channels } = series.channels
  const values = series.values.slice()
  for (let c = 0; c < channels; c++) {
    const column = channelValues(series, c).map((value) => Number.isFinite(value) ? value : NaN)
    const [low, middle, high] = quantiles(column, [0.25, 0.5, 0.75])
    const most = WILD * (high! - low!)
    if (most > 0) {
      for (let i = c; i < values.length; i += channels) if (Math.abs(values[i]! - middle!) > most) values[i] = NaN
    }
  }
  return { ...series, values }
}

/** Calibration's held-out scores, aligned with the series; shape [length]. */
function aligned (scores: Float64Array, length: number): Float64Array {
  const inTime = new Float64Array(length)
  for (let fold = 0; fold < FIT_DEFAULTS.folds; fold++) {
    const [from, to] = [fold, fold + 1].map((edge) => Math.floor(edge * length / FIT_DEFAULTS.folds))
    // Each block of calibration's scores ends with one NaN.
    inTime.set(scores.subarray(from! + fold, to! + fold), from)
  }
  return inTime
}

/** The series without the observations of the highest scores; undefined if no score stands out. */
function withoutWorst (series: Series, scores: Float64Array): Series | undefined {
  const [median, high] = quantiles(scores, [0.5, 1 - LEFT_OUT])
  const limit = Math.max(SUSPICIOUS * median!, high!)
  const { length: channels } = series.channels
  const values = series.values.slice()
  let left = 0
  for (let t = 0; t < scores.length; t++) {
    if (!(scores[t]! > limit)) continue
    values.fill(NaN, t * channels, (t + 1) * channels)
    left++
  }
  const kept = { ...series, values }
  return left === 0 || emptyChannels([kept]).length > 0 ? undefined : kept
}
