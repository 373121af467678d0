// Ad-hoc models: a detector fitted on the series that it will score, for callers without a trained model.
import { countOf } from '../evidence/fit/included.ts'
import { suspectsOf } from '../evidence/fit/robust.ts'
import { rowsOf } from '../evidence/rows.ts'
import type { DetectorModel } from '../detector/model.ts'
import { pointer, Problem } from '../errors.ts'
import { SHORTEST_FILTERED } from '../features/filters.ts'
import type { Scoring } from '../scoring/detection.ts'
import { runLengths } from '../series/runs.ts'
import { fitScaler } from '../series/scaler.ts'
import { emptyChannels, type Series, slice } from '../series/series.ts'
import {
  defaultSmoothing,
  FIT_DEFAULTS,
  fitDetector,
  type FitSettings,
  type MemberToFit,
} from './fit.ts'
import {
  defaultMembers,
  learnerOf,
  LEAST_TO_CALIBRATE,
  type SolvedArchitecture,
  type SolvedAutoencoder,
  wholeEighths,
} from './members.ts'

/** Fewest observations to fit an ad-hoc model on: they tell spread and trend only. */
export const AD_HOC_LEAST = 12

/** Most training windows, and most values in a window: a fit must take seconds for any number of channels. */
const MAX_WINDOWS = 500
const MAX_WIDTH = 1024
/** Longest smoothing as a share of the series: a longer mean would smear a short anomaly over most of it. */
const SMOOTHED_SHARE = 0.02
const LEAST_SMOOTHING = 5

/** Autoencoders are fitted without suspects and this many observations on both sides. */
const SUSPECT_MARGIN = 2
/** If more than this share of the observations holds suspects, all are fitted. */
const MOST_SUSPECT = 0.5

/** A detector fitted on the spot. */
export interface AdHocDetector {
  readonly model: DetectorModel
  readonly autoencoders: readonly SolvedAutoencoder[]
  /** Observations that it was fitted on. */
  readonly rows: number
  /** Share of them with a value that the robust fit left out; 0 if they are known to be normal. */
  readonly suspectShare: number
}

interface AdHocOptions {
  /** The first so many observations are known to be normal; without it, the fit is robust, on all observations. */
  readonly rows?: number
  /** Only this scoring. Default: both. */
  readonly scoring?: Scoring
}

/**
 * Fits the default detector on the first `rows` observations, which the caller knows to be normal; without `rows`
 * robustly on all observations.
 * @throws Problem series-too-short, missing-channel (a channel has no value), no-training-data (no run without gaps)
 * @example
 * const wave = Array.from({ length: 60 }, (_, t) => Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * (await fitAdHoc(series)).model.members // []
 * await fitAdHoc(slice(series, 0, 11)) // throws series-too-short
 */
export async function fitAdHoc (series: Series, options: AdHocOptions = {}): Promise<AdHocDetector> {
  const { rows, scoring } = options
  const training = rows === undefined ? series : slice(series, 0, Math.min(rows, series.length))
  checkTraining(training)
  const suspects = rows === undefined ? suspectsOf(rowsOf([training])) : undefined
  const settings: FitSettings = {
    ...settingsFor(training),
    evidence: { suspects },
    ...(scoring !== undefined && { scoring }),
  }
  const clean = suspects === undefined ? training : withoutSuspects(training, suspects)
  const choose = (evidence: DetectorModel['evidence']): Array<MemberToFit<SolvedAutoencoder>> =>
    wanders(evidence) ? [] : membersFor(clean)
  const { model, autoencoders } = await fitDetector([training], settings, choose, [clean])
  return { model, autoencoders, rows: training.length, suspectShare: shareOf(suspects ?? [], training.length) }
}

/** Share of the observations with a suspect. */
function shareOf (suspects: readonly Uint8Array[], length: number): number {
  return countOf(anyOf(suspects, length)) / length
}

/** 1 for each observation with a suspect. */
function anyOf (suspects: readonly Uint8Array[], length: number): Uint8Array {
  const any = new Uint8Array(length)
  for (const flags of suspects) for (let t = 0; t < length; t++) if (flags[t] === 1) any[t] = 1
  return any
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

function membersFor (training: Series): Array<MemberToFit<SolvedAutoencoder>> {
  const { length, channels } = training
  const { scale } = fitScaler([training.values], channels.length)
  if (length < LEAST_TO_CALIBRATE || scale.every((deviation) => deviation === 0)) return []
  const widest = Math.max(1, Math.min(Math.floor(MAX_WIDTH / channels.length), Math.floor(usualRun(training) / 2)))
  return defaultMembers(length, channels.length).flatMap(({ architecture, windowLength, tail, weight }) => {
    const bounded = boundedWindow(architecture, windowLength, widest)
    if (bounded === undefined) return []
    return [{ windowLength: bounded, tail: Math.min(tail, bounded), weight, learn: learnerOf(architecture) }]
  })
}

/** The window of a member under a bound; undefined if the member cannot work on so short a window. */
function boundedWindow (architecture: SolvedArchitecture, length: number, most: number): number | undefined {
  if (architecture !== 'filters') return Math.min(length, most)
  const bounded = Math.min(length, wholeEighths(most))
  return bounded < SHORTEST_FILTERED ? undefined : bounded
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

/** Whether a lone channel has no usual level: windows of its values are not like those of the past. */
function wanders ({ causal, batch }: DetectorModel['evidence']): boolean {
  const fits = [causal, batch].filter((fit) => fit !== null)
  return fits.every(({ channels: [first, ...others] }) => {
    const { level, period } = first!.baseline
    return others.length === 0 && level > 0 && period === 1
  })
}

/** The series without the observations that hold suspects. */
function withoutSuspects (series: Series, suspects: readonly Uint8Array[]): Series {
  const { length: channels } = series.channels
  const values = series.values.slice()
  const left = new Uint8Array(series.length)
  const any = anyOf(suspects, series.length)
  for (let t = 0; t < series.length; t++) {
    if (any[t] === 1) left.fill(1, Math.max(0, t - SUSPECT_MARGIN), t + SUSPECT_MARGIN + 1)
  }
  for (let t = 0; t < series.length; t++) if (left[t] === 1) values.fill(NaN, t * channels, (t + 1) * channels)
  const kept = { ...series, values }
  return countOf(left) > MOST_SUSPECT * series.length || emptyChannels([kept]).length > 0 ? series : kept
}
