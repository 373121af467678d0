// ISO 8601 durations ⇄ milliseconds. Years and months are refused: they have no fixed length.
import { parse, serialize } from 'tinyduration'
import { Problem } from '../errors.ts'

const MS = { seconds: 1000, minutes: 60_000, hours: 3_600_000, days: 86_400_000, weeks: 604_800_000 } as const

/**
 * Milliseconds of an ISO 8601 duration.
 * @param pointer JSON pointer of the field, for the error
 * @throws Problem invalid-request if the text is not a duration, is not positive, or counts years or months
 * @example
 * parseDuration('PT10M') // 600000
 */
export function parseDuration (text: string, pointer = ''): number {
  const wrong = (detail: string): Problem =>
    new Problem('invalid-request', `"${text}" ${detail}; write an ISO 8601 duration such as PT10M or P1D.`, {
      items: [{ pointer, detail, got: text, want: 'ISO 8601 duration' }],
    })
  let parts
  try {
    parts = parse(text)
  } catch {
    throw wrong('is not a duration')
  }
  if (parts.years || parts.months) throw wrong('counts years or months, which have no fixed length')
  const total = Object.entries(MS).reduce((sum, [unit, ms]) => sum + (parts[unit as keyof typeof MS] ?? 0) * ms, 0)
  const milliseconds = Math.round(parts.negative ? -total : total)
  if (!Number.isSafeInteger(milliseconds) || milliseconds <= 0) {
    throw wrong('is not a positive duration of at least 1 ms')
  }
  return milliseconds
}

/**
 * The ISO 8601 duration of so many milliseconds.
 * @example
 * formatDuration(600_000) // 'PT10M'
 */
export function formatDuration (milliseconds: number): string {
  const days = Math.floor(milliseconds / MS.days)
  const hours = Math.floor(milliseconds % MS.days / MS.hours)
  const minutes = Math.floor(milliseconds % MS.hours / MS.minutes)
  const seconds = milliseconds % MS.minutes / MS.seconds
  return serialize({ days, hours, minutes, seconds })
}
