// Stage 3: scores the test part both ways and compares with the labels; metrics.json and the data of the plots.
import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { findAnomalies } from '../core/anomalies.ts'
import { type Detection, isAnomalous, type Scoring } from '../core/detection.ts'
import { detectCausal } from '../core/detector.ts'
import { parseDuration } from '../core/duration.ts'
import { detectBatch } from '../core/hindsight.ts'
import { addConfusions, confusion, detectionDelays, type LabelFinding, pointScores, rangeF1, vusPr } from '../core/metrics.ts'
import { timeOf } from '../core/series.ts'
import { quantile } from '../core/threshold.ts'
import { loadBackend } from '../core/tfjs/backend.ts'
import { loadAutoencoders } from '../core/tfjs/autoencoders.ts'
import { readLayersModels } from '../core/tfjs/saved-models.ts'
import { type Label, readLabels } from './adapters/label-files.ts'
import { writeJsonReport, writePlot } from './adapters/report-files.ts'
import { type NamedSeries, readSeriesFolder } from './adapters/series-files.ts'
import { PreparedSchema } from './prepare.ts'
import { runAsProgram, type StageContext } from './stage.ts'
import { readTrainedDetector } from './train.ts'

const HOUR = 3_600_000
const WEEK = 168 * HOUR

/** Buffer of VUS-PR around each label. */
const VUS_BUFFER = 6 * HOUR

const SCORINGS = { batch: detectBatch, causal: detectCausal } as const

/** A test series with its labels and what a scoring made of it. */
interface Scored extends NamedSeries {
  readonly labels: readonly Label[]
  readonly detection: Detection
}

interface Rules {
  readonly toleranceMs: number
  readonly minLength: number
  readonly mergeGap: number
}

export async function evaluate ({ paths, params, progress }: StageContext): Promise<void> {
  progress.stage('evaluate')
  const { interval } = PreparedSchema.parse(JSON.parse(await readFile(join(paths.prepared, 'prepared.json'), 'utf8')))
  const test = await readSeriesFolder(join(paths.prepared, 'test'), interval)
  const known = paths.labels === undefined ? [] : await readLabels(paths.labels)
  const labels = known.filter((label) => test.some(({ name, series }) => label.series === name && label.end >= series.start && label.start <= timeOf(series, series.length - 1)))
  if (test.length === 0) progress.message('there is no test part (prepare.trainUntil): nothing is evaluated')
  else if (labels.length < known.length) progress.message(`${known.length - labels.length} of ${known.length} labels are not in the test part and are left out; what is labelled in the training part is learnt as normal`)
  const trained = await readTrainedDetector(paths.model)
  const engines = { kernel: true, backend: async () => loadBackend(trained.training.backend) }
  const { detector } = trained
  const { autoencoders, dispose } = await loadAutoencoders(engines, await readLayersModels(paths.model, detector.members.length), detector)
  const rules = readRules(params.evaluate, interval)
  const scored = test.length === 0
    ? []
    : (['batch', 'causal'] as const).map((scoring): [Scoring, Scored[]] => [scoring, test.map(({ name, series }) => ({
        name, series, labels: labels.filter((label) => label.series === name), detection: SCORINGS[scoring](detector, autoencoders, series),
      }))])
  dispose()
  if (paths.labels === undefined) await writeUnlabelled(paths.reports, progress, scored, rules)
  else await writeComparison(paths.reports, progress, scored, rules)
}

type ByScoring = ReadonlyArray<readonly [Scoring, readonly Scored[]]>

async function writeUnlabelled (reports: string, progress: StageContext['progress'], scored: ByScoring, rules: Rules): Promise<void> {
  const metrics = scored.map(([scoring, series]) => {
    const { falseAnomalies, weeks } = outcomeOf(series, rules, 1)
    progress.message(`${scoring}: ${falseAnomalies} anomalies in the test part; there are no labels to compare with`)
    return [scoring, { anomaliesPerSeriesWeek: falseAnomalies / weeks }]
  })
  await writeJsonReport(join(reports, 'metrics.json'), Object.fromEntries(metrics))
}

async function writeComparison (reports: string, progress: StageContext['progress'], scored: ByScoring, rules: Rules): Promise<void> {
  const outcomes = scored.map(([scoring, series]) => {
    const outcome = outcomeOf(series, rules, 1)
    progress.message(`${scoring}: ${outcome.findings.filter(({ found }) => found).length} of ${outcome.findings.length} labelled faults found, ` +
      `${(outcome.falseAnomalies / outcome.weeks).toFixed(2)} false anomalies per series and week`)
    return { scoring, series, outcome }
  })
  await writeJsonReport(join(reports, 'metrics.json'), Object.fromEntries(outcomes.map(({ scoring, series, outcome }) => [scoring, { ...summary(outcome), ...pointMetrics(series) }])))
  await writeJsonReport(join(reports, 'findings.json'), (outcomes[0]?.outcome.findings ?? []).map(({ label: { series, fault, start } }, i) => ({
    series, fault, start: new Date(start).toISOString(), ...Object.fromEntries(outcomes.map(({ scoring, outcome }) => [`${scoring}DelayHours`, hours(outcome.findings[i]!.delayMs)])),
  })))
  const rows = thresholdCurve(scored, rules)
  await writeJsonReport(join(reports, 'threshold-curve.json'), rows)
  await writePlot(join(reports, 'found.vl.json'), { title: 'Share of labelled faults found, by threshold', x: 'level', y: ['batchFound', 'causalFound'], rows })
  await writePlot(join(reports, 'false-anomalies.vl.json'), { title: 'False anomalies per series and week, by threshold', x: 'level', y: ['batchFalse', 'causalFalse'], rows })
}

const hours = (ms: number | null): number | null => ms === null ? null : ms / HOUR

function readRules ({ tolerance, minDuration, mergeGap }: StageContext['params']['evaluate'], interval: number): Rules {
  return {
    toleranceMs: tolerance === 'PT0S' ? 0 : parseDuration(tolerance),
    minLength: minDuration === null ? 1 : Math.ceil(parseDuration(minDuration) / interval),
    mergeGap: mergeGap === null ? 0 : Math.floor(parseDuration(mergeGap) / interval),
  }
}

interface Outcome {
  readonly findings: ReadonlyArray<LabelFinding<Label>>
  readonly falseAnomalies: number
  /** Weeks of all series together. */
  readonly weeks: number
}

/** What is found and what is false when scores above `level` count (1 is the threshold). */
function outcomeOf (scored: readonly Scored[], rules: Rules, level: number): Outcome {
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

function summary ({ findings, falseAnomalies, weeks }: Outcome): Record<string, unknown> {
  const faults = [...new Set(findings.map(({ label }) => label.fault))].sort()
  return {
    falseAnomaliesPerSeriesWeek: falseAnomalies / weeks,
    falseAnomaliesPerSeriesDay: falseAnomalies / weeks / 7,
    faults: Object.fromEntries(faults.map((fault) => {
      const of = findings.filter(({ label }) => label.fault === fault)
      const delays = of.flatMap(({ delayMs }) => delayMs === null ? [] : [delayMs / HOUR])
      return [fault, { occurrences: of.length, found: delays.length, foundShare: delays.length / of.length, medianDelayHours: delays.length === 0 ? null : quantile(delays, 0.5) }]
    })),
  }
}

function truthOf ({ series, labels }: Scored): boolean[] {
  return Array.from({ length: series.length }, (_, t) => labels.some(({ start, end }) => timeOf(series, t) >= start && timeOf(series, t) <= end))
}

/** Metrics by observation, pooled; range F1 and VUS-PR are means over the series. */
function pointMetrics (scored: readonly Scored[]): Record<string, number> {
  const rows = scored.map((one) => {
    const truth = truthOf(one)
    const flags = Array.from(one.detection.score, isAnomalous)
    return {
      confusion: confusion(truth, flags),
      range: rangeF1(truth, flags).f1,
      vus: vusPr(truth, one.detection.score, Math.round(VUS_BUFFER / one.series.interval)),
    }
  })
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const { f1, far, mar } = pointScores(addConfusions(rows.map((row) => row.confusion)))
  return { f1, far, mar, rangeF1: mean(rows.map(({ range }) => range)), vusPr: mean(rows.map(({ vus }) => vus)) }
}

/** What another threshold would have given: for choosing one, and for dvc plots. */
function thresholdCurve (scored: ByScoring, rules: Rules): object[] {
  return [0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6, 2, 3].map((level) => ({
    level,
    ...Object.fromEntries(scored.flatMap(([scoring, series]) => {
      const { findings, falseAnomalies, weeks } = outcomeOf(series, rules, level)
      const found = findings.filter((finding) => finding.found).length / Math.max(1, findings.length)
      return [[`${scoring}Found`, found], [`${scoring}False`, falseAnomalies / weeks]]
    })),
  }))
}

await runAsProgram(import.meta.url, evaluate)
