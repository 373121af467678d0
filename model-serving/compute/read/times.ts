// RFC 3339 times ⇄ milliseconds since the epoch. Strict and fast: a request may have a hundred thousand times.

const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/i

/** First and last instant that RFC 3339 can write in UTC. */
const FIRST_INSTANT = -62_167_219_200_000
const LAST_INSTANT = 253_402_300_799_999

/**
 * Milliseconds since the epoch. Finer fractions are cut off.
 * @returns NaN if the text is not an RFC 3339 time with an offset
 * @example
 * parseInstant('2026-01-01T01:00:00+01:00') // 1767225600000
 */
export function parseInstant (text: string): number {
  const match = RFC_3339.exec(text)
  if (match === null) return NaN
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number
  ]
  const midnight = midnightOf(year, month, day)
  const offset = offsetOf(match[8], Number(match[9] ?? 0), Number(match[10] ?? 0))
  if (hour > 23 || minute > 59 || second > 59) return NaN
  const instant = midnight + ((hour * 60 + minute) * 60 + second) * 1000 + millisecondsOf(match[7]) - offset
  return isInstant(instant) ? instant : NaN
}

/** NaN if the date does not exist. */
function midnightOf (year: number, month: number, day: number): number {
  const date = new Date(0)
  // Not Date.UTC(): it reads years below 100 as 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : NaN
}

function offsetOf (sign: string | undefined, hours: number, minutes: number): number {
  if (hours > 23 || minutes > 59) return NaN
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

const millisecondsOf = (fraction = ''): number => Number(fraction.padEnd(3, '0').slice(0, 3))

/** Whether the time can be written in RFC 3339. */
export function isInstant (time: number): boolean {
  return time >= FIRST_INSTANT && time <= LAST_INSTANT
}

/**
 * RFC 3339 in UTC; whole seconds without a fraction.
 * @example
 * formatInstant(0) // '1970-01-01T00:00:00Z'
 */
export function formatInstant (time: number): string {
  const text = new Date(time).toISOString()
  return time % 1000 === 0 ? `${text.slice(0, 19)}Z` : text
}
