// @ts-check
// Picks from an answer what a plot has pixels for: channels worth drawing, points per bucket of time. Pure arithmetic.
import { durationMs } from './format.js'

/**
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Timeline} Timeline
 * @typedef {import('./types.d.ts').Values} Values
 */

/** Most channels that are drawn without being asked for. */
const MOST_CHANNELS = 12

/** Buckets of time in view, each with its lowest and highest value: more would fall into the same pixel. */
export const LINE_BUCKETS = 720
export const HEAT_BUCKETS = 480

/**
 * @param {number | null | undefined} value
 * @returns {value is number}
 */
export function isNumber (value) {
  return typeof value === 'number' && Number.isFinite(value)
}

/**
 * Names of all channels of an answer.
 * @param {Answer} answer
 */
export function channelsOf (answer) {
  return Object.keys(answer.observed ?? answer.expected ?? answer.contributions ?? answer.quality ?? {})
}

/**
 * @param {Answer} answer
 * @returns {Timeline}
 */
export function timelineOf (answer) {
  const columns = [
    answer.score,
    ...[answer.observed, answer.expected, answer.contributions].flatMap((record) => Object.values(record ?? {})),
  ]
  const length = Math.max(0, ...columns.map((column) => column?.length ?? 0))
  return { start: Date.parse(answer.start), interval: durationMs(answer.step), length }
}

/**
 * Lowest and highest number in [from, to); infinite, and the wrong way round, where there is none.
 * @param {Values | undefined} values
 * @param {number} [from]
 * @param {number} [to]
 * @returns {[low: number, high: number]}
 */
export function extremes (values, from = 0, to = values?.length ?? 0) {
  let [low, high] = [Infinity, -Infinity]
  for (let t = from; t < to; t++) {
    const value = values?.[t]
    if (!isNumber(value)) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}

/**
 * @param {Answer} answer
 * @returns 0 where nothing is scored
 */
export function highestScore ({ score }) {
  return Math.max(0, extremes(score)[1])
}

/**
 * How much of the score each channel explains, summed over time (contribution × score).
 * @param {Answer} answer
 * @param {string} channel
 */
function blame (answer, channel) {
  const shares = answer.contributions?.[channel] ?? []
  let sum = 0
  for (let t = 0; t < shares.length; t++) sum += (shares[t] ?? 0) * (answer.score?.[t] ?? 1)
  return sum
}

/**
 * Channels, most contributing first; in the answer's order where contributions do not tell.
 * @param {Answer} answer
 */
export function rankChannels (answer) {
  const ranked = channelsOf(answer).map((name) => ({ name, blame: blame(answer, name) }))
  return ranked.sort((a, b) => b.blame - a.blame).map(({ name }) => name)
}

/**
 * Channels to draw when nobody chose: all, or the most contributing twelve of more, in the answer's order.
 * @param {Answer} answer
 */
export function defaultChannels (answer) {
  const all = channelsOf(answer)
  if (all.length <= MOST_CHANNELS) return all
  const top = new Set(rankChannels(answer).slice(0, MOST_CHANNELS))
  return all.filter((name) => top.has(name))
}

/**
 * Edges of buckets over [0, length): at most `most` between `from` and `to`, and a quarter as many on either side,
 * so that the part in view is fine and the rest is there when somebody pans.
 * @param {number} length
 * @param {number} most
 * @param {{ from: number, to: number }} [part] indices
 */
export function bucketEdges (length, most, part) {
  const from = Math.min(length, Math.max(0, part?.from ?? 0))
  const to = Math.min(length, Math.max(from, part?.to ?? length))
  const edges = [0]
  /** @type {(a: number, b: number, count: number) => void} */
  const add = (a, b, count) => {
    const buckets = Math.min(b - a, Math.max(1, Math.floor(count)))
    for (let i = 1; i <= buckets; i++) edges.push(a + Math.round((b - a) * i / buckets))
  }
  add(0, from, most / 4)
  add(from, to, most)
  add(to, length, most / 4)
  return edges
}

/**
 * Indices of the lowest, the highest and the first missing value in [a, b), ascending: spikes and gaps survive the
 * thinning.
 * @param {Values} values
 * @param {number} a
 * @param {number} b
 */
function landmarks (values, a, b) {
  let low = -1
  let high = -1
  let gap = -1
  for (let t = a; t < b; t++) {
    const value = values[t]
    if (!isNumber(value)) {
      if (gap < 0) gap = t
      continue
    }
    if (low < 0 || value < /** @type {number} */ (values[low])) low = t
    if (high < 0 || value > /** @type {number} */ (values[high])) high = t
  }
  return [...new Set([low, high, gap])].filter((t) => t >= 0).sort((p, q) => p - q)
}

/**
 * Points [time, value] of a line, at most three per bucket.
 * @param {Values | undefined} values
 * @param {readonly number[]} edges
 * @param {Timeline} time
 * @returns {Array<[number, number | null]>}
 */
export function linePoints (values, edges, time) {
  /** @type {Array<[number, number | null]>} */
  const points = []
  if (values === undefined) return points
  for (let i = 1; i < edges.length; i++) {
    for (const t of landmarks(values, edges[i - 1], edges[i])) {
      const value = values[t]
      points.push([time.start + t * time.interval, isNumber(value) ? value : null])
    }
  }
  return points
}

/**
 * Envelope of the expected band: its lower edge and its width, one point per bucket.
 * @param {Values | undefined} lower
 * @param {Values | undefined} upper
 * @param {readonly number[]} edges
 * @param {Timeline} time
 */
export function bandPoints (lower, upper, edges, time) {
  /** @type {Array<[number, number | null]>} */
  const bottom = []
  /** @type {Array<[number, number | null]>} */
  const width = []
  if (lower === undefined || upper === undefined) return { bottom, width }
  for (let i = 1; i < edges.length; i++) {
    const [low] = extremes(lower, edges[i - 1], edges[i])
    const [, high] = extremes(upper, edges[i - 1], edges[i])
    const at = time.start + Math.floor((edges[i - 1] + edges[i] - 1) / 2) * time.interval
    const known = Number.isFinite(low) && Number.isFinite(high)
    bottom.push([at, known ? low : null])
    width.push([at, known ? high - low : null])
  }
  return { bottom, width }
}

/**
 * Observations with a gap on either side, which a line cannot show.
 * @param {Values | undefined} values
 * @param {Timeline} time
 * @returns {Array<[number, number]>}
 */
export function lonePoints (values, time) {
  /** @type {Array<[number, number]>} */
  const points = []
  for (let t = 0; t < (values?.length ?? 0); t++) {
    const value = values?.[t]
    if (isNumber(value) && !isNumber(values?.[t - 1]) && !isNumber(values?.[t + 1])) {
      points.push([time.start + t * time.interval, value])
    }
  }
  return points
}

/**
 * Where filled observations are marked: at the observed value, else at the expected one, else at the bottom.
 * @param {Answer} answer
 * @param {string} channel
 * @param {Timeline} time
 * @returns {Array<[number, number]>}
 */
export function imputedPoints ({ observed, expected, quality }, channel, time) {
  const imputed = quality?.[channel]?.imputed ?? []
  const seen = observed?.[channel] ?? []
  const wanted = expected?.[channel] ?? []
  if (imputed.length === 0) return []
  const [floor] = extremes(seen)
  const fallback = Number.isFinite(floor) ? floor : 0
  return imputed.map((t) => [time.start + t * time.interval, [seen[t], wanted[t]].find(isNumber) ?? fallback])
}
