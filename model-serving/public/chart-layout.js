// @ts-check
// The position of each panel of a plot in pixels, computed from names and counts.

/**
 * @typedef {import('./types.d.ts').Layout} Layout
 * @typedef {import('./types.d.ts').Panel} Panel
 */

const WIDE = 700
const TITLE = 34
const SUBTITLE = 18
const LEGEND = 34
const SLIDER = 40
const AXIS = 26
const HEADING = 22

/**
 * Heights in pixels: panels of score and channels, one row of the heat map, room above a panel for its name, and the
 * legend.
 */
const SIZES = {
  wide: { score: 120, channel: 72, row: 17, above: 0, legend: LEGEND },
  narrow: { score: 100, channel: 68, row: 16, above: HEADING, legend: 1.6 * LEGEND },
}

/**
 * Room beside the panels for the longest name (about 7 px a letter) and the numbers of the axis.
 * @param {readonly string[]} channels
 */
function gutter (channels) {
  const longest = Math.max(8, ...channels.map((name) => name.length))
  return Math.min(250, Math.max(130, longest * 7.4 + 56))
}

/**
 * @param {boolean} title
 * @param {boolean} subtitle
 */
const headingHeight = (title, subtitle) => (title ? TITLE : 2) + (subtitle ? SUBTITLE : 0)

/**
 * Panels from the top: score, contributions, then one per channel.
 * @param {{ channels: readonly string[], width: number, score: boolean, contributions: boolean, title: boolean,
 * subtitle: boolean, interactive: boolean }} input
 * @returns {Layout}
 */
export function layOut ({ channels, width, score, contributions, title, subtitle, interactive }) {
  const wide = width >= WIDE
  /** @type {Panel[]} */
  const panels = []
  const legendTop = headingHeight(title, subtitle)
  const size = wide ? SIZES.wide : SIZES.narrow
  const sliderTop = legendTop + size.legend
  let top = sliderTop + (interactive ? SLIDER : 0)
  /** @type {(panel: Pick<Panel, 'kind' | 'name' | 'height'>, before: number, after: number) => void} */
  const add = ({ kind, name, height }, before, after) => {
    panels.push({ kind, name, top: top + before, height })
    top += before + height + after
  }
  if (score) add({ kind: 'score', name: 'score', height: size.score }, size.above, AXIS)
  if (contributions && channels.length > 0) {
    add({ kind: 'contributions', name: 'contributions', height: channels.length * size.row }, HEADING, 14)
  }
  for (const name of channels) add({ kind: 'channel', name, height: size.channel }, size.above, 14)
  return {
    width,
    height: Math.ceil(top - 14 + AXIS + 6),
    left: wide ? gutter(channels) : 48,
    right: wide ? 24 : 12,
    wide,
    legendTop,
    sliderTop,
    panels,
  }
}
