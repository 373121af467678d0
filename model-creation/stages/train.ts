// Stage 2: fits scaler, autoencoders and thresholds on the training part; writes the fitted detector and its weights.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { quantile } from '../../core/quantile.ts'
import { type DetectorModel } from '../../core/detector/model.ts'
import { Problem } from '../../core/errors.ts'
import { type FittedDetector, fitDetector } from '../../core/fitting/fit.ts'
import { describeSensitivity } from '../../core/sensitivity/words.ts'
import { measureSensitivity, type SensitivitySheet } from '../../core/sensitivity/sheet.ts'
import { type Series } from '../../core/series/series.ts'
import { loadBackend } from '../../adapters/tfjs/backend.ts'
import { writeModels } from '../../adapters/tfjs/saved-models.ts'
import { writeJsonReport, writePlot } from '../adapters/report-files.ts'
import { readSeriesFolder, replaceDirectory } from '../adapters/series-files.ts'
import { type TrainedMember } from '../architectures/architecture.ts'
import { isMeasure } from '../architectures/measures.ts'
import { membersOf, type NamedMember, toFit } from './members.ts'
import { PreparedSchema } from './prepare.ts'
import { epochSteps } from './progress.ts'
import { runAsProgram, type StageContext } from './stage.ts'

/** model/detector.json: the input of package.ts, beside the weights. */
export interface TrainedDetector {
  readonly architecture: string
  readonly detector: DetectorModel
  readonly training: {
    readonly tfjs: string
    readonly backend: 'native' | 'wasm' | 'cpu'
    /** Includes `members`: NamedMember[], each with its architecture's parameters. */
    readonly parameters: Record<string, unknown>
    readonly dataSha256: string
    readonly series: number
    readonly observations: number
  }
  readonly sensitivity: SensitivitySheet
}

export async function train ({ paths, params, progress }: StageContext): Promise<void> {
  progress.stage('train')
  const prepared = PreparedSchema.parse(JSON.parse(await readFile(join(paths.prepared, 'prepared.json'), 'utf8')))
  const series = (await readSeriesFolder(join(paths.prepared, 'train'), prepared.interval)).map((named) => named.series)
  if (series.length === 0) {
    throw new Problem('no-training-data', 'No observation lies before prepare.trainUntil; choose a later time.')
  }
  const {
    architecture,
    architectures,
    backend: choice,
    seed,
    maxGap,
    maxWindows,
    folds,
    switchWeight,
    constantWeight,
    causal,
    batch,
  } = params.train
  const settings = { maxGap, maxWindows, folds, switchWeight, constantWeight, causal, batch }
  const members = membersOf(params.train, series)
  const backend = await loadBackend(choice)
  // A second fit, on three quarters of the data, is judged on the last quarter.
  const learning = members.filter(({ architecture }) => !isMeasure(architecture))
  const onEpoch = epochSteps(progress, 2 * learning.length * (folds + 1))
  const fit = async (part: readonly Series[]): Promise<FittedDetector<TrainedMember>> =>
    fitDetector(part, settings, toFit(members, params.train, { backend, seed, onEpoch }))
  const fitted = await fit(series)
  const sensitivity = await measureSensitivity(series, fit, { values: params.train.sheetValues })
  const trained: TrainedDetector = {
    architecture,
    detector: fitted.model,
    training: {
      tfjs: backend.version,
      backend: backend.name,
      parameters: {
        seed,
        ...settings,
        members: members.map((member) => ({
          ...member,
          ...(!isMeasure(member.architecture) && architectures[member.architecture]),
        })),
      },
      dataSha256: prepared.dataSha256,
      series: series.length,
      observations: series.reduce((sum, { length }) => sum + length, 0),
    },
    sensitivity,
  }
  const saved = await Promise.all(fitted.autoencoders.map(async (member) => member.save()))
  await replaceDirectory(paths.model, async (directory) => {
    await writeModels(directory, saved)
    await writeFile(join(directory, 'detector.json'), `${JSON.stringify(trained, null, 2)}\n`)
  })
  await writeTrainingReport(paths.reports, fitted)
  tellResult(progress, members, trained)
  for (const autoencoder of fitted.autoencoders) autoencoder.dispose()
}

/** Says what was fitted, and what it finds. */
function tellResult (
  progress: StageContext['progress'],
  members: readonly NamedMember[],
  { detector: { causal, batch, interval }, sensitivity }: TrainedDetector
): void {
  const windows = members.map((member) => `${member.architecture} on windows of ${member.windowLength}`).join(', ')
  progress.message(
    `${windows}; thresholds: causal ${causal.threshold.toFixed(4)}, batch ${batch.threshold.toFixed(4)}`
  )
  progress.message(describeSensitivity(sensitivity, interval))
}

/** Writes the learning curve, and the distribution of calibration scores relative to the threshold, for DVC's plots. */
async function writeTrainingReport (
  reports: string,
  { autoencoders, calibration }: FittedDetector<TrainedMember>
): Promise<void> {
  const history = autoencoders.flatMap(({ history: epochs }, m) => epochs.map((epoch) => ({ member: m + 1, ...epoch })))
  await writeJsonReport(join(reports, 'learning-curve.json'), history)
  const levels = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1]
  const rows = levels.map((level) => ({
    quantile: level,
    batch: quantile(calibration.batch, level),
    causal: quantile(calibration.causal, level),
  }))
  await writeJsonReport(join(reports, 'calibration.json'), rows)
  await writePlot(join(reports, 'learning-curve.vl.json'), {
    title: 'Learning curve',
    x: 'epoch',
    y: ['loss'],
    rows: history,
  })
  await writePlot(join(reports, 'calibration.vl.json'), {
    title: 'Scores of normal data that the model had not seen',
    x: 'quantile',
    y: ['batch', 'causal'],
    rows,
  })
}

/** Reads model/detector.json. */
export async function readTrainedDetector (directory: string): Promise<TrainedDetector> {
  const text = await readFile(join(directory, 'detector.json'), 'utf8')
  return z.custom<TrainedDetector>((value) => typeof value === 'object' && value !== null && 'detector' in value).parse(
    JSON.parse(text)
  )
}

await runAsProgram(import.meta.url, train)
