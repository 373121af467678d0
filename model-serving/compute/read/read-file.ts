// A file of which nothing is known, neither name nor type → input: what it is shows in its bytes.
import { type Cells, parseCells } from '../../../core/table/cells.ts'
import { readCells } from '../../../core/table/csv.ts'
import { Problem } from '../../../core/errors.ts'
import { isMissing, isNumber } from '../../../core/table/numbers.ts'
import { checked } from '../../schemas/check.ts'
import { ComputeRequestSchema } from '../../schemas/compute.ts'
import { decodeText, inflated } from './decode-text.ts'
import { refuseOtherKinds, refuseOtherTexts } from './file-kinds.ts'
import { inputFromJson } from './from-json.ts'
import { checkSize, inputOfTable } from './from-table.ts'
import type { ComputeInput } from './input.ts'
import { checkRecordsShape } from './json-shape.ts'
import { cellsOfJson } from './loose-json.ts'
import { readOptions } from './options.ts'
import { formatInstant } from './times.ts'

interface FileLimits {
  /** After decompression. */
  readonly maxBytes: number
  readonly maxValues: number
}

/**
 * A table as text or JSON, plain or as gzip. Messages are for the person who made the file, who can set no option.
 * @throws Problem of whatever is wrong with the file, before a model is known
 */
export function inputFromFile (body: Uint8Array, { maxBytes, maxValues }: FileLimits): ComputeInput {
  const bytes = inflated(body, maxBytes)
  refuseOtherKinds(bytes)
  const text = decodeText(bytes)
  refuseOtherTexts(text)
  if (text.trim() === '') {
    throw new Problem(
      'invalid-table',
      'The file is empty; send one number a line, or a table with one column a channel.'
    )
  }
  if (!isLikeJson(text)) return inputOfCells(cellsOfText(text, maxValues))
  checkRecordsShape(Buffer.from(text), maxValues)
  const value = parseJson(text)
  return isRequest(value) ? inputOfRequest(value) : inputOfCells(cellsOfJson(value))
}

function inputOfCells (cells: Cells): ComputeInput {
  const table = readCells(cells, { mayBeNumbered: true, hasOptions: false })
  if (table.values.every(Number.isNaN)) {
    throw new Problem(
      'invalid-table',
      'The file has no numbers, only cells that are empty or stand for missing values; send the values.'
    )
  }
  return inputOfTable(table, undefined, readOptions({}, { timestamps: 'repair' }, ['options']))
}

/** A table; but a single line of several numbers is a series, not one observation of as many channels. */
function cellsOfText (text: string, maxValues: number): Cells {
  const line = text.trim()
  const list = /[\r\n]/.test(line) ? undefined : listOf(line, maxValues)
  if (list !== undefined) return { columns: [list], row: { name: 'Entry', first: 1 } }
  checkSize(text, maxValues)
  return parseCells(text)
}

/** What may stand between the numbers of a line; the comma last, which may be decimal between others. */
const BETWEEN_NUMBERS = [';', '\t', '|', /\s+/, ',']

function listOf (line: string, maxValues: number): readonly string[] | undefined {
  for (const between of BETWEEN_NUMBERS) {
    const cells = line.split(between, maxValues + 1).map((cell) => cell.trim())
    if (cells.length < 2) continue
    if (cells.length <= maxValues) {
      if (cells.every((cell) => isMissing(cell) || isNumber(cell, '.') || isNumber(cell, ','))) return cells
      continue
    }
    throw new Problem(
      'series-too-long',
      `At most ${maxValues} values are scored in one request; the line has more. Send the series in parts.`,
      { extensions: { limit: maxValues } }
    )
  }
  return undefined
}

/** `{` or `[`, and what can follow it in JSON: a header may begin with a unit in brackets. */
const isLikeJson = (text: string): boolean => /^\uFEFF?\s*(\{\s*["}]|\[\s*(["[{\]-]|\d|null|true|false|NaN))/.test(text)

/** One value, or one a line. */
function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    return parseLines(text) ?? parseWithNaN(text, cause)
  }
}

/** Undefined where not even the first line is JSON. */
function parseLines (text: string): unknown[] | undefined {
  const values: unknown[] = []
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    try {
      values.push(JSON.parse(line))
    } catch (cause) {
      if (values.length === 0) return undefined
      throw new Problem(
        'malformed-body',
        `Line ${i + 1} is not JSON, as the lines before are: ${(cause as Error).message}.`,
        { cause }
      )
    }
  }
  return values
}

/** Strings, to leave them as they are, and what Python writes for numbers that JSON does not have. */
const NO_NUMBERS = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g

function parseWithNaN (text: string, cause: unknown): unknown {
  const malformed = new Problem(
    'malformed-body',
    `The file begins like JSON, but is not: ${(cause as Error).message}. Correct it, or send a table as CSV.`,
    { cause }
  )
  if (!/NaN|Infinity/.test(text)) throw malformed
  try {
    return JSON.parse(text.replace(NO_NUMBERS, (found) => found.startsWith('"') ? found : 'null'))
  } catch {
    throw malformed
  }
}

const AXIS_OR_OPTIONS = ['start', 'step', 'timestamps', 'model', 'options']

/** What POST /compute takes; channels alone are columns. */
function isRequest (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'channels' in value &&
    AXIS_OR_OPTIONS.some((member) => member in value)
}

/** Without any time axis, one is made up, as for a table. */
function inputOfRequest (value: Record<string, unknown>): ComputeInput {
  const numbered = !['start', 'step', 'timestamps'].some((member) => member in value)
  return inputFromJson(
    checked(ComputeRequestSchema, numbered ? { ...value, start: formatInstant(0), step: 'PT1S' } : value),
    numbered
  )
}
