// @ts-check
// An answer in one sentence, an anomaly or an observation in one line; for the page, its live region and the heading of
// a plot.
import { channelsOf, highestScore, isNumber, timelineOf } from './chart-data.js'
import { formatNumber, formatShare, plural } from './format.js'
import { instantOf, rangeOf, spanOf } from './instants.js'

/**
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Anomaly} Anomaly
 */

/**
 * The answer in one sentence, with the sentence of its worst anomaly.
 * @param {Answer} answer
 */
export function summarize (answer) {
  const reason = reasonOf(answer)
  return reason === undefined ? headline(answer) : `${headline(answer)}, ${reason}`
}

/**
 * Kind and sentence of the worst anomaly; undefined if there is none.
 * @param {Answer} answer
 */
export function reasonOf (answer) {
  const worst = worstOf(answer)
  return worst === undefined ? undefined : `${worst.kind}: ${worst.message}`
}

/** @param {Answer} answer */
function worstOf ({ anomalies = [] }) {
  return anomalies.reduce(
    (/** @type {Anomaly | undefined} */ most, next) =>
      most === undefined || next.peakScore > most.peakScore ? next : most,
    undefined
  )
}

/**
 * How many anomalies there are, and when the worst is.
 * @param {Answer} answer
 */
export function headline (answer) {
  const span = spanOf(answer, timelineOf(answer).length)
  const isScored = hasNumber(answer.score)
  if (answer.score !== undefined && !isScored) {
    return `Nothing could be scored in ${span}: the series is shorter than the model's warm-up, or all gaps`
  }
  const anomalies = answer.anomalies ?? []
  const worst = worstOf(answer)
  if (worst !== undefined) {
    return `${plural(anomalies.length, 'anomaly', 'anomalies')} in ${span}; ` +
      `${anomalies.length > 1 ? 'worst: ' : ''}${timeOf(answer, worst)}`
  }
  return `No anomalies in ${span}${isScored ? `; ${describeHighest(highestScore(answer), answer.threshold)}` : ''}`
}

/** @param {import('./types.d.ts').Values | undefined} values */
function hasNumber (values) {
  for (let t = 0; t < (values?.length ?? 0); t++) if (isNumber(values?.[t])) return true
  return false
}

/**
 * @param {number} highest
 * @param {number} threshold
 */
function describeHighest (highest, threshold) {
  if (highest > threshold) {
    return `what scores above ${formatNumber(threshold)} (at most ${formatNumber(highest)}) ` +
      'does not count by the chosen rules'
  }
  return `highest score ${formatNumber(highest)}, threshold ${formatNumber(threshold)}`
}

/**
 * @param {Answer} answer
 * @param {Anomaly} anomaly
 */
export function describeAnomaly (answer, anomaly) {
  return `${timeOf(answer, anomaly)}, ${anomaly.kind}: ${anomaly.message}`
}

/**
 * @param {Answer} answer
 * @param {Anomaly} anomaly
 */
function timeOf (answer, { start, end, peakScore }) {
  return `${rangeOf(answer, Date.parse(start), Date.parse(end))}, score ${formatNumber(peakScore)}`
}

/**
 * What is known of a score.
 * @param {Answer} answer
 * @param {number} t index of the observation
 */
export function describeScore (answer, t) {
  const score = answer.score?.[t]
  if (answer.score === undefined) return ''
  if (!isNumber(score)) return 'not scored'
  // Not every score above the threshold counts: the verdict does.
  const anomalous = answer.isAnomaly === undefined ? score > answer.threshold : answer.isAnomaly[t] === true
  return `score ${formatNumber(score)}${anomalous ? ' – anomalous' : ''}`
}

/**
 * The anomaly that holds an observation.
 * @param {Answer} answer
 * @param {number} t
 */
export function anomalyAt (answer, t) {
  const { start, interval } = timelineOf(answer)
  const time = start + t * interval
  return (answer.anomalies ?? []).find((one) => Date.parse(one.start) <= time && time <= Date.parse(one.end))
}

/**
 * One observation for the ear: its time, its score, and the three channels that contribute most.
 * @param {Answer} answer
 * @param {number} t
 */
export function describeInstant (answer, t) {
  const { start, interval } = timelineOf(answer)
  const shares = channelsOf(answer)
    .map((name) => ({ name, share: answer.contributions?.[name]?.[t] ?? 0 }))
    .filter(({ share }) => share > 0)
  const top = shares.sort((a, b) => b.share - a.share).slice(0, 3).map(({ name, share }) =>
    `${name} ${formatShare(share)}, observed ${formatNumber(answer.observed?.[name]?.[t] ?? NaN)}, ` +
    `expected ${formatNumber(answer.expected?.[name]?.[t] ?? NaN)}`
  )
  const anomaly = anomalyAt(answer, t)
  const told = anomaly === undefined ? '' : `${anomaly.kind}: ${anomaly.message}`
  const parts = [describeScore(answer, t), told, ...top].filter((part) => part !== '')
  return `${instantOf(answer, start + t * interval)}, ${parts.join('; ')}.`
}
