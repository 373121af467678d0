// Stage 3: scores the test part with both scorings, compares with the labels, and writes metrics.json and the plots.
import { join } from 'node:path'
import { quantile } from '../../core/quantile.ts'
import { loadBackend } from '../../adapters/tfjs/backend.ts'
import { loadAutoencoders } from '../../adapters/tfjs/autoencoders.ts'
import { readModels } from '../../adapters/tfjs/saved-models.ts'
import { writeJsonReport, writePlot } from '../adapters/report-files.ts'
import {
  type ByScoring,
  type Outcome,
  outcomeOf,
  pointMetrics,
  readRules,
  readTestPart,
  type Rules,
  scoreTestPart,
} from './judge.ts'
import { runAsProgram, type StageContext } from './stage.ts'
import { readTrainedDetector } from './train.ts'

const HOUR = 3_600_000

export async function evaluate ({ paths, params, progress }: StageContext): Promise<void> {
  progress.stage('evaluate')
  const test = await readTestPart(paths)
  const labels = test.labels ?? []
  if (test.series.length === 0) progress.message('there is no test part (prepare.trainUntil): nothing is evaluated')
  else if (labels.length < test.known) {
    progress.message(
      `${test.known - labels.length} of ${test.known} labels are not in the test part and are left out; ` +
        'training learns labelled intervals of the training part as normal'
    )
  }
  const trained = await readTrainedDetector(paths.model)
  const engines = { kernel: true, backend: async () => loadBackend(trained.training.backend) }
  const { detector } = trained
  const { autoencoders, dispose } = await loadAutoencoders(
    engines,
    await readModels(paths.model, detector.members.length),
    detector
  )
  const rules = readRules(params.evaluate, test.interval)
  const scored = test.series.length === 0 ? [] : scoreTestPart(test, detector, autoencoders)
  dispose()
  if (test.labels === undefined) await writeUnlabelled(paths.reports, progress, scored, rules)
  else await writeComparison(paths.reports, progress, scored, rules)
}

async function writeUnlabelled (
  reports: string,
  progress: StageContext['progress'],
  scored: ByScoring,
  rules: Rules
): Promise<void> {
  const metrics = scored.map(([scoring, series]) => {
    const { falseAnomalies, weeks } = outcomeOf(series, rules, 1)
    progress.message(`${scoring}: ${falseAnomalies} anomalies in the test part; there are no labels to compare with`)
    return [scoring, { anomaliesPerSeriesWeek: falseAnomalies / weeks }]
  })
  await writeJsonReport(join(reports, 'metrics.json'), Object.fromEntries(metrics))
}

async function writeComparison (
  reports: string,
  progress: StageContext['progress'],
  scored: ByScoring,
  rules: Rules
): Promise<void> {
  const outcomes = scored.map(([scoring, series]) => {
    const outcome = outcomeOf(series, rules, 1)
    const { findings, falseAnomalies, weeks } = outcome
    progress.message(
      `${scoring}: ${findings.filter(({ found }) => found).length} of ${findings.length} labelled faults found, ` +
        `${(falseAnomalies / weeks).toFixed(2)} false anomalies per series and week`
    )
    return { scoring, series, outcome }
  })
  await writeJsonReport(
    join(reports, 'metrics.json'),
    Object.fromEntries(
      outcomes.map(({ scoring, series, outcome }) => [scoring, { ...summary(outcome), ...pointMetrics(series) }])
    )
  )
  await writeJsonReport(
    join(reports, 'findings.json'),
    (outcomes[0]?.outcome.findings ?? []).map(({ label: { series, fault, start } }, i) => ({
      series,
      fault,
      start: new Date(start).toISOString(),
      ...Object.fromEntries(
        outcomes.map(({ scoring, outcome }) => [`${scoring}DelayHours`, hours(outcome.findings[i]!.delayMs)])
      ),
    }))
  )
  const rows = thresholdCurve(scored, rules)
  await writeJsonReport(join(reports, 'threshold-curve.json'), rows)
  await writePlot(join(reports, 'found.vl.json'), {
    title: 'Share of labelled faults found, by threshold',
    x: 'level',
    y: ['batchFound', 'causalFound'],
    rows,
  })
  await writePlot(join(reports, 'false-anomalies.vl.json'), {
    title: 'False anomalies per series and week, by threshold',
    x: 'level',
    y: ['batchFalse', 'causalFalse'],
    rows,
  })
}

const hours = (ms: number | null): number | null => ms === null ? null : ms / HOUR

function summary ({ findings, falseAnomalies, weeks }: Outcome): Record<string, unknown> {
  const faults = [...new Set(findings.map(({ label }) => label.fault))].sort()
  return {
    falseAnomaliesPerSeriesWeek: falseAnomalies / weeks,
    falseAnomaliesPerSeriesDay: falseAnomalies / weeks / 7,
    faults: Object.fromEntries(faults.map((fault) => {
      const occurrences = findings.filter(({ label }) => label.fault === fault)
      const delays = occurrences.flatMap(({ delayMs }) => delayMs === null ? [] : [delayMs / HOUR])
      return [fault, {
        occurrences: occurrences.length,
        found: delays.length,
        foundShare: delays.length / occurrences.length,
        medianDelayHours: delays.length === 0 ? null : quantile(delays, 0.5),
      }]
    })),
  }
}

/** The results at other thresholds: for choosing one, and for DVC's plots. */
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
