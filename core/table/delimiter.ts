// Detects the delimiter from the first lines: as Papa Parse does, and also beside decimal commas and between columns
// separated by white space.
import Papa from 'papaparse'
import { isMissing, isNumber } from './numbers.ts'

/** The separator of two cells: text, or a pattern of white space. */
export type Delimiter = string | RegExp

/** Lines to inspect, as in Papa Parse. */
const LOOKED_AT = 10
/** Characters to inspect in each line: the beginning of a very long line is enough. */
const LONGEST = 100_000

/** A delimiter that no text contains: a line is one cell. */
export const NONE = '\0'

/** White space except between a date and its time of day, and any white space. */
const SPACES = [/\s+(?!\s|\d{1,2}:\d{2})/, /\s+/]
const OTHERS = ['\t', ';', '|', ...SPACES]

/**
 * The cells of a line, at most `most` of them.
 * @example
 * cut('a;b;c', ';', 2) // ['a', 'b']
 * cut(' 1  2 ', /\s+/) // ['1', '2']
 */
export const cut = (line: string, delimiter: Delimiter, most?: number): string[] =>
  typeof delimiter === 'string' ? line.split(delimiter, most) : line.trim().split(delimiter, most)

/**
 * The delimiter of lines without quotation marks. It is the one that Papa Parse finds, except in cases that it does not
 * know:
 * - commas that are decimal in every line, between other delimiters (`20,5;1,5`, `20,5 1,5`), or in a single column;
 * - columns with nothing but white space between them.
 * @param hasCommas whether any line has a comma
 * @example
 * chooseDelimiter(['a;b', '20,5;1'], '\n', true) // ';'
 */
export function chooseDelimiter (
  lines: readonly string[],
  newline: '\n' | '\r' | '\r\n',
  hasCommas: boolean
): Delimiter {
  const first = lines.slice(0, LOOKED_AT).map((line) => line.slice(0, LONGEST))
  const { errors, meta } = Papa.parse<string[]>(first.join(newline), { skipEmptyLines: 'greedy', newline })
  const isFound = !errors.some(({ code }) => code === 'UndetectableDelimiter')
  if (isFound && meta.delimiter !== ',') return meta.delimiter
  const filled = first.filter((line) => line.trim() !== '')
  const other = hasCommas ? OTHERS.find((delimiter) => hasDecimalCommas(filled, delimiter)) : undefined
  if (other !== undefined) return other
  if (hasCommas && isDecimalColumn(lines)) return NONE
  if (isFound) return ','
  return SPACES.find((space) => isTable(filled, space)) ?? (hasCommas ? ',' : NONE)
}

/** Whether all lines have the same number of cells, at least two, and a line below the first holds a number. */
function isTable (lines: readonly string[], delimiter: Delimiter): boolean {
  const rows = lines.map((line) => cut(line, delimiter))
  const width = rows[0]?.length ?? 0
  if (width < 2 || rows.some((cells) => cells.length !== width)) return false
  return rows.slice(rows.length > 1 ? 1 : 0).flat().some((cell) => isNumber(cell, '.') || isNumber(cell, ','))
}

/** Digits on both sides: `1,` may end a cell. */
const DECIMAL_COMMA = /^[+-]?\d+,\d+(e[+-]?\d+)?$/i

/** Whether the delimiter leaves each comma inside a number, and at least one comma. */
function hasDecimalCommas (lines: readonly string[], delimiter: Delimiter): boolean {
  if (!isTable(lines, delimiter)) return false
  const withComma = lines.flatMap((line) => cut(line, delimiter)).map((cell) => cell.trim()).filter((cell) =>
    cell.includes(',')
  )
  return withComma.length > 0 && withComma.every((cell) => DECIMAL_COMMA.test(cell))
}

const ONE_COMMA = /^[+-]?(\d+)(?:,(\d+)(e[+-]?\d+)?)?$/i

/** Fewest distinct single digits behind the comma that suggest decimals, instead of a label or a small count. */
const DIGITS = 6

/**
 * Whether lines of a whole number, a comma and digits, such as `20,5`, are one column of decimal commas. In CSV they
 * mean two columns of whole numbers, so one column needs evidence:
 * - the header is a single name;
 * - some line has no comma (`21` between `20,5` and `21,5`) or an exponent;
 * - the digits behind a comma begin with a zero and go on (`20,05`);
 * - every line has one digit behind the comma, and at least six of the ten digits occur.
 * Without a header, first numbers that count the lines are an index column.
 */
function isDecimalColumn (lines: readonly string[]): boolean {
  // Most other tables differ in their second line.
  if (!lines.slice(1, LOOKED_AT).map((line) => line.trim()).every(isOneNumber)) return false
  const rows = lines.map((line) => line.trim()).filter((line) => line !== '')
  const isNamed = !isOneNumber(rows[0]!)
  if (isNamed && rows[0]!.includes(',')) return false
  const numbers = isNamed ? rows.slice(1) : rows
  if (!numbers.every(isOneNumber)) return false
  return isNamed || areDecimals(numbers.map((row) => ONE_COMMA.exec(row)).filter((match) => match !== null))
}

const isOneNumber = (line: string): boolean => ONE_COMMA.test(line) || isMissing(line)

/** @param numbers matches of ONE_COMMA, at least one of them with a comma */
function areDecimals (numbers: readonly RegExpExecArray[]): boolean {
  const fractions = numbers.map((match) => match[2])
  if (fractions.includes(undefined)) return true
  if (numbers.every((match, i) => Number(match[1]) === Number(numbers[0]![1]) + i)) return false
  if (
    numbers.some((match) => match[3] !== undefined) ||
    fractions.some((digits) => digits!.length > 1 && digits!.startsWith('0'))
  ) return true
  return fractions.every((digits) => digits!.length === 1) && new Set(fractions).size >= DIGITS
}
