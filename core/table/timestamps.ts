// Reads timestamps in many formats. The format is detected over a whole column, never for a single cell.
import { DateTime } from 'luxon'
import { Problem } from '../errors.ts'
import { midnightOf, readIsoTime } from './iso-time.ts'

/** Text → milliseconds since the epoch (UTC); NaN if it does not match. Times without a zone count as UTC. */
export type TimestampReader = (text: string) => number

const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?(?:Z|UTC|GMT)|[+-]\d{2}:?\d{2})?)?$/

function readIso (text: string): number {
  const usual = readIsoTime(text)
  if (usual !== undefined) return usual
  return ISO.test(text)
    ? DateTime.fromISO(text.replace(/ ?(Z|UTC|GMT)$/, 'Z').replace(' ', 'T'), { zone: 'utc' }).toMillis()
    : NaN
}

const EPOCH = /^\d{9,19}(\.\d+)?$/

/** Seconds, milliseconds, microseconds or nanoseconds since the epoch, by size: years 1980 to 2200. */
function readEpoch (text: string): number {
  if (!EPOCH.test(text)) return NaN
  const value = Number(text)
  if (value >= 3.15e8 && value < 7.3e9) return Math.round(value * 1000)
  if (value >= 3.15e11 && value < 7.3e12) return Math.round(value)
  if (value >= 3.15e14 && value < 7.3e15) return Math.round(value / 1000)
  return value >= 3.15e17 && value < 7.3e18 ? Math.round(value / 1e6) : NaN
}

/** Day-first before month-first: if both fit, the one with ascending times wins. Created on first use. */
let formatReaders: readonly TimestampReader[] | undefined

const FORMATS = ['d.M.yyyy', 'd/M/yyyy', 'M/d/yyyy', 'd-M-yyyy', 'yyyy/M/d', 'yyyyMMdd', 'd LLL yyyy', 'LLL d, yyyy']
  .flatMap((date) =>
    ['H:mm:ss', 'H:mm', 'H:mm:ss.SSS', 'h:mm:ss a', 'h:mm a'].map((time) => `${date} ${time}`).concat(date)
  )

/** The beginnings of all formats: other texts need not be tried. */
const LIKE_A_DATE = new RegExp(
  '^(\\d{1,2}[./-]\\d{1,2}[./-]\\d{4}|\\d{4}/\\d{1,2}/\\d{1,2}|\\d{8}|' +
    '\\d{1,2}\\s[a-z.]+\\s\\d{4}|[a-z.]+\\s\\d{1,2},\\s\\d{4})(\\s|$)',
  'i'
)

const UTC = { zone: 'utc', locale: 'en' } as const

/** Tokens of the formats above that stand for digits → their patterns. */
const DIGITS: Readonly<Record<string, string>> = {
  d: '(?<day>\\d{1,2})',
  dd: '(?<day>\\d{2})',
  M: '(?<month>\\d{1,2})',
  MM: '(?<month>\\d{2})',
  yyyy: '(?<year>\\d{4})',
  H: '(?<hour>\\d{1,2})',
  mm: '(?<minute>\\d{2})',
  ss: '(?<second>\\d{2})',
  SSS: '(?<millisecond>\\d{3})',
}

/**
 * timestampReader() for one of the formats above: plain dates take a tenth of Luxon's time, other texts go to Luxon.
 */
function quickReader (format: string): TimestampReader {
  const slow = timestampReader(format)
  const tokens = Array.from(format.matchAll(/([A-Za-z])\1*|[^A-Za-z]/g), ([token]) => token)
  if (tokens.some((token) => /[A-Za-z]/.test(token) && DIGITS[token] === undefined)) return slow
  const pattern = new RegExp(
    `^${tokens.map((token) => DIGITS[token] ?? `\\u${token.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}$`
  )
  return (text) => {
    const match = pattern.exec(text)
    if (match === null) return slow(text)
    const groups = match.groups!
    const time = (midnightOf(Number(groups['year']), Number(groups['month']), Number(groups['day'])) ?? NaN) +
      timeOfDay(groups)
    return Number.isNaN(time) ? slow(text) : time
  }
}

/** Name, count in the next larger unit, milliseconds. */
const UNITS = [['hour', 24, 3_600_000], ['minute', 60, 60_000], ['second', 60, 1000], ['millisecond', 1000, 1]] as const

/** Milliseconds since midnight; NaN if a unit is too large. */
function timeOfDay (groups: Readonly<Record<string, string | undefined>>): number {
  let time = 0
  for (const [name, count, milliseconds] of UNITS) {
    const units = Number(groups[name] ?? 0)
    time += units < count ? units * milliseconds : NaN
  }
  return time
}

/**
 * A reader of one Luxon format, e.g. `dd.MM.yyyy HH:mm`.
 * @throws Problem invalid-timestamp if the format contradicts itself, e.g. names the hour twice
 * @example
 * timestampReader('dd.MM.yyyy HH:mm')('31.01.2026 01:00') // 1769821200000
 * timestampReader('hh HH a') // throws invalid-timestamp
 */
export function timestampReader (format: string): TimestampReader {
  const parser = DateTime.buildFormatParser(format, UTC)
  const read: TimestampReader = (text) => DateTime.fromFormatParser(text, parser, UTC).toMillis()
  try {
    // Luxon finds contradictions only in a text that fits.
    read(DateTime.fromMillis(0, UTC).toFormat(format))
  } catch (cause) {
    throw new Problem(
      'invalid-timestamp',
      `"${format}" is not a timestamp format: ${(cause as Error).message}. Write one like "dd.MM.yyyy HH:mm".`,
      { items: [{ pointer: '/timestampFormat', detail: 'contradicts itself', got: format }], cause }
    )
  }
  return read
}

/**
 * The reader that understands every sample. Of several readers the one whose times run backwards least often, then the
 * one with the most regular distances.
 * @returns undefined if no reader understands all samples
 * @example
 * detectTimestampReader(['13/1/2026', '14/1/2026'])('13/1/2026') // 1768262400000
 * detectTimestampReader(['yesterday']) // undefined
 */
export function detectTimestampReader (samples: readonly string[]): TimestampReader | undefined {
  if (samples.length === 0) return undefined
  for (const reader of [readIso, readEpoch]) {
    if (samples.every((text) => !Number.isNaN(reader(text)))) return reader
  }
  if (!LIKE_A_DATE.test(samples[0]!)) return undefined
  formatReaders ??= FORMATS.map(quickReader)
  const fitting = formatReaders.filter((reader) => samples.every((text) => !Number.isNaN(reader(text))))
  const times = new Map(fitting.map((reader) => [reader, samples.map(reader)]))
  const worse = (a: TimestampReader, b: TimestampReader): number =>
    backwardSteps(times.get(a)!) - backwardSteps(times.get(b)!) ||
    regularSteps(times.get(b)!) - regularSteps(times.get(a)!)
  return fitting.sort(worse)[0]
}

function backwardSteps (times: readonly number[]): number {
  return times.filter((time, i) => i > 0 && time < times[i - 1]!).length
}

/** How often the most frequent distance occurs: swapped days and months make jumps. */
function regularSteps (times: readonly number[]): number {
  const counts = new Map<number, number>()
  for (let i = 1; i < times.length; i++) {
    const distance = times[i]! - times[i - 1]!
    counts.set(distance, (counts.get(distance) ?? 0) + 1)
  }
  return Math.max(0, ...counts.values())
}
