// The answer of POST /compute as CSV (RFC 4180), one row per observation.
import { parseDuration } from '../../../core/table/duration.ts'
import type { ComputeAnswer } from '../../schemas/compute.ts'
import { formatInstant, parseInstant } from '../read/times.ts'

interface Column {
  readonly header: string
  readonly cells: ReadonlyArray<number | boolean | string | null>
}

/** Member of the answer → first word of its columns. */
const PER_CHANNEL = [
  ['observed', 'observed'],
  ['expected', 'expected'],
  ['lower', 'lower'],
  ['upper', 'upper'],
  ['contributions', 'contribution'],
] as const

/**
 * Columns `timestamp`, `score`, `isAnomaly`, `imputed` and `<part>_<channel>`, if the answer has them. Cells are empty
 * if not scored. A spreadsheet would run a cell that begins like a formula: headers begin with a fixed word, and
 * channel names in cells are marked as text.
 */
export function answerTable (answer: ComputeAnswer): string {
  const columns = columnsOf(answer)
  const start = parseInstant(answer.start)
  const step = parseDuration(answer.step)
  const lines = [['timestamp', ...columns.map(({ header }) => quote(header))].join(',')]
  const length = columns[0]?.cells.length ?? 0
  for (let t = 0; t < length; t++) {
    let line = formatInstant(start + t * step)
    for (const { cells } of columns) line += `,${cells[t] ?? ''}`
    lines.push(line)
  }
  return `${lines.join('\r\n')}\r\n`
}

function columnsOf (answer: ComputeAnswer): Column[] {
  const columns: Column[] = []
  if (answer.score) columns.push({ header: 'score', cells: answer.score })
  if (answer.isAnomaly) columns.push({ header: 'isAnomaly', cells: answer.isAnomaly })
  if (answer.quality) {
    columns.push({ header: 'imputed', cells: imputedCells(answer.quality, columns[0]?.cells.length ?? 0) })
  }
  for (const [part, word] of PER_CHANNEL) {
    for (const [channel, cells] of Object.entries(answer[part] ?? {})) {
      columns.push({ header: `${word}_${channel}`, cells })
    }
  }
  return columns
}

/** For each observation, the names of its imputed channels, separated by `;`. */
function imputedCells (quality: NonNullable<ComputeAnswer['quality']>, length: number): string[] {
  const names = Array.from({ length }, (): string[] => [])
  for (const [channel, { imputed }] of Object.entries(quality)) {
    for (const t of imputed) names[t]?.push(channel)
  }
  return names.map((filled) => quote(asText(filled.join(';'))))
}

/** Spreadsheets do not run a cell that begins with an apostrophe. */
const asText = (cell: string): string => /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell

const quote = (text: string): string => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
