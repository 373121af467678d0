// What stands between the cells of a line: found from the first lines, as the parser of quoted tables finds it, and
// beyond that for decimal commas and for columns of white space.
import Papa from 'papaparse'
import { isMissing, isNumber } from './numbers.ts'

/** What stands between two cells: text, or a pattern of white space. */
export type Delimiter = string | RegExp

/** Lines that are looked at; as many as the parser does. */
const LOOKED_AT = 10
/** Characters of each that are: a line of millions of commas tells no more than its beginning. */
const LONGEST = 100_000

/** Stands in no text: a line is one cell. */
export const NONE = '\0'

/** White space, but not between a date and its time of day; and any. */
const SPACES = [/\s+(?!\s|\d{1,2}:\d{2})/, /\s+/]
const OTHERS = ['\t', ';', '|', ...SPACES]

/** The cells of a line, at most `most` of them. */
export const cut = (line: string, delimiter: Delimiter, most?: number): string[] =>
  typeof delimiter === 'string' ? line.split(delimiter, most) : line.trim().split(delimiter, most)

/**
 * How lines without quotation marks are cut into cells. What the parser would find stands, but for what it cannot know:
 * - commas that are decimal in every line, between other delimiters (`20,5;1,5`, `20,5 1,5`), or in a single column;
 * - columns with nothing but white space between them.
 * @param hasCommas whether any line has one
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
  const told = first.filter((line) => line.trim() !== '')
  const other = hasCommas ? OTHERS.find((delimiter) => hasDecimalCommas(told, delimiter)) : undefined
  if (other !== undefined) return other
  if (hasCommas && isDecimalColumn(lines)) return NONE
  if (isFound) return ','
  return SPACES.find((space) => isTable(told, space)) ?? (hasCommas ? ',' : NONE)
}

/** Every line has as many cells, more than one, and below the first line there is a number. */
function isTable (lines: readonly string[], delimiter: Delimiter): boolean {
  const rows = lines.map((line) => cut(line, delimiter))
  const width = rows[0]?.length ?? 0
  if (width < 2 || rows.some((cells) => cells.length !== width)) return false
  return rows.slice(rows.length > 1 ? 1 : 0).flat().some((cell) => isNumber(cell, '.') || isNumber(cell, ','))
}

/** Digits on both sides: `1,` may end a cell. */
const DECIMAL_COMMA = /^[+-]?\d+,\d+(e[+-]?\d+)?$/i

/** Cut so, each comma stands inside a number. The header may have none, and one at least is needed below. */
function hasDecimalCommas (lines: readonly string[], delimiter: Delimiter): boolean {
  if (!isTable(lines, delimiter)) return false
  const withComma = lines.flatMap((line) => cut(line, delimiter)).map((cell) => cell.trim()).filter((cell) =>
    cell.includes(',')
  )
  return withComma.length > 0 && withComma.every((cell) => DECIMAL_COMMA.test(cell))
}

const ONE_COMMA = /^[+-]?(\d+)(?:,(\d+)(e[+-]?\d+)?)?$/i

/**
 * Fewest different last digits that make single digits the decimals of a measurement rather than a label or a small
 * count.
 */
const DIGITS = 6

/**
 * Whether lines such as `20,5`, each a whole number, a comma and digits, are one column of decimal commas. As they
 * stand they may as well be two columns of whole numbers, which is what CSV means by a comma; so it takes something
 * that whole numbers do not do:
 * - the header is a single name;
 * - some line has no comma (`21` between `20,5` and `21,5`) or an exponent;
 * - what follows the comma begins with a zero and goes on (`20,05`);
 * - or it is one digit in every line, and at least six of the ten occur.
 * Without a header, first numbers that count the lines are an index, and what follows a column of its own.
 */
function isDecimalColumn (lines: readonly string[]): boolean {
  // Most tables are told apart by their second line.
  if (!lines.slice(1, LOOKED_AT).map((line) => line.trim()).every(isOneNumber)) return false
  const rows = lines.map((line) => line.trim()).filter((line) => line !== '')
  const isNamed = !isOneNumber(rows[0]!)
  if (isNamed && rows[0]!.includes(',')) return false
  const numbers = isNamed ? rows.slice(1) : rows
  if (!numbers.every(isOneNumber)) return false
  return isNamed || areDecimals(numbers.map((row) => ONE_COMMA.exec(row)).filter((match) => match !== null))
}

const isOneNumber = (line: string): boolean => ONE_COMMA.test(line) || isMissing(line)

/** @param numbers matches of ONE_COMMA, some of them with one */
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
