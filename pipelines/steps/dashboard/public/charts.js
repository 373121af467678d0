// @ts-check
// The charts of a series: its score with the threshold, and each channel with its expected values.
import { palette } from './palette.js'
import { TimeChart } from './time-chart.js'

/** @typedef {import('./series-data.js').SeriesData} SeriesData */
/** @typedef {import('./time-chart.js').Span} Span */
/** @typedef {Pick<import('./time-chart.js').ChartOptions, 'shades' | 'onHover'>} Shared */

/** Read anew for every drawing: the theme may have changed. @param {import('./palette.js').Colour} name */
const colour = (name) => () => palette[name]

export class ScoreChart {
  #chart

  /**
   * @param {HTMLElement} host
   * @param {Shared} shared
   */
  constructor (host, shared) {
    this.#chart = new TimeChart(host, {
      ...shared,
      height: 132,
      labels: true,
      range: (_, __, max) => [0, Math.max(1.5, (max ?? 1) * 1.1)],
      series: [
        { stroke: colour('alarm'), width: 1, dash: [5, 4], points: { show: false } },
        { stroke: colour('accent'), width: 1.5, points: { show: false } },
        { stroke: colour('alarm'), width: 2.5, points: { show: false } },
      ],
    })
  }

  /**
   * @param {SeriesData} data
   * @param {Span} span
   */
  draw (data, span) {
    this.#chart.draw([data.times, data.thresholds, data.scores, data.anomalous], span)
  }

  redraw () { this.#chart.redraw() }
  /** @param {number | undefined} time */
  hover (time) { this.#chart.hover(time) }
}

export class ChannelChart {
  #chart
  #name
  /** @type {SeriesData | undefined} */
  #data
  #deviation = {
    value: /** @type {number | undefined} */ (undefined),
    of: /** @type {SeriesData | undefined} */ (undefined),
    at: 0,
  }

  /**
   * @param {HTMLElement} host
   * @param {string} name
   * @param {Shared} shared
   */
  constructor (host, name, shared) {
    this.#name = name
    this.#chart = new TimeChart(host, {
      ...shared,
      height: 104,
      labels: false,
      series: [
        { points: { show: false }, width: 0 },
        { points: { show: false }, width: 0 },
        { stroke: colour('muted'), width: 1.25, dash: [4, 3], points: { show: false } },
        { stroke: colour('accent'), width: 1.5, points: { show: false } },
      ],
      bands: [{ series: [1, 2], fill: colour('band') }],
      marks: (chart) => { this.#mark(chart) },
    })
  }

  /**
   * @param {SeriesData} data
   * @param {Span} span
   */
  draw (data, span) {
    this.#data = data
    const column = data.channels.get(this.#name)
    if (column === undefined) return
    const deviation = this.#usual(data)
    const edges = [1, -1].map((sign) =>
      column.expected.map((value) => value === null || deviation === undefined ? null : value + sign * deviation)
    )
    this.#chart.draw([data.times, ...edges, column.expected, column.value], span)
  }

  redraw () { this.#chart.redraw() }
  /** @param {number | undefined} time */
  hover (time) { this.#chart.hover(time) }
  destroy () { this.#chart.destroy() }

  /** Computed now and then only: it changes slowly. @param {SeriesData} data */
  #usual (data) {
    const known = this.#deviation
    if (known.of !== data || data.times.length > known.at + 60 || data.times.length < known.at) {
      this.#deviation = { value: data.usualDeviation(this.#name), of: data, at: data.times.length }
    }
    return this.#deviation.value
  }

  /**
   * Imputed values as rings.
   * @param {Parameters<NonNullable<import('./time-chart.js').ChartOptions['marks']>>[0]} chart
   */
  #mark (chart) {
    const column = this.#data?.channels.get(this.#name)
    if (this.#data === undefined || column === undefined) return
    const { ctx: context, bbox: { left, top, width, height } } = chart
    context.save()
    context.beginPath()
    context.rect(left, top, width, height)
    context.clip()
    context.strokeStyle = palette.text
    context.fillStyle = palette.card
    context.lineWidth = window.devicePixelRatio
    for (let i = column.imputed.indexOf(true); i >= 0; i = column.imputed.indexOf(true, i + 1)) {
      const value = column.value[i]
      if (value === null || value === undefined) continue
      context.beginPath()
      context.arc(
        chart.valToPos(this.#data.times[i] ?? 0, 'x', true),
        chart.valToPos(value, 'y', true),
        2.5 * window.devicePixelRatio,
        0,
        2 * Math.PI
      )
      context.fill()
      context.stroke()
    }
    context.restore()
  }
}
