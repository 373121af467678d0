// Text → table of timestamped rows. Detects delimiter, decimal comma, header and timestamp format; errors name the
// place.
import { pointer, Problem } from '../errors.ts'
import { checkChannels } from './channels.ts'
import { type Cells, parseCells } from './cells.ts'
import { countsRows, type Decimal, isMissing, isNumber, readNumber } from './numbers.ts'
import {
  findTimeColumn,
  type NamedColumns,
  readTimes,
  sample,
  type TimeColumn,
  type TimeOptions,
  timeRemedy,
} from './time-column.ts'
import { detectTimestampReader } from './timestamps.ts'

/** Rows as received: in any order, with duplicates and gaps. */
export interface Table {
  readonly channels: readonly string[]
  /** Milliseconds since the epoch, shape [rows]. */
  readonly timestamps: Float64Array
  /** Shape [rows × channels]; NaN for an empty cell. */
  readonly values: Float64Array
  /** Columns left out because they hold text instead of numbers. */
  readonly textColumns: readonly string[]
  /** Set if the table had no times: row n stands at n seconds after the epoch, a made-up time. */
  readonly numbered?: true
}

export interface TableOptions extends TimeOptions {
  /** Default: detected. */
  readonly delimiter?: string | undefined
  /** Default: detected. */
  readonly decimal?: Decimal | undefined
  /** Whether to number the rows of a table without times. Default: refuse it, because it cannot train a model. */
  readonly mayBeNumbered?: boolean | undefined
}

/** Distance of numbered rows in milliseconds. */
export const NUMBERED_STEP = 1000

/**
 * Reads a table with one timestamp column and numeric channels.
 * @throws Problem invalid-table, invalid-timestamp or invalid-value, with line and column
 * @example
 * readTable('time,a\n2026-01-01,1\n2026-01-02,').values // [1, NaN]
 * readTable('time,a\nyesterday,1') // throws invalid-timestamp
 */
export function readTable (text: string, options: TableOptions = {}): Table {
  return readCells(parseCells(text, options.delimiter), options)
}

/**
 * readTable() for a table that is already cut into cells.
 * @throws Problem invalid-table, invalid-timestamp or invalid-value, with line and column
 * @example
 * const cells = { columns: [['2026-01-01'], ['1,5']], header: ['time', 'a'], row: { name: 'Entry', first: 0 } }
 * readCells(cells).values // [1.5]
 */
export function readCells (cells: Cells, options: TableOptions = {}): Table {
  const decimal = options.decimal ?? detectDecimal(cells)
  const table = withNames(cells, decimal)
  const rows = table.columns[0]!.length
  if (rows === 0) throw new Problem('invalid-table', 'The table has no rows; send a header and at least one row.')
  const time = timeOf(table, decimal, options)
  const numeric = table.names.map((_, column) => column).filter((column) =>
    time?.columns.includes(column) !== true && table.names[column] !== ''
  )
  const text = numeric.filter((column) => isText(table.columns[column]!, decimal))
  const channels = withoutCounter(table, numeric.filter((column) => !text.includes(column)), time, options)
  if (channels.length === 0) {
    throw new Problem(
      'invalid-table',
      `The table has no numeric column${time === undefined ? '' : ' beside the timestamps'}.`
    )
  }
  const timestamps = time === undefined ? numberedTimes(rows) : readTimes(table, time)
  const values = new Float64Array(rows * channels.length)
  channels.forEach((column, c) => { readColumn(table, column, decimal, { values, c, width: channels.length }) })
  const namesOf = (columns: readonly number[]): string[] => columns.map((column) => table.names[column]!)
  return {
    channels: namesOf(channels),
    timestamps,
    values,
    textColumns: namesOf(text),
    ...(time === undefined && { numbered: true }),
  }
}

function numberedTimes (rows: number): Float64Array {
  const times = new Float64Array(rows)
  for (let row = 0; row < rows; row++) times[row] = row * NUMBERED_STEP
  return times
}

/** A decimal comma if more cells are numbers with a comma than with a point. */
function detectDecimal ({ columns }: Cells): Decimal {
  let commas = 0
  let points = 0
  for (const column of columns) {
    for (const text of sample(column)) {
      if (text.includes(',') && isNumber(text, ',')) commas++
      if (text.includes('.') && isNumber(text, '.')) points++
    }
  }
  return commas > points ? ',' : '.'
}

/**
 * The first row is the header if one of its cells is neither a number nor a time. With names from a comment, it is the
 * header only if none of its cells is a number or a time.
 */
function withNames ({ columns, header, comment, row }: Cells, decimal: Decimal): NamedColumns {
  if (header !== undefined) return { names: distinct(header), columns, row }
  const first = columns.map((cells) => cells[0]!)
  const isData = (text: string): boolean =>
    isMissing(text) || isNumber(text, decimal) || detectTimestampReader([text]) !== undefined
  const isHeadless = comment === undefined ? first.every(isData) : first.some(isData)
  if (isHeadless) {
    return {
      names: distinct(
        named(comment ?? first.map((_, i) => columns[i]!.every((text) => text === '') ? '' : `channel_${i}`), columns)
      ),
      columns,
      row,
    }
  }
  const names = distinct(named(first, columns))
  return { names, columns: columns.map((cells) => cells.slice(1)), row: { ...row, first: row.first + 1 } }
}

/** A column without a name and without a value is a trailing delimiter, not a channel. */
function named (names: readonly string[], columns: Cells['columns']): string[] {
  return names.map((name, i) => name === '' && columns[i]!.some((text) => !isMissing(text)) ? `column_${i + 1}` : name)
}

function distinct (names: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  const twice = names.find((name) => name !== '' && seen.size === seen.add(name).size)
  if (twice !== undefined) {
    throw new Problem('invalid-table', `Two columns are named "${twice}"; give every column a name of its own.`)
  }
  return names
}

/** The time column; undefined if the rows must be numbered. */
function timeOf (table: NamedColumns, decimal: Decimal, options: TableOptions): TimeColumn | undefined {
  const { mayBeNumbered = false, hasOptions = true, timestampColumn, timestampFormat } = options
  const time = findTimeColumn(table, options)
  const isGiven = timestampColumn !== undefined || timestampFormat !== undefined
  if (mayBeNumbered && !isGiven) return time !== undefined && isAllThereIs(table, time, decimal) ? undefined : time
  if (time !== undefined) return time
  throw new Problem('invalid-table', `No column holds timestamps; ${timeRemedy(hasOptions)}`)
}

/** Numbers of nine or more digits read as times, but in a table of one unnamed column they are the values. */
function isAllThereIs ({ columns }: NamedColumns, time: TimeColumn, decimal: Decimal): boolean {
  return columns.length === 1 && !time.isNamed && isNumber(columns[0]![0]!, decimal)
}

/** Whether no cell is a number, and at least one is not missing. */
function isText (cells: readonly string[], decimal: Decimal): boolean {
  return !cells.some((text) => isNumber(text, decimal)) && cells.some((text) => !isMissing(text))
}

const COUNTER_NAME = /^(index|idx|id|row|no|nr|n|#|column_1|channel_0|unnamed: ?0)$/i

/**
 * Leaves out a first column that counts the rows if another channel is left. Beside times it stays a channel, because a
 * model may have been trained with it.
 */
function withoutCounter (
  { names, columns }: NamedColumns,
  channels: readonly number[],
  time: TimeColumn | undefined,
  { mayBeNumbered = false, hasOptions = true }: TableOptions
): readonly number[] {
  const isWanted = mayBeNumbered && (time === undefined || !hasOptions)
  if (
    !isWanted || channels.length < 2 || channels[0] !== 0 || !COUNTER_NAME.test(names[0]!) || !countsRows(columns[0]!)
  ) return channels
  return channels.slice(1)
}

/** @param out receives the column as channel c of `width` channels */
function readColumn (
  { names, columns, row: { name, first } }: NamedColumns,
  column: number,
  decimal: Decimal,
  { values, c, width }: { readonly values: Float64Array, readonly c: number, readonly width: number }
): void {
  const cells = columns[column]!
  for (let row = 0; row < cells.length; row++) {
    const text = cells[row]!
    const value = readNumber(text, decimal)
    if (value === undefined) {
      throw new Problem(
        'invalid-value',
        `${name} ${first + row}, column "${names[column]}": "${text}" is not a number; ` +
          'leave the cell empty where there is no value.',
        { items: [{ pointer: pointer(names[column]!, first + row), detail: 'not a number', got: text }] }
      )
    }
    values[row * width + c] = value
  }
}

/**
 * The table with only the named channels, in the named order.
 * @throws Problem missing-channel if a name is not a channel
 * @example
 * const table = readTable('time,a,b\n2026-01-01,1,2')
 * keepChannels(table, ['b']).values // [2]
 * keepChannels(table, ['c']) // throws missing-channel
 */
export function keepChannels (table: Table, names: readonly string[]): Table {
  checkChannels(table.channels.filter((name) => names.includes(name)), names)
  const from = names.map((name) => table.channels.indexOf(name))
  const width = table.channels.length
  if (names.length === width && from.every((column, c) => column === c)) return table
  const values = new Float64Array(table.timestamps.length * names.length)
  for (let row = 0; row < table.timestamps.length; row++) {
    from.forEach((column, c) => { values[row * names.length + c] = table.values[row * width + column]! })
  }
  return { ...table, channels: names, values }
}
