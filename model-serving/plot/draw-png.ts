// A plot as a still picture, drawn on a canvas by hand, panel by panel. The clear version is ECharts, which draws the
// same plot for the page and as SVG (svg.ts):
//
//   const chart = init(canvas)
//   chart.setOption({ ...chartOption(headed(plot)), animation: false })
//   chart.getZr().flush()
//
// This file is 6.5 to 8 times as fast (`npm run -s bench:own-code -- --only plots`, docs/decisions/0016).
import { scaleLinear } from 'd3-scale'
import { planOf, type Panel, type Plan, type Plot } from '../public/chart-plan.js'
import { drawHeading, drawHeatLegend, drawLegend, drawTimeAxis, drawTitle, drawValueAxis } from './axes.ts'
import { fillAbove, fillBand, fillDots, type Frame, frameOf, strokeDiamonds, strokeLine } from './lines.ts'
import { Sheet } from './sheet.ts'

export function drawStill (plot: Plot): Sheet {
  const plan = planOf(plot)
  const { layout, palette, channels } = plan
  const sheet = new Sheet(layout.width, layout.height, palette.background)
  drawTitle(sheet, plan)
  if (channels.length > 0) drawLegend(sheet, plan)
  layout.panels.forEach((panel, i) => { DRAW[panel.kind](sheet, plan, panel, i === layout.panels.length - 1) })
  return sheet
}

const DRAW: Readonly<Record<Panel['kind'], (sheet: Sheet, plan: Plan, panel: Panel, isLast: boolean) => void>> = {
  score: drawScore,
  contributions: drawHeat,
  channel: drawChannel,
}

/** Shades the anomalies over the height of a panel: half an interval wider on both sides, and at least a pixel wide. */
function shade (sheet: Sheet, { answer, time, palette }: Plan, { x, panel, right }: Frame, isFilled = true): void {
  const { ctx } = sheet
  Object.assign(ctx, { fillStyle: palette.anomaly, strokeStyle: palette.anomaly, lineWidth: 1 })
  for (const { start, end } of answer.anomalies ?? []) {
    const from = x(Date.parse(start) - time.interval / 2)
    const width = Math.max(1, Math.min(right, x(Date.parse(end) + time.interval / 2)) - from)
    if (isFilled) ctx.fillRect(from, panel.top, width, panel.height)
    ctx.strokeRect(from, panel.top, width, panel.height)
  }
}

function drawScore (sheet: Sheet, plan: Plan, panel: Panel): void {
  const { ctx } = sheet
  const { palette, answer: { threshold }, scoreExtent } = plan
  const frame = frameOf(plan, panel, scoreExtent)
  const { line, lone } = plan.score()
  const steps = Math.round(scoreExtent.max / scoreExtent.interval)
  drawHeading(sheet, plan, 'anomaly score', panel.top)
  drawValueAxis(sheet, plan, frame, Array.from({ length: steps + 1 }, (_, i) => i * scoreExtent.interval))
  shade(sheet, plan, frame)
  fillAbove(ctx, line, frame, { level: threshold, color: palette.excess })
  strokeLine(ctx, line, frame, { color: palette.score, width: 1.4 })
  fillDots(ctx, lone, frame, palette.score)
  const ends = [[plan.extent.min, threshold], [plan.extent.max, threshold]] as const
  strokeLine(ctx, ends, frame, { color: palette.alarm, width: 1.2, dash: [5, 4] })
  sheet.text('threshold', frame.left + 4, frame.y(threshold) - 7, { color: palette.alarm })
  drawTimeAxis(sheet, plan, frame, true)
}

function drawHeat (sheet: Sheet, plan: Plan, panel: Panel, isLast: boolean): void {
  const { ctx } = sheet
  const { palette, channels, layout: { wide, left, width, right } } = plan
  const frame = frameOf(plan, panel, { min: channels.length, max: 0 })
  const row = panel.height / channels.length
  ctx.fillStyle = palette.well
  ctx.fillRect(frame.left, panel.top, frame.right - frame.left, panel.height)
  for (const [from, to, channel, level] of plan.heat()) {
    ctx.fillStyle = palette.ramp[level] ?? palette.alarm
    ctx.fillRect(frame.x(from), panel.top + channel * row + 0.5, Math.max(1, frame.x(to) - frame.x(from)), row - 1)
  }
  shade(sheet, plan, frame, false)
  sheet.text(wide ? 'contribution to the score' : 'contributions', left, panel.top - 10, {
    color: palette.text,
    size: 12,
    room: width - left - right - 130,
  })
  channels.forEach((name, i) => {
    const y = panel.top + (i + 0.5) * row
    if (wide) sheet.text(name, 8, y, { color: palette.muted, room: left - 16 })
    else sheet.text(name, left + 4, y, { color: palette.text, size: 10.5, room: width - left - right - 8 })
  })
  drawHeatLegend(sheet, plan, panel.top)
  if (isLast) drawTimeAxis(sheet, plan, frame, true)
}

function drawChannel (sheet: Sheet, plan: Plan, panel: Panel, isLast: boolean): void {
  const { ctx } = sheet
  const { palette } = plan
  const extent = plan.valueExtent(panel.name)
  const frame = frameOf(plan, panel, extent)
  const { band, expected, observed, lone, imputed } = plan.channel(panel.name)
  drawHeading(sheet, plan, panel.name, panel.top)
  drawValueAxis(sheet, plan, frame, scaleLinear([extent.min, extent.max], [0, 1]).ticks(3))
  shade(sheet, plan, frame)
  fillBand(ctx, band, frame, palette.band)
  strokeLine(ctx, expected, frame, { color: palette.expected, width: 1.2, dash: [4, 3] })
  strokeLine(ctx, observed, frame, { color: palette.observed, width: 1.4 })
  fillDots(ctx, lone, frame, palette.observed)
  strokeDiamonds(ctx, imputed, frame, { color: palette.imputed, background: palette.background })
  drawTimeAxis(sheet, plan, frame, isLast)
}
