// Plots of an answer as files: SVG by ECharts without a browser, PNG from that SVG with a font of its own, so that text appears everywhere.
import { createRequire } from 'node:module'
import { Resvg } from '@resvg/resvg-js'
import { init, use } from 'echarts/core'
import { CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import { GraphicComponent, GridComponent, LegendPlainComponent, MarkAreaComponent, MarkLineComponent, TitleComponent, VisualMapPiecewiseComponent } from 'echarts/components'
import { SVGRenderer } from 'echarts/renderers'
import { chartHeight, chartOption, type Plot, summarize } from '../public/chart-option.js'

export { type Answer, type Plot } from '../public/chart-option.js'

use([
  CustomChart, LineChart, ScatterChart, GraphicComponent, GridComponent, LegendPlainComponent,
  MarkAreaComponent, MarkLineComponent, TitleComponent, VisualMapPiecewiseComponent, SVGRenderer,
])

const FONT_FAMILY = 'DejaVu Sans'
const resolve = createRequire(import.meta.url).resolve
const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => resolve(`dejavu-fonts-ttf/ttf/${file}`))

/**
 * The plot as an SVG document, `plot.width` pixels wide (default 1200), as high as its panels need.
 * Headed by the model and a summary where the plot has no title. All text of the answer is escaped.
 */
export function renderSvg (plot: Plot): string {
  const { model: { name, version } } = plot.answer
  const titled: Plot = { title: `${name} ${version}: ${summarize(plot.answer)}`, ...plot, interactive: false }
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: plot.width ?? 1200, height: chartHeight(titled) })
  try {
    chart.setOption(chartOption(titled))
    return chart.renderToSVGString()
  } finally {
    // An instance that lives on keeps the process alive.
    chart.dispose()
  }
}

/** The same plot as a PNG image, two device pixels to each of the SVG's, with DejaVu Sans from this installation. */
export function renderPng (plot: Plot): Buffer {
  const font = { loadSystemFonts: false, fontFiles, defaultFontFamily: FONT_FAMILY, sansSerifFamily: FONT_FAMILY }
  return new Resvg(renderSvg(plot), { font, fitTo: { mode: 'zoom', value: 2 } }).render().asPng()
}
