// Parsed JSON in the forms in which people write series → cells of a table. The forms are lists of numbers, rows or
// records, and objects of columns; each may also be a member of an object.
import type { Cells } from '../../../core/table/cells.ts'
import { Problem } from '../../../core/errors.ts'
import { MAX_COLUMNS } from './from-table.ts'

/** Members that may contain the series, the likeliest first. */
const PLACES = ['channels', 'data', 'values', 'series'] as const

/** Most cells of a table of records: a few megabytes of sparse records could become gigabytes of empty cells. */
const MAX_CELLS = 20_000_000

const ENTRIES = { name: 'Entry', first: 1 } as const

type Columns = Record<string, unknown>

/** @throws Problem invalid-table or channel-length-mismatch */
export function cellsOfJson (value: unknown): Cells {
  const cells = Array.isArray(value) ? cellsOfList(value) : isObject(value) ? cellsOfObject(value, true) : undefined
  if (cells === undefined) throw unknownShape()
  return cells
}

const unknownShape = (): Problem =>
  new Problem(
    'invalid-table',
    'The JSON contains no series; send a list of numbers, of rows or of records, or an object with one list per ' +
      'channel: {"temperature": [20.1, 20.4]}.'
  )

const isObject = (value: unknown): value is Columns =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null

function cellsOfObject (object: Columns, mayLook: boolean): Cells | undefined {
  const inside = mayLook ? PLACES.map((place) => object[place]).find(isTable) : undefined
  if (inside !== undefined) {
    return Array.isArray(inside)
      ? cellsOfList(inside, object['columns'])
      : cellsOfObject(inside as Columns, false)
  }
  const lists = Object.entries(object).filter((member): member is [string, unknown[]] =>
    Array.isArray(member[1]) && member[1].every(isScalar)
  )
  if (lists.length === 0) return undefined
  checkWidth(lists.length)
  const [[first, { length }]] = lists as [[string, unknown[]]]
  const other = lists.find(([, list]) => list.length !== length)
  if (other !== undefined) {
    throw new Problem(
      'channel-length-mismatch',
      `The lists of the JSON differ in length: "${first.slice(0, 60)}" has ${length} entries, ` +
        `"${other[0].slice(0, 60)}" has ${other[1].length}. Make them equally long, with null where a value is missing.`
    )
  }
  return { header: lists.map(([name]) => name), columns: lists.map(([, list]) => list.map(textOf)), row: ENTRIES }
}

/** Whether a member contains more than one column. */
const isTable = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 && !isScalar(value[0]) : isObject(value)

/** @param names column names of the rows, if the JSON has them */
function cellsOfList (list: readonly unknown[], names?: unknown): Cells {
  if (list.length === 0) throw new Problem('invalid-table', 'The JSON contains an empty list; send at least one value.')
  if (list.every(isScalar)) return { columns: [list.map(textOf)], row: ENTRIES }
  if (list.every(Array.isArray)) return cellsOfRows(list as unknown[][], names)
  if (list.every(isObject)) return cellsOfRecords(list as Columns[])
  throw new Problem(
    'invalid-table',
    'The entries of the JSON list are of different kinds; send only numbers and null, only rows, or only records.'
  )
}

function cellsOfRows (rows: readonly unknown[][], names: unknown): Cells {
  const header =
    Array.isArray(names) && names.length === rows[0]!.length && names.every((name) => typeof name === 'string')
      ? names as string[]
      : undefined
  const width = rows[0]!.length
  if (width === 0) throw unknownShape()
  checkWidth(width)
  checkCells(width * rows.length)
  return { header, columns: Array.from({ length: width }, (_, c) => rows.map((row) => textOf(row[c]))), row: ENTRIES }
}

/** Columns in the order in which their names first occur. */
function cellsOfRecords (records: readonly Columns[]): Cells {
  const columns = new Map<string, string[]>()
  records.forEach((record, row) => {
    for (const name of Object.keys(record)) {
      let column = columns.get(name)
      if (column === undefined) {
        columns.set(name, column = new Array<string>(records.length).fill(''))
        checkWidth(columns.size)
        checkCells(columns.size * records.length)
      }
      column[row] = textOf(record[name])
    }
  })
  if (columns.size === 0) throw unknownShape()
  return { header: [...columns.keys()], columns: [...columns.values()], row: ENTRIES }
}

function checkWidth (columns: number): void {
  if (columns > MAX_COLUMNS) {
    throw new Problem(
      'invalid-table',
      `The JSON has more than ${MAX_COLUMNS} columns; send the times and the channels only.`
    )
  }
}

function checkCells (cells: number): void {
  if (cells > MAX_CELLS) {
    throw new Problem(
      'invalid-table',
      'The records of the JSON have too many different members; send the times and the channels only.'
    )
  }
}

/** The cell as text. A nested object makes the column a text column, which is left out. */
function textOf (value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return value.trim()
  if (value === null || value === undefined) return ''
  return typeof value === 'boolean' ? String(value) : '(nested)'
}
