// @ts-check
// The one description of the plot, as an ECharts option: the page draws it on a canvas, the server as SVG and PNG. No
// DOM.
import { grids, headings, heatLegend, legend, timeAxes, valueAxes } from './chart-axes.js'
import { bucketEdges, defaultChannels, HEAT_BUCKETS, highestScore, LINE_BUCKETS, timelineOf } from './chart-data.js'
import { layOut } from './chart-layout.js'
import { paletteOf } from './chart-palette.js'
import { seriesOf } from './chart-series.js'
import { tooltipHtml } from './chart-tooltip.js'

export { headline, reasonOf } from './summary.js'

/**
 * @typedef {import('./types.d.ts').Plot} Plot
 * @typedef {import('./types.d.ts').Timeline} Timeline
 * @typedef {import('./types.d.ts').Layout} Layout
 * @typedef {import('./types.d.ts').Palette} Palette
 */

/** Without quotes: ECharts writes it into an attribute of the SVG as it is. */
const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, Arial, sans-serif'

/** @param {Plot} plot */
function channelsToDraw (plot) {
  return plot.channels ?? defaultChannels(plot.answer)
}

/**
 * @param {Plot} plot
 * @param {readonly string[]} channels
 */
function layoutOf ({ answer, width = 1200, title, subtitle, interactive = false }, channels) {
  return layOut({
    channels,
    width,
    score: answer.score !== undefined,
    contributions: answer.contributions !== undefined,
    title: title !== undefined,
    subtitle: subtitle !== undefined,
    interactive,
  })
}

/** @param {Timeline} time */
function extentOf ({ start, interval, length }) {
  return { min: start - interval / 2, max: start + (Math.max(1, length) - 0.5) * interval }
}

/**
 * The shown part as indices.
 * @param {Plot} plot
 * @param {Timeline} time
 */
function partOf ({ view }, { start, interval }) {
  return view === undefined
    ? undefined
    : { from: Math.floor((view.from - start) / interval), to: Math.ceil((view.to - start) / interval) + 1 }
}

/**
 * Zoom, pointer and tooltip, shared by all panels.
 * @param {Plot} plot
 * @param {{ channels: readonly string[], time: Timeline, layout: Layout, palette: Palette }} drawn
 */
function interaction (plot, { channels, time, layout, palette }) {
  const { min, max } = extentOf(time)
  const window = {
    xAxisIndex: 'all',
    filterMode: 'none',
    startValue: plot.view?.from ?? min,
    endValue: plot.view?.to ?? max,
    minValueSpan: 4 * time.interval,
  }
  const slider = {
    left: layout.left,
    right: layout.right,
    top: layout.sliderTop + 4,
    height: 20,
    showDetail: false,
    brushSelect: false,
    borderColor: palette.line,
    fillerColor: palette.band,
    backgroundColor: 'transparent',
    handleStyle: { color: palette.background, borderColor: palette.muted },
    moveHandleStyle: { color: palette.line },
    dataBackground: { lineStyle: { color: palette.line }, areaStyle: { color: palette.grid } },
    selectedDataBackground: { lineStyle: { color: palette.muted }, areaStyle: { color: palette.grid } },
  }
  /** @type {(params: unknown) => string} */
  const formatter = (params) => {
    const points = Array.isArray(params) ? params : [params]
    // A line knows the instant; a cell of the heat map only where it begins.
    const first = points.find(({ seriesType }) => seriesType === 'line') ?? points[0]
    const t = Math.round((Number(first?.axisValue) - time.start) / time.interval)
    return tooltipHtml(plot.answer, t, { channels, time, palette })
  }
  return {
    axisPointer: { link: [{ xAxisIndex: 'all' }] },
    dataZoom: [
      { type: 'slider', id: 'slider', ...window, ...slider },
      {
        type: 'inside',
        id: 'inside',
        ...window,
        zoomOnMouseWheel: 'ctrl',
        moveOnMouseWheel: false,
        moveOnMouseMove: true,
        preventDefaultMouseMove: false,
      },
    ],
    tooltip: {
      trigger: 'axis',
      confine: true,
      formatter,
      backgroundColor: palette.background,
      borderColor: palette.line,
      textStyle: { color: palette.text, fontSize: 12 },
    },
  }
}

/**
 * Colours the score's area by its height: nothing below the threshold. ECharts wants a piece with two finite ends to
 * make a gradient of.
 * @param {ReadonlyArray<Record<string, unknown>>} series
 * @param {import('./types.d.ts').Answer} answer
 * @param {Palette} palette
 */
function excessColour (series, answer, palette) {
  const { threshold } = answer
  const seriesIndex = series.findIndex(({ id }) => String(id).startsWith('excess'))
  if (seriesIndex < 0) return []
  const highest = Math.max(threshold, highestScore(answer))
  const pieces = [{ lte: threshold, color: palette.noExcess }, {
    gt: threshold,
    lte: 2 * highest,
    color: palette.excess,
  }]
  return [{ type: 'piecewise', show: false, seriesIndex, dimension: 1, pieces }]
}

/**
 * @param {Plot} plot
 * @returns {import('echarts').EChartsOption}
 */
export function chartOption (plot) {
  const { answer } = plot
  const channels = channelsToDraw(plot)
  const layout = layoutOf(plot, channels)
  const palette = paletteOf(plot.theme)
  const time = timelineOf(answer)
  const part = partOf(plot, time)
  const edges = bucketEdges(time.length, LINE_BUCKETS, part)
  const heatEdges = bucketEdges(time.length, HEAT_BUCKETS, part)
  const series = seriesOf(layout.panels, { answer, channels, time, palette, edges, heatEdges })
  const option = {
    animation: false,
    useUTC: true,
    backgroundColor: palette.background,
    textStyle: { fontFamily: FONT, color: palette.text },
    title: headings(layout, palette, plot),
    ...(channels.length > 0 ? { legend: legend(layout, palette) } : {}),
    grid: grids(layout, palette),
    xAxis: timeAxes(layout, palette, extentOf(time), plot),
    yAxis: valueAxes(layout, palette, answer, channels),
    graphic: heatLegend(layout, palette, channels),
    visualMap: excessColour(series, answer, palette),
    series,
    ...(plot.interactive === true ? interaction(plot, { channels, time, layout, palette }) : {}),
  }
  return /** @type {import('echarts').EChartsOption} */ (option)
}

/** @param {Plot} plot */
export function chartHeight (plot) {
  return layoutOf(plot, channelsToDraw(plot)).height
}
