// @ts-check
// The overview: a tile for every series, the worst first. Tiles move rarely, and never while the pointer is on them.
import { addressOf } from './address.js'
import { arrange, byId, make, part, setText } from './dom.js'
import { formatScore, formatShares, formatTime, plural } from './format.js'
import { calm, paint } from './paint.js'
import { onTheme } from './palette.js'
import { drawSparkline } from './sparkline.js'

/** @typedef {import('./fleet-state.js').FleetState} FleetState */
/** @typedef {import('./types.d.ts').State} State */
/**
 * @typedef {{ item: HTMLLIElement, link: HTMLAnchorElement, name: HTMLElement, state: HTMLElement, canvas:
 * HTMLCanvasElement, score: HTMLElement, why: HTMLElement, visible: boolean, dirty: boolean }} Tile
 */

/** @type {Readonly<Record<State, string>>} */
export const STATE_NAMES = {
  anomalous: 'Anomalous',
  gap: 'Gap',
  stale: 'Stale',
  normal: 'Normal',
  'warm-up': 'Warm-up',
}

/** Interval of sorting, and the pause of sorting while the pointer or the keyboard is on the tiles. */
const ORDER_MS = 1500
const HAND_MS = 4000

export class FleetView {
  #fleet
  #list = byId('fleet', window.HTMLUListElement)
  #counts = part('fleet-counts')
  /** @type {Map<string, Tile>} */
  #tiles = new Map()
  /** @type {Set<string>} */
  #changed = new Set()
  #touchedAt = -Infinity
  #shown = true
  #seen
  /** @type {import('./types.d.ts').View | undefined} */
  #view

  /** @param {FleetState} fleet */
  constructor (fleet) {
    this.#fleet = fleet
    this.#seen = new window.IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const tile = this.#tiles.get(/** @type {HTMLElement} */ (target).dataset['series'] ?? '')
        if (tile !== undefined) tile.visible = isIntersecting
      }
      paint(this.#draw)
    }, { rootMargin: '200px' })
    for (const event of ['pointermove', 'focusin', 'keydown']) {
      this.#list.addEventListener(event, () => {
        this.#touchedAt = performance.now()
      })
    }
    new window.ResizeObserver(() => {
      this.#redraw()
    }).observe(this.#list)
    onTheme(() => {
      this.#redraw()
    })
    window.setInterval(() => {
      this.#sort()
    }, ORDER_MS)
  }

  /** @param {import('./types.d.ts').View} view */
  show (view) {
    this.#view = view
    this.#shown = view.series === undefined
    if (this.#shown) this.reset()
  }

  get #paused () {
    return this.#view?.at !== undefined
  }

  /** Draws everything anew. */
  reset () {
    this.#fleet.sort()
    this.#arrange()
    this.#redraw()
  }

  /** @param {string} series */
  changed (series) {
    if (this.#paused) return
    this.#changed.add(series)
    if (this.#shown) paint(this.#draw)
  }

  #redraw () {
    for (const series of this.#fleet.members.keys()) this.#changed.add(series)
    paint(this.#draw)
  }

  #sort () {
    if (!this.#shown || this.#paused || document.hidden) return
    for (const series of this.#fleet.members.keys()) this.#changed.add(series)
    if (performance.now() - this.#touchedAt > HAND_MS && this.#fleet.sort()) this.#arrange()
    paint(this.#draw)
  }

  #arrange () {
    const before = new Map([...this.#tiles].map(([series, { item }]) => [series, item.getBoundingClientRect()]))
    const tiles = this.#fleet.order.map((series) => this.#tile(series))
    for (const series of [...this.#tiles.keys()]) if (!this.#fleet.members.has(series)) this.#tiles.delete(series)
    arrange(this.#list, tiles.map(({ item }) => item))
    if (calm.matches) return
    for (const [series, { item, visible }] of this.#tiles) {
      const from = before.get(series)
      if (visible && from !== undefined) slide(item, from)
    }
  }

  /**
   * @param {string} series
   * @returns {Tile}
   */
  #tile (series) {
    const known = this.#tiles.get(series)
    if (known !== undefined) return known
    const [name, state, score, why] = ['name', 'state', 'score', 'why'].map((part) => make('span', { class: part }))
    const canvas = make('canvas', { 'aria-hidden': 'true' })
    const parts = /** @type {[HTMLElement, HTMLElement, HTMLElement, HTMLElement]} */ ([name, state, score, why])
    const link = make('a', { class: 'tile', href: '#' }, parts[0], parts[1], canvas, parts[2], parts[3])
    const tile = {
      item: make('li', { 'data-series': series }, link),
      link,
      name: parts[0],
      state: parts[1],
      canvas,
      score: parts[2],
      why: parts[3],
      visible: true,
      dirty: true,
    }
    setText(tile.name, series)
    this.#tiles.set(series, tile)
    this.#seen.observe(tile.item)
    return tile
  }

  #draw = () => {
    if (!this.#shown) return
    const changed = this.#changed
    this.#changed = new Set()
    if (this.#tiles.size < this.#fleet.members.size) this.#arrange()
    for (const series of changed) {
      const [member, tile] = [this.#fleet.members.get(series), this.#tiles.get(series)]
      if (member === undefined || tile === undefined) continue
      if (!tile.visible) {
        this.#changed.add(series)
        continue
      }
      const state = this.#fleet.stateOf(member)
      tile.link.dataset['state'] = state
      if (this.#view !== undefined) tile.link.setAttribute('href', addressOf({ ...this.#view, series, channels: [] }))
      setText(tile.state, STATE_NAMES[state])
      setText(tile.score, formatScore(member.score))
      setText(tile.why, whyOf(member, state))
      drawSparkline(tile.canvas, member, state)
    }
    this.#tell()
  }

  #tell () {
    const counts = this.#fleet.counts()
    const parts = /** @type {State[]} */ (Object.keys(counts)).filter((state) => counts[state] > 0)
    const items = parts.map((state) => {
      const known = this.#counts.querySelector(`[data-state="${state}"]`)
      const item = known ?? make('li', { 'data-state': state })
      setText(item, `${counts[state]} ${STATE_NAMES[state].toLowerCase()}`)
      return item
    })
    arrange(this.#counts, items)
    const { size } = this.#fleet.members
    setText(part('fleet-title'), size === 0 ? 'Waiting for the first verdicts' : plural(size, 'series', 'series'))
    part('fleet-empty').hidden = size > 0
  }
}

/**
 * Animates a tile from its old place to the new one, so that the eye can follow.
 * @param {HTMLElement} item
 * @param {DOMRect} from
 */
function slide (item, from) {
  const to = item.getBoundingClientRect()
  if (from.width === 0 || (from.x === to.x && from.y === to.y)) return
  item.animate([{ transform: `translate(${from.x - to.x}px, ${from.y - to.y}px)` }, { transform: 'none' }], {
    duration: 350,
    easing: 'cubic-bezier(.2,.7,.2,1)',
  })
}

/**
 * @param {import('./fleet-state.js').Member} member
 * @param {State} state
 */
function whyOf ({ channels, gapUntil, at }, state) {
  if (state === 'gap' && gapUntil !== null) return `nothing until ${formatTime(Date.parse(gapUntil))}`
  if (state === 'stale') return `last seen ${formatTime(at)}`
  if (state === 'warm-up') return 'no score yet'
  return formatShares(channels)
}
