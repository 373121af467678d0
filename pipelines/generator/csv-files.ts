// Plays CSV files as a fleet. A file is one series with the file's name, or several by a column `series`. Times are
// moved to the time of play.
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { Problem } from '../../core/errors.ts'
import { readObservations } from '../steps/collector/read-observations.ts'
import type { RawObservation } from '../messages/messages.ts'
import type { Part, Stretch } from './fleet.ts'

const DAY = 86_400_000

/**
 * One stretch: all rows in the order of the files. Times move by whole days, so that the time of day stays, and the
 * earliest row is on the day of `start`.
 * @throws Problem invalid-settings if there is no file; errors of the table's reader
 */
export async function * csvFleet (path: string, start: number): AsyncGenerator<Stretch> {
  const files = await filesOf(path)
  const parts: Part[] = []
  for (const file of files) {
    const observations = readObservations(await readFile(file, 'utf8'), 'text/csv', basename(file, extname(file)))
    for (const [series, ofSeries] of bySeries(observations)) parts.push(partOf(series, ofSeries))
  }
  const first = parts.reduce(
    (least, { rows }) => rows.reduce((earliest, { time }) => Math.min(earliest, time), least),
    Infinity
  )
  const shift = (Math.floor(start / DAY) - Math.floor(first / DAY)) * DAY
  yield parts.map((part) => ({ ...part, rows: part.rows.map(({ time, values }) => ({ time: time + shift, values })) }))
}

async function filesOf (path: string): Promise<string[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Problem('invalid-settings', `--csv: "${path}" cannot be read; name a file or a folder.`, { cause })
  })
  if (!found.isDirectory()) return [path]
  const files = (await readdir(path)).filter((name) => /\.csv$/i.test(name)).sort().map((name) => join(path, name))
  if (files.length === 0) throw new Problem('invalid-settings', `--csv: "${path}" holds no .csv file.`)
  return files
}

function bySeries (observations: readonly RawObservation[]): Map<string, RawObservation[]> {
  const found = new Map<string, RawObservation[]>()
  for (const observation of observations) {
    const ofSeries = found.get(observation.series)
    if (ofSeries === undefined) found.set(observation.series, [observation])
    else ofSeries.push(observation)
  }
  return found
}

function partOf (series: string, observations: readonly RawObservation[]): Part {
  const channels = Object.keys(observations[0]!.values)
  return {
    series,
    channels,
    rows: observations.map(({ time, values }) => ({
      time: Date.parse(time),
      values: Float64Array.from(channels, (channel) => values[channel] ?? NaN),
    })),
  }
}
