// Batch scoring, for complete series: all windows that cover an observation count, later ones too.
import { standardisedRuns } from '../series/runs.ts'
import { unscale } from '../series/scaler.ts'
import type { Series } from '../series/series.ts'
import { combineErrors } from './combine.ts'
import { type Detection, type PatternModel, emptyDetection, type Member } from './detection.ts'
import { errorsByRun } from './errors-by-run.ts'
import { centredLevels, divideByLevels } from './level.ts'
import {
  type Autoencoder,
  errorsOfRun,
  type RunErrors,
  type RunOfErrors,
  type RunOptions,
} from './reconstruction-error.ts'
import { centredMean, type Covering, meanOverCoveringWindows, splitScores } from './score.ts'

/** Fewest windows that cover an observation: more would hardly change the mean, as neighbours have similar errors. */
const COVERING_WINDOWS = 16

/**
 * Batch scoring of a series. An observation's error is the mean error of the windows that cover it, combined over the
 * members. Its score is the centred mean of these errors, relative to the threshold and to the level around it. A run
 * shorter than the longest window is not scored.
 * @param autoencoders one for each member of the model
 * @example
 * const wave = Array.from({ length: 300 }, (_, t) => t === 130 ? 9 : Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * patternBatch(model, autoencoders, series).score[130] > 1 // true
 */
export function patternBatch (model: PatternModel, autoencoders: readonly Autoencoder[], series: Series): Detection {
  const detection = patternBeforeLevel(model, autoencoders, series)
  divideByLevels(detection.score, centredLevels(detection.score, model.batch.level))
  return detection
}

/**
 * Batch scoring of a series relative to the calibrated threshold alone.
 * @param autoencoders one for each member of the model
 * @example
 * const wave = Array.from({ length: 300 }, (_, t) => t === 130 ? 9 : Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * patternBeforeLevel(model, autoencoders, series).score[130] > 1 // true
 */
export function patternBeforeLevel (
  model: PatternModel,
  autoencoders: readonly Autoencoder[],
  series: Series
): Detection {
  const channels = model.channels.length
  const detection = emptyDetection(series.length, channels)
  for (const run of standardisedRuns(series, model.scaler, model.maxGap, detection.imputed)) {
    if (model.members.length === 0 || run.values.length < model.windowLength * channels) continue
    const index = gridIndex(series) + run.from
    const covered = coverRun(model, autoencoders, { values: run.values, index, expected: true })
    detection.expected.set(expectedOf(model, covered), run.from * channels)
    const parts = smoothedErrors(model, covered.map(({ parts }) => parts))
    detection.score.set(splitScores(parts, channels, model.batch.threshold), run.from)
    detection.contributions.set(parts, run.from * channels)
  }
  return detection
}

/**
 * The errors of the members from which batchScores() makes the scores of patternBatch().
 * @returns one entry for each gap-free run: parts of each observation's mean error, by member
 * @example
 * const wave = Float64Array.from({ length: 300 }, (_, t) => Math.sin(t * t))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * batchErrors(model, autoencoders, series)[0].parts.length // 3
 */
export function batchErrors (
  model: PatternModel,
  autoencoders: readonly Autoencoder[],
  series: Series
): RunOfErrors[] {
  return errorsByRun(model, series, (values, m, from) => {
    const run = { values, index: gridIndex(series) + from, expected: false }
    return coverByMember(model, model.members[m]!, autoencoders[m]!, run).parts
  })
}

/**
 * The scores of patternBatch() from the errors of a series, bit for bit.
 * @param length observations in the series
 * @example
 * const wave = Array.from({ length: 300 }, (_, t) => t === 130 ? 9 : Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * batchScores(model, batchErrors(model, autoencoders, series), 300)[130] > 1 // true
 */
export function batchScores (model: PatternModel, runs: readonly RunOfErrors[], length: number): Float64Array {
  const channels = model.channels.length
  const scores = new Float64Array(length).fill(NaN)
  for (const run of runs) {
    if (run.length < model.windowLength) continue
    const parts = smoothedErrors(model, run.parts)
    scores.set(splitScores(parts, channels, model.batch.threshold), run.from)
  }
  divideByLevels(scores, centredLevels(scores, model.batch.level))
  return scores
}

/** Each observation's mean error by one member, part by part, and its mean reconstruction; both [length × channels]. */
interface Covered {
  readonly parts: Float64Array
  readonly means: Float64Array | undefined
}

/** A gap-free run to score. */
interface RunToCover {
  /** Standardised, shape [length × channels]. */
  readonly values: Float32Array
  /** Number of its first observation on the grid of all times. */
  readonly index: number
  /** Whether the mean reconstructions are wanted. */
  readonly expected: boolean
}

function coverRun (model: PatternModel, autoencoders: readonly Autoencoder[], run: RunToCover): Covered[] {
  return model.members.map((member, m) => coverByMember(model, member, autoencoders[m]!, run))
}

/** Centred mean of a run's combined errors, part by part. */
function smoothedErrors ({ members, channels, batch }: PatternModel, found: readonly Float64Array[]): Float64Array {
  const errors = combineErrors(
    found.map((parts, m) => ({ parts, scale: members[m]!.scale.batch, weight: members[m]!.weight })),
    channels.length
  )
  return centredMean(errors, channels.length, batch.smoothing)
}

/** Mean reconstruction of a run's observations by the members that reconstruct, in each channel's unit. */
function expectedOf ({ scaler, channels }: PatternModel, covered: readonly Covered[]): Float64Array {
  const expected = new Float64Array(covered[0]!.parts.length)
  const reconstructions = covered.flatMap(({ means }) => means === undefined ? [] : [means])
  for (const means of reconstructions) {
    for (let i = 0; i < expected.length; i++) expected[i]! += means[i]! / reconstructions.length
  }
  for (let c = 0; c < channels.length; c++) {
    for (let i = c; i < expected.length; i += channels.length) expected[i] = unscale(scaler, c, expected[i]!)
  }
  return expected
}

/**
 * Number of the series' first observation on the grid of all times. Strides are counted on this grid, so windows do not
 * depend on where a series begins.
 */
function gridIndex ({ start, interval }: Series): number {
  return Math.floor(start / interval)
}

/** A piece of a run with windows at one stride. */
interface Piece {
  /** First observation of its first window. */
  readonly from: number
  readonly found: RunErrors
}

function coverByMember (
  model: PatternModel,
  member: Member,
  autoencoder: Autoencoder,
  run: RunToCover
): Covered {
  const channels = model.channels.length
  const { windowLength } = member
  const length = run.values.length / channels
  const options = {
    channels,
    windowLength,
    stride: strideOf(windowLength),
    tail: windowLength,
    weights: model.weights,
    summed: run.expected,
  }
  const pieces = piecesOf(length, options, run.index).map(({ from, windows }): Piece => {
    const to = from + (windows - 1) * options.stride + windowLength
    return { from, found: errorsOfRun(autoencoder, run.values.subarray(from * channels, to * channels), options) }
  })
  const starts = new Int32Array(pieces.reduce((sum, { found }) => sum + found.errors.length / channels, 0))
  const errors = new Float64Array(starts.length * channels)
  let at = 0
  for (const { from, found } of pieces) {
    errors.set(found.errors, at * channels)
    for (let w = 0; w * channels < found.errors.length; w++) starts[at++] = from + w * options.stride
  }
  const covering = { starts, windowLength, channels, length }
  return {
    parts: meanOverCoveringWindows(errors, covering),
    means: pieces[0]?.found.sums === undefined ? undefined : meanReconstruction(pieces, covering),
  }
}

/** The largest divisor of the window length at which enough windows cover each observation. */
function strideOf (windowLength: number): number {
  let stride = Math.max(1, Math.floor(windowLength / COVERING_WINDOWS))
  while (windowLength % stride !== 0) stride--
  return stride
}

/** The first window of a run, the windows that begin at whole strides of the grid, and the last window. */
function piecesOf (
  length: number,
  { windowLength, stride }: RunOptions,
  index: number
): Array<{ from: number, windows: number }> {
  const last = length - windowLength
  const aligned = (stride - index % stride) % stride
  const windows = aligned > last ? 0 : Math.floor((last - aligned) / stride) + 1
  const pieces = windows === 0 ? [] : [{ from: aligned, windows }]
  if (windows === 0 || aligned > 0) pieces.unshift({ from: 0, windows: 1 })
  const reached = windows === 0 ? 0 : aligned + (windows - 1) * stride
  if (reached < last) pieces.push({ from: last, windows: 1 })
  return pieces
}

function meanReconstruction (
  pieces: readonly Piece[],
  { starts, windowLength, channels, length }: Covering
): Float64Array {
  const means = new Float64Array(length * channels)
  for (const { from, found } of pieces) {
    const sums = found.sums!
    for (let i = 0; i < sums.length; i++) means[from * channels + i]! += sums[i]!
  }
  let behind = 0
  let ahead = 0
  for (let t = 0; t < length; t++) {
    while (ahead < starts.length && starts[ahead]! <= t) ahead++
    while (starts[behind]! < t - windowLength + 1) behind++
    for (let c = 0; c < channels; c++) means[t * channels + c]! /= ahead - behind
  }
  return means
}
