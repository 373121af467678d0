// @ts-check
// Grids, axes, headings and legend of a plot.
import { extremes, highestScore, timelineOf } from './chart-data.js'
import { PARTS } from './chart-series.js'
import { chartText } from './escape.js'
import { formatNumber } from './format.js'
import { observationNumber } from './instants.js'

/**
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Layout} Layout
 * @typedef {import('./types.d.ts').Palette} Palette
 * @typedef {import('./types.d.ts').Panel} Panel
 * @typedef {import('./types.d.ts').Plot} Plot
 */

const TIME_LABELS = {
  year: '{d} {MMM} {yyyy}',
  month: '{d} {MMM}',
  day: '{d} {MMM}',
  hour: '{HH}:{mm}',
  minute: '{HH}:{mm}',
  second: '{HH}:{mm}:{ss}',
  millisecond: '{HH}:{mm}:{ss}',
  none: '{d} {MMM} {HH}:{mm}',
}

/** Ends of the score's axis that two or three equal steps divide well: end → step. */
const SCORE_STEPS = [[1, 0.5], [1.5, 0.5], [2, 1], [3, 1], [4, 2], [6, 2], [8, 4], [10, 5]]

/**
 * Axis of the score, from 0 to a round number above `highest` and well above the threshold.
 * @param {number} highest
 * @param {number} threshold
 */
export function scoreExtent (highest, threshold) {
  const wanted = Math.max(highest * 1.04, threshold * 1.5)
  const unit = 10 ** Math.floor(Math.log10(wanted))
  const [end = 10, step = 5] = SCORE_STEPS.find(([factor = 0]) => factor * unit >= wanted - 1e-9) ?? []
  return { min: 0, max: end * unit, interval: step * unit }
}

/**
 * @param {Layout} layout
 * @param {Palette} palette
 */
export function grids ({ left, right, panels }, palette) {
  return panels.map(({ kind, top, height }) => ({
    left,
    right,
    top,
    height,
    containLabel: false,
    show: kind === 'contributions',
    backgroundColor: palette.well,
    borderWidth: 0,
  }))
}

/**
 * Ticks at round times, or at round numbers of observations where times are made up: those begin at the epoch.
 * @param {Answer} answer
 * @param {number} ticks
 */
function timeScale (answer, ticks) {
  if (answer.numbered !== true) return { type: 'time', splitNumber: ticks }
  const { length, interval } = timelineOf(answer)
  const unit = 10 ** Math.floor(Math.log10(Math.max(1, length / ticks)))
  const step = [1, 2, 5, 10].find((factor) => factor * unit * ticks >= length) ?? 10
  return { type: 'value', interval: step * unit * interval, splitLine: { show: false } }
}

/**
 * One time axis per panel. Only the axes below the score and at the bottom have labels.
 * @param {Layout} layout
 * @param {Palette} palette
 * @param {{ min: number, max: number }} extent
 * @param {Pick<import('./types.d.ts').Plot, 'answer' | 'interactive'>} plot
 */
export function timeAxes ({ panels, wide }, palette, { min, max }, { answer, interactive = false }) {
  return panels.map(({ kind }, index) => {
    const labelled = kind === 'score' || index === panels.length - 1
    return {
      ...timeScale(answer, wide ? 10 : 4),
      gridIndex: index,
      min,
      max,
      axisLine: { show: kind !== 'contributions', onZero: false, lineStyle: { color: palette.line } },
      axisTick: { show: labelled, lineStyle: { color: palette.line } },
      axisLabel: {
        show: labelled,
        color: palette.muted,
        fontSize: 11,
        hideOverlap: true,
        formatter: answer.numbered === true ? (/** @type {number} */ ms) => observationNumber(answer, ms) : TIME_LABELS,
        ...(answer.numbered === true ? { showMinLabel: false, showMaxLabel: false } : {}),
      },
      splitLine: { show: false },
      // Set for each axis: for the heat map, ECharts would otherwise take the other axis.
      ...(interactive
        ? {
            axisPointer: {
              show: true,
              triggerTooltip: true,
              snap: false,
              type: 'line',
              lineStyle: { color: palette.muted, width: 1 },
              label: { show: false },
            },
          }
        : {}),
    }
  })
}

/**
 * Ends of a channel's axis: as tight as the values and their band allow, so that small panels show much.
 * @param {Answer} answer
 * @param {string} channel
 */
export function valueExtent (answer, channel) {
  const found = [answer.observed, answer.expected, answer.lower, answer.upper].map((record) =>
    extremes(record?.[channel])
  )
  const min = Math.min(...found.map(([low]) => low))
  const max = Math.max(...found.map(([, high]) => high))
  if (min > max) return {}
  const margin = max > min ? (max - min) * 0.06 : Math.max(1e-9, Math.abs(max) * 0.1)
  return { min: min - margin, max: max + margin }
}

/**
 * @param {Layout} layout
 * @param {Palette} palette
 * @param {Answer} answer
 * @param {readonly string[]} channels
 */
export function valueAxes ({ panels, wide, left }, palette, answer, channels) {
  const label = { color: palette.muted, fontSize: 11 }
  return panels.map(({ kind, name }, index) => {
    const shared = {
      gridIndex: index,
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { showMaxLine: kind === 'score', showMinLine: kind === 'score', lineStyle: { color: palette.grid } },
    }
    if (kind === 'contributions') {
      const names = wide
        ? { ...label, align: 'left', margin: left - 8, width: left - 16, overflow: 'truncate', interval: 0 }
        : { show: false }
      return {
        ...shared,
        type: 'category',
        inverse: true,
        data: channels.map(chartText),
        splitLine: { show: false },
        axisLabel: names,
        axisPointer: { show: false },
      }
    }
    const numbers = { ...label, formatter: formatNumber, hideOverlap: true, showMinLabel: true }
    if (kind === 'channel') {
      return {
        ...shared,
        type: 'value',
        ...valueExtent(answer, name),
        splitNumber: 3,
        axisLabel: { ...numbers, showMinLabel: false, showMaxLabel: false },
        axisPointer: { show: false },
      }
    }
    return {
      ...shared,
      type: 'value',
      ...scoreExtent(highestScore(answer), answer.threshold),
      axisLabel: numbers,
      axisPointer: { show: false },
    }
  })
}

/**
 * Names of the panels: beside them if there is room, else above.
 * @param {Layout} layout
 * @param {Palette} palette
 * @param {Pick<Plot, 'title' | 'subtitle'>} texts
 */
export function headings ({ panels, wide, left, right, width }, palette, { title, subtitle }) {
  /** @type {(text: string, place: { left: number, top: number, room: number }, style?: object) => object} */
  const heading = (text, { left, top, room }, style = {}) => ({
    text: chartText(text),
    left,
    top,
    padding: 0,
    textStyle: { color: palette.text, fontSize: 12, fontWeight: 500, width: room, overflow: 'truncate', ...style },
  })
  const names = panels.map(({ kind, name, top }) => {
    if (kind === 'contributions') {
      const text = wide ? 'contribution to the score' : 'contributions'
      return heading(text, { left, top: top - 17, room: width - left - right - 130 })
    }
    const text = kind === 'score' ? 'anomaly score' : name
    const place = wide ? { left: 8, top, room: left - 54 } : { left, top: top - 17, room: width - left - right }
    return heading(text, place)
  })
  const room = width - 16
  return [
    ...title === undefined ? [] : [heading(title, { left: 8, top: 8, room }, { fontSize: 14, fontWeight: 600 })],
    ...subtitle === undefined ? [] : [heading(subtitle, { left: 8, top: title === undefined ? 8 : 28, room })],
    ...names,
  ]
}

/**
 * Explains the colours of the heat map, and on narrow screens names its rows inside.
 * @param {Layout} layout
 * @param {Palette} palette
 * @param {readonly string[]} channels
 */
export function heatLegend ({ panels, wide, left, right, width }, palette, channels) {
  const panel = panels.find(({ kind }) => kind === 'contributions')
  if (panel === undefined) return []
  const x = width - right - 116
  /** @type {(content: string, px: number, py: number) => object} */
  const text = (content, px, py) => ({
    type: 'text',
    silent: true,
    z: 10,
    x: px,
    y: py,
    style: { text: content, fill: palette.muted, fontSize: 10.5 },
  })
  const swatches = palette.ramp.map((fill, i) => ({
    type: 'rect',
    silent: true,
    shape: { x: x + 10 + i * 9, y: panel.top - 16, width: 9, height: 10 },
    style: { fill },
  }))
  const row = panel.height / Math.max(1, channels.length)
  const names = wide
    ? []
    : channels.map((name, i) => ({
      ...text(name, left + 4, panel.top + i * row + 2.5),
      style: {
        text: chartText(name),
        fill: palette.text,
        fontSize: 10.5,
        stroke: palette.background,
        lineWidth: 3,
        width: width - left - right - 8,
        overflow: 'truncate',
      },
    }))
  return [
    text('0', x, panel.top - 17),
    ...swatches,
    text('100 %', x + 12 + palette.ramp.length * 9, panel.top - 17),
    ...names,
  ]
}

/**
 * @param {Layout} layout
 * @param {Palette} palette
 */
export function legend ({ legendTop, wide, left, right }, palette) {
  /** @type {(name: string, icon: string, itemStyle: object) => object} */
  const entry = (name, icon, itemStyle) => ({ name, icon, itemStyle: { opacity: 1, ...itemStyle } })
  const stroke = 'path://M0,4h20v2h-20z'
  return {
    top: legendTop + 4,
    left: wide ? left - 4 : 8,
    right: wide ? right : 8,
    itemWidth: 18,
    itemHeight: 10,
    itemGap: wide ? 22 : 18,
    inactiveColor: palette.line,
    textStyle: { color: palette.muted, fontSize: 12 },
    data: [
      entry(PARTS.observed, stroke, { color: palette.observed }),
      entry(PARTS.expected, 'path://M0,4h5v2h-5zM8,4h5v2h-5zM16,4h5v2h-5z', { color: palette.expected }),
      entry(PARTS.band, 'rect', { color: palette.band }),
      entry(PARTS.anomaly, 'rect', { color: palette.anomaly, borderColor: palette.alarm, borderWidth: 0.5 }),
      entry(PARTS.imputed, 'diamond', { color: palette.background, borderColor: palette.imputed, borderWidth: 1.3 }),
    ],
  }
}
