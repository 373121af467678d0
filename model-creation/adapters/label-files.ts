// Labels on disk: one row for each interval that is known to be anomalous.
import { readFile } from 'node:fs/promises'
import Papa from 'papaparse'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import { explainFault } from '../../adapters/settings/schema-faults.ts'

/** A known anomaly; times in milliseconds since the epoch, both ends inclusive. */
export interface Label {
  /** Name of the series, e.g. the turbine. */
  readonly series: string
  readonly fault: string
  readonly start: number
  readonly end: number
}

/** The farm's file calls the column `turbine`; other files call it `series`. */
const Row = z.object({
  turbine: z.string().optional(),
  series: z.string().optional(),
  fault: z.string(),
  start: z.iso.datetime(),
  end: z.iso.datetime(),
})
  .transform(({ turbine, series = turbine, ...rest }, context) => {
    if (series !== undefined) return { series, ...rest }
    context.addIssue({ code: 'custom', path: ['series'], message: 'missing: the name of the file without .csv' })
    return z.NEVER
  })

/** Reads the columns `series` (or `turbine`), `fault`, `start`, `end`; ignores other columns. */
export async function readLabels (file: string): Promise<Label[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Problem('invalid-table', `The labels ${file} cannot be read.`, { cause })
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
    const { series, fault, start, end } = row.data
    const label = { series, fault, start: Date.parse(start), end: Date.parse(end) }
    if (label.end < label.start) {
      throw new Problem('invalid-table', `${file}, line ${i + 2}: the label ends before it starts.`)
    }
    return label
  })
}
