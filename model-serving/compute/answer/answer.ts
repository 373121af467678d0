// Series and detection → the answer of POST /compute. Its arrays lie on the grid; null is a missing value.
import { explainAnomalies } from '../../../core/verdicts/explanation.ts'
import { findChangepoints } from '../../../core/verdicts/changepoints.ts'
import type { DetectorModel } from '../../../core/detector/model.ts'
import type { Detection } from '../../../core/scoring/detection.ts'
import { formatDuration } from '../../../core/table/duration.ts'
import { type Series, timeOf } from '../../../core/series/series.ts'
import type { Autoencoder } from '../../../core/scoring/reconstruction-error.ts'
import type { SensitivitySheet } from '../../../core/sensitivity/sheet.ts'
import { ANOMALOUS, NOT_SCORED } from '../../../core/verdicts/verdicts.ts'
import type { Answer as Plotted } from '../../public/chart-option.js'
import { type ComputeAnswer, type Part, PARTS_BY_OBSERVATION } from '../../schemas/compute.ts'
import { describeSheet } from '../../schemas/sensitivity.ts'
import type { PostedSeries } from '../read/input.ts'
import { anomalyRules, type ComputeOptions } from '../read/options.ts'
import { formatInstant } from '../read/times.ts'
import type { Verdicts } from './verdicts.ts'

/** The parts of a model that scoring and answering need. */
export interface ModelInUse {
  readonly identity: ComputeAnswer['model']
  readonly detector: DetectorModel
  readonly autoencoders: readonly Autoencoder[]
  /** Undefined if it was not asked for: an ad-hoc model has none before. */
  readonly sensitivity: SensitivitySheet | undefined
  /** What a caller should know of the fit. */
  readonly notices: readonly string[]
}

interface Scored extends PostedSeries {
  readonly model: ModelInUse
  readonly detection: Detection
  readonly judged: Verdicts
  readonly options: ComputeOptions
  /** Whether the request gave the time of every observation. */
  readonly timestamped: boolean
  /** Whether the request gave no times: all times are made up. */
  readonly numbered: boolean
}

/** The answer with the requested parts, in the order of the documentation. */
export function buildAnswer (scored: Scored): ComputeAnswer {
  const { model, series, options } = scored
  const include = (part: Part): boolean => options.include.has(part)
  return {
    model: model.identity,
    scoring: options.scoring,
    threshold: scored.judged.threshold,
    start: formatInstant(series.start),
    step: formatDuration(series.interval),
    ...timestamps(scored),
    ...(model.notices.length > 0 && { notices: [...model.notices] }),
    ...(include('score') && { score: column(scored.detection.score) }),
    ...(include('isAnomaly') && { isAnomaly: verdicts(scored.judged.verdicts) }),
    ...(include('observed') && { observed: byChannel(series, series.values) }),
    ...(include('expected') && { expected: byChannel(series, scored.detection.expected) }),
    ...(include('bounds') && bounds(scored)),
    ...(include('contributions') && { contributions: byChannel(series, scored.detection.contributions) }),
    ...(include('anomalies') && { anomalies: anomalies(scored) }),
    ...ofWhole(scored),
  }
}

/** The parts that have no entry for each observation, but for the anomalies. */
function ofWhole (scored: Scored): Pick<ComputeAnswer, 'changepoints' | 'quality' | 'sensitivity'> {
  const { include } = scored.options
  return {
    ...(include.has('changepoints') && { changepoints: changepoints(scored) }),
    ...(include.has('quality') && { quality: quality(scored) }),
    ...(include.has('sensitivity') && sensitivity(scored)),
  }
}

/** The parts that a plot shows, as typed arrays with NaN: they take a tenth of the memory of plain arrays. */
export function buildPlot (scored: Scored): Plotted {
  const { model, series, detection, options } = scored
  const { expected } = detection
  const { margins } = model.detector
  return {
    model: model.identity,
    scoring: options.scoring,
    threshold: scored.judged.threshold,
    start: formatInstant(series.start),
    step: formatDuration(series.interval),
    ...(scored.numbered && { numbered: true }),
    score: detection.score,
    observed: columnsOf(series, series.values),
    expected: columnsOf(series, expected),
    lower: columnsOf(series, expected, margins.map((margin) => -margin)),
    upper: columnsOf(series, expected, margins),
    contributions: columnsOf(series, detection.contributions),
    anomalies: anomalies(scored),
    quality: quality(scored),
  }
}

function columnsOf (
  { channels, length }: Series,
  values: Float64Array,
  shift?: readonly number[]
): Record<string, Float64Array> {
  return Object.fromEntries(channels.map((channel, c) => {
    const by = shift?.[c]
    if (channels.length === 1 && by === undefined) return [channel, values]
    const column = new Float64Array(length)
    for (let t = 0; t < length; t++) column[t] = values[t * channels.length + c]! + (by ?? 0)
    return [channel, column]
  }))
}

/** The times, if the request had them and a part of the answer has an entry per observation; or `numbered`. */
function timestamps (
  { series, options, timestamped, numbered }: Scored
): Pick<ComputeAnswer, 'timestamps' | 'numbered'> {
  if (numbered) return { numbered }
  if (!timestamped || !PARTS_BY_OBSERVATION.some((part) => options.include.has(part))) return {}
  return { timestamps: Array.from({ length: series.length }, (_, t) => formatInstant(timeOf(series, t))) }
}

/**
 * Every `step`-th value from index `from` on, plus `by`; null instead of NaN. A plain loop: an answer has up to a
 * million values.
 */
function column (values: Float64Array, from = 0, step = 1, by = 0): Array<number | null> {
  const column: Array<number | null> = []
  for (let i = from; i < values.length; i += step) {
    const value = values[i]! + by
    column.push(Number.isNaN(value) ? null : value)
  }
  return column
}

function verdicts (codes: Int8Array): Array<boolean | null> {
  const verdicts: Array<boolean | null> = []
  for (let t = 0; t < codes.length; t++) verdicts.push(codes[t] === NOT_SCORED ? null : codes[t] === ANOMALOUS)
  return verdicts
}

/** Columns by channel, each shifted by its `shift`. Object.fromEntries defines every name, even `__proto__`. */
function byChannel (
  { channels }: Series,
  values: Float64Array,
  shift?: readonly number[]
): Record<string, Array<number | null>> {
  return Object.fromEntries(
    channels.map((channel, c) => [channel, column(values, c, channels.length, shift?.[c] ?? 0)])
  )
}

function bounds ({ model: { detector }, series, detection }: Scored): Pick<ComputeAnswer, 'lower' | 'upper'> {
  return {
    lower: byChannel(series, detection.expected, detector.margins.map((margin) => -margin)),
    upper: byChannel(series, detection.expected, detector.margins),
  }
}

function changepoints ({ model: { detector }, series, options }: Scored): NonNullable<ComputeAnswer['changepoints']> {
  return findChangepoints(series, detector.scaler).map(({ index, confidence, direction, channels }) => ({
    timestamp: formatInstant(timeOf(series, index)),
    confidence,
    direction,
    channels: channels.slice(0, options.topChannels).map((channel) => series.channels[channel]!),
  }))
}

function anomalies (
  { model, series, detection, judged, options, numbered }: Scored
): NonNullable<ComputeAnswer['anomalies']> {
  const found = explainAnomalies(series, detection, model.detector, {
    scoring: options.scoring,
    numbered,
    rules: anomalyRules(options, series.interval),
    verdicts: judged.verdicts,
  })
  return found.map(({ from, to, peak, peakScore, kind, message, channels }) => ({
    start: formatInstant(timeOf(series, from)),
    end: formatInstant(timeOf(series, to)),
    peak: formatInstant(timeOf(series, peak)),
    peakScore,
    kind,
    message,
    channels: channels.slice(0, options.topChannels).map(({ channel, contribution }) => ({
      name: series.channels[channel]!,
      contribution,
    })),
  }))
}

/** An ad-hoc model has none unless it was asked for. */
function sensitivity ({ model, series }: Scored): Pick<ComputeAnswer, 'sensitivity'> {
  return model.sensitivity === undefined ? {} : { sensitivity: describeSheet(model.sensitivity, series.interval) }
}

function quality ({ series, quality, detection }: Scored): NonNullable<ComputeAnswer['quality']> {
  return Object.fromEntries(series.channels.map((channel, c) => {
    const imputed: number[] = []
    for (let t = 0; t < series.length; t++) if (detection.imputed[t * series.channels.length + c] === 1) imputed.push(t)
    const { missing, duplicates, outOfOrder } = quality[c]!
    return [channel, { missing, imputed, duplicates, outOfOrder }]
  }))
}
