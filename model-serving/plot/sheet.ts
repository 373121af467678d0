// The canvas of a plot: bundled fonts, text cut to fit, and PNG output.
import { createRequire } from 'node:module'
import { type Canvas, createCanvas, GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas'
import { encodePng } from './encode-png.ts'

const FAMILY = 'DejaVu Sans'
const resolve = createRequire(import.meta.url).resolve
// From a package, so that text looks the same on every machine.
for (const file of ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf']) {
  GlobalFonts.registerFromPath(resolve(`dejavu-fonts-ttf/ttf/${file}`), FAMILY)
}

/** A name with more letters is wider than every plot. */
const MOST_LETTERS = 200

interface TextStyle {
  readonly color: string
  readonly size?: number
  readonly bold?: boolean
  readonly align?: 'left' | 'right' | 'center'
  /** Most pixels; longer texts end in an ellipsis. */
  readonly room?: number
}

/** One canvas per thread: only garbage collection frees its pixels, and that may be many plots away. */
let last: Canvas | undefined

function canvasOf (width: number, height: number): Canvas {
  if (last?.width !== width || last.height !== height) last = createCanvas(width, height)
  return last
}

/** Call toPng() before the next sheet is made: all sheets share one canvas. */
export class Sheet {
  readonly #canvas: Canvas
  readonly ctx: SKRSContext2D

  constructor (width: number, height: number, background: string) {
    this.#canvas = canvasOf(width, height)
    this.ctx = this.#canvas.getContext('2d')
    this.ctx.fillStyle = background
    this.ctx.fillRect(0, 0, width, height)
    this.ctx.textBaseline = 'middle'
  }

  /** Draws text, vertically centred at y. @returns its width */
  text (
    content: string,
    x: number,
    y: number,
    { color, size = 11, bold = false, align = 'left', room }: TextStyle
  ): number {
    const { ctx } = this
    ctx.font = `${bold ? 'bold ' : ''}${size}px "${FAMILY}"`
    ctx.fillStyle = color
    ctx.textAlign = align
    const line = content.slice(0, MOST_LETTERS).replaceAll(/\s+/g, ' ')
    const fitting = room === undefined ? line : this.#fit(line, room)
    ctx.fillText(fitting, x, y)
    return ctx.measureText(fitting).width
  }

  toPng (): Buffer {
    const { width, height } = this.#canvas
    return encodePng(this.#canvas.data(), width, height)
  }

  /** The longest beginning that fits, found by bisection. */
  #fit (text: string, room: number): string {
    const { ctx } = this
    if (ctx.measureText(text).width <= room) return text
    let [fits, tooLong] = [0, text.length]
    while (tooLong - fits > 1) {
      const middle = (fits + tooLong) >> 1
      if (ctx.measureText(`${text.slice(0, middle)}…`).width <= room) fits = middle
      else tooLong = middle
    }
    return `${text.slice(0, fits)}…`
  }
}
