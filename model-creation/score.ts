// `npm run score -- --model <dir> file.csv`: scores a CSV file with a model package.
import { readFile } from 'node:fs/promises'
import Table from 'cli-table3'
import { Command, Option } from 'commander'
import Papa from 'papaparse'
import { isAnomalous } from '../core/scoring/threshold.ts'
import { type ExplainedAnomaly, explainAnomalies } from '../core/verdicts/explanation.ts'
import { type Detection, type Scoring } from '../core/scoring/detection.ts'
import { detectCausal } from '../core/detector/detector.ts'
import { keepChannels, readTable, type TableOptions } from '../core/table/csv.ts'
import { formatDuration, parseDuration } from '../core/table/duration.ts'
import { Problem } from '../core/errors.ts'
import { detectBatch } from '../core/detector/hindsight.ts'
import { resample } from '../core/series/resample.ts'
import { checkObserved, type Series, timeOf } from '../core/series/series.ts'
import { loadModelPackage } from '../adapters/tfjs/model-package.ts'
import { isProgram, runReporting } from './stages/stage.ts'

interface Flags extends TableOptions {
  model: string
  scoring: Scoring
  json?: boolean
  csv?: boolean
  minDuration?: string
  mergeGap?: string
  backend: 'auto' | 'native' | 'wasm' | 'cpu'
}

const command = (): Command =>
  new Command('npm run score --')
    .description('Prints the anomalies of a CSV file.')
    .argument('<file>', "CSV file with a timestamp column and the model's channels")
    .requiredOption('--model <dir>', 'folder of the model package')
    .addOption(
      new Option('--scoring <kind>', 'batch also uses later observations, causal only past ones')
        .choices(['batch', 'causal']).default('batch')
    )
    .addOption(new Option('--json', 'print scores and anomalies as JSON').conflicts('csv'))
    .option('--csv', 'print one line for each observation: timestamp, score, isAnomaly, imputed channels')
    .option('--min-duration <duration>', 'leave out shorter anomalies, e.g. PT30M')
    .option('--merge-gap <duration>', 'join anomalies at most this far apart, e.g. PT1H; default: by their length')
    .addOption(
      new Option('--backend <name>', 'TensorFlow.js backend').choices(['auto', 'native', 'wasm', 'cpu']).default(
        'auto'
      )
    )
    .option('--delimiter <character>', 'delimiter of cells; default: detected')
    .addOption(new Option('--decimal <character>', 'decimal sign; default: detected').choices(['.', ',']))
    .option('--timestamp-column <name>', 'default: detected')
    .option('--timestamp-format <format>', 'Luxon format; default: detected')

interface Result {
  readonly model: { readonly name: string, readonly version: string, readonly digest: string }
  readonly scoring: Scoring
  readonly series: Series
  readonly detection: Detection
  readonly anomalies: readonly ExplainedAnomaly[]
  /** Columns of the file that are not channels of the model. */
  readonly ignored: readonly string[]
}

async function textOf (file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new Problem('invalid-table', `${file} cannot be read.`, { cause })
  }
}

async function score (file: string, flags: Flags): Promise<Result> {
  const { delimiter, decimal, timestampColumn, timestampFormat } = flags
  const minDuration = flags.minDuration === undefined ? 0 : parseDuration(flags.minDuration)
  const mergeGap = flags.mergeGap === undefined ? undefined : parseDuration(flags.mergeGap)
  const table = readTable(await textOf(file), { delimiter, decimal, timestampColumn, timestampFormat })
  const { manifest: { name, version, detector }, digest, autoencoders, dispose } = await loadModelPackage(
    flags.model,
    flags.backend
  )
  try {
    const { series } = resample(keepChannels(table, detector.channels), {
      interval: detector.interval,
      order: 'repair',
      maxObservations: 10_000_000,
    })
    checkObserved(series)
    const detection = (flags.scoring === 'batch' ? detectBatch : detectCausal)(detector, autoencoders, series)
    if (detection.score.every(Number.isNaN)) {
      throw new Problem(
        'series-too-short',
        `No observation could be scored: the model needs ${detector.windowLength} in a row ` +
          `without a gap of more than ${detector.maxGap}.`
      )
    }
    const rules = {
      minLength: Math.ceil(minDuration / detector.interval),
      ...(mergeGap !== undefined && { mergeGap: Math.floor(mergeGap / detector.interval) }),
    }
    const ignored = table.channels.filter((channel) => !detector.channels.includes(channel))
    return {
      model: { name, version, digest },
      scoring: flags.scoring,
      series,
      detection,
      anomalies: explainAnomalies(series, detection, detector, { scoring: flags.scoring, rules }),
      ignored,
    }
  } finally {
    dispose()
  }
}

const timeText = (series: Series, t: number): string => new Date(timeOf(series, t)).toISOString().replace('.000Z', 'Z')

const scoreOrNull = (value: number): number | null => Number.isNaN(value) ? null : value

function asJson ({ model, scoring, series, detection, anomalies }: Result): string {
  return JSON.stringify({
    model,
    scoring,
    threshold: 1,
    start: timeText(series, 0),
    step: formatDuration(series.interval),
    score: Array.from(detection.score, scoreOrNull),
    isAnomaly: Array.from(detection.score, (value) => Number.isNaN(value) ? null : isAnomalous(value)),
    imputed: Object.fromEntries(
      series.channels.map((name, c) => [
        name,
        Array.from(detection.score.keys()).filter((t) => detection.imputed[t * series.channels.length + c] === 1),
      ])
    ),
    anomalies: anomalies.map(({ from, to, peak, peakScore, kind, message, channels }) => ({
      start: timeText(series, from),
      end: timeText(series, to),
      peak: timeText(series, peak),
      peakScore,
      kind,
      message,
      channels: channels.map(({ channel, contribution }) => ({ name: series.channels[channel], contribution })),
    })),
  })
}

/** Names of the channels whose missing value was filled. */
function imputedAt ({ channels }: Series, { imputed }: Detection, t: number): string[] {
  return channels.filter((_, c) => imputed[t * channels.length + c] === 1)
}

function asCsv ({ series, detection }: Result): string {
  return Papa.unparse({
    fields: ['timestamp', 'score', 'isAnomaly', 'imputed'],
    data: Array.from(detection.score, (value, t) => [
      timeText(series, t),
      scoreOrNull(value),
      Number.isNaN(value) ? null : isAnomalous(value),
      imputedAt(series, detection, t).join(';'),
    ]),
  }, { newline: '\n' })
}

const HEAD = ['start', 'end', 'peak', 'score', 'kind', 'channels']

function asTable ({ series, detection, anomalies, ignored }: Result): string {
  const scored = detection.score.filter((value) => !Number.isNaN(value)).length
  const found = anomalies.length === 1 ? '1 anomaly' : `${anomalies.length} anomalies`
  const others = ignored.length === 0 ? '' : `; not the model's channels: ${ignored.join(', ')}`
  const summary = `${found} in ${series.length} observations (${scored} scored)${others}`
  if (anomalies.length === 0) return summary
  const table = new Table({
    head: HEAD,
    style: { head: [], border: [] },
  })
  for (const { from, to, peak, peakScore, kind, message, channels } of anomalies) {
    const ranked = channels.slice(0, 3).map(({ channel, contribution }) =>
      `${series.channels[channel]} ${(100 * contribution).toFixed(0)} %`
    )
    table.push([
      timeText(series, from),
      timeText(series, to),
      timeText(series, peak),
      peakScore.toFixed(2),
      kind,
      ranked.join('\n'),
    ], [{ colSpan: HEAD.length, content: message, wordWrap: true }])
  }
  return `${table.toString()}\n${summary}`
}

/** The command. */
export async function main (args: readonly string[], print: (text: string) => void): Promise<void> {
  const parsed = command().parse(args, { from: 'user' })
  const flags = parsed.opts<Flags>()
  const result = await score(parsed.args[0]!, flags)
  print(`${flags.json ? asJson(result) : flags.csv ? asCsv(result) : asTable(result)}\n`)
}

if (isProgram(import.meta.url)) {
  await runReporting(async () => await main(process.argv.slice(2), (text) => process.stdout.write(text)))
}
