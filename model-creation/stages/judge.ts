// Judges detectors on the test part: scores it, leaves out what was learnt, and counts faults found and false
// anomalies.
import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { isAnomalous } from '../../core/scoring/threshold.ts'
import { findAnomalies } from '../../core/verdicts/anomalies.ts'
import { type DetectorModel } from '../../core/detector/model.ts'
import { type Detection, type Scoring } from '../../core/scoring/detection.ts'
import { detectCausal } from '../../core/detector/detector.ts'
import { parseDuration } from '../../core/table/duration.ts'
import { detectBatch } from '../../core/detector/hindsight.ts'
import {
  addConfusions,
  confusion,
  detectionDelays,
  type LabelFinding,
  pointScores,
  rangeF1,
  type TimeInterval,
  vusPr,
} from '../../core/metrics/index.ts'
import { type Autoencoder } from '../../core/scoring/reconstruction-error.ts'
import { type Series, slice, timeOf } from '../../core/series/series.ts'
import { readFeedback, type Statement } from '../adapters/feedback-file.ts'
import { type Label, readLabels } from '../adapters/label-files.ts'
import { type NamedSeries, readSeriesFolder } from '../adapters/series-files.ts'
import { type Params } from '../settings/params.ts'
import { type PipelinePaths } from '../settings/paths.ts'
import { FAULT, marksOf, spanOf, stretches, unlearnt } from './feedback.ts'
import { PreparedSchema } from './prepare.ts'

const HOUR = 3_600_000
const WEEK = 168 * HOUR

/** Buffer of VUS-PR around each label. */
const VUS_BUFFER = 6 * HOUR

const SCORINGS = { batch: detectBatch, causal: detectCausal } as const

/** A test series and its judged stretches: everything that feedback did not move into the training data. */
interface TestSeries extends NamedSeries {
  readonly judged: ReadonlyArray<readonly [from: number, to: number]>
}

export interface TestPart {
  readonly interval: number
  readonly channels: readonly string[]
  readonly series: readonly TestSeries[]
  /** Labels of the test part; undefined if neither labels nor reported faults exist. */
  readonly labels: readonly Label[] | undefined
  /** Number of all labels, with the reported faults. */
  readonly known: number
}

/** Reads the test part that `prepare` wrote, with the labels and the reported faults. */
export async function readTestPart (paths: Pick<PipelinePaths, 'prepared' | 'labels' | 'feedback'>): Promise<TestPart> {
  const { interval, channels, learnt } = PreparedSchema.parse(
    JSON.parse(await readFile(join(paths.prepared, 'prepared.json'), 'utf8'))
  )
  const test = await readSeriesFolder(join(paths.prepared, 'test'), interval)
  const known = paths.labels === undefined ? [] : await readLabels(paths.labels)
  const statements = paths.feedback === undefined ? [] : await readFeedback(paths.feedback)
  const labelled = known.filter((label) =>
    test.some(({ name, series }) => label.series === name && touches(label, spanOf(series)))
  )
  const reported = test.flatMap((named) => reportedFaults(named, statements, labelled))
  return {
    interval,
    channels,
    series: test.map(({ name, series }) => ({
      name,
      series,
      judged: unlearnt(series, learnt.filter((interval) => interval.series === name)),
    })),
    labels: paths.labels === undefined && reported.length === 0 ? undefined : [...labelled, ...reported],
    known: known.length + reported.length,
  }
}

const touches = (a: TimeInterval, b: TimeInterval): boolean => a.end >= b.start && a.start <= b.end

/** Faults of the test part that people reported and that no label covers. */
function reportedFaults (named: NamedSeries, statements: readonly Statement[], labels: readonly Label[]): Label[] {
  const { name, series } = named
  return stretches(marksOf(named, statements), FAULT)
    .map(([from, to]) => ({
      series: name,
      fault: 'reported',
      start: timeOf(series, from),
      end: timeOf(series, to - 1),
    }))
    .filter((fault) => !labels.some((label) => label.series === name && touches(label, fault)))
}

/** A judged stretch of a test series, with its labels and its scores. */
export interface Scored extends NamedSeries {
  readonly labels: readonly Label[]
  readonly detection: Pick<Detection, 'score' | 'contributions'>
}

export type ByScoring = ReadonlyArray<readonly [Scoring, readonly Scored[]]>

/** Scores each series as a whole, then cuts it into its judged stretches. */
export function scoreTestPart (
  { series: test, labels = [] }: TestPart,
  detector: DetectorModel,
  autoencoders: readonly Autoencoder[]
): ByScoring {
  return (['batch', 'causal'] as const).map((scoring) =>
    [
      scoring,
      test.flatMap(({ name, series, judged }) => {
        const { score, contributions } = SCORINGS[scoring](detector, autoencoders, series)
        const width = series.channels.length
        return judged.map(([from, to]): Scored => {
          const piece = slice(series, from, to)
          return {
            name,
            series: piece,
            labels: labels.filter((label) => label.series === name && touches(label, spanOf(piece))),
            detection: {
              score: score.subarray(from, to),
              contributions: contributions.subarray(from * width, to * width),
            },
          }
        })
      }),
    ] as const
  )
}

export interface Rules {
  readonly toleranceMs: number
  readonly minLength: number
  readonly mergeGap: number
}

export function readRules ({ tolerance, minDuration, mergeGap }: Params['evaluate'], interval: number): Rules {
  return {
    toleranceMs: tolerance === 'PT0S' ? 0 : parseDuration(tolerance),
    minLength: minDuration === null ? 1 : Math.ceil(parseDuration(minDuration) / interval),
    mergeGap: mergeGap === null ? 0 : Math.floor(parseDuration(mergeGap) / interval),
  }
}

export interface Outcome {
  readonly findings: ReadonlyArray<LabelFinding<Label>>
  readonly falseAnomalies: number
  /** Weeks of all series together. */
  readonly weeks: number
}

/** Faults found and false anomalies if scores above `level` are anomalous (1 is the threshold). */
export function outcomeOf (scored: readonly Scored[], rules: Rules, level: number): Outcome {
  const findings: Array<LabelFinding<Label>> = []
  let falseAnomalies = 0
  let weeks = 0
  for (const { series, labels, detection } of scored) {
    const score = detection.score.map((value) => value / level)
    const anomalies = findAnomalies({ score, contributions: detection.contributions }, rules)
      .map(({ from, to }) => ({ start: timeOf(series, from), end: timeOf(series, to) }))
    const delays = detectionDelays(labels, anomalies, { toleranceMs: rules.toleranceMs })
    findings.push(...delays.findings)
    falseAnomalies += delays.falseAnomalies.length
    weeks += series.length * series.interval / WEEK
  }
  return { findings, falseAnomalies, weeks }
}

function truthOf (series: Series, labels: readonly Label[]): boolean[] {
  return Array.from(
    { length: series.length },
    (_, t) => labels.some(({ start, end }) => timeOf(series, t) >= start && timeOf(series, t) <= end)
  )
}

interface PointMetrics {
  readonly f1: number
  readonly far: number
  readonly mar: number
  readonly rangeF1: number
  readonly vusPr: number
}

/** Metrics by observation, pooled over the series; range F1 and VUS-PR are means over the series. */
export function pointMetrics (scored: readonly Scored[]): PointMetrics {
  const rows = scored.map(({ series, labels, detection }) => {
    const truth = truthOf(series, labels)
    const flags = Array.from(detection.score, (score) => isAnomalous(score))
    return {
      confusion: confusion(truth, flags),
      range: rangeF1(truth, flags).f1,
      vus: vusPr(truth, detection.score, Math.round(VUS_BUFFER / series.interval)),
    }
  })
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const { f1, far, mar } = pointScores(addConfusions(rows.map((row) => row.confusion)))
  return { f1, far, mar, rangeF1: mean(rows.map(({ range }) => range)), vusPr: mean(rows.map(({ vus }) => vus)) }
}
