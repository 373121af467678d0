// @ts-check
// The ECharts series of each panel: lines, expected band, marks, and the shading of anomalies.
import { bandPoints, imputedPoints, linePoints, lonePoints } from './chart-data.js'
import { heatCells, heatSeries } from './chart-heatmap.js'

/**
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Palette} Palette
 * @typedef {import('./types.d.ts').Panel} Panel
 * @typedef {import('./types.d.ts').Timeline} Timeline
 * @typedef {{ answer: Answer, channels: readonly string[], time: Timeline, palette: Palette, edges: readonly number[],
 * heatEdges: readonly number[] }} Drawing
 * @typedef {Record<string, unknown>} Series
 */

/** What the legend calls the parts that every panel shares. */
export const PARTS = {
  observed: 'observed',
  expected: 'expected',
  band: 'expected band',
  imputed: 'imputed',
  anomaly: 'anomaly',
  score: 'score',
}

/**
 * @param {number} panel
 * @param {string} id
 * @param {string} name
 * @returns {Series}
 */
function line (panel, id, name) {
  return {
    type: 'line',
    id: `${id}-${panel}`,
    name,
    xAxisIndex: panel,
    yAxisIndex: panel,
    showSymbol: false,
    silent: true,
    animation: false,
    connectNulls: false,
    emphasis: { disabled: true },
  }
}

/**
 * Anomalies as shaded stretches over the height of a panel, half an interval wider on either side, never thinner than a
 * line.
 * @param {number} panel
 * @param {Drawing} drawing
 * @param {string} [color]
 * @returns {Series}
 */
function shading (panel, { answer, time, palette }, color = palette.anomaly) {
  const half = time.interval / 2
  const data = (answer.anomalies ?? []).map(({ start, end }) => [
    { xAxis: Date.parse(start) - half },
    { xAxis: Date.parse(end) + half },
  ])
  const itemStyle = { color, borderColor: palette.anomaly, borderWidth: 1 }
  return {
    ...line(panel, 'anomaly', PARTS.anomaly),
    z: 0,
    data: [],
    itemStyle: { color: palette.anomaly },
    markArea: { silent: true, animation: false, itemStyle, data },
  }
}

/**
 * @param {number} panel
 * @param {Array<[number, number]>} points
 * @param {{ id: string, name: string, color: string, hollow: boolean, background: string }} look
 * @returns {Series}
 */
function dots (panel, points, { id, name, color, hollow, background }) {
  const itemStyle = hollow ? { color: background, borderColor: color, borderWidth: 1.3 } : { color }
  return {
    type: 'scatter',
    id: `${id}-${panel}`,
    name,
    xAxisIndex: panel,
    yAxisIndex: panel,
    silent: true,
    animation: false,
    symbol: hollow ? 'diamond' : 'circle',
    symbolSize: hollow ? 6 : 4,
    itemStyle,
    data: points,
    z: 4,
  }
}

/**
 * @param {number} panel
 * @param {Drawing} drawing
 * @returns {Series[]}
 */
function scoreSeries (panel, drawing) {
  const { answer, time, palette, edges } = drawing
  const data = linePoints(answer.score, edges, time)
  const threshold = {
    silent: true,
    animation: false,
    symbol: 'none',
    lineStyle: { color: palette.alarm, type: 'dashed', width: 1.2 },
    label: { formatter: 'threshold', position: 'insideStartTop', color: palette.alarm, fontSize: 11, distance: 3 },
    data: [{ yAxis: answer.threshold }],
  }
  const excess = {
    ...line(panel, 'excess', 'above threshold'),
    lineStyle: { width: 0 },
    areaStyle: { origin: answer.threshold, opacity: 1 },
    data,
    z: 1,
  }
  const score = {
    ...line(panel, 'score', PARTS.score),
    color: palette.score,
    lineStyle: { width: 1.4, color: palette.score },
    data,
    z: 3,
    markLine: threshold,
  }
  const alone = dots(panel, lonePoints(answer.score, time), {
    id: 'lone',
    name: PARTS.score,
    color: palette.score,
    hollow: false,
    background: palette.background,
  })
  // The score first: the slider of the zoom shows the first series as its shadow.
  return [score, excess, alone, shading(panel, drawing)]
}

/**
 * @param {number} panel
 * @param {string} channel
 * @param {Drawing} drawing
 * @returns {Series[]}
 */
function channelSeries (panel, channel, drawing) {
  const { answer, time, palette, edges } = drawing
  const { bottom, width } = bandPoints(answer.lower?.[channel], answer.upper?.[channel], edges, time)
  const band = { stack: `band-${panel}`, stackStrategy: 'all', color: palette.band, lineStyle: { width: 0 }, z: 1 }
  const { background } = palette
  return [
    shading(panel, drawing),
    { ...line(panel, 'lower', PARTS.band), ...band, data: bottom },
    { ...line(panel, 'upper', PARTS.band), ...band, areaStyle: { color: palette.band, opacity: 1 }, data: width },
    {
      ...line(panel, 'expected', PARTS.expected),
      color: palette.expected,
      lineStyle: { width: 1.2, type: [4, 3], color: palette.expected },
      data: linePoints(answer.expected?.[channel], edges, time),
      z: 2,
    },
    {
      ...line(panel, 'observed', PARTS.observed),
      color: palette.observed,
      lineStyle: { width: 1.5, color: palette.observed },
      data: linePoints(answer.observed?.[channel], edges, time),
      z: 3,
    },
    dots(panel, lonePoints(answer.observed?.[channel], time), {
      id: 'lone',
      name: PARTS.observed,
      color: palette.observed,
      hollow: false,
      background,
    }),
    dots(panel, imputedPoints(answer, channel, time), {
      id: 'imputed',
      name: PARTS.imputed,
      color: palette.imputed,
      hollow: true,
      background,
    }),
  ]
}

/**
 * All series of a plot, panel by panel.
 * @param {readonly Panel[]} panels
 * @param {Drawing} drawing
 * @returns {Series[]}
 */
export function seriesOf (panels, drawing) {
  return panels.flatMap((panel, index) => {
    if (panel.kind === 'score') return scoreSeries(index, drawing)
    if (panel.kind === 'channel') return channelSeries(index, panel.name, drawing)
    const { answer, channels, time, palette, heatEdges } = drawing
    // Only the edges: a tint would be read as a contribution.
    return [
      shading(index, drawing, palette.noExcess),
      heatSeries(heatCells(answer, channels, heatEdges, { time, levels: palette.ramp.length }), index, palette),
    ]
  })
}
