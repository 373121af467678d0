// The Numenta Anomaly Benchmark with the default detector: `npm run -s bench:nab -- --data <folder>`.
import { Command } from 'commander'
import { type NabProfile, nabScore, nabScoreAt, type NabSeries } from '../core/metrics/index.ts'
import { type Scoring } from '../core/scoring/detection.ts'
import { detect, type Interval } from './first-tries/detect.ts'
import { type NabFile, readCorpus } from './nab/corpus.ts'

const PROFILES: readonly NabProfile[] = ['standard', 'reward-low-fp', 'reward-low-fn']

const flags = new Command('npm run -s bench:nab --')
  .requiredOption('--data <folder>', 'the repository of the benchmark, or a folder with tsb-ad-u/')
  .option('--json', 'one JSON document on stdout')
  .parse().opts<{ data: string, json?: boolean }>()

interface Found {
  readonly file: NabFile
  /** Shape [length]. */
  readonly score: Float64Array
  readonly anomalies: readonly Interval[]
}

/** Rows at the beginning that do not count, by the rules of the benchmark: a detector may learn from them. */
const learned = (length: number): number => Math.min(Math.floor(0.15 * length), 750)

async function run (file: NabFile, scoring: Scoring): Promise<Found> {
  const rows = learned(file.series.length)
  const { score, anomalies } = await detect(file.series, scoring, scoring === 'causal' ? rows : undefined)
  return { file, score, anomalies: anomalies.filter(({ to }) => to >= rows) }
}

/** Scores of all rows, and with 0 for all rows that do not begin an anomaly: one alarm for each. */
function seriesOf ({ file, score, anomalies }: Found, rows: 'every row' | 'alarms'): NabSeries {
  if (rows === 'every row') return { scores: score, windows: file.windows }
  const begins = new Set(anomalies.map(({ from }) => from))
  return { scores: score.map((value, t) => begins.has(t) ? value : 0), windows: file.windows }
}

const overlaps = (from: number, to: number, { from: begin, to: end }: Interval): boolean => from <= end && to >= begin

function figuresOf (found: readonly Found[]): Record<string, unknown> {
  const counted = found.map(({ file, anomalies }) => ({
    hit: file.windows.filter(([from, to]) => anomalies.some((anomaly) => overlaps(from, to, anomaly))).length,
    outside: anomalies.filter((one) => !file.windows.some(([from, to]) => overlaps(from, to, one))).length,
  }))
  const scores = (rows: 'every row' | 'alarms'): Record<string, unknown> => {
    const series = found.map((one) => seriesOf(one, rows))
    return Object.fromEntries(PROFILES.map((profile) => [profile, {
      atDefaultThreshold: nabScoreAt(series, 1, profile).score,
      atBestThreshold: nabScore(series, profile).score,
    }]))
  }
  return {
    windows: found.reduce((sum, { file }) => sum + file.windows.length, 0),
    windowsHit: counted.reduce((sum, { hit }) => sum + hit, 0),
    intervalsOutside: counted.reduce((sum, { outside }) => sum + outside, 0),
    everyRow: scores('every row'),
    alarms: scores('alarms'),
  }
}

const corpus = await readCorpus(flags.data)
const results: Record<string, unknown> = { files: corpus.length }
for (const scoring of ['batch', 'causal'] as const) {
  const found: Found[] = []
  for (const file of corpus) {
    found.push(await run(file, scoring))
    process.stderr.write(`${scoring} ${file.name}\n`)
  }
  results[scoring] = figuresOf(found)
}
if (flags.json) console.log(JSON.stringify(results))
else console.dir(results, { depth: null })
