// @ts-check
// One chart over time: uPlot, with gaps and incidents shaded behind it and a crosshair that all charts share.
import Plot from '/live/vendor/uPlot.esm.js'
import { formatClock, formatDay, formatNumber } from './format.js'
import { palette } from './palette.js'

/** @typedef {{ from: number, to: number, kind: 'gap' | 'incident' }} Shade */
/** @typedef {{ from: number, to: number }} Span */
/**
 * @typedef {object} ChartOptions
 * @property {Plot.Series[]} series without the time
 * @property {Plot.Band[]} [bands]
 * @property {number} height
 * @property {boolean} labels whether the time axis has labels
 * @property {Plot.Range.Function} [range] of the values
 * @property {() => readonly Shade[]} shades
 * @property {(chart: Plot) => void} [marks] drawn on top
 * @property {(time: number | undefined) => void} onHover
 */

/** Width of the scale at the left; the heat map begins there, too. */
export const AXIS = 46
const LABELS = 22
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", Arial, sans-serif'

export class TimeChart {
  #host
  #chart
  #height
  /** @type {Span} */
  #span = { from: 0, to: 1 }

  /**
   * @param {HTMLElement} host
   * @param {ChartOptions} options
   */
  constructor (host, options) {
    this.#host = host
    this.#height = options.height + (options.labels ? LABELS : 0)
    this.#chart = new Plot(
      {
        width: Math.max(50, host.clientWidth),
        height: this.#height,
        ms: 1,
        tzDate: (time) => Plot.tzDate(new Date(time), 'Etc/UTC'),
        padding: [6, 8, options.labels ? 0 : 6, 0],
        legend: { show: false },
        cursor: { x: true, y: false, drag: { x: false, y: false, setScale: false }, points: { show: false } },
        scales: {
          x: { time: true, auto: false, range: () => [this.#span.from, this.#span.to] },
          y: { range: options.range ?? rangeOfValues },
        },
        axes: [timeAxis(options.labels), valueAxis()],
        series: [{}, ...options.series],
        bands: options.bands ?? [],
        hooks: {
          drawClear: [(chart) => {
            shade(chart, options.shades())
          }],
          draw: options.marks === undefined ? [] : [options.marks],
        },
      },
      undefined,
      host
    )
    const { over } = this.#chart
    over.addEventListener('pointermove', ({ offsetX }) => {
      options.onHover(this.#chart.posToVal(offsetX, 'x'))
    })
    over.addEventListener('pointerleave', () => {
      options.onHover(undefined)
    })
  }

  /**
   * @param {any[]} data as uPlot wants it
   * @param {Span} span
   */
  draw (data, span) {
    this.#span = span
    const width = this.#host.clientWidth
    this.#chart.batch(() => {
      if (width > 0 && width !== this.#chart.width) this.#chart.setSize({ width, height: this.#height })
      this.#chart.setData(/** @type {Plot.AlignedData} */ (data), true)
    })
  }

  /** Draws again, for example in other colours. */
  redraw () {
    this.#chart.redraw(false, true)
  }

  /** @param {number | undefined} time */
  hover (time) {
    this.#chart.setCursor(
      time === undefined ? { left: -10, top: -10 } : { left: this.#chart.valToPos(time, 'x'), top: 5 },
      false
    )
  }

  destroy () {
    this.#chart.destroy()
  }
}

/**
 * @param {boolean} labels
 * @returns {Plot.Axis}
 */
function timeAxis (labels) {
  return {
    size: labels ? LABELS : 0,
    gap: 4,
    font: FONT,
    space: 64,
    stroke: () => palette.muted,
    grid: { stroke: () => palette.grid, width: 1 },
    ticks: { show: false },
    values: (_, splits) =>
      splits.map((time) => !labels ? '' : time % 86_400_000 === 0 ? formatDay(time) : formatClock(time)),
    incrs: [
      1000,
      5000,
      15_000,
      30_000,
      60_000,
      300_000,
      600_000,
      900_000,
      1_800_000,
      3_600_000,
      10_800_000,
      21_600_000,
      43_200_000,
      86_400_000,
      172_800_000,
    ],
    // uPlot calls it with (chart, axis, min, max, step).
    splits: (...[, , min, max, step]) => {
      const first = Math.ceil(min / step)
      return Array.from({ length: Math.max(0, Math.floor(max / step) - first + 1) }, (_item, i) => (first + i) * step)
    },
  }
}

/** @returns {Plot.Axis} */
function valueAxis () {
  return {
    size: AXIS,
    gap: 6,
    font: FONT,
    space: 26,
    stroke: () => palette.muted,
    grid: { stroke: () => palette.grid, width: 1 },
    ticks: { show: false },
    values: (_, splits) =>
      splits.map((value) => value === null ? '' : formatNumber(Math.abs(value) < 1e-9 ? 0 : value)),
  }
}

/** @type {Plot.Range.Function} */
function rangeOfValues (_, min, max) {
  if (min === null || max === null) return [0, 1]
  const pad = (max - min) * 0.08 || Math.abs(max) * 0.1 || 1
  return [min - pad, max + pad]
}

/**
 * @param {Plot} chart
 * @param {readonly Shade[]} shades
 */
function shade (chart, shades) {
  const { ctx: context, bbox: { left, top, width, height } } = chart
  context.save()
  context.beginPath()
  context.rect(left, top, width, height)
  context.clip()
  for (const { from, to, kind } of shades) {
    const [start, end] = [chart.valToPos(from, 'x', true), chart.valToPos(to, 'x', true)]
    if (end < left || start > left + width) continue
    context.fillStyle = kind === 'gap' ? palette.gap : palette['alarm-soft']
    context.fillRect(start, top, Math.max(2, end - start), height)
  }
  context.restore()
}
