// Writes figures for each file in the form of TSB-AD's own tables, `benchmark_eval_results/*_mergedTable_VUS-PR.csv`: a
// column `file` with the full name of each file, and a column for each algorithm.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Papa from 'papaparse'
import { bareName, type Table } from './published.ts'

/** TSB-AD ranks series of one channel and of several apart. */
export type Track = 'uni' | 'multi'

/** The table as CSV; all algorithms have the same files. */
export function tableText (table: Table): string {
  const files = [...[...table.values()][0]?.keys() ?? []]
  const columns = [...table.values()]
  const rows = files.map((file) => [`${bareName(file)}.csv`, ...columns.map((figures) => figures.get(file)!)])
  return `${Papa.unparse({ fields: ['file', ...table.keys()], data: rows }, { newline: '\n' })}\n`
}

/** @returns path of the file that was written */
export async function writeSubmission (folder: string, track: Track, table: Table): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${track}_mergedTable_VUS-PR.csv`)
  await writeFile(path, tableText(table))
  return path
}
