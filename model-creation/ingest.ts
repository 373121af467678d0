// Fetches data from its source into a folder of CSV files, with a report on its quality. The new folder replaces the
// old one only when it is complete.
import { type FileHandle, open } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import Papa from 'papaparse'
import { Problem } from '../core/errors.ts'
import { loadBackend } from '../adapters/tfjs/backend.ts'
import { dvcFolderHash, hashFolder } from './adapters/dvc-hash.ts'
import { type InfluxSource } from './adapters/influx.ts'
import { type StoreSource } from './adapters/object-store.ts'
import { listCsvFiles, replaceDirectory } from './adapters/series-files.ts'
import { type FileReport, inspect, intervalOf, readRawFile, writeQualityReport } from './stages/data-quality.ts'

interface Fetched {
  readonly series: number
  readonly rows: number
  /** DVC's hash of the folder. */
  readonly md5: string
}

/** Fills a new folder with CSV files, one for each series. */
export type Fetch = (folder: string) => Promise<void>

/**
 * Fetches into `out`. On failure, `out` stays unchanged.
 * @throws Problem if a file cannot be read as a table, or `out` holds files that were not fetched
 */
export async function ingest (out: string, fetch: Fetch): Promise<Fetched> {
  await refuseForeignFiles(out)
  return replaceDirectory(resolve(out), async (folder) => {
    await fetch(folder)
    const reports = await inspectAll(folder)
    await writeQualityReport(folder, reports)
    return {
      series: reports.length,
      rows: reports.reduce((sum, { profile }) => sum + profile.rows, 0),
      md5: dvcFolderHash(await hashFolder(folder)),
    }
  })
}

/** Files that may be replaced: fetched ones, and the report on them. */
const FETCHED = /^([^/]+\.csv|data-quality\.(json|md))$/i

async function refuseForeignFiles (out: string): Promise<void> {
  const foreign = (await hashFolder(out)).find(({ relpath }) => !FETCHED.test(relpath))
  if (foreign !== undefined) {
    throw new Problem(
      'invalid-settings',
      `${out} holds ${foreign.relpath}, which was not fetched: name another folder with --out.`
    )
  }
}

/** Inspects one file at a time: together they may not fit into memory. */
async function inspectAll (folder: string): Promise<FileReport[]> {
  const backend = await loadBackend('wasm')
  const reports: FileReport[] = []
  for (const file of await listCsvFiles(folder)) {
    try {
      const raw = await readRawFile(file, {})
      reports.push((await inspect(backend, raw, intervalOf(raw))).report)
    } catch (error) {
      // Shorten the path: its temporary folder no longer exists when somebody reads the message.
      if (error instanceof Problem) {
        throw new Problem(error.code, error.message.replaceAll(file, basename(file)), { cause: error })
      }
      throw error
    }
  }
  return reports
}

/** Unique file names: refuses a name that two series would share, even if only the case of letters differs. */
export class FileNames {
  readonly #takenBy = new Map<string, string>()

  /**
   * @param wanted the series's name; an underscore replaces characters that file names should not have
   * @param origin the owner of the name, for error messages
   * @throws Problem invalid-settings if no character is left, or the name is taken
   */
  take (wanted: string, origin: string): string {
    const name = wanted.normalize('NFC').replaceAll(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^[._]+/, '').slice(0, 100)
    if (name === '') {
      throw new Problem(
        'invalid-settings',
        `${origin} has no letter or digit to name a file after; leave it out, or rename it.`
      )
    }
    const key = name.toLowerCase()
    const other = this.#takenBy.get(key)
    if (other !== undefined) {
      throw new Problem(
        'invalid-settings',
        `${origin} and ${other} would both be ${name}.csv; fetch them into folders of their own, or rename one.`
      )
    }
    this.#takenBy.set(key, origin)
    return `${name}.csv`
  }
}

/** Writes the rows that the source streams, series after series. */
export function fromInflux (source: Pick<InfluxSource, 'fields' | 'rows'>): Fetch {
  return async (folder) => {
    const fields = await source.fields()
    const names = new FileNames()
    let writer: CsvWriter | undefined
    try {
      for await (const { series, time, values } of source.rows(fields)) {
        if (writer?.series !== series) {
          await writer?.close()
          writer = await CsvWriter.open(join(folder, names.take(series, `the series "${series}"`)), series, fields)
        }
        await writer.write(new Date(time).toISOString(), values)
      }
    } finally {
      await writer?.close()
    }
  }
}

/** Downloads every CSV file of the folder, but not of its subfolders. */
export function fromStore (source: Pick<StoreSource, 'list' | 'download'>): Fetch {
  return async (folder) => {
    const names = new FileNames()
    const objects = (await source.list()).map((object) => ({
      object,
      file: names.take(basename(object.key).replace(/\.csv$/i, ''), `the object ${object.key}`),
    }))
    for (const { object, file } of objects) await source.download(object, join(folder, file))
  }
}

const CHUNK_LINES = 5000

/** Writes a CSV file in chunks. */
class CsvWriter {
  readonly series: string
  readonly #file: FileHandle
  #lines: string[]

  private constructor (file: FileHandle, series: string, header: string) {
    this.series = series
    this.#file = file
    this.#lines = [header]
  }

  static async open (path: string, series: string, fields: readonly string[]): Promise<CsvWriter> {
    return new CsvWriter(await open(path, 'w'), series, Papa.unparse([['timestamp', ...fields]]))
  }

  async write (time: string, values: readonly number[]): Promise<void> {
    this.#lines.push(`${time},${values.map((value) => Number.isNaN(value) ? '' : String(value)).join(',')}`)
    if (this.#lines.length >= CHUNK_LINES) await this.#flush()
  }

  async close (): Promise<void> {
    await this.#flush()
    await this.#file.close()
  }

  async #flush (): Promise<void> {
    if (this.#lines.length > 0) await this.#file.appendFile(`${this.#lines.join('\n')}\n`)
    this.#lines = []
  }
}
