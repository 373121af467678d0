// Feedback on disk: one row for each statement about an interval, oldest first.
import { readFile } from 'node:fs/promises'
import Papa from 'papaparse'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import { explainFault } from '../../adapters/settings/schema-faults.ts'

/** What a person said about an interval; times in milliseconds since the epoch, both ends inclusive. */
export interface Statement {
  /** Name of the series; undefined: all of them. */
  readonly series: string | undefined
  readonly start: number
  readonly end: number
  /** `confirmed` and `missed` are faults, a `false-alarm` is normal. */
  readonly label: 'confirmed' | 'missed' | 'false-alarm'
}

const time = z.iso.datetime({ offset: true, error: 'must be a time with its zone such as 2026-03-02T00:00:00Z' })
const Row = z.object({
  series: z.string(),
  start: time,
  end: time,
  label: z.enum(['confirmed', 'missed', 'false-alarm']),
})

/**
 * Reads the columns `series` (empty: all), `start`, `end`, `label`; ignores other columns.
 * @throws Problem invalid-table naming the line
 */
export async function readFeedback (file: string): Promise<Statement[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Problem(
      'invalid-table',
      `The feedback ${file} cannot be read; "npm run data" writes an empty one, ` +
        'with the columns series, start, end, label.',
      { cause }
    )
  })
  const { data } = Papa.parse<unknown>(text, { header: true, skipEmptyLines: true })
  return data.map((value, i) => {
    const row = Row.safeParse(value, { error: explainFault })
    if (!row.success) {
      throw new Problem(
        'invalid-table',
        `${file}, line ${i + 2}: ${row.error.issues[0]?.path.join('.')}: ${row.error.issues[0]?.message}`
      )
    }
    const { series, label } = row.data
    const statement = {
      series: series === '' ? undefined : series,
      start: Date.parse(row.data.start),
      end: Date.parse(row.data.end),
      label,
    }
    if (statement.end < statement.start) {
      throw new Problem('invalid-table', `${file}, line ${i + 2}: the interval ends before it starts.`)
    }
    return statement
  })
}
