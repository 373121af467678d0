// Reads the public benchmark files that bench/accuracy.ts measures on: SKAB and TSB-AD, plain or gzipped CSV.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import Papa from 'papaparse'
import { fromColumns, type Series } from '../core/series/series.ts'

export interface BenchmarkFile {
  readonly name: string
  readonly series: Series
  /** The true labels, shape [length]. */
  readonly labels: Uint8Array
  /** Observations of the training prefix. */
  readonly train: number
}

/** In the sorted listing, files with even indices are for development, those with odd ones for reporting. */
export type Half = 'development' | 'report' | 'all'

/** Columns that are not channels. */
const NOT_CHANNELS = new Set(['timestamp', 'datetime', 'time', 'anomaly', 'changepoint', 'label', ''])

const SKAB_TRAIN = 400

/** Names of the files in one half of a folder. */
export async function listFiles (folder: string, half: Half): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /\.csv(\.gz)?$/.test(name)).sort()
  return names.filter((_, i) => half === 'all' || (i % 2 === 0) === (half === 'development'))
}

/** Reads rows as consecutive observations and ignores their timestamps, like the published protocols. */
export async function readFileOf (folder: string, name: string): Promise<BenchmarkFile> {
  const bytes = await readFile(join(folder, name))
  const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  const { data, meta } = Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true })
  const channels = (meta.fields ?? []).filter((field) => !NOT_CHANNELS.has(field.toLowerCase()))
  const columns = Object.fromEntries(
    channels.map((channel) => [channel, data.map((row) => row[channel] === '' ? null : Number(row[channel]))])
  )
  const truth = (meta.fields ?? []).find((field) => /^(anomaly|label)$/i.test(field))
  if (truth === undefined) throw new Error(`${name} has neither a column "anomaly" nor "label"`)
  const labels = Uint8Array.from(data, (row) => Number(row[truth]) > 0 ? 1 : 0)
  const prefix = /_tr_(\d+)/.exec(name)
  return {
    name,
    series: fromColumns({ start: 0, interval: 1000, columns }),
    labels,
    train: prefix === null ? SKAB_TRAIN : Number(prefix[1]),
  }
}
