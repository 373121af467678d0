// Fixed against adaptive threshold, where the process drifts and where it does not: `npm run bench:drift -- --seeds a,b [--data <folder>]`.
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { adaptiveThresholds } from '../core/adaptive.ts'
import { findAnomalies } from '../core/anomalies.ts'
import { type Detection } from '../core/detection.ts'
import { detectCausal } from '../core/detector.ts'
import { parseDuration } from '../core/duration.ts'
import { FIT_DEFAULTS, fitDetector } from '../core/fit.ts'
import { detectBatch } from '../core/hindsight.ts'
import { detectionDelays } from '../core/metrics.ts'
import { slice, timeOf } from '../core/series.ts'
import { loadBackend } from '../core/tfjs/backend.ts'
import { simulateFarm, WIND_FARM_DEFAULTS } from '../core/wind-farm/simulate.ts'
import { ARCHITECTURES } from '../model-creation/architectures/index.ts'
import { readParams } from '../model-creation/params.ts'
import { FARM_PARAMS } from '../model-creation/paths.ts'
import { type BenchmarkFile, type Half, listFiles, readFileOf } from './datasets.ts'

const WEEK = 604_800_000
const SCORINGS = { causal: detectCausal, batch: detectBatch } as const
const RULES: Record<string, (scores: Float64Array) => Float64Array> = {
  fixed: (scores) => new Float64Array(scores.length).fill(1),
  adaptive: (scores) => adaptiveThresholds(scores),
  hindsight: (scores) => adaptiveThresholds(scores, { hindsight: true }),
}

const flags = new Command('npm run bench:drift --')
  .option('--seeds <list>', 'seeds of the simulator, separated by commas', 'dev-1,dev-2,dev-3')
  .option('--ageing <list>', '°C by which bearings have aged at the end', '0,4,8')
  .option('--data <folder>', 'also folder with skab/, tsb-ad-u/ and tsb-ad-m/')
  .addOption(new Option('--half <name>').choices(['development', 'report', 'all']).default('development'))
  .parse().opts<{ seeds: string, ageing: string, data?: string, half: Half }>()

const backend = await loadBackend('wasm')
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** Scores over their thresholds: an observation is flagged where that is above 1, as everywhere. */
const relative = (detection: Detection, thresholds: Float64Array): Detection => ({ ...detection, score: detection.score.map((score, t) => score / thresholds[t]!) })

async function measureFarms (ageing: number): Promise<void> {
  const { train: { architecture, architectures, backend: _, seed, ...settings }, evaluate } = await readParams(FARM_PARAMS)
  const learn = ARCHITECTURES[architecture].learner(architectures[architecture], { backend, seed, onEpoch: () => {} })
  const tallies: Record<string, { found: number, labels: number, falseAnomalies: number, weeks: number }> = {}
  for (const farmSeed of flags.seeds.split(',')) {
    const farm = simulateFarm({ seed: farmSeed, ageing })
    const split = (WIND_FARM_DEFAULTS.trainingDays * 86_400_000) / farm.turbines[0]!.series.interval
    const { model, autoencoder } = await fitDetector(farm.turbines.map(({ series }) => slice(series, 0, split)), settings, learn)
    for (const [scoring, detect] of Object.entries(SCORINGS)) {
      for (const { name, series } of farm.turbines) {
        const test = slice(series, split, series.length)
        const detection = detect(model, autoencoder.reconstruct, test)
        for (const [rule, thresholdsOf] of Object.entries(RULES)) {
          const anomalies = findAnomalies(relative(detection, thresholdsOf(detection.score))).map(({ from, to }) => ({ start: timeOf(test, from), end: timeOf(test, to) }))
          const { findings, falseAnomalies } = detectionDelays(farm.labels.filter(({ turbine }) => turbine === name), anomalies, { toleranceMs: parseDuration(evaluate.tolerance) })
          const tally = tallies[`${scoring} ${rule}`] ??= { found: 0, labels: 0, falseAnomalies: 0, weeks: 0 }
          tally.found += findings.filter(({ found }) => found).length
          tally.labels += findings.length
          tally.falseAnomalies += falseAnomalies.length
          tally.weeks += test.length * test.interval / WEEK
        }
      }
    }
    autoencoder.dispose()
  }
  for (const [name, { found, labels, falseAnomalies, weeks }] of Object.entries(tallies)) {
    console.log(`ageing ${ageing} °C, ${name}: ${found}/${labels} found, ${(falseAnomalies / weeks).toFixed(2)} false anomalies per turbine-week`)
  }
}

/** Share of flagged rows without a label behind the training prefix, and how many labelled segments that end there have a flagged row. */
function judge ({ labels, train }: BenchmarkFile, isFlagged: (t: number) => boolean): { share: number, found: number, segments: number } {
  const normal = Array.from(labels.keys()).filter((t) => labels[t] === 0 && t >= train)
  const segments = runsOf(labels).filter(({ to }) => to >= train)
  const found = segments.filter(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i).some(isFlagged))
  return { share: normal.filter(isFlagged).length / Math.max(1, normal.length), found: found.length, segments: segments.length }
}

function runsOf (labels: Uint8Array): Array<{ from: number, to: number }> {
  const runs: Array<{ from: number, to: number }> = []
  labels.forEach((label, t) => {
    if (label === 0) return
    if (labels[t - 1] === 1) runs.at(-1)!.to = t
    else runs.push({ from: t, to: t })
  })
  return runs
}

async function measureFiles (folder: string): Promise<void> {
  const tallies: Record<string, { shares: number[], found: number, segments: number }> = {}
  for (const name of await listFiles(folder, flags.half)) {
    const file = await readFileOf(folder, name)
    const { model, autoencoder } = await fitDetector([slice(file.series, 0, file.train)], FIT_DEFAULTS, ARCHITECTURES.linear.learner({}, { backend, seed: 1, onEpoch: () => {} }))
    for (const [scoring, detect] of Object.entries(SCORINGS)) {
      const { score } = detect(model, autoencoder.reconstruct, file.series)
      for (const [rule, thresholdsOf] of Object.entries(RULES)) {
        const thresholds = thresholdsOf(score)
        const { share, found, segments } = judge(file, (t) => score[t]! > thresholds[t]!)
        const tally = tallies[`${scoring} ${rule}`] ??= { shares: [], found: 0, segments: 0 }
        tally.shares.push(share)
        tally.found += found
        tally.segments += segments
      }
    }
    autoencoder.dispose()
  }
  for (const [name, { shares, found, segments }] of Object.entries(tallies)) {
    console.log(`${folder}, ${name}: ${percent(shares.reduce((sum, share) => sum + share, 0) / shares.length)} of normal rows flagged, ${found}/${segments} segments found`)
  }
}

for (const ageing of flags.ageing.split(',')) await measureFarms(Number(ageing))
if (flags.data !== undefined) for (const set of ['skab', 'tsb-ad-u', 'tsb-ad-m']) await measureFiles(join(flags.data, set))
