// @ts-check
// Instants and spans of an answer in words: times, or numbers of observations where the table had none.
import { timelineOf } from './chart-data.js'
import { formatDuration, formatRange, formatTime, plural } from './format.js'

/** @typedef {import('./types.d.ts').Answer} Answer */

/**
 * The number of the observation at `ms`, as people write it.
 * @param {Answer} answer
 * @param {number} ms
 */
export function observationNumber (answer, ms) {
  const { start, interval } = timelineOf(answer)
  return Math.round((ms - start) / interval).toLocaleString('en')
}

/**
 * @param {Answer} answer
 * @param {number} ms
 */
export function instantOf (answer, ms) {
  return answer.numbered === true ? `observation ${observationNumber(answer, ms)}` : `${formatTime(ms)} UTC`
}

/**
 * From one instant to another, both inside.
 * @param {Answer} answer
 * @param {number} from
 * @param {number} to
 */
export function rangeOf (answer, from, to) {
  if (answer.numbered !== true) return `${formatRange(from, to)} UTC`
  return from === to
    ? instantOf(answer, from)
    : `observations ${observationNumber(answer, from)} – ${observationNumber(answer, to)}`
}

/**
 * How long so many observations last.
 * @param {Answer} answer
 * @param {number} observations
 */
export function spanOf (answer, observations) {
  return answer.numbered === true
    ? plural(observations, 'observation')
    : formatDuration(observations * timelineOf(answer).interval)
}
