// Stage 4: puts manifest, weights, golden scores, probes and model card into one directory with one digest.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { standardisedRuns } from '../../core/series/runs.ts'
import { type DetectorModel } from '../../core/detector/model.ts'
import { formatDuration } from '../../core/table/duration.ts'
import { Problem } from '../../core/errors.ts'
import { type Autoencoder } from '../../core/scoring/reconstruction-error.ts'
import { makeGolden } from '../../core/package/golden.ts'
import { type Golden, type Manifest, MANIFEST_FORMAT } from '../../core/package/manifest.ts'
import { judgeOf } from '../../core/sensitivity/judge.ts'
import { makeProbes } from '../../core/sensitivity/probes.ts'
import { describeSensitivity } from '../../core/sensitivity/words.ts'
import { type Series, slice } from '../../core/series/series.ts'
import { givenEnvironment } from '../../adapters/settings/environment.ts'
import { loadBackend } from '../../adapters/tfjs/backend.ts'
import { loadAutoencoders } from '../../adapters/tfjs/autoencoders.ts'
import { writeModelPackage } from '../../adapters/tfjs/model-package.ts'
import { readModels } from '../../adapters/tfjs/saved-models.ts'
import { type TrackedRun, trackingServer } from '../adapters/mlflow.ts'
import { markdownTable } from '../adapters/report-files.ts'
import { readSeriesFolder, replaceDirectory } from '../adapters/series-files.ts'
import { type ArchitectureName, ARCHITECTURES } from '../architectures/index.ts'
import { type NamedMember } from './members.ts'
import { runAsProgram, type StageContext } from './stage.ts'
import { record, tracked } from './tracking.ts'
import { readTrainedDetector, type TrainedDetector } from './train.ts'

/** Assembles the package, records it if MLFLOW_TRACKING_URI is set, and returns its digest. */
export async function packageModel (context: StageContext): Promise<string> {
  context.progress.stage('package')
  await refuseForeignFolder(context.paths.package)
  const server = trackingServer(givenEnvironment())
  const digest = await tracked(server, context.params, async (run) => assemble(context, run))
  context.progress.message(`${context.paths.package}`)
  return digest
}

async function assemble ({ paths, params }: StageContext, run: TrackedRun | undefined): Promise<string> {
  const trained = await readTrainedDetector(paths.model)
  const engines = { kernel: true, backend: async () => loadBackend(trained.training.backend) }
  const models = await readModels(paths.model, trained.detector.members.length)
  const { autoencoders, dispose } = await loadAutoencoders(engines, models, trained.detector)
  const named = await readSeriesFolder(join(paths.prepared, 'train'), trained.detector.interval)
  const training = named.map(({ series }) => series)
  const { goldenLength, ...identity } = params.package
  const golden = proofOf(trained.detector, autoencoders, training, goldenLength)
  dispose()
  const manifest: Manifest = {
    format: MANIFEST_FORMAT,
    ...identity,
    ...trained,
    ...(run !== undefined && { tracking: { mlflowRunId: run.id } }),
  } as Manifest
  const card = modelCard(identity, trained, await readMetrics(paths.reports))
  return replaceDirectory(paths.package, async (directory) => {
    const digest = await writeModelPackage(directory, { manifest, golden, models, card })
    // Record the package before it replaces the old one: a published manifest must not name a run without a record.
    if (run !== undefined) {
      await record(run, {
        params,
        reports: paths.reports,
        package: directory,
        digest,
        dataSha256: trained.training.dataSha256,
      })
    }
    return digest
  })
}

function proofOf (
  detector: DetectorModel,
  autoencoders: readonly Autoencoder[],
  training: readonly Series[],
  goldenLength: number
): Golden {
  return {
    ...makeGolden(detector, autoencoders, goldenSeries(training, detector, goldenLength)),
    probes: makeProbes(judgeOf(detector, autoencoders), training),
  }
}

/** The files of a package, for any number of members. */
const PACKAGE_CONTENT =
  /^(manifest\.json|model(-\d+)?\.json|weights(-\d+)?\.bin|golden\.json|digest\.txt|MODEL_CARD\.md|reports)$/

/**
 * Refuses a folder with other files than a package's: replacing it would delete them.
 * @throws Problem invalid-settings
 */
export async function refuseForeignFolder (directory: string): Promise<void> {
  const found = await readdir(directory).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw new Problem(
      'invalid-settings',
      `${directory} is not a folder that a model package can be written to; name another.`,
      { cause: error }
    )
  })
  const foreign = found.filter((name) => !PACKAGE_CONTENT.test(name))
  if (foreign.length === 0) return
  const examples = foreign.slice(0, 3).join(', ')
  throw new Problem(
    'invalid-settings',
    `${directory} holds files that are not a model package's (${examples}); name a new or empty folder.`
  )
}

/**
 * The first `wanted` training observations that can be scored. At least two windows: some golden scores must not be
 * null.
 */
function goldenSeries (
  training: readonly Series[],
  { scaler, maxGap, windowLength }: DetectorModel,
  wanted: number
): Series {
  for (const series of training) {
    const run = standardisedRuns(series, scaler, maxGap).find(({ values }) =>
      values.length >= windowLength * series.channels.length
    )
    if (run === undefined) continue
    // The run's first observations may be imputed: the imputer needs the values before them.
    const from = Math.max(0, run.from - maxGap)
    return disturbed(
      slice(series, from, Math.min(series.length, run.from + Math.max(wanted, 2 * windowLength))),
      scaler
    )
  }
  throw new Problem('no-training-data', 'No training series has a full window without long gaps.')
}

/**
 * Adds a fault in the last quarter, for golden scores above and below the threshold: the first channel is off by six
 * deviations.
 */
function disturbed (series: Series, { scale }: DetectorModel['scaler']): Series {
  const width = series.channels.length
  const values = series.values.slice()
  for (let t = Math.floor(series.length * 3 / 4); t < series.length; t++) values[t * width]! += 6 * (scale[0]! || 1)
  return { ...series, values }
}

async function readMetrics (reports: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(reports, 'metrics.json'), 'utf8')) as Record<string, unknown>
}

function summaryOf (architecture: string, members: readonly NamedMember[]): string {
  if (architecture !== 'ensemble') return ARCHITECTURES[architecture as ArchitectureName].summary
  const parts = members.map((member) => `${member.architecture} on windows of ${member.windowLength}`)
  return `geometric mean of the errors of ${parts.join(', ')}`
}

function modelCard (
  named: { name: string, version: string, description: string },
  { architecture, detector, training, sensitivity }: TrainedDetector,
  metrics: Record<string, unknown>
): string {
  const facts: Array<[string, string | number]> = [
    ['version', named.version],
    ['digest', '{digest}'],
    ['architecture', `${architecture}: ${summaryOf(architecture, training.parameters['members'] as NamedMember[])}`],
    ['channels', detector.channels.join(', ')],
    ['sampling interval', formatDuration(detector.interval)],
    ['window', `${detector.windowLength} observations`],
    ['gaps', `filled up to ${detector.maxGap} observations by the last value, not scored beyond`],
    [
      'trained on',
      `${training.observations} observations of ${training.series} series, data sha256 ${training.dataSha256}`,
    ],
    [
      'trained with',
      `TensorFlow.js ${training.tfjs} on ${training.backend}, parameters ${JSON.stringify(training.parameters)}`,
    ],
    [
      'threshold',
      `score 1 = smoothed reconstruction error ${detector.batch.threshold} (batch), ` +
      `${detector.causal.threshold} (causal)`,
    ],
  ]
  return [
    `# ${named.name}\n\n${named.description}\n`,
    markdownTable(['', ''], facts),
    '\n## Use\n',
    'Scores series of exactly these channels at this interval. An observation is anomalous when its score is above 1.',
    'The model knows what its training data showed: other machines, sites or seasons need training of their own.',
    '\n## Sensitivity\n',
    'Anomalies were injected into the last quarter of the training data, and a detector was asked about them that was',
    'fitted on the three quarters before. Sizes are in standard deviations (σ) of the channel.\n',
    describeSensitivity(sensitivity, detector.interval),
    '\n## Metrics on the test part\n',
    Object.keys(metrics).length === 0
      ? 'No test part: nothing was held back.'
      : `\`\`\`json\n${JSON.stringify(metrics, null, 2)}\n\`\`\``,
    '',
  ].join('\n')
}

await runAsProgram(import.meta.url, async (context) => {
  process.stdout.write(`digest ${await packageModel(context)}\n`)
})
