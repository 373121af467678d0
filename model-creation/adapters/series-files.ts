// Series on disk: CSV on a regular grid, written whole or not at all.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readTable } from '../../core/csv.ts'
import { Problem } from '../../core/errors.ts'
import { resample } from '../../core/resample.ts'
import { type Series, timeOf } from '../../core/series.ts'

/** A series and the name of its file. */
export interface NamedSeries {
  readonly name: string
  readonly series: Series
}

/** Runs `write` on a new folder beside `directory`, then puts it in that one's place: a crash leaves the old one. */
export async function replaceDirectory<T> (directory: string, write: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = `${directory}.writing-${process.pid}`
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { recursive: true })
  try {
    const result = await write(temporary)
    await rm(directory, { recursive: true, force: true })
    await mkdir(dirname(directory), { recursive: true })
    await rename(temporary, directory)
    return result
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
}

/** CSV files at `path`, sorted by name: the file itself, or those of the folder. */
export async function listCsvFiles (path: string): Promise<string[]> {
  if (path.endsWith('.csv')) return [path]
  const names = await readdir(path).catch((cause: unknown) => {
    throw new Problem('invalid-table', `${path} is neither a .csv file nor a folder that can be read.`, { cause })
  })
  return names.filter((name) => name.endsWith('.csv')).sort().map((name) => join(path, name))
}

/** Writes a series as `<name>.csv`; a missing value is an empty cell. Numbers are written so that reading gives the same bits. */
export async function writeSeries (directory: string, { name, series }: NamedSeries): Promise<void> {
  const { channels, length, values } = series
  const lines = [['timestamp', ...channels].join(',')]
  for (let t = 0; t < length; t++) {
    const row = Array.from(channels, (_, c) => values[t * channels.length + c]!)
    lines.push(`${new Date(timeOf(series, t)).toISOString()},${row.map((value) => Number.isNaN(value) ? '' : String(value)).join(',')}`)
  }
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, `${name}.csv`), `${lines.join('\n')}\n`)
}

/** Reads all series of a folder that writeSeries() wrote; none where there is no folder. */
export async function readSeriesFolder (directory: string, interval: number): Promise<NamedSeries[]> {
  const files = await listCsvFiles(directory).catch(() => [])
  return Promise.all(files.map(async (file) => {
    const table = readTable(await readFile(file, 'utf8'), { delimiter: ',', decimal: '.', timestampColumn: 'timestamp' })
    return { name: basename(file, '.csv'), series: resample(table, { interval, order: 'strict', maxObservations: Infinity }).series }
  }))
}
