// The answer of POST /compute as CSV: one row an observation, RFC 4180.
import { parseDuration } from '../../core/duration.ts'
import { type ComputeAnswer } from '../schemas/compute.ts'
import { formatInstant, parseInstant } from './times.ts'

interface Column {
  readonly header: string
  readonly cells: ReadonlyArray<number | boolean | null>
}

/** Member of the answer → first word of its columns. */
const PER_CHANNEL = [['observed', 'observed'], ['expected', 'expected'], ['lower', 'lower'], ['upper', 'upper'], ['contributions', 'contribution']] as const

/**
 * Columns `timestamp`, `score`, `isAnomaly` and `<part>_<channel>`, as far as the answer holds them; empty cells where not scored.
 * A header that begins like a formula would be run by a spreadsheet; none can, because each begins with a word of ours.
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
  for (const [part, word] of PER_CHANNEL) {
    for (const [channel, cells] of Object.entries(answer[part] ?? {})) columns.push({ header: `${word}_${channel}`, cells })
  }
  return columns
}

const quote = (text: string): string => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
