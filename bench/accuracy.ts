// Accuracy on public benchmarks, training on each file's training prefix only: `npm run bench:accuracy -- --data <folder>`.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { isAnomalous, type Scoring } from '../core/detection.ts'
import { detectCausal } from '../core/detector.ts'
import { FIT_DEFAULTS, fitDetector } from '../core/fit.ts'
import { detectBatch } from '../core/hindsight.ts'
import { addConfusions, autocorrelationPeriod, confusion, type Confusion, pointScores, vusPr } from '../core/metrics.ts'
import { channelValues, slice } from '../core/series.ts'
import { type Backend, loadBackend } from '../core/tfjs/backend.ts'
import { ARCHITECTURE_NAMES, type ArchitectureName } from '../model-creation/architectures/index.ts'
import { membersOf, toFit } from '../model-creation/members.ts'
import { ParamsSchema } from '../model-creation/params.ts'
import { type BenchmarkFile, type Half, listFiles, readFileOf } from './datasets.ts'

const SCORINGS = { batch: detectBatch, causal: detectCausal } as const

type Scores = Record<Scoring, Float64Array>

interface Flags {
  data: string
  json?: boolean
  half: Half
  architecture: ArchitectureName | 'ensemble'
}

const flags = new Command('npm run bench:accuracy --')
  .requiredOption('--data <folder>', 'folder with skab/, tsb-ad-u/, tsb-ad-m/ or some of them')
  .option('--json', 'one JSON document on stdout')
  .addOption(new Option('--half <name>', 'even-indexed files are for development, odd-indexed ones for reporting').choices(['development', 'report', 'all']).default('all'))
  .addOption(new Option('--architecture <name>').choices([...ARCHITECTURE_NAMES, 'ensemble']).default('ensemble'))
  .parse().opts<Flags>()

async function score (backend: Backend, { series, train }: BenchmarkFile): Promise<Scores> {
  const training = [slice(series, 0, train)]
  const params = ParamsSchema.parse({ train: { architecture: flags.architecture } }).train
  const { model, autoencoders } = await fitDetector(training, FIT_DEFAULTS, toFit(membersOf(params, training), params, { backend, seed: 1, onEpoch: () => {} }))
  const scores = { batch: SCORINGS.batch(model, autoencoders, series).score, causal: SCORINGS.causal(model, autoencoders, series).score }
  for (const autoencoder of autoencoders) autoencoder.dispose()
  return scores
}

/** SKAB's protocol: one threshold, rows from the training prefix on, all files pooled. */
function skabConfusion ({ labels, train }: BenchmarkFile, scores: Float64Array): Confusion {
  return confusion(labels.subarray(train), Array.from(scores.subarray(train), isAnomalous))
}

/** TSB-AD's protocol: VUS-PR over the whole file; what is not scored yet counts like the first score. */
function tsbVusPr ({ series, labels }: BenchmarkFile, scores: Float64Array): number {
  const first = scores.find((value) => !Number.isNaN(value)) ?? 0
  return vusPr(labels, scores.map((value) => Number.isNaN(value) ? first : value), autocorrelationPeriod(channelValues(series, 0)))
}

async function measureFolder (backend: Backend, folder: string, isSkab: boolean): Promise<Record<string, unknown>> {
  const confusions: Record<Scoring, Confusion[]> = { batch: [], causal: [] }
  const volumes: Record<Scoring, number[]> = { batch: [], causal: [] }
  const names = await listFiles(folder, flags.half)
  for (const name of names) {
    const file = await readFileOf(folder, name)
    const scores = await score(backend, file)
    for (const scoring of ['batch', 'causal'] as const) {
      if (isSkab) confusions[scoring].push(skabConfusion(file, scores[scoring]))
      else volumes[scoring].push(tsbVusPr(file, scores[scoring]))
    }
    process.stderr.write(`${name} ${isSkab ? '' : `batch ${volumes.batch.at(-1)!.toFixed(3)} causal ${volumes.causal.at(-1)!.toFixed(3)}`}\n`)
  }
  const result = (scoring: Scoring): Record<string, number> => {
    if (!isSkab) return { vusPr: volumes[scoring].reduce((sum, value) => sum + value, 0) / names.length }
    const { f1, far, mar } = pointScores(addConfusions(confusions[scoring]))
    return { f1, far, mar }
  }
  return { files: names.length, batch: result('batch'), causal: result('causal') }
}

const backend = await loadBackend('wasm')
const folders = (await readdir(flags.data, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort()
const results: Record<string, unknown> = {}
for (const folder of folders) {
  if ((await listFiles(join(flags.data, folder), 'all')).length > 0) {
    results[folder] = await measureFolder(backend, join(flags.data, folder), folder === 'skab')
  }
}
if (flags.json) console.log(JSON.stringify(results))
else console.dir(results, { depth: null })
