// @ts-check
// The tooltip of one time: the score, then the observed value, expected value and contribution of each drawn channel.
import { isNumber } from './chart-data.js'
import { escapeHtml } from './escape.js'
import { formatNumber, formatShare } from './format.js'
import { instantOf } from './instants.js'
import { anomalyAt, describeScore } from './summary.js'

/**
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Timeline} Timeline
 * @typedef {import('./types.d.ts').Palette} Palette
 */

/**
 * @param {number | null | undefined} value
 */
function show (value) {
  return isNumber(value) ? formatNumber(value) : '–'
}

/**
 * HTML of the tooltip at observation t; every name in it is escaped.
 * @param {Answer} answer
 * @param {number} t
 * @param {{ channels: readonly string[], time: Timeline, palette: Palette }} drawn
 */
export function tooltipHtml (answer, t, { channels, time, palette }) {
  const cell = 'style="padding:0 0 0 14px;text-align:right;font-variant-numeric:tabular-nums"'
  const rows = channels.map((name) => {
    const share = answer.contributions?.[name]?.[t]
    const short = name.length > 40 ? `${name.slice(0, 39)}…` : name
    return `<tr><td>${escapeHtml(short)}</td><td ${cell}>${show(answer.observed?.[name]?.[t])}</td>` +
      `<td ${cell}>${show(answer.expected?.[name]?.[t])}</td>` +
      `<td ${cell}>${isNumber(share) ? formatShare(share) : '–'}</td></tr>`
  })
  const anomaly = anomalyAt(answer, t)
  const told = anomaly === undefined
    ? ''
    : `<div style="max-width:30em;white-space:normal">${escapeHtml(`${anomaly.kind}: ${anomaly.message}`)}</div>`
  const head = `<tr style="color:${palette.muted}"><td></td>` +
    `<td ${cell}>observed</td><td ${cell}>expected</td><td ${cell}>share</td></tr>`
  const when = instantOf(answer, time.start + t * time.interval)
  return `<strong>${when}</strong> &nbsp;${describeScore(answer, t)}${told}` +
    '<table style="border-collapse:collapse;margin-top:4px;font-size:12px;line-height:1.45">' +
    `${head}${rows.join('')}</table>`
}
