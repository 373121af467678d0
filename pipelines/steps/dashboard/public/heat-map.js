// @ts-check
// Channel × time: the share of each channel in the score. An image with one pixel per column and channel, stretched
// over the canvas.
import { palette, onTheme, ramp } from './palette.js'
import { fit } from './sparkline.js'
import { AXIS } from './time-chart.js'

/** @typedef {import('./series-data.js').SeriesData} SeriesData */
/** @typedef {import('./time-chart.js').Span} Span */

/** A channel with this contribution to the score, relative to the threshold, has the full colour. */
const FULL = 1
/** Space that uPlot leaves free at the right. */
const RIGHT = 8

/** On narrow screens, the names are not beside the map, and there is no room for a scale. */
const narrow = window.matchMedia('(max-width: 640px)')
const leftOf = () => narrow.matches ? 0 : AXIS

export class HeatMap {
  #canvas
  #small = document.createElement('canvas')
  #ramp = ramp()
  /** @type {Span} */
  #span = { from: 0, to: 1 }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(time: number | undefined) => void} onHover
   */
  constructor (canvas, onHover) {
    this.#canvas = canvas
    canvas.addEventListener('pointermove', ({ offsetX }) => { onHover(this.#timeAt(offsetX)) })
    canvas.addEventListener('pointerleave', () => { onHover(undefined) })
    onTheme(() => { this.#ramp = ramp() })
  }

  /**
   * @param {SeriesData} data
   * @param {Span} span
   * @param {readonly string[]} names
   * @param {number | undefined} time of the crosshair
   */
  draw (data, span, names, time) {
    this.#span = span
    const ratio = window.devicePixelRatio
    const context = fit(this.#canvas, ratio)
    if (context === null || names.length === 0) return
    const { width, height } = this.#canvas
    context.clearRect(0, 0, width, height)
    const [left, right] = [leftOf() * ratio, width - RIGHT * ratio]
    const columns = Math.max(1, Math.floor(right - left))
    this.#fill(data, names, columns)
    context.imageSmoothingEnabled = false
    context.drawImage(this.#small, 0, 0, columns, names.length, left, 0, right - left, height)
    context.fillStyle = palette.card
    for (let row = 1; row < names.length; row++) {
      context.fillRect(left, Math.round(row * height / names.length), right - left, ratio)
    }
    const share = ((time ?? NaN) - span.from) / (span.to - span.from)
    if (!(share >= 0 && share <= 1)) return
    context.fillStyle = palette.muted
    context.fillRect(left + share * (right - left), 0, ratio, height)
  }

  /**
   * @param {SeriesData} data
   * @param {readonly string[]} names
   * @param {number} columns
   */
  #fill (data, names, columns) {
    const levels = new Float32Array(columns * names.length)
    const known = new Uint8Array(columns)
    const scale = columns / (this.#span.to - this.#span.from)
    const half = Number.isFinite(data.interval) ? data.interval / 2 : 0
    const shares = names.map((name) => data.channels.get(name)?.share ?? [])
    for (let i = data.nearest(this.#span.from - half); i < data.times.length; i++) {
      if (data.scores[i] === null) continue
      const at = (data.times[i] ?? 0) - this.#span.from
      const first = Math.max(0, Math.floor((at - half) * scale))
      const last = Math.min(columns - 1, Math.max(first, Math.ceil((at + half) * scale) - 1))
      if (last >= first) known.fill(1, first, last + 1)
      shares.forEach((share, row) => { raise(levels, row * columns + first, row * columns + last, share[i] ?? 0) })
    }
    this.#put(levels, known, columns, names.length)
  }

  /**
   * @param {Float32Array} levels
   * @param {Uint8Array} known columns with an observation
   * @param {number} columns
   * @param {number} rows
   */
  #put (levels, known, columns, rows) {
    if (this.#small.width !== columns || this.#small.height !== rows) {
      ;[this.#small.width, this.#small.height] = [columns, rows]
    }
    const context = this.#small.getContext('2d')
    if (context === null) return
    const image = context.createImageData(columns, rows)
    for (let at = 0; at < levels.length; at++) {
      const step = 3 * Math.round(255 * Math.min(1, 0.04 + (levels[at] ?? 0) / FULL))
      for (let c = 0; c < 3; c++) image.data[4 * at + c] = this.#ramp[step + c] ?? 0
      image.data[4 * at + 3] = known[at % columns] === 1 ? 255 : 0
    }
    context.putImageData(image, 0, 0)
  }

  /** @param {number} x */
  #timeAt (x) {
    const width = this.#canvas.clientWidth - leftOf() - RIGHT
    const share = (x - leftOf()) / width
    return share < 0 || share > 1 ? undefined : this.#span.from + share * (this.#span.to - this.#span.from)
  }
}

/**
 * If several observations share a pixel, the highest one counts.
 * @param {Float32Array} levels
 * @param {number} from
 * @param {number} to inclusive
 * @param {number} level
 */
function raise (levels, from, to, level) {
  for (let i = from; i <= to; i++) levels[i] = Math.max(levels[i] ?? 0, level)
}
