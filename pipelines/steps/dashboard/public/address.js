// @ts-check
// The address holds the state of the view: people can share it, and the back button works.

/** @typedef {import('./types.d.ts').View} View */

const HOUR = 3_600_000

/** @type {Readonly<Record<string, number>>} */
export const RANGES = { '1h': HOUR, '6h': 6 * HOUR, '24h': 24 * HOUR, '3d': 72 * HOUR, '7d': 168 * HOUR }
const DEFAULT_RANGE = '24h'

/** @returns {View} */
export function readAddress () {
  const query = new URLSearchParams(window.location.hash.slice(1))
  const range = query.get('range') ?? ''
  const at = Date.parse(query.get('at') ?? '')
  return {
    series: query.get('series') || undefined,
    range: Object.hasOwn(RANGES, range) ? range : DEFAULT_RANGE,
    channels: query.getAll('channel').filter((name) => name !== ''),
    at: Number.isNaN(at) ? undefined : at,
  }
}

/** @param {View} view */
export function addressOf ({ series, range, channels, at }) {
  const query = new URLSearchParams()
  if (series !== undefined) query.set('series', series)
  if (range !== DEFAULT_RANGE) query.set('range', range)
  for (const channel of channels) query.append('channel', channel)
  if (at !== undefined) query.set('at', new Date(at).toISOString())
  return `#${query}`
}

/**
 * @param {View} view
 * @param {'push' | 'replace'} how `push` adds a step for the back button
 */
export function writeAddress (view, how) {
  const address = addressOf(view)
  if (address === (window.location.hash || '#')) return
  window.history[`${how}State`](null, '', address)
}
