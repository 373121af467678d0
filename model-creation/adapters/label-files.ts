// Labels on disk: one row an interval that is known to be anomalous.
import { readFile } from 'node:fs/promises'
import Papa from 'papaparse'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'

/** A known anomaly; times in milliseconds since the epoch, both ends inside. */
export interface Label {
  /** Name of the series, e.g. the turbine. */
  readonly series: string
  readonly fault: string
  readonly start: number
  readonly end: number
}

const Row = z.object({ turbine: z.string(), fault: z.string(), start: z.iso.datetime(), end: z.iso.datetime() })

/** Reads `turbine,fault,…,start,end`. */
export async function readLabels (file: string): Promise<Label[]> {
  const { data } = Papa.parse<unknown>(await readFile(file, 'utf8'), { header: true, skipEmptyLines: true })
  return data.map((value, i) => {
    const row = Row.safeParse(value)
    if (!row.success) throw new Problem('invalid-table', `${file}, line ${i + 2}: ${row.error.issues[0]?.path.join('.')}: ${row.error.issues[0]?.message}`)
    const { turbine, fault, start, end } = row.data
    return { series: turbine, fault, start: Date.parse(start), end: Date.parse(end) }
  })
}
