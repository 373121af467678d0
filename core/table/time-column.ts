// Which column of a table holds the times, and how they are written: found by name, else by what reads as times.
import type { Cells } from './cells.ts'
import { pointer, Problem } from '../errors.ts'
import { detectTimestampReader, timestampReader, type TimestampReader } from './timestamps.ts'

/** What the caller may say of the times; whatever is left out is found. */
export interface TimeOptions {
  /** Default: a column named like a time, else the first that reads as one. */
  readonly timestampColumn?: string | undefined
  /** Luxon format, e.g. `dd.MM.yyyy HH:mm`. Default: detected. */
  readonly timestampFormat?: string | undefined
  /** For messages: whether the options can be set where the table comes from. Default: true. */
  readonly hasOptions?: boolean | undefined
}

/** One column, or a date and a time of day beside it. */
export interface TimeColumn {
  /** Indices. */
  readonly columns: readonly number[]
  readonly read: TimestampReader
  /** Whether it was taken for what it is named, not for how it reads. */
  readonly isNamed: boolean
}

/** Columns and the names of each, without the header's row. */
export interface NamedColumns {
  readonly names: readonly string[]
  /** Shape [columns][rows]. */
  readonly columns: ReadonlyArray<readonly string[]>
  readonly row: Cells['row']
}

const TIME_NAME = /^(time_?stamp|date_?time|time|date|ts|t|zeit|zeitstempel|datum|_time)$/i
const TIME_OF_DAY = /^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[ap]m)?$/i

/** Rows looked at, evenly spaced, to find out how a column is written. */
const SAMPLE = 200

/** Cells that tell how a column is written. */
export function sample (cells: readonly string[]): string[] {
  const step = Math.max(1, Math.floor(cells.length / SAMPLE))
  const sampled: string[] = []
  for (let row = 0; row < cells.length; row += step) sampled.push(cells[row]!)
  return sampled
}

/**
 * The column of the times.
 * @returns undefined where no column is named like one and none reads as one
 * @throws Problem invalid-table where the wanted column is not there, invalid-timestamp where a column named like a
 * time cannot be read
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

export const timeRemedy = (hasOptions: boolean): string =>
  `write them as 2026-01-31T13:50:00Z${
    hasOptions ? ', or name column and format (timestampColumn, timestampFormat)' : ''
  }.`

/** The column, and the one that holds the time of day where the column holds dates alone. */
function withTimeOfDay (sampled: ReadonlyArray<readonly string[]>, column: number, ofDay: readonly number[]): number[] {
  if (sampled[column]!.some((text) => text.includes(':') || text === '')) return [column]
  const time = ofDay.find((other) => other !== column)
  return time === undefined ? [column] : [column, time]
}

function readerOf (sampled: ReadonlyArray<readonly string[]>, columns: readonly number[]): TimestampReader | undefined {
  const texts = sampled[columns[0]!]!.map((_, row) => timeText(sampled, columns, row)).filter((text) => text !== '')
  // A stray bad cell must not hide the format: it is reported with its line when it is read.
  return detectTimestampReader(texts) ?? detectTimestampReader(texts.slice(0, 3))
}

const timeText = (all: ReadonlyArray<readonly string[]>, [first, second]: readonly number[], row: number): string =>
  second === undefined ? all[first!]![row]! : `${all[first!]![row]!} ${all[second]![row]!}`

/**
 * Milliseconds since the epoch, one entry a row.
 * @throws Problem invalid-timestamp with the line of the first cell that is not like the others
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
