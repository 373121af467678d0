// Series on disk: CSV files on a regular grid. A folder is written completely or not at all.
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import Papa from 'papaparse'
import { readTable } from '../../core/table/csv.ts'
import { Problem } from '../../core/errors.ts'
import { resample } from '../../core/series/resample.ts'
import { type Series, timeOf } from '../../core/series/series.ts'

/** A series and the name of its file. */
export interface NamedSeries {
  readonly name: string
  readonly series: Series
}

/**
 * Runs `write` on a new folder beside `directory`, then replaces `directory` with it. A failure or a crash leaves the
 * old folder.
 */
export async function replaceDirectory<T> (directory: string, write: (temporary: string) => Promise<T>): Promise<T> {
  return withTemporaryFolder(directory, async (temporary) => {
    const [old, made] = [join(temporary, 'old'), join(temporary, 'new')]
    await mkdir(made)
    const result = await write(made)
    await rename(directory, old).catch(ignoreMissing)
    await rename(made, directory).catch(async (error: unknown) => {
      await rename(old, directory).catch(ignoreMissing)
      throw error
    })
    return result
  })
}

/**
 * Runs `use` with a hidden folder beside `directory`, on the same disk, and removes it afterwards. Also removes the
 * hidden folders that killed processes left.
 */
export async function withTemporaryFolder<T> (directory: string, use: (temporary: string) => Promise<T>): Promise<T> {
  const [parent, prefix] = [dirname(resolve(directory)), `.${basename(resolve(directory))}.writing-`]
  await mkdir(parent, { recursive: true })
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix) && !isInUse(join(parent, name), Number.parseInt(name.slice(prefix.length)))) {
      await rm(join(parent, name), { recursive: true, force: true })
    }
  }
  const temporary = await mkdtemp(join(parent, `${prefix}${process.pid}-`))
  temporaryFolders.add(temporary)
  try {
    return await use(temporary)
  } finally {
    await rm(temporary, { recursive: true, force: true })
    temporaryFolders.delete(temporary)
  }
}

/** The folders of this process: in a container, the process before may have had the same id. */
const temporaryFolders = new Set<string>()

function isInUse (folder: string, pid: number): boolean {
  if (pid === process.pid) return temporaryFolders.has(folder)
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function ignoreMissing (error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

/** CSV files at `path`, sorted by name: the file itself, or those of the folder. */
export async function listCsvFiles (path: string): Promise<string[]> {
  if (CSV.test(path)) return [path]
  const names = await readdir(path).catch((cause: unknown) => {
    throw new Problem('invalid-table', `${path} is neither a .csv file nor a folder that can be read.`, { cause })
  })
  return names.filter((name) => CSV.test(name)).sort().map((name) => join(path, name))
}

const CSV = /\.csv$/i

/** The name of a series: its file's name without folder and extension. */
export function seriesName (file: string): string {
  return basename(file).replace(CSV, '')
}

/**
 * Writes a series as `<name>.csv`; a missing value is an empty cell. Reading the numbers again gives the same bits.
 */
export async function writeSeries (directory: string, { name, series }: NamedSeries): Promise<void> {
  const { channels, length, values } = series
  const lines = [Papa.unparse([['timestamp', ...channels]])]
  for (let t = 0; t < length; t++) {
    const row = Array.from(channels, (_, c) => values[t * channels.length + c]!)
    const cells = row.map((value) => Number.isNaN(value) ? '' : String(value))
    lines.push([new Date(timeOf(series, t)).toISOString(), ...cells].join(','))
  }
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, `${name}.csv`), `${lines.join('\n')}\n`)
}

/** Reads all series that writeSeries() wrote into a folder; empty if there is no such folder. */
export async function readSeriesFolder (directory: string, interval: number): Promise<NamedSeries[]> {
  const files = await listCsvFiles(directory).catch(() => [])
  return Promise.all(files.map(async (file) => {
    const table = readTable(await readFile(file, 'utf8'), {
      delimiter: ',',
      decimal: '.',
      timestampColumn: 'timestamp',
    })
    return {
      name: seriesName(file),
      series: resample(table, { interval, order: 'strict', maxObservations: Infinity }).series,
    }
  }))
}
