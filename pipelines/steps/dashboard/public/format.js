// @ts-check
// Numbers, instants and durations as people read them; all times are UTC.

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** @param {number} value */
const two = (value) => String(value).padStart(2, '0')

/** @param {number} ms */
export function formatDay (ms) {
  const date = new Date(ms)
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`
}

/** @param {number} ms */
export function formatClock (ms) {
  const date = new Date(ms)
  const seconds = date.getUTCSeconds()
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}${seconds === 0 ? '' : `:${two(seconds)}`}`
}

/** @param {number} ms */
export const formatTime = (ms) => `${formatDay(ms)}, ${formatClock(ms)}`

/**
 * A duration in its two largest units, e.g. `1 h 40 min`.
 * @param {number} ms
 */
export function formatDuration (ms) {
  const [days, hours, minutes, seconds] = [
    Math.floor(ms / DAY),
    Math.floor(ms % DAY / HOUR),
    Math.floor(ms % HOUR / MINUTE),
    Math.floor(ms % MINUTE / 1000),
  ]
  const parts = days > 0
    ? [`${days} d`, hours > 0 && `${hours} h`]
    : hours > 0
      ? [`${hours} h`, minutes > 0 && `${minutes} min`]
      : [minutes > 0 && `${minutes} min`, seconds > 0 && minutes < 10 && `${seconds} s`]
  return parts.filter(Boolean).join(' ') || '0 s'
}

/**
 * A number with three significant digits, without trailing zeros.
 * @param {number | null | undefined} value
 */
export function formatNumber (value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return value.toExponential(1)
  return size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}

/** A score always has two decimals, so that its width does not change. @param {number | null | undefined} score */
export const formatScore = (score) =>
  score === null || score === undefined ? '–' : score >= 100 ? score.toFixed(0) : score.toFixed(2)

/** @param {number} share */
const formatShare = (share) => `${Math.round(100 * share)}\u00a0%`

/** @param {readonly import('./types.d.ts').Share[]} shares */
export const formatShares = (shares) =>
  shares.slice(0, 3).filter(({ contribution }) => contribution >= 0.005).map(({ channel, contribution }) =>
    `${channel} ${formatShare(contribution)}`
  ).join(', ')

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`
