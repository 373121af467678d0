// Stage 4: manifest, weights, golden scores and model card → one directory with one digest.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatDuration } from '../core/duration.ts'
import { makeGolden } from '../core/golden.ts'
import { type Manifest, MANIFEST_FORMAT } from '../core/manifest.ts'
import { slice } from '../core/series.ts'
import { loadBackend } from '../core/tfjs/backend.ts'
import { loadLayersModel, readLayersModel, writeModelPackage } from '../core/tfjs/model-package.ts'
import { toReconstruct } from '../core/tfjs/reconstruct.ts'
import { markdownTable } from './adapters/report-files.ts'
import { readSeriesFolder, replaceDirectory } from './adapters/series-files.ts'
import { architectureSummary, type ArchitectureName } from './architectures/index.ts'
import { runAsProgram, type StageContext } from './stage.ts'
import { readTrainedDetector, type TrainedDetector } from './train.ts'

/** Assembles the package and returns its digest. */
export async function packageModel ({ paths, params, progress }: StageContext): Promise<string> {
  progress.stage('package')
  const trained = await readTrainedDetector(paths.model)
  const backend = await loadBackend(trained.training.backend)
  const model = await readLayersModel(paths.model)
  const layers = await loadLayersModel(backend, model)
  const [first] = await readSeriesFolder(join(paths.prepared, 'train'), trained.detector.interval)
  const { goldenLength, ...named } = params.package
  const golden = makeGolden(trained.detector, toReconstruct(backend, layers), slice(first!.series, 0, Math.min(goldenLength, first!.series.length)))
  layers.dispose()
  const manifest: Manifest = { format: MANIFEST_FORMAT, ...named, ...trained } as Manifest
  const card = modelCard(named, trained, await readMetrics(paths.reports))
  const digest = await replaceDirectory(paths.package, async (directory) => writeModelPackage(directory, { manifest, golden, model, card }))
  progress.message(`${paths.package}`)
  return digest
}

async function readMetrics (reports: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(reports, 'metrics.json'), 'utf8')) as Record<string, unknown>
}

function modelCard (named: { name: string, version: string, description: string }, { architecture, detector, training }: TrainedDetector, metrics: Record<string, unknown>): string {
  const facts: Array<[string, string | number]> = [
    ['version', named.version],
    ['digest', '{digest}'],
    ['architecture', `${architecture}: ${architectureSummary(architecture as ArchitectureName)}`],
    ['channels', detector.channels.join(', ')],
    ['sampling interval', formatDuration(detector.interval)],
    ['window', `${detector.windowLength} observations`],
    ['gaps', `filled up to ${detector.maxGap} observations by the last value, not scored beyond`],
    ['trained on', `${training.observations} observations of ${training.series} series, data sha256 ${training.dataSha256}`],
    ['trained with', `TensorFlow.js ${training.tfjs} on ${training.backend}, parameters ${JSON.stringify(training.parameters)}`],
    ['threshold', `score 1 = smoothed reconstruction error ${detector.batch.threshold} (batch), ${detector.causal.threshold} (causal)`],
  ]
  return [
    `# ${named.name}\n\n${named.description}\n`,
    markdownTable(['', ''], facts),
    '\n## Use\n\nScores series of exactly these channels at this interval. An observation is anomalous when its score is above 1.',
    'The model knows what its training data showed: other machines, sites or seasons need training of their own.',
    '\n## Metrics on the test part\n',
    Object.keys(metrics).length === 0 ? 'No test part: nothing was held back.' : `\`\`\`json\n${JSON.stringify(metrics, null, 2)}\n\`\`\``,
    '',
  ].join('\n')
}

await runAsProgram(import.meta.url, async (context) => {
  process.stdout.write(`digest ${await packageModel(context)}\n`)
})
