// Text → table of timestamped rows. Detects delimiter, decimal comma, header and timestamp format; says where it cannot.
import Papa from 'papaparse'
import { pointer, Problem } from './errors.ts'
import { checkChannels } from './series.ts'
import { detectTimestampReader, timestampReader, type TimestampReader } from './timestamps.ts'

/** Rows as they came: in any order, with duplicates and gaps. */
export interface Table {
  readonly channels: readonly string[]
  /** Milliseconds since the epoch, shape [rows]. */
  readonly timestamps: Float64Array
  /** Shape [rows × channels]; NaN where a cell is empty. */
  readonly values: Float64Array
  /** Columns left out because they hold text, not numbers. */
  readonly textColumns: readonly string[]
}

export interface TableOptions {
  /** Default: detected. */
  readonly delimiter?: string | undefined
  /** Default: detected. */
  readonly decimal?: '.' | ',' | undefined
  /** Default: a column named like a time, else the first that reads as one. */
  readonly timestampColumn?: string | undefined
  /** Luxon format, e.g. `dd.MM.yyyy HH:mm`. Default: detected. */
  readonly timestampFormat?: string | undefined
}

/** What historians write where there is no value. */
const MISSING = new Set(['', '-', '--', 'na', 'n/a', 'nan', 'null', 'none', 'nil', '?', '#n/a', 'bad', 'inf', '-inf', '+inf', 'infinity', '-infinity'])
const TIME_NAME = /^(time_?stamp|date_?time|time|date|ts|t|zeit|zeitstempel|datum|_time)$/i
const TIME_OF_DAY = /^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[ap]m)?$/i
// Written so that no digit can be matched in two ways: a cell of a million digits must cost a millisecond, not an hour.
const DOT_NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i
const COMMA_NUMBER = /^[+-]?(\d+(,\d*)?|,\d+)(e[+-]?\d+)?$/i

/** Rows looked at, evenly spaced, to find out how a column is written. */
const SAMPLE = 200

/**
 * Reads a table with one timestamp column and numeric channels.
 * @throws Problem invalid-table, invalid-timestamp or invalid-value, with line and column
 */
export function readTable (text: string, options: TableOptions = {}): Table {
  const rows = parseRows(text, options.delimiter)
  const numberPattern = options.decimal === undefined ? detectDecimal(rows) : options.decimal === ',' ? COMMA_NUMBER : DOT_NUMBER
  const { header, firstRow } = splitHeader(rows, numberPattern)
  const body = rows.slice(firstRow)
  if (body.length === 0) throw new Problem('invalid-table', 'The table has no rows; send a header and at least one row.')
  const time = timestampColumn(header, body, options)
  const columns = header.map((_, column) => column).filter((column) => !time.columns.includes(column) && header[column] !== '')
  const isText = (column: number): boolean => body.every((row) => !numberPattern.test(cell(row, column))) &&
    body.some((row) => !MISSING.has(cell(row, column).toLowerCase()))
  const textColumns = columns.filter(isText)
  const channels = columns.filter((column) => !textColumns.includes(column))
  if (channels.length === 0) throw new Problem('invalid-table', 'The table has no numeric column beside the timestamps.')
  const line = (row: number): number => row + firstRow + 1
  const timestamps = Float64Array.from(body, (row, i) => readTimestamp(time, row, line(i), header))
  const values = new Float64Array(body.length * channels.length)
  body.forEach((row, i) => channels.forEach((column, c) => {
    values[i * channels.length + c] = readNumber(cell(row, column), numberPattern, line(i), header[column]!)
  }))
  return { channels: channels.map((column) => header[column]!), timestamps, values, textColumns: textColumns.map((column) => header[column]!) }
}

const cell = (row: readonly string[], column: number): string => (row[column] ?? '').trim()

function sample<T> (rows: readonly T[]): T[] {
  const step = Math.max(1, Math.floor(rows.length / SAMPLE))
  return rows.filter((_, i) => i % step === 0)
}

function parseRows (text: string, delimiter: string | undefined): string[][] {
  const unmarked = text.startsWith('\uFEFF') ? text.slice(1) : text
  const { data, errors } = Papa.parse<string[]>(unmarked, { skipEmptyLines: 'greedy', delimiter: delimiter ?? '' })
  const quotes = errors.find((error) => error.type === 'Quotes')
  if (quotes !== undefined) throw new Problem('invalid-table', `${quotes.message} at character ${quotes.index}; close the quotation marks.`)
  if (data.length === 0) throw new Problem('invalid-table', 'The table is empty; send a header and at least one row.')
  return data
}

/** A decimal comma where commas read as numbers more often than points do. */
function detectDecimal (rows: readonly string[][]): RegExp {
  const cells = sample(rows).flat().map((text) => text.trim())
  const withComma = cells.filter((text) => text.includes(',') && COMMA_NUMBER.test(text)).length
  const withPoint = cells.filter((text) => text.includes('.') && DOT_NUMBER.test(text)).length
  return withComma > withPoint ? COMMA_NUMBER : DOT_NUMBER
}

function splitHeader (rows: readonly string[][], numberPattern: RegExp): { header: string[], firstRow: 0 | 1 } {
  const first = rows[0]!.map((text) => text.trim())
  const isData = (text: string): boolean => MISSING.has(text.toLowerCase()) || numberPattern.test(text) || detectTimestampReader([text]) !== undefined
  const headless = first.every(isData)
  const header = headless ? first.map((_, i) => `channel_${i}`) : first.map((name, i) => name === '' && hasContent(rows, i) ? `column_${i + 1}` : name)
  const seen = new Set<string>()
  const twice = header.find((name) => name !== '' && seen.size === seen.add(name).size)
  if (twice !== undefined) throw new Problem('invalid-table', `Two columns are named "${twice}"; give every column a name of its own.`)
  return { header, firstRow: headless ? 0 : 1 }
}

/** A column without a name and without a value is a trailing delimiter, not a channel. */
function hasContent (rows: readonly string[][], column: number): boolean {
  return rows.some((row) => !MISSING.has(cell(row, column).toLowerCase()))
}

/** One column, or a date and a time of day beside it. */
interface TimestampColumns { readonly columns: readonly number[], readonly read: TimestampReader }

function timestampColumn (header: readonly string[], rows: readonly string[][], options: TableOptions): TimestampColumns {
  const { timestampColumn: wanted, timestampFormat } = options
  const named = header.flatMap((name, column) => (wanted === undefined ? TIME_NAME.test(name) : name === wanted) ? [column] : [])
  if (wanted !== undefined && named.length === 0) {
    throw new Problem('invalid-table', `There is no column "${wanted}"; the columns are ${header.join(', ')}.`)
  }
  for (const column of named.length > 0 ? named : header.map((_, column) => column)) {
    const columns = wanted === undefined ? withTimeOfDay(header, rows, column) : [column]
    const read = timestampFormat === undefined ? readerOf(rows, columns) : timestampReader(timestampFormat)
    if (read !== undefined) return { columns, read }
  }
  const which = named.length > 0 ? `The timestamps of column "${header[named[0]!]}" are in no known format` : 'No column holds timestamps'
  throw new Problem(named.length > 0 ? 'invalid-timestamp' : 'invalid-table',
    `${which}; write them as 2026-01-31T13:50:00Z, or name column and format (timestampColumn, timestampFormat).`)
}

/** The column, and the one that holds the time of day where the column holds dates alone. */
function withTimeOfDay (header: readonly string[], rows: readonly string[][], column: number): number[] {
  const sampled = sample(rows)
  if (sampled.some((row) => cell(row, column).includes(':') || cell(row, column) === '')) return [column]
  const time = header.findIndex((_, other) => other !== column && sampled.every((row) => TIME_OF_DAY.test(cell(row, other))))
  return time < 0 ? [column] : [column, time]
}

const timestampText = (row: readonly string[], columns: readonly number[]): string => columns.map((column) => cell(row, column)).join(' ')

function readerOf (rows: readonly string[][], columns: readonly number[]): TimestampReader | undefined {
  const texts = sample(rows).map((row) => timestampText(row, columns)).filter((text) => text !== '')
  // A stray bad cell must not hide the format: it is reported with its line when it is read.
  return detectTimestampReader(texts) ?? detectTimestampReader(texts.slice(0, 3))
}

function readTimestamp ({ read, columns }: TimestampColumns, row: readonly string[], line: number, header: readonly string[]): number {
  const text = timestampText(row, columns)
  const time = read(text)
  if (!Number.isNaN(time)) return time
  const name = header[columns[0]!]!
  throw new Problem('invalid-timestamp', `Line ${line}, column "${name}": "${text}" is not a timestamp like the others.`,
    { items: [{ pointer: pointer(name, line), detail: 'not a timestamp', got: text }] })
}

function readNumber (text: string, pattern: RegExp, line: number, channel: string): number {
  if (pattern.test(text)) {
    const value = Number(pattern === COMMA_NUMBER ? text.replace(',', '.') : text)
    return Number.isFinite(value) ? value : NaN
  }
  if (MISSING.has(text.toLowerCase())) return NaN
  throw new Problem('invalid-value', `Line ${line}, column "${channel}": "${text}" is not a number; leave the cell empty where there is no value.`,
    { items: [{ pointer: pointer(channel, line), detail: 'not a number', got: text }] })
}

/**
 * The table with only the named channels, in the named order.
 * @throws Problem missing-channel where one is not there
 */
export function keepChannels (table: Table, names: readonly string[]): Table {
  checkChannels(table.channels.filter((name) => names.includes(name)), names)
  const from = names.map((name) => table.channels.indexOf(name))
  const width = table.channels.length
  const values = new Float64Array(table.timestamps.length * names.length)
  for (let row = 0; row < table.timestamps.length; row++) {
    from.forEach((column, c) => { values[row * names.length + c] = table.values[row * width + column]! })
  }
  return { ...table, channels: names, values }
}
