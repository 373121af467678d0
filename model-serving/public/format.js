// @ts-check
// Numbers, instants and durations as people read them; all times are UTC. Also reads ISO 8601 durations.

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * Milliseconds of an ISO 8601 duration in weeks, days, hours, minutes and seconds; NaN when it is none.
 * @param {string} text e.g. `PT10M`
 */
export function durationMs (text) {
  const match = /^P(?:([\d.]+)W)?(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?$/.exec(text)
  if (match === null) return NaN
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0))
  return (weeks * 7 + days) * DAY + hours * HOUR + minutes * MINUTE + seconds * 1000
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function plural (count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/**
 * A duration in its two largest units, e.g. `1 h 40 min`.
 * @param {number} ms
 */
export function formatDuration (ms) {
  const days = Math.floor(ms / DAY)
  const hours = Math.floor((ms % DAY) / HOUR)
  const minutes = Math.floor((ms % HOUR) / MINUTE)
  const seconds = Math.round((ms % MINUTE) / 100) / 10
  const parts = days > 0
    ? [plural(days, 'day'), hours > 0 ? `${hours} h` : '']
    : [
        hours > 0 ? `${hours} h` : '',
        minutes > 0 ? `${minutes} min` : '',
        hours === 0 && seconds > 0 ? `${seconds} s` : '',
      ]
  return parts.filter((part) => part !== '').join(' ') || '0 s'
}

/** @param {number} value */
const two = (value) => String(value).padStart(2, '0')

/** @param {number} ms */
function formatDate (ms) {
  const date = new Date(ms)
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`
}

/** @param {number} ms */
function formatClock (ms) {
  const date = new Date(ms)
  const seconds = date.getUTCSeconds()
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}${seconds === 0 ? '' : `:${two(seconds)}`}`
}

/** @param {number} ms */
export function formatTime (ms) {
  return `${formatDate(ms)}, ${formatClock(ms)}`
}

/**
 * From one instant to another, naming a shared day once.
 * @param {number} from
 * @param {number} to
 */
export function formatRange (from, to) {
  if (from === to) return formatTime(from)
  return formatDate(from) === formatDate(to)
    ? `${formatTime(from)} – ${formatClock(to)}`
    : `${formatTime(from)} – ${formatTime(to)}`
}

/**
 * A number in three significant digits, without a tail of zeros.
 * @param {number} value
 */
export function formatNumber (value) {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return value.toExponential(2)
  return size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(size >= 100 ? 4 : 3)))
}

/** @param {number} share */
export function formatShare (share) {
  return `${Math.round(100 * share)} %`
}
