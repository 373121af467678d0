// Numbers, durations and instants as a person writes them.

const UNITS = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000], ['ms', 1]] as const

/** Most decimals; smaller and larger numbers have an exponent. */
const MOST_DECIMALS = 6
const [SMALL, LARGE] = [1e-4, 1e7]
/** Longest channel name in a sentence. */
const LONGEST_NAME = 40

/**
 * A duration in its two largest units.
 * @param milliseconds not negative
 * @example
 * durationInWords(6_000_000) // '1 h 40 min'
 * durationInWords(240_000) // '4 min'
 * durationInWords(0.4) // '0.4 ms'
 */
export function durationInWords (milliseconds: number): string {
  if (milliseconds < 1) return `${sensible(milliseconds, milliseconds)} ms`
  const whole = Math.round(milliseconds)
  const first = UNITS.findIndex(([, size]) => whole >= size)
  const [unit, size] = UNITS[first]!
  const next = UNITS[first + 1]
  if (next === undefined) return `${whole} ${unit}`
  const rounded = Math.round(whole / next[1]) * next[1]
  // 59 min 59.9 s are 1 h.
  if (first > 0 && rounded === UNITS[first - 1]![1]) return durationInWords(rounded)
  const rest = rounded % size / next[1]
  return `${Math.floor(rounded / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${next[0]}`}`
}

/**
 * A number with the digits that matter where differences of this size do: two of the difference, three if the number
 * then has at most four.
 * @example
 * sensible(100.2468, 20.1) // '100.2'
 * sensible(45.7551, 0.42) // '45.76'
 * sensible(0.00000123, 0.000001) // '1.23e-6'
 */
export function sensible (value: number, difference: number): string {
  const [size, whole] = [sizeOf(difference), sizeOf(value)]
  const digits = Math.max(1 - size, Math.min(2 - size, 3 - whole))
  const rounded = digits > MOST_DECIMALS || Math.abs(value) >= LARGE
    ? Number(value.toPrecision(4))
    : Number(value.toFixed(Math.max(0, digits)))
  if (rounded === 0) return '0'
  if (Math.abs(rounded) >= SMALL && Math.abs(rounded) < LARGE) return String(rounded)
  // The largest number rounds to infinity.
  return (Number.isFinite(rounded) ? rounded : value).toExponential().replace('e+', 'e')
}

/** Power of ten; 0 for 0. */
function sizeOf (value: number): number {
  const size = Math.floor(Math.log10(Math.abs(value)))
  return Number.isFinite(size) ? size : 0
}

/**
 * The name of a channel on one line, shortened; a name that shows nothing is said to be none.
 * @example
 * shortName('temp\nc') // 'temp c'
 * shortName(' ') // 'unnamed channel'
 */
export function shortName (name: string): string {
  const line = Array.from(name.replace(/\s+/g, ' ').trim() || 'unnamed channel')
  return line.length > LONGEST_NAME ? `${line.slice(0, LONGEST_NAME - 1).join('')}…` : line.join('')
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const DAY = 86_400_000

/**
 * The place of an instant in its cycle: `at` it, and what is usual `then`. UTC.
 * @param cycle length of the cycle in milliseconds
 * @example
 * placeInCycle(Date.UTC(2026, 0, 5, 6), 86_400_000, 60_000).at // 'at 06:00'
 * placeInCycle(Date.UTC(2026, 0, 5), 604_800_000, 86_400_000).at // 'on a Monday'
 * placeInCycle(0, 1_440_000, 60_000).then // 'at this point of its cycle of 24 min'
 */
export function placeInCycle (time: number, cycle: number, interval: number): { at: string, then: string } {
  const instant = new Date(time)
  const clock = instant.toISOString().slice(11, interval % 60_000 === 0 ? 16 : 19)
  const weekday = WEEKDAYS[instant.getUTCDay()]!
  if (cycle === DAY) return { at: `at ${clock}`, then: 'at this time of day' }
  if (cycle !== 7 * DAY) return { at: '', then: `at this point of its cycle of ${durationInWords(cycle)}` }
  return interval % DAY === 0
    ? { at: `on a ${weekday}`, then: `on a ${weekday}` }
    : { at: `on ${weekday} at ${clock}`, then: 'at this time of the week' }
}
