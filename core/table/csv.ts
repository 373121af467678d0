// Text → table of timestamped rows. Detects delimiter, decimal comma, header and timestamp format; says where it
// cannot.
import { checkChannels } from './channels.ts'
import { type Cells, parseCells } from './cells.ts'
import { pointer, Problem } from '../errors.ts'
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

/** Rows as they came: in any order, with duplicates and gaps. */
export interface Table {
  readonly channels: readonly string[]
  /** Milliseconds since the epoch, shape [rows]. */
  readonly timestamps: Float64Array
  /** Shape [rows × channels]; NaN where a cell is empty. */
  readonly values: Float64Array
  /** Columns left out because they hold text, not numbers. */
  readonly textColumns: readonly string[]
  /** Set where the table had no times: row n stands at n seconds after the epoch, and at any other step as well. */
  readonly numbered?: true
}

export interface TableOptions extends TimeOptions {
  /** Default: detected. */
  readonly delimiter?: string | undefined
  /** Default: detected. */
  readonly decimal?: Decimal | undefined
  /** Rows of a table without times are numbered. Default: such a table is refused, as nothing can be trained on it. */
  readonly mayBeNumbered?: boolean | undefined
}

/** Distance of numbered rows in milliseconds. */
export const NUMBERED_STEP = 1000

/**
 * Reads a table with one timestamp column and numeric channels.
 * @throws Problem invalid-table, invalid-timestamp or invalid-value, with line and column
 */
export function readTable (text: string, options: TableOptions = {}): Table {
  return readCells(parseCells(text, options.delimiter), options)
}

/**
 * The same for a table that is taken apart already.
 * @throws Problem invalid-table, invalid-timestamp or invalid-value, with line and column
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
  channels.forEach((column, c) => { readColumn(table, column, decimal, values, c, channels.length) })
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

/** A decimal comma where commas read as numbers more often than points do. */
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
 * The first row is the header where one of its cells is neither number nor time; names that a comment gives need one
 * that is.
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

/** Undefined where the rows are to be numbered. */
function timeOf (table: NamedColumns, decimal: Decimal, options: TableOptions): TimeColumn | undefined {
  const { mayBeNumbered = false, hasOptions = true, timestampColumn, timestampFormat } = options
  const time = findTimeColumn(table, options)
  const isTold = timestampColumn !== undefined || timestampFormat !== undefined
  if (mayBeNumbered && !isTold) return time !== undefined && isAllThereIs(table, time, decimal) ? undefined : time
  if (time !== undefined) return time
  throw new Problem('invalid-table', `No column holds timestamps; ${timeRemedy(hasOptions)}`)
}

/** Numbers of nine digits and more read as times, but where nothing else is there they are the values. */
function isAllThereIs ({ columns }: NamedColumns, time: TimeColumn, decimal: Decimal): boolean {
  return columns.length === 1 && !time.isNamed && isNumber(columns[0]![0]!, decimal)
}

/** At least one cell is neither a number nor missing, and none is a number. */
function isText (cells: readonly string[], decimal: Decimal): boolean {
  return !cells.some((text) => isNumber(text, decimal)) && cells.some((text) => !isMissing(text))
}

const COUNTER_NAME = /^(index|idx|id|row|no|nr|n|#|column_1|channel_0|unnamed: ?0)$/i

/**
 * A first column that counts the rows is none of the channels, where there is another. Beside times it stays one: a
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

function readColumn (
  { names, columns, row: { name, first } }: NamedColumns,
  column: number,
  decimal: Decimal,
  values: Float64Array,
  c: number,
  width: number
): void {
  const cells = columns[column]!
  for (let row = 0; row < cells.length; row++) {
    const text = cells[row]!
    const value = readNumber(text, decimal)
    if (value === undefined) {
      throw new Problem(
        'invalid-value',
        `${name} ${first + row}, column "${
          names[column]
        }": "${text}" is not a number; leave the cell empty where there is no value.`,
        { items: [{ pointer: pointer(names[column]!, first + row), detail: 'not a number', got: text }] }
      )
    }
    values[row * width + c] = value
  }
}

/**
 * The table with only the named channels, in the named order.
 * @throws Problem missing-channel where one is not there
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
