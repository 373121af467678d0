// Writes examples/: a few days of one simulated turbine with a labelled fault, and as many healthy ones, as CSV and as
// the JSON body of POST /compute. `npm run examples`; a test keeps the files fresh.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readTable } from '../core/table/csv.ts'
import { formatDuration } from '../core/table/duration.ts'
import { resample } from '../core/series/resample.ts'
import { channelValues } from '../core/series/series.ts'
import { farmFiles } from '../simulator/files.ts'
import { isProgram, runReporting } from '../model-creation/stages/stage.ts'

const DAY = 86_400_000

/** Which days of which turbine; the fault's label is told in examples/README.md. */
const EXCERPTS = {
  'wind-turbine-fault': { turbine: 'T04', from: Date.UTC(2026, 2, 28), days: 3.75 },
  'wind-turbine-healthy': { turbine: 'T01', from: Date.UTC(2026, 2, 19), days: 3 },
}

/** The rows of a turbine's file, dirt and all, whose time lies in [from, to). */
function excerpt (text: string, from: number, to: number): string {
  const [header, ...rows] = text.trimEnd().split('\n')
  const inside = rows.filter((row) => {
    const time = Date.parse(row.slice(0, row.indexOf(',')))
    return time >= from && time < to
  })
  return `${[header, ...inside].join('\n')}\n`
}

/** The same series as a request: on the grid, null where a value is missing. */
function asRequest (csv: string): string {
  const { series } = resample(readTable(csv), { order: 'repair', maxObservations: 10_000 })
  const channels = Object.fromEntries(
    series.channels.map((name, c) => [
      name,
      Array.from(channelValues(series, c), (value) => Number.isNaN(value) ? null : value),
    ])
  )
  const start = new Date(series.start).toISOString().replace('.000Z', 'Z')
  return `${JSON.stringify({ model: 'wind-turbine', start, step: formatDuration(series.interval), channels })}\n`
}

/** name → content of every example file. */
export function exampleFiles (): Map<string, string> {
  const farm = farmFiles()
  return new Map(Object.entries(EXCERPTS).flatMap(([name, { turbine, from, days }]) => {
    const csv = excerpt(farm.get(`turbines/${turbine}.csv`)!, from, from + days * DAY)
    return [[`${name}.csv`, csv], [`${name}.json`, asRequest(csv)]]
  }))
}

if (isProgram(import.meta.url)) {
  await runReporting(async () => {
    await mkdir('examples', { recursive: true })
    for (const [name, content] of exampleFiles()) await writeFile(join('examples', name), content)
  })
}
