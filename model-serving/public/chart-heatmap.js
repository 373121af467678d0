// @ts-check
// The heat map channel × time of the contributions, as few rectangles as possible: equal neighbours become one.
import { isNumber } from './chart-data.js'

/**
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Palette} Palette
 * @typedef {import('./types.d.ts').Timeline} Timeline
 * @typedef {[from: number, to: number, row: number, level: number]} Cell
 */

/**
 * Greatest contribution of a channel in [a, b), faded where the score is below the threshold,
 * where shares are shares of next to nothing. In [0, 1].
 * @param {Answer} answer
 * @param {string} channel
 * @param {number} a
 * @param {number} b
 */
function weight (answer, channel, a, b) {
  const shares = answer.contributions?.[channel] ?? []
  let most = 0
  for (let t = a; t < b; t++) {
    const share = shares[t]
    if (!isNumber(share)) continue
    const score = answer.score?.[t] ?? answer.threshold
    most = Math.max(most, share * Math.min(1, Math.max(0, score / answer.threshold)) ** 2)
  }
  return most
}

/**
 * Rectangles [from, to, row, level] of the heat map; level −1 (next to nothing) is left out.
 * @param {Answer} answer
 * @param {readonly string[]} channels rows, from the top
 * @param {readonly number[]} edges buckets of observations
 * @param {{ time: Timeline, levels: number }} scales times of the observations, and number of colours
 * @returns {Cell[]}
 */
export function heatCells (answer, channels, edges, { time, levels }) {
  /** @type {Cell[]} */
  const cells = []
  channels.forEach((channel, row) => {
    let last = -1
    for (let i = 1; i < edges.length; i++) {
      const level = Math.min(levels - 1, Math.floor(weight(answer, channel, edges[i - 1], edges[i]) * (levels + 1)) - 1)
      const from = time.start + (edges[i - 1] - 0.5) * time.interval
      const to = time.start + (edges[i] - 0.5) * time.interval
      if (level >= 0 && level === last) cells[cells.length - 1][1] = to
      else if (level >= 0) cells.push([from, to, row, level])
      last = level
    }
  })
  return cells
}

/**
 * @param {Cell[]} cells
 * @param {number} panel index of the coordinate system
 * @param {Palette} palette
 */
export function heatSeries (cells, panel, palette) {
  return {
    type: 'custom',
    name: 'contribution',
    id: 'contributions',
    xAxisIndex: panel,
    yAxisIndex: panel,
    clip: true,
    silent: true,
    emphasis: { disabled: true },
    encode: { x: [0, 1], y: 2 },
    data: cells,
    /**
     * @type {(params: unknown, api: import('echarts').CustomSeriesRenderItemAPI) =>
     * import('echarts').CustomSeriesRenderItemReturn}
     */
    renderItem: (_, api) => {
      const row = Number(api.value(2))
      const [x = 0, y = 0] = api.coord([api.value(0), row])
      const [end = 0] = api.coord([api.value(1), row])
      const size = api.size?.([0, 1])
      const height = Array.isArray(size) ? Number(size[1]) : 0
      return {
        type: 'rect',
        shape: { x, y: y - height / 2 + 0.5, width: Math.max(1, end - x), height: height - 1 },
        style: { fill: palette.ramp[Number(api.value(3))] ?? palette.alarm },
      }
    },
  }
}
