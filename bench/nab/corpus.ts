// Reads the files of the Numenta Anomaly Benchmark: the folder of its own repository, or its files within TSB-AD-U.
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import Papa from 'papaparse'
import { runsOf } from '../../core/metrics/runs.ts'
import { quantile } from '../../core/quantile.ts'
import { fromColumns, type Series } from '../../core/series/series.ts'
import { readFileOf } from '../datasets.ts'

export interface NabFile {
  readonly name: string
  readonly series: Series
  /** First and last row of each window, both included, in order of time. */
  readonly windows: ReadonlyArray<readonly [first: number, last: number]>
}

/** Relative path → times of the first and last row of each window. */
type LabelledWindows = Readonly<Record<string, ReadonlyArray<readonly [from: string, to: string]>>>

const WINDOWS = join('labels', 'combined_windows.json')

/** Times are texts of the same form, so they compare as texts; windows have fractions of a second, rows have not. */
const SECONDS = 'YYYY-MM-DD hh:mm:ss'.length

/** @param folder the repository of the benchmark, tsb-ad-u/, or the folder that holds it */
export async function readCorpus (folder: string): Promise<NabFile[]> {
  const files = existsSync(join(folder, WINDOWS)) ? await readRepository(folder) : await readWithinTsbAd(folder)
  if (files.length === 0) throw new Error(`${folder} has neither ${WINDOWS} nor files named …_NAB_….csv`)
  return files
}

async function readRepository (folder: string): Promise<NabFile[]> {
  const windows = JSON.parse(await readFile(join(folder, WINDOWS), 'utf8')) as LabelledWindows
  return Promise.all(Object.keys(windows).sort().map(async (name) => {
    const text = await readFile(join(folder, 'data', name), 'utf8')
    return { name, ...parseFile(text, windows[name]!) }
  }))
}

/** Rows are consecutive observations, at the usual distance of their times. */
function parseFile (text: string, windows: LabelledWindows[string]): Omit<NabFile, 'name'> {
  const { data } = Papa.parse<{ timestamp: string, value: string }>(text.trim(), { header: true, skipEmptyLines: true })
  const times = data.map(({ timestamp }) => Date.parse(`${timestamp.replace(' ', 'T')}Z`))
  const interval = quantile(times.slice(1).map((time, t) => time - times[t]!), 0.5)
  const value = data.map((row) => Number(row.value))
  return {
    series: fromColumns({ start: times[0]!, interval, columns: { value } }),
    windows: windows.map(([from, to]) => [
      data.findIndex(({ timestamp }) => timestamp >= from.slice(0, SECONDS)),
      data.findLastIndex(({ timestamp }) => timestamp <= to.slice(0, SECONDS)),
    ]),
  }
}

async function readWithinTsbAd (folder: string): Promise<NabFile[]> {
  const inside = join(folder, 'tsb-ad-u')
  const place = existsSync(inside) ? inside : folder
  const names = (await readdir(place)).filter((name) => /_NAB_.*\.csv(\.gz)?$/.test(name)).sort()
  return Promise.all(names.map(async (name) => {
    const { series, labels } = await readFileOf(place, name)
    return { name, series, windows: runsOf(labels).map(({ first, last }) => [first, last] as const) }
  }))
}
