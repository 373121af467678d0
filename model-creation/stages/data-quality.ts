// Reads raw tables, puts each on its grid, and reports on the quality of its data, for `prepare` and `npm run data`.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keepChannels, readTable, type Table } from '../../core/table/csv.ts'
import { Problem } from '../../core/errors.ts'
import { type ChannelQuality, inferInterval, resample } from '../../core/series/resample.ts'
import { type Series } from '../../core/series/series.ts'
import { type Backend } from '../../adapters/tfjs/backend.ts'
import { profileRawTable, type TableProfile } from '../adapters/raw-table.ts'
import { markdownTable, writeJsonReport, writeTextReport } from '../adapters/report-files.ts'
import { seriesName } from '../adapters/series-files.ts'
import { type Moved } from './feedback.ts'
import { type StageContext } from './stage.ts'

/** Longest grid for a raw table: far more than any training set, but few enough to fail before memory runs out. */
const MAX_OBSERVATIONS = 20_000_000

export interface RawFile {
  readonly name: string
  readonly file: string
  readonly text: string
  readonly table: Table
}

export interface FileReport {
  readonly name: string
  readonly profile: TableProfile
  readonly textColumns: readonly string[]
  readonly observations: number
  readonly quality: Readonly<Record<string, ChannelQuality>>
  /** What feedback moved, if there is any. */
  readonly feedback?: Moved
}

/** Reads one raw file. @throws Problem naming the file */
export async function readRawFile (file: string, options: StageContext['table']): Promise<RawFile> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Problem('no-training-data', `${file} cannot be read.`, { cause })
  })
  return {
    name: seriesName(file),
    file,
    text,
    table: named(file, () => chosenChannels(readTable(text, options), options)),
  }
}

/** @throws Problem no-training-data if all rows have the same time */
export function intervalOf ({ file, table }: RawFile): number {
  const interval = inferInterval(table.timestamps)
  if (interval > 0) return interval
  throw new Problem('no-training-data', `${file} has fewer than two different times; there is nothing to train on.`)
}

/** The file's series on its grid, and the report on its quality. */
export async function inspect (
  backend: Backend,
  raw: RawFile,
  interval: number
): Promise<{ series: Series, report: FileReport }> {
  const { series, quality } = named(
    raw.file,
    () => resample(raw.table, { interval, order: 'repair', maxObservations: MAX_OBSERVATIONS })
  )
  const profile = await profileRawTable(backend, raw.file, raw.table)
  const byChannel = Object.fromEntries(series.channels.map((channel, c) => [channel, quality[c]!]))
  return {
    series,
    report: {
      name: raw.name,
      profile,
      textColumns: raw.table.textColumns,
      observations: series.length,
      quality: byChannel,
    },
  }
}

/** Writes data-quality.json and data-quality.md. */
export async function writeQualityReport (directory: string, reports: readonly FileReport[]): Promise<void> {
  await writeJsonReport(join(directory, 'data-quality.json'), reports)
  await writeTextReport(join(directory, 'data-quality.md'), qualityMarkdown(reports))
}

function chosenChannels (table: Table, { channels = table.channels, exclude = [] }: StageContext['table']): Table {
  const kept = channels.filter((name) => !exclude.includes(name))
  const unknown = kept.filter((name) => !table.channels.includes(name))
  if (unknown.length > 0) {
    const quoted = unknown.map((name) => `"${name}"`).join(', ')
    throw new Problem(
      'missing-channel',
      `There is no numeric column ${quoted}; the numeric columns are ${table.channels.join(', ')}.`
    )
  }
  return keepChannels(table, kept)
}

/** Adds the file's name to a problem. */
function named<T> (file: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof Problem) {
      throw new Problem(error.code, `${file}: ${error.message}`, { items: error.items, cause: error })
    }
    throw error
  }
}

function qualityMarkdown (reports: readonly FileReport[]): string {
  const number = (value: number | null): string => value === null ? '–' : String(Number(value.toPrecision(6)))
  const sections = reports.map(({ name, profile, textColumns, observations, quality, feedback }) => {
    const rows = profile.columns.map(({ column, dtype, missing, min, max, mean, deviation }) => {
      const grid = quality[column]
      return [column, dtype, missing, number(min), number(max), number(mean), number(deviation),
        grid?.missing ?? '–', grid?.duplicates ?? '–', grid?.outOfOrder ?? '–']
    })
    const table = markdownTable([
      'column',
      'dtype',
      'empty cells',
      'min',
      'max',
      'mean',
      'deviation',
      'missing on grid',
      'duplicates',
      'out of order',
    ], rows)
    const notes = [
      `${profile.rows} rows, ${profile.duplicateRows} of them exact duplicates; ` +
      `${observations} observations on the grid.`,
      ...(textColumns.length > 0 ? [`Left out because they hold text: ${textColumns.join(', ')}.`] : []),
      ...(profile.disagreements.length > 0
        ? [`Read differently by danfojs, so the table tells what training reads: ${profile.disagreements.join(', ')}.`]
        : []),
      ...(feedback === undefined ? [] : [`By feedback, ${movedText(feedback)}.`]),
    ]
    return `## ${name}\n\n${notes.join('\n')}\n\n${table}\n`
  })
  return `# Data quality\n\n${sections.join('\n')}`
}

/** Says what feedback moved. */
export function movedText ({ left, entered, around, contradicted }: Moved): string {
  return `${left} observations left the training data, ` +
    `${entered} of the test part entered it as false alarms with ${around} around them` +
    (contradicted > 0 ? `; ${contradicted} more are labelled as faults and stay where they are` : '')
}
