// Stage 1: raw tables → series on a regular grid, split by time, with a report on the quality of the data.
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { keepChannels, readTable, type Table } from '../core/csv.ts'
import { formatDuration, parseDuration } from '../core/duration.ts'
import { Problem } from '../core/errors.ts'
import { type ChannelQuality, inferInterval, resample } from '../core/resample.ts'
import { type Series, slice } from '../core/series.ts'
import { loadBackend } from '../core/tfjs/backend.ts'
import { profileRawTable, type TableProfile } from './adapters/raw-table.ts'
import { markdownTable, writeJsonReport, writeTextReport } from './adapters/report-files.ts'
import { listCsvFiles, replaceDirectory, seriesName, writeSeries } from './adapters/series-files.ts'
import { runAsProgram, type StageContext } from './stage.ts'

/** What the next stages need to know of the prepared data; prepared/prepared.json. */
export const PreparedSchema = z.strictObject({
  interval: z.number().int().positive(),
  channels: z.array(z.string()),
  dataSha256: z.string(),
})

/** Longest grid that is made of a raw table: far beyond any training set, small enough to fail before memory does. */
const MAX_OBSERVATIONS = 20_000_000

interface RawFile {
  readonly name: string
  readonly file: string
  readonly text: string
  readonly table: Table
}

interface FileReport {
  readonly name: string
  readonly profile: TableProfile
  readonly textColumns: readonly string[]
  readonly observations: number
  readonly quality: Readonly<Record<string, ChannelQuality>>
}

export async function prepare ({ paths, params, progress, table }: StageContext): Promise<void> {
  progress.stage('prepare')
  const raws = await readRaw(paths.raw, table)
  const interval = params.prepare.interval === 'auto' ? commonInterval(raws) : parseDuration(params.prepare.interval)
  const until = params.prepare.trainUntil === null ? Infinity : Date.parse(params.prepare.trainUntil)
  const backend = await loadBackend(params.train.backend)
  const reports: FileReport[] = []
  await replaceDirectory(paths.prepared, async (directory) => {
    for (const raw of raws) {
      const { series, quality } = named(raw.file, () => resample(raw.table, { interval, order: 'repair', maxObservations: MAX_OBSERVATIONS }))
      await writeSplit(directory, raw.name, series, until)
      const profile = await profileRawTable(backend, raw.file, raw.table)
      const byChannel = Object.fromEntries(series.channels.map((channel, c) => [channel, quality[c]!]))
      reports.push({ name: raw.name, profile, textColumns: raw.table.textColumns, observations: series.length, quality: byChannel })
      progress.step(reports.length, raws.length, `${raw.name}: ${series.length} observations every ${formatDuration(interval)}`)
    }
    const prepared = { interval, channels: raws[0]!.table.channels, dataSha256: hashOf(raws) }
    await writeFile(join(directory, 'prepared.json'), `${JSON.stringify(prepared, null, 2)}\n`)
  })
  await writeJsonReport(join(paths.reports, 'data-quality.json'), reports)
  await writeTextReport(join(paths.reports, 'data-quality.md'), qualityMarkdown(reports))
}

async function readRaw (path: string, options: StageContext['table']): Promise<RawFile[]> {
  const files = await listCsvFiles(path)
  if (files.length === 0) throw new Problem('no-training-data', `There is no .csv file in ${path}; make the example data with "npm run data", or name your own with --data.`)
  const raws = await Promise.all(files.map(async (file) => {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => { throw new Problem('no-training-data', `${file} cannot be read.`, { cause }) })
    return { name: seriesName(file), file, text, table: named(file, () => chosenChannels(readTable(text, options), options)) }
  }))
  const channels = raws[0]!.table.channels.join(', ')
  const other = raws.find(({ table }) => table.channels.join(', ') !== channels)
  if (other !== undefined) {
    throw new Problem('invalid-table', `${other.file} has the channels ${other.table.channels.join(', ')}, the first file has ${channels}; all files of a model need the same columns in the same order.`)
  }
  return raws
}

function chosenChannels (table: Table, { channels = table.channels, exclude = [] }: StageContext['table']): Table {
  return keepChannels(table, channels.filter((name) => !exclude.includes(name)))
}

/** Names the file in what goes wrong with it. */
function named<T> (file: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof Problem) throw new Problem(error.code, `${file}: ${error.message}`, { items: error.items, cause: error })
    throw error
  }
}

function commonInterval (raws: readonly RawFile[]): number {
  const interval = inferInterval(raws[0]!.table.timestamps)
  if (interval > 0) return interval
  throw new Problem('no-training-data', `${raws[0]!.file} has fewer than two different times; there is nothing to train on.`)
}

async function writeSplit (directory: string, name: string, series: Series, until: number): Promise<void> {
  const split = Math.min(series.length, Math.max(0, Math.ceil((until - series.start) / series.interval)))
  if (split > 0) await writeSeries(join(directory, 'train'), { name, series: slice(series, 0, split) })
  if (split < series.length) await writeSeries(join(directory, 'test'), { name, series: slice(series, split, series.length) })
}

/** Over names and contents, not paths: the same data in another place are the same data. */
function hashOf (raws: readonly RawFile[]): string {
  const hash = createHash('sha256')
  for (const { name, text } of raws) hash.update(`${name}\n${createHash('sha256').update(text).digest('hex')}\n`)
  return hash.digest('hex')
}

function qualityMarkdown (reports: readonly FileReport[]): string {
  const number = (value: number | null): string => value === null ? '–' : String(Number(value.toPrecision(6)))
  const sections = reports.map(({ name, profile, textColumns, observations, quality }) => {
    const rows = profile.columns.map(({ column, dtype, missing, min, max, mean, deviation }) => {
      const grid = quality[column]
      return [column, dtype, missing, number(min), number(max), number(mean), number(deviation),
        grid?.missing ?? '–', grid?.duplicates ?? '–', grid?.outOfOrder ?? '–']
    })
    const table = markdownTable(['column', 'dtype', 'empty cells', 'min', 'max', 'mean', 'deviation', 'missing on grid', 'duplicates', 'out of order'], rows)
    const notes = [
      `${profile.rows} rows, ${profile.duplicateRows} of them exact duplicates; ${observations} observations on the grid.`,
      ...(textColumns.length > 0 ? [`Left out because they hold text: ${textColumns.join(', ')}.`] : []),
      ...(profile.disagreements.length > 0 ? [`Read differently by danfojs, so the table tells what training reads: ${profile.disagreements.join(', ')}.`] : []),
    ]
    return `## ${name}\n\n${notes.join('\n')}\n\n${table}\n`
  })
  return `# Data quality\n\n${sections.join('\n')}`
}

await runAsProgram(import.meta.url, prepare)
