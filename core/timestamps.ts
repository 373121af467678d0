// Reads timestamps as people write them; the format is found over a whole column, never guessed cell by cell.
import { DateTime } from 'luxon'

/** Text → milliseconds since the epoch (UTC), NaN where it does not match. Times without a zone count as UTC. */
export type TimestampReader = (text: string) => number

const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/

function readIso (text: string): number {
  return ISO.test(text) ? DateTime.fromISO(text.replace(' ', 'T'), { zone: 'utc' }).toMillis() : NaN
}

/** Seconds, milliseconds or microseconds since the epoch, by size: years 1980 to 2200. */
function readEpoch (text: string): number {
  if (!/^\d{9,17}(\.\d+)?$/.test(text)) return NaN
  const value = Number(text)
  if (value >= 3.15e8 && value < 7.3e9) return Math.round(value * 1000)
  if (value >= 3.15e11 && value < 7.3e12) return Math.round(value)
  return value >= 3.15e14 && value < 7.3e15 ? Math.round(value / 1000) : NaN
}

/** Day-first before month-first: where both fit, the one that gives ascending times wins. */
const FORMATS = ['d.M.yyyy', 'd/M/yyyy', 'M/d/yyyy', 'd-M-yyyy', 'yyyy/M/d', 'yyyyMMdd', 'd LLL yyyy', 'LLL d, yyyy']
  .flatMap((date) => ['H:mm:ss', 'H:mm', 'H:mm:ss.SSS', 'h:mm:ss a', 'h:mm a'].map((time) => `${date} ${time}`).concat(date))

/** A reader of one Luxon format, e.g. `dd.MM.yyyy HH:mm`. */
export function timestampReader (format: string): TimestampReader {
  return (text) => DateTime.fromFormat(text, format, { zone: 'utc', locale: 'en' }).toMillis()
}

/**
 * The reader that understands every sample; of several, the one whose times run backwards least often.
 * @returns undefined where none understands all
 */
export function detectTimestampReader (samples: readonly string[]): TimestampReader | undefined {
  if (samples.length === 0) return undefined
  for (const reader of [readIso, readEpoch]) {
    if (samples.every((text) => !Number.isNaN(reader(text)))) return reader
  }
  let best: { reader: TimestampReader, backwards: number } | undefined
  for (const format of FORMATS) {
    const reader = timestampReader(format)
    if (Number.isNaN(reader(samples[0]!))) continue
    const times = samples.map(reader)
    if (times.some(Number.isNaN)) continue
    const backwards = times.filter((time, i) => i > 0 && time < times[i - 1]!).length
    if (best === undefined || backwards < best.backwards) best = { reader, backwards }
  }
  return best?.reader
}
