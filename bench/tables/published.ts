// Compares figures for each file with published tables, in pairs: on the files that both have. Knows no detector.
import { readFile } from 'node:fs/promises'
import Papa from 'papaparse'
import { intervalOf, type Interval, resampled } from '../bootstrap.ts'

/** Figure by name of the file, without its extension. */
type Figures = ReadonlyMap<string, number>

/** Figures by algorithm. */
export type Table = ReadonlyMap<string, Figures>

/** Ours against one algorithm, on the files in common. */
interface Comparison {
  readonly files: number
  readonly ours: number
  readonly theirs: number
  /** Mean of ours − theirs. */
  readonly difference: number
  /** Of the difference, 95 %, over resampled files. */
  readonly interval: Interval
  /** Share of the resamples in which our mean is higher. */
  readonly lead: number
}

/** `a/001.csv.gz` → `001`: tables name files with or without extension. */
export const bareName = (file: string): string => file.replace(/^.*\//, '').replace(/\.csv(\.gz)?$/, '')

/** Columns of the upstream tables that describe the files. */
const NOT_ALGORITHMS = new Set([
  'file', 'ts_len', 'anomaly_len', 'num_anomaly', 'avg_anomaly_len', 'anomaly_ratio', 'point_anomaly', 'seq_anomaly',
])

/** @param text CSV with a column `file` and one for each algorithm; an empty cell is a file that it does not have */
export function parseTable (text: string): Table {
  const { data, meta } = Papa.parse<Record<string, string>>(text.trim(), { header: true, skipEmptyLines: true })
  if (!meta.fields?.includes('file')) throw new Error('A published table needs a column "file"')
  const algorithms = meta.fields.filter((field) => !NOT_ALGORITHMS.has(field))
  return new Map(algorithms.map((algorithm) => [algorithm, new Map(
    data.filter((row) => row[algorithm] !== '').map((row) => [bareName(row['file']!), Number(row[algorithm])])
  )]))
}

/** The algorithms of several files, in one table. */
export async function readTables (paths: readonly string[]): Promise<Table> {
  const tables = await Promise.all(paths.map(async (path) => parseTable(await readFile(path, 'utf8'))))
  const all = new Map<string, Figures>()
  for (const [algorithm, figures] of tables.flatMap((table) => [...table])) {
    all.set(algorithm, new Map([...all.get(algorithm) ?? [], ...figures]))
  }
  return all
}

/** Against each algorithm that shares a file with us, the best of them first. */
export function compare (ours: Figures, table: Table): Record<string, Comparison> {
  const compared = [...table].flatMap(([algorithm, theirs]) => {
    const files = [...ours.keys()].filter((file) => theirs.has(file))
    if (files.length === 0) return []
    return [[algorithm, comparisonOf(files.map((file) => [ours.get(file)!, theirs.get(file)!]), algorithm)] as const]
  })
  return Object.fromEntries(compared.sort(([, a], [, b]) => b.theirs - a.theirs))
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

function comparisonOf (pairs: ReadonlyArray<readonly [ours: number, theirs: number]>, seed: string): Comparison {
  const differences = pairs.map(([ours, theirs]) => ours - theirs)
  const drawn = resampled(pairs.length, (files) => mean(files.map((i) => differences[i]!)), seed)
  return {
    files: pairs.length,
    ours: mean(pairs.map(([ours]) => ours)),
    theirs: mean(pairs.map(([, theirs]) => theirs)),
    difference: mean(differences),
    interval: intervalOf(drawn),
    lead: mean(drawn.map((difference) => difference > 0 ? 1 : 0)),
  }
}
