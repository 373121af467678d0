// @ts-check
// An answer in one sentence, and an anomaly in one line; for the page, its live region and the heading of a plot.
import { isNumber, timelineOf } from './chart-data.js'
import { formatDuration, formatNumber, formatRange, formatShare, plural } from './format.js'

/**
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Anomaly} Anomaly
 */

/**
 * @param {Answer} answer
 */
export function summarize (answer) {
  const { length, interval } = timelineOf(answer)
  const span = formatDuration(length * interval)
  const scores = (answer.score ?? []).filter(isNumber)
  if (answer.score !== undefined && scores.length === 0) return `Nothing could be scored in ${span}: the series is shorter than the model's warm-up, or all gaps`
  const anomalies = answer.anomalies ?? []
  const worst = anomalies.reduce((/** @type {Anomaly | undefined} */ most, next) => most === undefined || next.peakScore > most.peakScore ? next : most, undefined)
  if (worst !== undefined) return `${plural(anomalies.length, 'anomaly', 'anomalies')} in ${span}; ${anomalies.length > 1 ? 'worst: ' : ''}${describeAnomaly(worst)}`
  const highest = scores.reduce((most, score) => Math.max(most, score), -Infinity)
  return `No anomalies in ${span}${scores.length > 0 ? `; highest score ${formatNumber(highest)}, threshold ${formatNumber(answer.threshold)}` : ''}`
}

/**
 * @param {Anomaly} anomaly
 */
export function describeAnomaly (anomaly) {
  const main = anomaly.channels[0]
  const when = `${formatRange(Date.parse(anomaly.start), Date.parse(anomaly.end))} UTC`
  return `${when}, score ${formatNumber(anomaly.peakScore)}${main === undefined ? '' : `, mainly ${main.name} (${formatShare(main.contribution)})`}`
}
