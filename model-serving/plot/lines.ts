// Lines, bands and marks of one panel: times and values → pixels.
import type { SKRSContext2D } from '@napi-rs/canvas'
import { scaleLinear } from 'd3-scale'
import type { Panel, Plan, Point } from '../public/chart-plan.js'

/** A panel with its axes. */
export interface Frame {
  readonly panel: Panel
  readonly left: number
  readonly right: number
  x (time: number): number
  y (value: number): number
}

export function frameOf ({ layout, extent }: Plan, panel: Panel, { min, max }: { min: number, max: number }): Frame {
  const right = layout.width - layout.right
  const x = scaleLinear([extent.min, extent.max], [layout.left, right])
  // Clamped: canvases lose precision far outside of their area.
  const y = scaleLinear([min, max], [panel.top + panel.height, panel.top]).clamp(true)
  return { panel, left: layout.left, right, x, y }
}

/** Traces one line per run without gaps. */
function tracePoints (ctx: SKRSContext2D, points: readonly Point[], { x, y }: Frame): void {
  let pen = false
  for (const [time, value] of points) {
    if (value === null) pen = false
    else if (pen) ctx.lineTo(x(time), y(value))
    else {
      ctx.moveTo(x(time), y(value))
      pen = true
    }
  }
}

/**
 * Lines with more points are drawn thin and solid: wide or dashed zigzags cost ten times as much and look no better.
 */
const DENSE = 400

export function strokeLine (
  ctx: SKRSContext2D,
  points: readonly Point[],
  frame: Frame,
  { color, width, dash = [] }: { color: string, width: number, dash?: number[] }
): void {
  ctx.beginPath()
  tracePoints(ctx, points, frame)
  const isDense = points.length > DENSE
  Object.assign(ctx, { strokeStyle: color, lineWidth: isDense ? 1 : width, lineJoin: 'bevel' })
  ctx.setLineDash(isDense ? [] : dash)
  ctx.stroke()
  ctx.setLineDash([])
}

/** Fills the area between a line and the level below it. */
export function fillAbove (
  ctx: SKRSContext2D,
  points: readonly Point[],
  frame: Frame,
  { level, color }: { readonly level: number, readonly color: string }
): void {
  const base = frame.y(level)
  ctx.save()
  ctx.beginPath()
  ctx.rect(frame.left, frame.panel.top, frame.right - frame.left, base - frame.panel.top)
  ctx.clip()
  ctx.fillStyle = color
  for (const run of runsOf(points)) {
    ctx.beginPath()
    ctx.moveTo(frame.x(run[0]![0]), base)
    for (const [time, value] of run) ctx.lineTo(frame.x(time), frame.y(value))
    ctx.lineTo(frame.x(run.at(-1)![0]), base)
    ctx.fill()
  }
  ctx.restore()
}

export function fillBand (
  ctx: SKRSContext2D,
  { bottom, width }: { bottom: readonly Point[], width: readonly Point[] },
  { x, y }: Frame,
  color: string
): void {
  const top = bottom.map(([time, low], i): Point => [time, low === null ? null : low + (width[i]![1] ?? 0)])
  const lows = runsOf(bottom)
  ctx.fillStyle = color
  for (const [i, run] of runsOf(top).entries()) {
    ctx.beginPath()
    for (const [time, value] of run) ctx.lineTo(x(time), y(value))
    for (const [time, value] of lows[i]!.toReversed()) ctx.lineTo(x(time), y(value))
    ctx.fill()
  }
}

/** Runs without gaps. */
function runsOf (points: readonly Point[]): Array<Array<readonly [number, number]>> {
  const runs: Array<Array<readonly [number, number]>> = []
  let pen = false
  for (const [time, value] of points) {
    if (value === null) pen = false
    else {
      if (!pen) runs.push([])
      runs.at(-1)!.push([time, value])
      pen = true
    }
  }
  return runs
}

export function fillDots (ctx: SKRSContext2D, points: readonly Point[], { x, y }: Frame, color: string): void {
  ctx.fillStyle = color
  for (const [time, value] of points) if (value !== null) ctx.fillRect(x(time) - 1.5, y(value) - 1.5, 3, 3)
}

/** Draws outlined diamonds filled with the background colour. */
export function strokeDiamonds (
  ctx: SKRSContext2D,
  points: readonly Point[],
  { x, y }: Frame,
  { color, background }: { readonly color: string, readonly background: string }
): void {
  ctx.beginPath()
  for (const [time, value] of points) if (value !== null) traceDiamond(ctx, x(time), y(value))
  Object.assign(ctx, { fillStyle: background, strokeStyle: color, lineWidth: 1.3 })
  ctx.fill()
  ctx.stroke()
}

export function traceDiamond (ctx: SKRSContext2D, x: number, y: number, radius = 3): void {
  ctx.moveTo(x, y - radius)
  ctx.lineTo(x + radius, y)
  ctx.lineTo(x, y + radius)
  ctx.lineTo(x - radius, y)
  ctx.closePath()
}
