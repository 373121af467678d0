// Data from where they are born, as a folder of CSV files with a report on their quality: fetched whole, then put in
// the old one's place.
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

export interface Fetched {
  readonly series: number
  readonly rows: number
  /** DVC's hash of the folder. */
  readonly md5: string
}

/** Fills a new folder with CSV files, one a series. */
export type Fetch = (folder: string) => Promise<void>

/**
 * Fetches into `out`. Whatever fails leaves what was there.
 * @throws Problem where a file cannot be read as a table, or `out` holds files that were not fetched
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

/** What may be replaced: files that were fetched, and the report on them. */
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

/** One file at a time: together they may be larger than memory. */
async function inspectAll (folder: string): Promise<FileReport[]> {
  const backend = await loadBackend('wasm')
  const reports: FileReport[] = []
  for (const file of await listCsvFiles(folder)) {
    try {
      const raw = await readRawFile(file, {})
      reports.push((await inspect(backend, raw, intervalOf(raw))).report)
    } catch (error) {
      // Its path is of a folder that is gone by the time this is read.
      if (error instanceof Problem) {
        throw new Problem(error.code, error.message.replaceAll(file, basename(file)), { cause: error })
      }
      throw error
    }
  }
  return reports
}

/** Names of files, each given once: a name that two series would share is refused, also where only capitals differ. */
export class FileNames {
  readonly #takenBy = new Map<string, string>()

  /**
   * @param wanted the series' name; what no file name should hold becomes an underscore
   * @param origin what has this name, for the error
   * @throws Problem invalid-settings where nothing is left of it, or it is taken
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

/** Writes what the source streams, series after series. */
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

/** Downloads every CSV file; folders below the one that was named do not count. */
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

/** A CSV file that is written in chunks. */
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
