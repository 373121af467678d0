// Plots as PNG: the drawing of `plot/` and `encode-png.ts`.
import { createCanvas, loadImage } from '@napi-rs/canvas'
import { init, setPlatformAPI, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { encodePng } from '../../model-serving/plot/encode-png.ts'
import { headed } from '../../model-serving/plot/heading.ts'
import { renderPng } from '../../model-serving/plot/png.ts'
import { drawStill } from '../../model-serving/plot/draw-png.ts'
import { type Answer, renderSvg } from '../../model-serving/plot/svg.ts'
import { chartHeight, chartOption } from '../../model-serving/public/chart-option.js'
import { syntheticAnswer } from '../../model-serving/test/synthetic-answer.ts'
import { compare } from './compare.ts'

/** The answer with the named channels alone. */
function narrowed (answer: Answer, names: readonly string[]): Answer {
  const only = <T>(values: Readonly<Record<string, T>> = {}): Record<string, T> =>
    Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)))
  const { observed, expected, lower, upper, contributions, quality } = answer
  const isNamed = ({ name }: { readonly name: string }): boolean => names.includes(name)
  const anomalies = answer.anomalies?.map((one) => ({ ...one, channels: one.channels.filter(isNamed) })) ?? []
  const parts = { observed: only(observed), expected: only(expected), lower: only(lower), upper: only(upper) }
  return { ...answer, ...parts, contributions: only(contributions), quality: only(quality), anomalies }
}

use([CanvasRenderer])
setPlatformAPI({ createCanvas: () => createCanvas(32, 32) as unknown as HTMLCanvasElement })

/** ECharts' SVG, drawn by the canvas library. */
async function rasterised (answer: Answer): Promise<Buffer> {
  const image = await loadImage(Buffer.from(renderSvg({ answer })))
  const canvas = createCanvas(image.width, image.height)
  canvas.getContext('2d').drawImage(image, 0, 0)
  return canvas.encodeSync('png')
}

/** ECharts on a canvas. */
function onCanvas (answer: Answer): Buffer {
  const plot = headed({ answer })
  const canvas = createCanvas(1200, chartHeight(plot))
  const chart = init(canvas as unknown as HTMLElement)
  try {
    chart.setOption({ ...chartOption(plot), animation: false })
    chart.getZr().flush()
    return canvas.encodeSync('png')
  } finally {
    chart.dispose()
  }
}

export async function plots (): Promise<void> {
  const cases: ReadonlyArray<readonly [string, Answer]> = [
    ['28,000 × 1', narrowed(syntheticAnswer(28_000), ['gearbox_bearing_temp_c'])],
    ['8,640 × 11', syntheticAnswer(8640)],
  ]
  for (const [on, answer] of cases) {
    const variants = {
      'plot/ and encode-png.ts': () => renderPng({ answer }),
      'plot/ and the canvas\' encoder': () => drawnPng(answer),
      'ECharts as SVG, drawn by the canvas': async () => rasterised(answer),
      'ECharts on the canvas': () => onCanvas(answer),
    }
    const bytes: Record<string, number> = {}
    for (const [name, draw] of Object.entries(variants)) bytes[name] = (await draw()).length
    await compare({ title: `plot as PNG, ${on}`, variants, bytes })
    await encoders(on, answer)
  }
}

/** The same pixels by both encoders. */
async function encoders (on: string, answer: Answer): Promise<void> {
  const png = await loadImage(renderPng({ answer }))
  const canvas = createCanvas(png.width, png.height)
  canvas.getContext('2d').drawImage(png, 0, 0)
  const pixels = Buffer.from(canvas.data())
  const own = (): Buffer => encodePng(pixels, png.width, png.height)
  const theirs = (): Buffer => canvas.encodeSync('png')
  await compare({
    title: `pixels → PNG, ${on} (${png.width} × ${png.height})`,
    variants: { 'encode-png.ts': own, '@napi-rs/canvas': theirs },
    bytes: { 'encode-png.ts': own().length, '@napi-rs/canvas': theirs().length },
  })
}

/** Our drawing, their encoder. */
function drawnPng (answer: Answer): Buffer {
  return drawStill(headed({ answer })).ctx.canvas.encodeSync('png')
}
