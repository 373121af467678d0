// @ts-check
// The plot on the page: an ECharts instance in an element, its zoom, its cursor, and the keys that move them.
import * as echarts from '/vendor/echarts.esm.min.mjs'
import { chartHeight, chartOption } from './chart-option.js'
import { HEAT_BUCKETS, timelineOf } from './chart-data.js'

/**
 * @typedef {import('./types.d.ts').Plot} Plot
 * @typedef {{ from: number, to: number }} View
 */

const SETTLE_MS = 150

/** A plot that follows its element's width. Lines are drawn anew for the part in view, so detail comes with zooming. */
export class Chart {
  /** @type {import('echarts').ECharts | undefined} */
  #echarts
  /** @type {Plot | undefined} */
  #plot
  /** @type {View | undefined} */
  #view
  /** @type {number | undefined} */
  #settling
  /**
   * Index of the observation that the keys are at.
   * @type {number | undefined}
   */
  #cursor
  #element
  #onMove
  #onPoint

  /**
   * @param {HTMLElement} element
   * @param {{ onMove: (view: View, whole: boolean) => void, onPoint: (observation: number) => void }} listeners called
   * when keys or buttons moved the view, and when keys moved the cursor
   */
  constructor (element, { onMove, onPoint }) {
    this.#element = element
    this.#onMove = onMove
    this.#onPoint = onPoint
    new window.ResizeObserver(() => {
      if (this.#plot !== undefined && this.#plot.width !== element.clientWidth) this.#draw()
    }).observe(element)
    element.addEventListener('keydown', (event) => this.#onKey(event))
    element.addEventListener('blur', () => this.#echarts?.dispatchAction({ type: 'hideTip' }))
  }

  /**
   * Draws `plot`; keeps the view when asked to.
   * @param {Plot} plot
   * @param {boolean} [keepView]
   */
  show (plot, keepView = false) {
    this.#plot = plot
    if (!keepView) {
      this.#view = undefined
      this.#cursor = undefined
    }
    this.#draw()
  }

  /** @param {View} view */
  zoomTo (view) {
    this.#move(view)
  }

  /** @param {number} factor below 1 to come nearer */
  zoomBy (factor) {
    const { from, to } = this.#shown()
    const [middle, half] = [(from + to) / 2, (to - from) / 2 * factor]
    this.#move({ from: middle - half, to: middle + half })
  }

  /** @param {number} part of the view's width; negative is earlier */
  panBy (part) {
    const { from, to } = this.#shown()
    const whole = this.#whole()
    const by = Math.min(whole.to - to, Math.max(whole.from - from, (to - from) * part))
    this.#move({ from: from + by, to: to + by })
  }

  showAll () {
    this.#move(this.#whole())
  }

  /**
   * Moves the cursor, and the view with it; where it is out of view it comes in at the edge.
   * @param {1 | -1} by observations
   */
  #step (by) {
    if (this.#plot === undefined) return
    const { start, interval, length } = timelineOf(this.#plot.answer)
    const { from, to } = this.#shown()
    const [first, last] = [
      Math.max(0, Math.ceil((from - start) / interval)),
      Math.min(length - 1, Math.floor((to - start) / interval)),
    ]
    const isInView = this.#cursor !== undefined && this.#cursor >= first && this.#cursor <= last
    const next = isInView
      ? Math.min(length - 1, Math.max(0, /** @type {number} */ (this.#cursor) + by))
      : by > 0
        ? first
        : last
    if (next < first || next > last) this.panBy(0.25 * by)
    this.#cursor = next
    this.#point(start + next * interval, this.#plot.answer.threshold)
    this.#onPoint(next)
  }

  /**
   * Shows pointer and tooltip, as the mouse would there.
   * @param {number} time
   * @param {number} score
   */
  #point (time, score) {
    const [x, y] = this.#echarts?.convertToPixel({ gridIndex: 0 }, [time, score]) ?? []
    if (x !== undefined && y !== undefined) this.#echarts?.dispatchAction({ type: 'showTip', x, y })
  }

  /** @returns {View} */
  #whole () {
    if (this.#plot === undefined) return { from: 0, to: 0 }
    const { start, interval, length } = timelineOf(this.#plot.answer)
    return { from: start - interval / 2, to: start + (Math.max(1, length) - 0.5) * interval }
  }

  #shown () {
    return this.#view ?? this.#whole()
  }

  /** @param {View} wanted */
  #move (wanted) {
    if (this.#plot === undefined) return
    const whole = this.#whole()
    const least = 4 * timelineOf(this.#plot.answer).interval
    const spare = Math.max(0, least - (wanted.to - wanted.from)) / 2
    const view = { from: Math.max(whole.from, wanted.from - spare), to: Math.min(whole.to, wanted.to + spare) }
    const all = view.from <= whole.from && view.to >= whole.to
    this.#view = all ? undefined : view
    this.#draw()
    this.#onMove(view, all)
  }

  #draw () {
    if (this.#plot === undefined) return
    const width = Math.max(240, this.#element.clientWidth)
    this.#plot = { ...this.#plot, width }
    const plot = this.#whatToDraw()
    const height = chartHeight(plot)
    this.#element.style.height = `${height}px`
    this.#echarts ??= this.#start(width, height)
    this.#echarts.resize({ width, height })
    this.#echarts.setOption(chartOption(plot), { notMerge: true })
    this.#note()
  }

  /** @returns {Plot} */
  #whatToDraw () {
    const plot = /** @type {Plot} */ (this.#plot)
    return { ...plot, interactive: true, ...(this.#view === undefined ? {} : { view: this.#view }) }
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #start (width, height) {
    const chart = echarts.init(this.#element, null, { renderer: 'canvas', width, height })
    chart.on('datazoom', () => {
      window.clearTimeout(this.#settling)
      this.#settling = window.setTimeout(() => this.#settle(), SETTLE_MS)
    })
    return chart
  }

  /** After a drag: takes over the view and draws its detail, leaving the slider in the hand that holds it. */
  #settle () {
    const option =
      /** @type {{ dataZoom?: Array<{ startValue?: number, endValue?: number }> } | undefined} */ (this.#echarts
        ?.getOption())
    const zoom = option?.dataZoom?.[0]
    if (typeof zoom?.startValue !== 'number' || typeof zoom.endValue !== 'number') return
    this.#view = { from: zoom.startValue, to: zoom.endValue }
    if (timelineOf(/** @type {Plot} */ (this.#plot).answer).length > HEAT_BUCKETS) {
      this.#echarts?.setOption({ series: chartOption(this.#whatToDraw()).series ?? [] }, { replaceMerge: ['series'] })
    }
    this.#note()
  }

  /** The view in attributes, for tests and for other scripts. */
  #note () {
    const { from, to } = this.#shown()
    this.#element.dataset['from'] = new Date(from).toISOString()
    this.#element.dataset['to'] = new Date(to).toISOString()
  }

  /** @param {KeyboardEvent} event */
  #onKey (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this.panBy(-0.25),
      ArrowRight: () => this.panBy(0.25),
      'Shift ArrowLeft': () => this.#step(-1),
      'Shift ArrowRight': () => this.#step(1),
      '+': () => this.zoomBy(0.5),
      '=': () => this.zoomBy(0.5),
      '-': () => this.zoomBy(2),
      Home: () => this.showAll(),
      Escape: () => this.showAll(),
    }
    // On many keyboards plus is a shifted key.
    const act = keys[event.shiftKey && event.key.startsWith('Arrow') ? `Shift ${event.key}` : event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  }
}
