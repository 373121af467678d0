// Axes, headings and legends of the panels.
import { scaleLinear, scaleUtc } from 'd3-scale'
import { formatNumber, PARTS, type Plan } from '../public/chart-plan.js'
import { type Frame, traceDiamond } from './lines.ts'
import type { Sheet } from './sheet.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (value: number): string => String(value).padStart(2, '0')

/** The date at midnight, else the time of day with the precision that it needs. */
function timeLabel (at: Date): string {
  const [hours, minutes, seconds] = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()]
  if (hours + minutes + seconds + at.getUTCMilliseconds() === 0) return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`
  if (at.getUTCMilliseconds() !== 0) {
    return `${two(minutes)}:${two(seconds)}.${String(at.getUTCMilliseconds()).padStart(3, '0')}`
  }
  return `${two(hours)}:${two(minutes)}${seconds === 0 ? '' : `:${two(seconds)}`}`
}

interface Tick { readonly at: number, readonly label: string }

/** Ticks at times, or at numbers of observations if the times are made up. */
function ticksOf ({ answer, extent, time, layout }: Plan): Tick[] {
  const count = layout.wide ? 10 : 4
  if (answer.numbered === true) {
    const [first, last] = [extent.min, extent.max].map((at) => (at - time.start) / time.interval)
    return scaleLinear([first!, last!], [0, 1]).ticks(count).filter(Number.isInteger).map((n) => ({
      at: time.start + n * time.interval,
      label: n.toLocaleString('en'),
    }))
  }
  const ticks = scaleUtc([extent.min, extent.max], [0, 1]).ticks(count).map((at) => ({
    at: at.getTime(),
    label: timeLabel(at),
  }))
  // At least one tick has the date.
  const [first] = ticks
  if (first !== undefined && !ticks.some(({ label }) => label.includes(' '))) {
    const date = new Date(first.at)
    first.label = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${first.label}`
  }
  return ticks
}

export function drawTimeAxis (sheet: Sheet, plan: Plan, { panel, left, right, x }: Frame, labelled: boolean): void {
  const { ctx } = sheet
  const { palette } = plan
  const bottom = panel.top + panel.height
  ctx.fillStyle = palette.line
  ctx.fillRect(left, bottom, right - left, 1)
  if (!labelled) return
  for (const { at, label } of ticksOf(plan)) {
    const px = Math.round(x(at))
    if (px < left || px > right) continue
    ctx.fillStyle = palette.line
    ctx.fillRect(px, bottom, 1, 5)
    sheet.text(label, px, bottom + 14, { color: palette.muted, align: px > right - 20 ? 'right' : 'center' })
  }
}

/** Horizontal grid lines with their values on the left. */
export function drawValueAxis (
  sheet: Sheet,
  { palette, layout }: Plan,
  { left, right, y, panel }: Frame,
  values: readonly number[]
): void {
  for (const value of values) {
    const py = Math.round(y(value))
    sheet.ctx.fillStyle = palette.grid
    sheet.ctx.fillRect(left, py, right - left, 1)
    if (py > panel.top + 4 || panel.kind === 'score') {
      sheet.text(formatNumber(value), left - 6, py, { color: palette.muted, align: 'right', room: layout.left - 8 })
    }
  }
}

export function drawHeading (
  sheet: Sheet,
  { layout: { wide, left, right, width }, palette }: Plan,
  text: string,
  top: number
): void {
  if (wide) sheet.text(text, 8, top + 7, { color: palette.text, size: 12, room: left - 42 })
  else sheet.text(text, left, top - 10, { color: palette.text, size: 12, room: width - left - right })
}

export function drawTitle (sheet: Sheet, { layout: { width }, palette, title, subtitle }: Plan): void {
  const style = { color: palette.text, room: width - 16 }
  if (title !== undefined) sheet.text(title, 8, 16, { ...style, size: 14, bold: true })
  if (subtitle !== undefined) sheet.text(subtitle, 8, title === undefined ? 16 : 34, { ...style, size: 12 })
}

export function drawLegend (sheet: Sheet, { layout, palette }: Plan): void {
  const { ctx } = sheet
  const { legendTop, wide, left, width } = layout
  let [x, y] = [wide ? left : 8, legendTop + 14]
  const swatches: Array<[string, () => void]> = [
    [PARTS.observed, () => {
      ctx.fillStyle = palette.observed
      ctx.fillRect(x, y - 1, 18, 2)
    }],
    [PARTS.expected, () => {
      ctx.fillStyle = palette.expected
      for (const dash of [0, 7, 14]) ctx.fillRect(x + dash, y - 1, 4, 2)
    }],
    [PARTS.band, () => {
      ctx.fillStyle = palette.band
      ctx.fillRect(x, y - 5, 18, 10)
    }],
    [PARTS.anomaly, () => {
      Object.assign(ctx, { fillStyle: palette.anomaly, strokeStyle: palette.alarm, lineWidth: 0.5 })
      ctx.fillRect(x, y - 5, 18, 10)
      ctx.strokeRect(x, y - 5, 18, 10)
    }],
    [PARTS.imputed, () => {
      ctx.beginPath()
      traceDiamond(ctx, x + 9, y, 5)
      Object.assign(ctx, { strokeStyle: palette.imputed, lineWidth: 1.3 })
      ctx.stroke()
    }],
  ]
  for (const [name, swatch] of swatches) {
    if (x > width - 110) [x, y] = [8, y + 20]
    swatch()
    x += 24 + sheet.text(name, x + 24, y, { color: palette.muted, size: 12 }) + 22
  }
}

export function drawHeatLegend (sheet: Sheet, { layout: { width, right }, palette }: Plan, top: number): void {
  const x = width - right - 116
  sheet.text('0', x, top - 11, { color: palette.muted, size: 10.5 })
  palette.ramp.forEach((color, i) => {
    sheet.ctx.fillStyle = color
    sheet.ctx.fillRect(x + 10 + i * 9, top - 16, 9, 10)
  })
  sheet.text('100 %', x + 12 + palette.ramp.length * 9, top - 11, { color: palette.muted, size: 10.5 })
}
