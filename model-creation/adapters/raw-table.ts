// Profiles raw tables with danfojs: dtypes, missing values, duplicate rows, ranges. Training reads its values with
// core/table/csv.ts, as serving does. Danfojs silently misreads some tables, so the profile is compared with that
// reader.
import type * as danfojs from 'danfojs-node'
import { type Table } from '../../core/table/csv.ts'
import { type Backend, serveTensorflowTo } from '../../adapters/tfjs/backend.ts'

interface ColumnProfile {
  readonly column: string
  readonly dtype: string
  readonly missing: number
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  readonly deviation: number | null
}

export interface TableProfile {
  readonly rows: number
  readonly duplicateRows: number
  readonly columns: readonly ColumnProfile[]
  /**
   * Columns on which danfojs and core/table/csv.ts disagree, e.g. because danfojs reads decimal commas as text; all
   * columns if danfojs cannot read the file. If there are any, the profile shows the values of core/table/csv.ts.
   */
  readonly disagreements: readonly string[]
}

/** Profiles the CSV file that `table` was read from. */
export async function profileRawTable (backend: Backend, file: string, table: Table): Promise<TableProfile> {
  const danfo = serveTensorflowTo<typeof danfojs>(backend, 'danfojs-node')
  // Danfojs rejects files that core/table/csv.ts reads: decimal commas between semicolons, rows of unequal length.
  const read = await danfo.readCSV(file).then((frame) => profileFrame(frame as danfojs.DataFrame), () => undefined)
  const differing = read === undefined ? table.channels : disagreements(read.columns, table)
  const profile = read !== undefined && differing.length === 0 ? read : profileFrame(tableFrame(danfo, table))
  return { ...profile, disagreements: differing }
}

function profileFrame (frame: danfojs.DataFrame): Omit<TableProfile, 'disagreements'> {
  return {
    rows: frame.shape[0] ?? 0,
    duplicateRows: countDuplicates(frame),
    columns: frame.columns.map((column) => profileColumn(frame, column)),
  }
}

function tableFrame (danfo: typeof danfojs, { channels, timestamps, values }: Table): danfojs.DataFrame {
  const rows = Array.from(timestamps, (time, row) => [
    new Date(time).toISOString(),
    ...Array.from(channels, (_, c) => values[row * channels.length + c]!).map((value) =>
      Number.isNaN(value) ? null : value
    ),
  ])
  return new danfo.DataFrame(rows, { columns: ['time', ...channels] })
}

function profileColumn (frame: danfojs.DataFrame, column: string): ColumnProfile {
  const values = frame.column(column).values as unknown[]
  const dtype = frame.column(column).dtype
  const numbers = values.filter((value): value is number => typeof value === 'number' && Number.isFinite(value))
  const missing =
    values.filter((value) => value === null || value === undefined || value === '' || Number.isNaN(value)).length
  if (numbers.length === 0) return { column, dtype, missing, min: null, max: null, mean: null, deviation: null }
  const sum = numbers.reduce((total, value) => total + value, 0)
  const mean = sum / numbers.length
  const squares = numbers.reduce((total, value) => total + (value - mean) ** 2, 0)
  return {
    column,
    dtype,
    missing,
    min: numbers.reduce((low, value) => Math.min(low, value), Infinity),
    max: numbers.reduce((high, value) => Math.max(high, value), -Infinity),
    mean,
    deviation: Math.sqrt(squares / numbers.length),
  }
}

function countDuplicates (frame: danfojs.DataFrame): number {
  const rows = (frame.values as unknown[][]).map((row) => JSON.stringify(row))
  return rows.length - new Set(rows).size
}

function disagreements (columns: readonly ColumnProfile[], table: Table): string[] {
  const width = table.channels.length
  return table.channels.filter((channel, c) => {
    const profile = columns.find(({ column }) => column === channel)
    let missing = 0
    for (let i = c; i < table.values.length; i += width) if (Number.isNaN(table.values[i]!)) missing++
    return profile === undefined || profile.dtype === 'string' || profile.missing !== missing
  })
}
