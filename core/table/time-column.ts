// Finds the column of the times and their format: by its name, else by its cells.
import { pointer, Problem } from '../errors.ts'
import type { Cells } from './cells.ts'
import { detectTimestampReader, timestampReader, type TimestampReader } from './timestamps.ts'

/** Optional facts about the times; missing ones are detected. */
export interface TimeOptions {
  /** Default: a column named like a time, else the first column that reads as times. */
  readonly timestampColumn?: string | undefined
  /** Luxon format, e.g. `dd.MM.yyyy HH:mm`. Default: detected. */
  readonly timestampFormat?: string | undefined
  /** For messages: whether the sender of the table can set these options. Default: true. */
  readonly hasOptions?: boolean | undefined
}

/** One column, or a date and a time of day beside it. */
export interface TimeColumn {
  /** Indices. */
  readonly columns: readonly number[]
  readonly read: TimestampReader
  /** Whether it was found by its name. */
  readonly isNamed: boolean
}

/** Columns and their names, without the header row. */
export interface NamedColumns {
  readonly names: readonly string[]
  /** Shape [columns][rows]. */
  readonly columns: ReadonlyArray<readonly string[]>
  readonly row: Cells['row']
}

const TIME_NAME = /^(time_?stamp|date_?time|time|date|ts|t|zeit|zeitstempel|datum|_time)$/i
const TIME_OF_DAY = /^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[ap]m)?$/i

/** Rows, evenly spaced, that serve to detect the format of a column. */
const SAMPLE = 200

/**
 * Evenly spaced cells of a column, to detect its format from.
 * @example
 * sample(Array.from({ length: 1000 }, (_, row) => String(row))).slice(0, 3) // ['0', '5', '10']
 */
export function sample (cells: readonly string[]): string[] {
  const step = Math.max(1, Math.floor(cells.length / SAMPLE))
  const sampled: string[] = []
  for (let row = 0; row < cells.length; row += step) sampled.push(cells[row]!)
  return sampled
}

/**
 * Finds the column of the times.
 * @returns undefined if no column is named like a time and none reads as times
 * @throws Problem invalid-table if the wanted column does not exist, invalid-timestamp if a column named like a time
 * cannot be read
 * @example
 * const table = { names: ['a', 'time'], columns: [['1'], ['2026-01-01']], row: { name: 'Line', first: 2 } }
 * findTimeColumn(table, {}).columns // [1]
 * findTimeColumn(table, { timestampColumn: 'b' }) // throws invalid-table
 */
export function findTimeColumn (table: NamedColumns, options: TimeOptions): TimeColumn | undefined {
  const { timestampColumn: wanted, timestampFormat, hasOptions = true } = options
  const { names, columns } = table
  const named = names.flatMap((name, column) =>
    (wanted === undefined ? TIME_NAME.test(name) : name === wanted) ? [column] : []
  )
  if (wanted !== undefined && named.length === 0) {
    throw new Problem('invalid-table', `There is no column "${wanted}"; the columns are ${names.join(', ')}.`)
  }
  const sampled = columns.map(sample)
  const ofDay = sampled.flatMap((cells, column) => cells.every((text) => TIME_OF_DAY.test(text)) ? [column] : [])
  const isNamed = named.length > 0
  for (const column of isNamed ? named : names.map((_, column) => column)) {
    const together = wanted === undefined ? withTimeOfDay(sampled, column, ofDay) : [column]
    const read = timestampFormat === undefined ? readerOf(sampled, together) : timestampReader(timestampFormat)
    if (read !== undefined) return { columns: together, read, isNamed }
  }
  if (isNamed) {
    throw new Problem(
      'invalid-timestamp',
      `The timestamps of column "${names[named[0]!]}" are in no known format; ${timeRemedy(hasOptions)}`
    )
  }
  return undefined
}

/**
 * The advice in messages about times.
 * @example
 * timeRemedy(false) // 'write them as 2026-01-31T13:50:00Z.'
 */
export const timeRemedy = (hasOptions: boolean): string =>
  'write them as 2026-01-31T13:50:00Z' +
  (hasOptions ? ', or name column and format (timestampColumn, timestampFormat).' : '.')

/** The column and, if it holds dates alone, the column of the times of day. */
function withTimeOfDay (sampled: ReadonlyArray<readonly string[]>, column: number, ofDay: readonly number[]): number[] {
  if (sampled[column]!.some((text) => text.includes(':') || text === '')) return [column]
  const time = ofDay.find((other) => other !== column)
  return time === undefined ? [column] : [column, time]
}

function readerOf (sampled: ReadonlyArray<readonly string[]>, columns: readonly number[]): TimestampReader | undefined {
  const texts = sampled[columns[0]!]!.map((_, row) => timeText(sampled, columns, row)).filter((text) => text !== '')
  // A single bad cell must not hide the format: reading the column reports it with its line.
  return detectTimestampReader(texts) ?? detectTimestampReader(texts.slice(0, 3))
}

const timeText = (all: ReadonlyArray<readonly string[]>, [first, second]: readonly number[], row: number): string =>
  second === undefined ? all[first!]![row]! : `${all[first!]![row]!} ${all[second]![row]!}`

/**
 * Milliseconds since the epoch, one entry for each row.
 * @throws Problem invalid-timestamp with the line of the first cell that has another format
 * @example
 * const table = { names: ['a', 'time'], columns: [['1'], ['1970-01-01T00:00:05Z']], row: { name: 'Line', first: 2 } }
 * readTimes(table, findTimeColumn(table, {})) // [5000]
 */
export function readTimes ({ names, columns, row: { name, first } }: NamedColumns, time: TimeColumn): Float64Array {
  const times = new Float64Array(columns[0]!.length)
  for (let row = 0; row < times.length; row++) {
    const text = timeText(columns, time.columns, row)
    times[row] = time.read(text)
    if (!Number.isNaN(times[row])) continue
    const column = names[time.columns[0]!]!
    throw new Problem(
      'invalid-timestamp',
      `${name} ${first + row}, column "${column}": "${text}" is not a timestamp like the others.`,
      { items: [{ pointer: pointer(column, first + row), detail: 'not a timestamp', got: text }] }
    )
  }
  return times
}
