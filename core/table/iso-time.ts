// ISO 8601 times of the usual fixed shapes → milliseconds since the epoch, read character by character.
//
// Luxon takes 99 times as long, and a pattern with Date.parse 8.6 times (bench/RESULTS.md):
//
//   const SHAPE = /^(\d{4}-\d\d-(\d\d))(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?(Z|[+-]\d\d:\d\d)?)?$/
//
//   function parsedTime (text: string): number | undefined {
//     const match = SHAPE.exec(text)
//     if (match === null) return undefined
//     const [, date, day, minutes = '00:00', seconds = ':00', fraction = '', offset = 'Z'] = match
//     // Date.parse takes the 30th of February for the 2nd of March.
//     if (Number(day) > 28 && new Date(`${date}T00:00Z`).getUTCDate() !== Number(day)) return undefined
//     const time = Date.parse(`${date}T${minutes}${seconds}${offset}`)
//     return Number.isNaN(time) ? undefined : time + Math.floor(Number(`0.${fraction}`) * 1000)
//   }

const [DASH, COLON, POINT, COMMA] = [0x2d, 0x3a, 0x2e, 0x2c] as const
const [T, SPACE, Z, PLUS, ZERO] = [0x54, 0x20, 0x5a, 0x2b, 0x30] as const
/** Longest fraction of a second: a double holds its digits and their power of ten exactly. */
const MAX_DIGITS = 9
const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Milliseconds since the epoch of `2026-01-31`, `2026-01-31T13:50`, `2026-01-31 13:50:00.123`, each with or without `Z`
 * or an offset `+01:00`; a time without one counts as UTC.
 * @returns undefined if the text has none of these shapes
 * @example
 * readIsoTime('2026-01-31T01:00:00+01:00') // 1769817600000
 */
export function readIsoTime (text: string): number | undefined {
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return undefined
  const midnight = midnightOf(two(text, 0) * 100 + two(text, 2), two(text, 5), two(text, 8))
  if (midnight === undefined || text.length === 10) return midnight
  const between = text.charCodeAt(10)
  const hour = two(text, 11)
  const minute = two(text, 14)
  if ((between !== T && between !== SPACE) || text.charCodeAt(13) !== COLON || !(hour <= 23 && minute <= 59)) {
    return undefined
  }
  return withRest(text, midnight + hour * 3_600_000 + minute * 60_000)
}

/**
 * Milliseconds from the epoch to the midnight at the beginning of a day.
 * @returns undefined if the day is not a valid date, or before the year 1
 * @example
 * midnightOf(2026, 1, 31) // 1769817600000
 */
export function midnightOf (year: number, month: number, day: number): number | undefined {
  // NaN, from characters that are not digits, fails every comparison.
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month))) return undefined
  return daysSinceEpoch(year, month, day) * 86_400_000
}

/** Seconds, their fraction and the offset. */
function withRest (text: string, time: number): number | undefined {
  if (text.charCodeAt(16) !== COLON) return withOffset(text, 16, time)
  const second = two(text, 17)
  if (!(second <= 59)) return undefined
  const mark = text.charCodeAt(19)
  if (mark !== POINT && mark !== COMMA) return withOffset(text, 19, time + second * 1000)
  let end = 20
  let digits = 0
  for (let digit = text.charCodeAt(end) - ZERO; digit >= 0 && digit <= 9; digit = text.charCodeAt(end) - ZERO) {
    digits = digits * 10 + digit
    end++
  }
  if (end === 20 || end > 20 + MAX_DIGITS) return undefined
  // Division first, then multiplication, as in Luxon: the order decides how a fraction is rounded.
  return withOffset(text, end, time + second * 1000 + Math.floor(digits / POWERS[end - 20]! * 1000))
}

function withOffset (text: string, at: number, time: number): number | undefined {
  const rest = text.length - at
  if (rest === 0) return time
  const sign = text.charCodeAt(at)
  if (sign === Z) return rest === 1 ? time : undefined
  if (rest !== 6 || (sign !== PLUS && sign !== DASH) || text.charCodeAt(at + 3) !== COLON) return undefined
  const offset = minutesOf(two(text, at + 1), two(text, at + 4)) * 60_000
  return Number.isNaN(offset) ? undefined : sign === DASH ? time + offset : time - offset
}

const minutesOf = (hours: number, minutes: number): number => hours <= 23 && minutes <= 59 ? hours * 60 + minutes : NaN

/** The number in two digits; NaN if one of them is not a digit. */
function two (text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO
  const ones = text.charCodeAt(at + 1) - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

function daysOf (year: number, month: number): number {
  return month === 2 && (year % 4 !== 0 || (year % 100 === 0 && year % 400 !== 0)) ? 28 : DAYS[month - 1]!
}

/** Counts years from March, so the leap day is the last; from 0000-03-01 to 1970-01-01 there are 719 468 days. */
function daysSinceEpoch (year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468
}
