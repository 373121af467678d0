// @ts-check
// What there is to draw of a plot, and where, for whoever draws it without ECharts: layout, colours, extents. No DOM,
// no canvas.
import { scoreExtent, valueExtent } from './chart-axes.js'
import {
  bandPoints,
  bucketEdges,
  defaultChannels,
  highestScore,
  imputedPoints,
  linePoints,
  lonePoints,
  timelineOf,
} from './chart-data.js'
import { heatCells } from './chart-heatmap.js'
import { layOut } from './chart-layout.js'
import { paletteOf } from './chart-palette.js'

export { formatNumber } from './format.js'
export { PARTS } from './chart-series.js'

/**
 * @typedef {import('./types.d.ts').Plot} Plot
 * @typedef {import('./types.d.ts').Plan} Plan
 */

/** A still picture has no zoom: what falls into the same two pixels is thinned to its extremes. */
const PIXELS_A_BUCKET = 2
const PIXELS_A_CELL = 3

/**
 * @param {Plot} plot
 * @returns {Plan}
 */
export function planOf (plot) {
  const { answer, width = 1200, title, subtitle } = plot
  const channels = plot.channels ?? defaultChannels(answer)
  const layout = layOut({
    channels,
    width,
    score: answer.score !== undefined,
    contributions: answer.contributions !== undefined,
    title: title !== undefined,
    subtitle: subtitle !== undefined,
    interactive: false,
  })
  const palette = paletteOf(plot.theme)
  const time = timelineOf(answer)
  const pixels = Math.max(1, layout.width - layout.left - layout.right)
  const edges = bucketEdges(time.length, Math.ceil(pixels / PIXELS_A_BUCKET))
  return {
    answer,
    channels,
    layout,
    palette,
    title,
    subtitle,
    extent: { min: time.start - time.interval / 2, max: time.start + (Math.max(1, time.length) - 0.5) * time.interval },
    time,
    scoreExtent: scoreExtent(highestScore(answer), answer.threshold),
    valueExtent: (channel) => ({ min: 0, max: 1, ...valueExtent(answer, channel) }),
    score: () => ({ line: linePoints(answer.score, edges, time), lone: lonePoints(answer.score, time) }),
    channel: (name) => ({
      band: bandPoints(answer.lower?.[name], answer.upper?.[name], edges, time),
      expected: linePoints(answer.expected?.[name], edges, time),
      observed: linePoints(answer.observed?.[name], edges, time),
      lone: lonePoints(answer.observed?.[name], time),
      imputed: imputedPoints(answer, name, time),
    }),
    heat: () =>
      heatCells(answer, channels, bucketEdges(time.length, Math.ceil(pixels / PIXELS_A_CELL)), {
        time,
        levels: palette.ramp.length,
      }),
  }
}
