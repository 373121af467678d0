// @ts-check
// One series: its score, the shares of its channels, and the channels, over one time axis with one crosshair.
import { RANGES } from './address.js'
import { ChannelChart, ScoreChart } from './charts.js'
import { arrange, byId, make, part, setText } from './dom.js'
import { formatNumber, formatScore, formatShares, formatTime } from './format.js'
import { HeatMap } from './heat-map.js'
import { paint, paintInTurn } from './paint.js'
import { onTheme } from './palette.js'
import { SeriesData } from './series-data.js'

/** @typedef {import('./types.d.ts').View} View */
/** @typedef {import('./types.d.ts').Verdict} Verdict */
/** @typedef {{ row: HTMLElement, facts: HTMLElement, chart: ChannelChart, draw: () => void, visible: boolean }} Row */

/** Number of shown channels, unless the user chooses. */
const CHOSEN = 3

export class SeriesView {
  #incidents
  #onChannels
  #data = new SeriesData('')
  /** @type {View | undefined} */
  #view
  /** @type {number | undefined} */
  #hover
  /** @type {string[]} those that contribute most, unless the user has chosen */
  #chosen = []
  /** @type {Map<string, Row>} */
  #rows = new Map()
  /** @type {Map<string, HTMLButtonElement>} */
  #names = new Map()
  #score
  #heat
  /** Rows outside the screen are not drawn. */
  #seen = new window.IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      for (const one of this.#rows.values()) if (one.row === target) one.visible = isIntersecting
    }
    paint(this.draw)
  })

  #plots = part('plots')

  /**
   * @param {import('./incident-state.js').IncidentState} incidents
   * @param {(channels: string[]) => void} onChannels
   */
  constructor (incidents, onChannels) {
    this.#incidents = incidents
    this.#onChannels = onChannels
    this.#score = new ScoreChart(part('score-chart'), this.#shared)
    this.#heat = new HeatMap(byId('heat', window.HTMLCanvasElement), this.#setHover)
    this.#plots.addEventListener('keydown', (event) => { this.#step(event) })
    new window.ResizeObserver(() => { paint(this.draw) }).observe(this.#plots)
    onTheme(() => {
      this.#score.redraw()
      for (const { chart } of this.#rows.values()) chart.redraw()
      paint(this.draw)
    })
  }

  /** The shown range, milliseconds since 1970. */
  get span () {
    const to = this.#view?.at ?? this.#data.times.at(-1) ?? 0
    return { from: to - (RANGES[this.#view?.range ?? ''] ?? 0), to }
  }

  /** @param {View} view */
  show (view) {
    if (view.series !== this.#view?.series) {
      this.#data = new SeriesData(view.series ?? '')
      this.#hover = undefined
      this.#chosen = []
    }
    this.#view = view
    paint(this.draw)
  }

  /**
   * Fills in the history, and the verdicts that have come since the request.
   * @param {{ readonly verdicts: readonly Verdict[], readonly gaps: ReadonlyArray<import('./types.d.ts').Gap> }} answer
   */
  fill ({ verdicts, gaps }) {
    const before = this.#data
    const data = new SeriesData(before.series)
    const last = Date.parse(verdicts.at(-1)?.time ?? '')
    for (const verdict of verdicts) data.push(verdict)
    for (const verdict of this.#since) if (!(Date.parse(verdict.time) <= last)) data.push(verdict)
    for (const gap of gaps) data.miss(gap)
    this.#data = data
    this.#chosen = mostOf(data, this.span)
    paint(this.draw)
  }

  /** @type {Verdict[]} the newest ones: a history may not have them yet */
  #since = []

  /** @param {import('./types.d.ts').Frame} frame */
  takeFrame ({ verdicts = [], gaps = [] }) {
    for (const verdict of verdicts) this.#take(verdict)
    for (const gap of gaps) this.#miss(gap)
  }

  /** @param {Verdict} verdict */
  #take (verdict) {
    if (verdict.series !== this.#data.series) return
    if (this.#since[0]?.series !== verdict.series) this.#since = []
    this.#since.push(verdict)
    if (this.#since.length > 500) this.#since.shift()
    if (!this.#data.push(verdict)) return
    this.#data.trim(this.span.from)
    paint(this.draw)
  }

  /** @param {import('./types.d.ts').Gap} gap */
  #miss (gap) {
    if (gap.series !== this.#data.series) return
    this.#data.miss(gap)
    paint(this.draw)
  }

  /** Draws everything visible. */
  draw = () => {
    if (this.#view?.series === undefined) return
    const { span } = this
    part('series-empty').hidden = this.#data.times.length > 0
    this.#plots.dataset['from'] = new Date(span.from).toISOString()
    this.#plots.dataset['to'] = new Date(span.to).toISOString()
    this.#arrangeNames()
    this.#arrangeRows()
    paintInTurn(this.#drawScore)
    for (const { draw, visible } of this.#rows.values()) if (visible) paintInTurn(draw)
    paint(this.#drawHover)
  }

  #drawScore = () => {
    this.#score.draw(this.#data, this.span)
    this.#score.hover(this.#hover)
  }

  get #shared () {
    return { shades: this.#shades, onHover: this.#setHover }
  }

  #shades = () => [
    ...this.#incidents.list(this.#data.series)
      .filter(({ feedback }) => feedback !== 'false-alarm')
      .map(({ start, end }) => ({
        from: Date.parse(start),
        to: Date.parse(end),
        kind: /** @type {const} */ ('incident'),
      })),
    ...this.#data.gaps.map(({ from, to }) => ({
      from: from - this.#half,
      to: to + this.#half,
      kind: /** @type {const} */ ('gap'),
    })),
  ]

  get #half () {
    return Number.isFinite(this.#data.interval) ? this.#data.interval / 2 : 0
  }

  get #selected () {
    const chosen = this.#view?.channels.filter((name) => this.#data.channels.has(name)) ?? []
    return chosen.length > 0 ? chosen : this.#chosen
  }

  #arrangeNames () {
    const selected = new Set(this.#selected)
    const buttons = [...this.#data.channels.keys()].map((name) => {
      const known = this.#names.get(name)
      const button = known ?? make('button', { type: 'button', title: `Show or hide ${name}` }, make('span', {}, name))
      if (known === undefined) {
        button.addEventListener('click', () => { this.#toggle(name) })
        this.#names.set(name, button)
      }
      button.setAttribute('aria-pressed', String(selected.has(name)))
      return button
    })
    arrange(part('heat-names'), buttons)
    byId('heat', window.HTMLCanvasElement).style.height = `calc(${buttons.length} * var(--heat-row))`
  }

  #arrangeRows () {
    const names = [...this.#data.channels.keys()].filter((name) => this.#selected.includes(name))
    for (const [name, { row, chart }] of this.#rows) {
      if (names.includes(name)) continue
      this.#seen.unobserve(row)
      chart.destroy()
      this.#rows.delete(name)
    }
    const host = part('channel-rows')
    const rows = names.map((name) => this.#rows.get(name)?.row ?? this.#makeRow(name, host))
    arrange(host, rows)
  }

  /**
   * @param {string} name
   * @param {HTMLElement} host
   */
  #makeRow (name, host) {
    const facts = make('p', { class: 'facts' })
    const plot = make('div', { class: 'plot' })
    const row = make(
      'div',
      { class: 'row', 'data-channel': name },
      make(
        'div',
        { class: 'row-head' },
        make('h3', {}, ...name.split(/(?<=_)/).flatMap((word) => [word, make('wbr')])),
        facts
      ),
      plot
    )
    host.append(row)
    const chart = new ChannelChart(plot, name, this.#shared)
    const draw = () => {
      // The row may have been removed meanwhile.
      if (this.#rows.get(name)?.chart !== chart) return
      chart.draw(this.#data, this.span)
      chart.hover(this.#hover)
    }
    this.#rows.set(name, { row, facts, chart, draw, visible: true })
    this.#seen.observe(row)
    return row
  }

  /** @param {string} name */
  #toggle (name) {
    const selected = this.#selected
    const next = selected.includes(name) ? selected.filter((one) => one !== name) : [...selected, name]
    this.#chosen = next
    this.#onChannels([...this.#data.channels.keys()].filter((one) => next.includes(one)))
  }

  /** @param {number | undefined} time */
  #setHover = (time) => {
    const index = time === undefined ? -1 : this.#data.nearest(time)
    const snapped = this.#data.times[index]
    if (snapped === this.#hover) return
    this.#hover = snapped
    paint(this.#drawHover)
  }

  /** @param {KeyboardEvent} event */
  #step (event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (by === undefined || event.target !== this.#plots) return
    event.preventDefault()
    const { times } = this.#data
    const index = this.#hover === undefined ? times.length - 1 : this.#data.nearest(this.#hover) + by
    this.#setHover(times[Math.max(0, Math.min(times.length - 1, index))])
  }

  #drawHover = () => {
    const data = this.#data
    const index = data.times.length === 0 ? -1 : data.nearest(this.#hover ?? this.span.to)
    this.#score.hover(this.#hover)
    this.#heat.draw(data, this.span, [...data.channels.keys()], this.#hover)
    setText(part('at-time'), index < 0 ? '' : `${formatTime(data.times[index] ?? 0)} UTC`)
    setText(part('at-score'), formatScore(data.scores[index]))
    setText(part('at-threshold'), `threshold ${formatNumber(data.thresholds[index])}`)
    setText(part('at-why'), formatShares(sharesAt(data, index)))
    part('at-score').dataset['state'] = typeof data.anomalous[index] === 'number' ? 'anomalous' : 'normal'
    for (const [name, { facts, chart }] of this.#rows) {
      chart.hover(this.#hover)
      setText(facts, factsAt(data.channels.get(name), index))
    }
  }
}

/**
 * @param {import('./series-data.js').Column | undefined} column
 * @param {number} index
 */
function factsAt (column, index) {
  const imputed = column?.imputed[index] === true ? ' (imputed)' : ''
  return `${formatNumber(column?.value[index])}${imputed}, expected ${formatNumber(column?.expected[index])}`
}

/**
 * The share of each channel in the score, the highest first.
 * @param {SeriesData} data
 * @param {number} index
 */
function sharesAt (data, index) {
  const parts = [...data.channels].map(([channel, { share }]) => ({ channel, part: share[index] ?? 0 }))
  const sum = parts.reduce((total, one) => total + one.part, 0) || 1
  return parts.map((one) => ({ channel: one.channel, contribution: one.part / sum })).sort((a, b) =>
    b.contribution - a.contribution
  )
}

/**
 * The channels with the largest shares of the scores in the span.
 * @param {SeriesData} data
 * @param {import('./time-chart.js').Span} span
 */
function mostOf (data, { from }) {
  const first = data.nearest(from)
  const sums = [...data.channels].map(([name, { share }]) => ({
    name,
    sum: share.slice(first).reduce((total, one) => total + one * one, 0),
  }))
  return sums.sort((a, b) => b.sum - a.sum).slice(0, CHOSEN).map(({ name }) => name)
}
