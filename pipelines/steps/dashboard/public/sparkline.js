// @ts-check
// The small chart of a tile: the newest scores and the threshold. Scores above it have the colour of an alarm.
import { palette } from './palette.js'

/** @typedef {import('./fleet-state.js').Member} Member */

/** Top of the chart, relative to the threshold: higher scores are drawn there. */
const TOP = 4

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Member} member
 * @param {import('./types.d.ts').State} state
 */
export function drawSparkline (canvas, member, state) {
  const ratio = window.devicePixelRatio
  const context = fit(canvas, ratio)
  if (context === null) return
  const { width, height } = canvas
  context.clearRect(0, 0, width, height)
  const { line, limit } = pathOf(member, width, height, 2 * ratio)

  context.lineWidth = ratio
  context.strokeStyle = palette.edge
  context.setLineDash([2 * ratio, 4 * ratio])
  context.beginPath()
  context.moveTo(0, limit)
  context.lineTo(width, limit)
  context.stroke()
  context.setLineDash([])

  context.lineWidth = 1.5 * ratio
  context.lineJoin = 'round'
  stroke(context, line, state === 'stale' || state === 'gap' ? palette.muted : palette.accent, [
    0,
    limit,
    width,
    height - limit,
  ])
  stroke(context, line, palette.alarm, [0, 0, width, limit])
}

/**
 * Gives the canvas as many pixels as it has on the screen. Null if it has none.
 * @param {HTMLCanvasElement} canvas
 * @param {number} ratio
 */
export function fit (canvas, ratio) {
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)]
  if (width === 0 || height === 0) return null
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height]
  return canvas.getContext('2d')
}

/**
 * @param {Member} member
 * @param {number} width
 * @param {number} height
 * @param {number} pad
 */
function pathOf ({ scores, threshold }, width, height, pad) {
  const highest = Math.max(1.5, Math.min(TOP, Math.max(...scores.map(([, score]) => (score ?? 0) / threshold))))
  const first = scores[0]?.[0] ?? 0
  const last = scores[scores.length - 1]?.[0] ?? 1
  /** @param {number} level */
  const y = (level) => height - pad - Math.min(level, highest) / highest * (height - 2 * pad)
  /** @param {number} time */
  const x = (time) => (time - first) / Math.max(1, last - first) * (width - 2 * pad) + pad
  const line = new window.Path2D()
  let drawing = false
  for (const [time, score] of scores) {
    if (score !== null && drawing) line.lineTo(x(time), y(score / threshold))
    if (score !== null && !drawing) line.moveTo(x(time), y(score / threshold))
    drawing = score !== null
  }
  return { line, limit: Math.round(y(1)) + 0.5 }
}

/**
 * Draws the part of the line inside the box.
 * @param {CanvasRenderingContext2D} context
 * @param {Path2D} line
 * @param {string} colour
 * @param {[number, number, number, number]} box
 */
function stroke (context, line, colour, box) {
  context.save()
  context.beginPath()
  context.rect(...box)
  context.clip()
  context.strokeStyle = colour
  context.stroke(line)
  context.restore()
}
