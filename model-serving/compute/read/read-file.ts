// A file without a name or type → input. Its format is detected from its bytes.
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
 * Reads a table as text or JSON, plain or gzip. Errors name no options, because the sender of a file cannot set any.
 * @throws Problem of the file; problems with the model come later
 */
export function inputFromFile (body: Uint8Array, { maxBytes, maxValues }: FileLimits): ComputeInput {
  const bytes = inflated(body, maxBytes)
  refuseOtherKinds(bytes)
  const text = decodeText(bytes)
  refuseOtherTexts(text)
  if (text.trim() === '') {
    throw new Problem(
      'invalid-table',
      'The file is empty; send one number per line, or a table with one column per channel.'
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
      'The file has no numbers, only missing values; send the values.'
    )
  }
  return inputOfTable(table, undefined, readOptions({}, { timestamps: 'repair' }, ['options']))
}

/** Reads a table. A single line of numbers is a series of one channel, not one observation of several channels. */
function cellsOfText (text: string, maxValues: number): Cells {
  const line = text.trim()
  const list = /[\r\n]/.test(line) ? undefined : listOf(line, maxValues)
  if (list !== undefined) return { columns: [list], row: { name: 'Entry', first: 1 } }
  checkSize(text, maxValues)
  return parseCells(text)
}

/** Separators between the numbers of a line. The comma is last: it may also be the decimal mark. */
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

/** Whether the text begins like JSON. `{` or `[` alone does not suffice: a header may begin with a unit in brackets. */
const isLikeJson = (text: string): boolean => /^\uFEFF?\s*(\{\s*["}]|\[\s*(["[{\]-]|\d|null|true|false|NaN))/.test(text)

/** Reads one value, or one per line. */
function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    return parseLines(text) ?? parseWithNaN(text, cause)
  }
}

/** Undefined if the first line is not JSON. */
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
        `Line ${i + 1} is not JSON, although the lines before are: ${(cause as Error).message}.`,
        { cause }
      )
    }
  }
  return values
}

/** Strings, which stay as they are, and the numbers that Python writes but JSON does not have. */
const STRINGS_AND_NON_NUMBERS = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g

function parseWithNaN (text: string, cause: unknown): unknown {
  const malformed = new Problem(
    'malformed-body',
    `The file begins like JSON but is not valid: ${(cause as Error).message}. Correct it, or send a table as CSV.`,
    { cause }
  )
  if (!/NaN|Infinity/.test(text)) throw malformed
  try {
    return JSON.parse(text.replace(STRINGS_AND_NON_NUMBERS, (found) => found.startsWith('"') ? found : 'null'))
  } catch {
    throw malformed
  }
}

const AXIS_OR_OPTIONS = ['start', 'step', 'timestamps', 'model', 'options']

/** Whether the value is a body of POST /compute. An object with only `channels` is a table of columns. */
function isRequest (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'channels' in value &&
    AXIS_OR_OPTIONS.some((member) => member in value)
}

/** If the request has no time axis, one is made up, as for a table. */
function inputOfRequest (value: Record<string, unknown>): ComputeInput {
  const numbered = !['start', 'step', 'timestamps'].some((member) => member in value)
  return inputFromJson(
    checked(ComputeRequestSchema, numbered ? { ...value, start: formatInstant(0), step: 'PT1S' } : value),
    numbered
  )
}
