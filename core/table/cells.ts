// Text → cells of a table, column by column. Knows line ends, comments and quotation marks, not what a cell means.
//
// Papa Parse alone would do the same for most tables, in 5.5 times the time (bench/RESULTS.md):
//
//   function papaCells (text: string): Cells {
//     const { data } = Papa.parse<string[]>(text, { skipEmptyLines: 'greedy' })
//     const columns = Array.from({ length: data[0]!.length }, (_, c) => data.map((row) => (row[c] ?? '').trim()))
//     return { columns, comment: undefined, row: { name: 'Line', first: 1 } }
//   }
import Papa from 'papaparse'
import { Problem } from '../errors.ts'
import { chooseDelimiter, cut, type Delimiter, NONE } from './delimiter.ts'

/** A table as text; what its columns hold is not yet known. */
export interface Cells {
  /** Shape [columns][rows], trimmed. All columns have the same number of rows; short rows are padded with ''. */
  readonly columns: ReadonlyArray<readonly string[]>
  /** Names of the columns if known; undefined: the first row may hold them. */
  readonly header?: readonly string[] | undefined
  /** Column names from a comment above the table, for a table without a header. */
  readonly comment?: readonly string[] | undefined
  /** The word for a row in messages, and the number of the first row. */
  readonly row: { readonly name: 'Line' | 'Entry', readonly first: number }
}

/** Not delimiters; Papa Parse would replace them with a comma. */
const NO_DELIMITERS = new Set([undefined, '', '\r', '\n', '"', '\uFEFF'])

/**
 * Cuts a table into cells. Detects line ends and, unless given, the delimiter.
 * @throws Problem invalid-table if the table is empty or its quotation marks do not close
 * @example
 * parseCells('time;a\n2026-01-01; 20,5\n').columns // [['time', '2026-01-01'], ['a', '20,5']]
 * parseCells('') // throws invalid-table
 */
export function parseCells (text: string, delimiter?: string): Cells {
  const { table, comment, lines } = withoutComments(evenEnds(text))
  const given = NO_DELIMITERS.has(delimiter) ? undefined : delimiter
  const parsed = table.includes('"') ? parseQuoted(table, delimiter) : parseLines(table, given)
  if (parsed.columns.length === 0) {
    throw new Problem('invalid-table', 'The table is empty; send a header and at least one row.')
  }
  return { columns: parsed.columns, row: { name: 'Line', first: lines + 1 }, comment: namesOf(comment, parsed) }
}

/** A file that was concatenated from others may mix line ends; read by one kind, the rest would be one long line. */
function evenEnds (text: string): string {
  return text.includes('\r\n') && /[^\r]\n/.test(text) ? text.replaceAll('\r\n', '\n') : text
}

/** The names in a comment; undefined unless it has exactly one name for each of two or more columns. */
function namesOf (comment: string | undefined, { columns, delimiter }: Parsed): readonly string[] | undefined {
  if (comment === undefined || columns.length < 2) return undefined
  const names = cut(comment, delimiter, columns.length + 1).map((name) => name.trim().replace(/^"(.*)"$/, '$1'))
  if (names.length !== columns.length) return undefined
  return names[0] === '' ? ['#', ...names.slice(1)] : names
}

/** A comment line or a blank line. */
const ABOVE = /#+[ \t]*([^\r\n]*)(?:\r\n|\r|\n|$)|\r\n|\r|\n/y
const MOST_ABOVE = 10_000

/**
 * Removes a byte order mark, and blank lines and lines that begin with `#` above the table.
 * @returns the table, the last comment, and the number of removed lines
 * @example
 * withoutComments('# made by hand\n\na,b') // { table: 'a,b', comment: 'made by hand', lines: 2 }
 */
export function withoutComments (text: string): { table: string, comment: string | undefined, lines: number } {
  let from = text.startsWith('\uFEFF') ? 1 : 0
  let comment: string | undefined
  let lines = 0
  for (; lines < MOST_ABOVE; lines++) {
    ABOVE.lastIndex = from
    const match = ABOVE.exec(text)
    if (match === null) break
    comment = match[1] ?? comment
    from = ABOVE.lastIndex
  }
  return { table: text.slice(from), comment, lines }
}

interface Parsed {
  readonly columns: ReadonlyArray<readonly string[]>
  readonly delimiter: Delimiter
}

/** Most cells that short lines may lack: without a bound a few megabytes of text become gigabytes of empty cells. */
const SPARE_CELLS = 1_000_000

/** Without quotation marks a line is a row. Gives the cells of Papa Parse in less than half of its time. */
function parseLines (text: string, given: string | undefined): Parsed {
  const end = lineEnd(text)
  const all = text.split(end)
  const delimiter = given ?? chooseDelimiter(all, end, text.includes(','))
  const lines = all.filter((line) => !isBlank(line, delimiter))
  if (delimiter === NONE && lines.length > 0) return { columns: [lines.map(trimmed)], delimiter }
  const width = lines.length === 0 ? 0 : cut(lines[0]!, delimiter).length
  checkCells(width, lines.length, text)
  const columns = Array.from({ length: width }, () => new Array<string>(lines.length))
  for (let row = 0; row < lines.length; row++) {
    if (typeof delimiter === 'string') cutInto(columns, row, lines[row]!, delimiter)
    else {
      const cells = cut(lines[row]!, delimiter, width)
      for (let c = 0; c < width; c++) columns[c]![row] = cells[c] ?? ''
    }
  }
  return { columns, delimiter }
}

function checkCells (width: number, lines: number, text: string): void {
  if (width * lines <= text.length + SPARE_CELLS) return
  throw new Problem(
    'invalid-table',
    `The first line has ${width} columns, but most of the ${lines} lines have far fewer; send lines of equal length.`
  )
}

/** Cuts a line as split() does, without an array for each line. */
function cutInto (columns: string[][], row: number, line: string, delimiter: string): void {
  let from = 0
  for (const column of columns) {
    const to = from > line.length ? -1 : line.indexOf(delimiter, from)
    const end = to < 0 ? line.length : to
    column[row] = from > line.length ? '' : trimmed(line.slice(from, end))
    from = end + delimiter.length
  }
}

/** Most cells of a blank line. A longer row of delimiters counts as a row without values, so it is cut only once. */
const MOST_BLANKS = 10_000

/** Whether the line holds only white space and delimiters. */
function isBlank (line: string, delimiter: Delimiter): boolean {
  const first = line.charCodeAt(0)
  if (first >= ZERO && first <= NINE) return false
  const cells = cut(line, delimiter, MOST_BLANKS)
  return cells.length < MOST_BLANKS && cells.every((cell) => cell.trim() === '')
}

function parseQuoted (text: string, delimiter: string | undefined): Parsed {
  const { data, errors, meta } = Papa.parse<string[]>(text, { skipEmptyLines: 'greedy', delimiter: delimiter ?? '' })
  const quotes = errors.find((error) => error.type === 'Quotes')
  if (quotes !== undefined) {
    throw new Problem('invalid-table', `${quotes.message} at character ${quotes.index}; close the quotation marks.`)
  }
  const width = data[0]?.length ?? 0
  checkCells(width, data.length, text)
  return {
    columns: Array.from({ length: width }, (_, c) => data.map((row) => (row[c] ?? '').trim())),
    delimiter: meta.delimiter,
  }
}

/** Characters to inspect for line ends, as in Papa Parse. */
const LOOKED_AT = 1 << 20

/** As Papa Parse finds it: the character that comes first, or the pair if a line feed follows most carriage returns. */
function lineEnd (text: string): '\n' | '\r' | '\r\n' {
  const start = text.slice(0, LOOKED_AT)
  const first = start.indexOf('\r')
  const feed = start.indexOf('\n')
  if (first < 0 || (feed >= 0 && feed < first)) return '\n'
  let returns = 0
  let pairs = 0
  for (let at = first; at >= 0; at = start.indexOf('\r', at + 1)) {
    returns++
    if (start[at + 1] === '\n') pairs++
  }
  return pairs >= (returns + 1) / 2 ? '\r\n' : '\r'
}

const [SPACE, ZERO, NINE, DELETE] = [0x20, 0x30, 0x39, 0x7f]

/** Most cells have no white space at their ends: to check this costs less than trim(). */
function trimmed (text: string): string {
  if (text === '') return text
  const first = text.charCodeAt(0)
  const last = text.charCodeAt(text.length - 1)
  return first > SPACE && first < DELETE && last > SPACE && last < DELETE ? text : text.trim()
}
