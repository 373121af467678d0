// The SVG of an answer, drawn by ECharts without a browser. It looks like the page.
import { init, use } from 'echarts/core'
import { CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import {
  GraphicComponent,
  GridComponent,
  LegendPlainComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
  VisualMapPiecewiseComponent,
} from 'echarts/components'
import { SVGRenderer } from 'echarts/renderers'
import { chartHeight, chartOption, type Plot } from '../public/chart-option.js'
import { headed } from './heading.ts'

export { type Answer, type Plot } from '../public/chart-option.js'

use([
  CustomChart, LineChart, ScatterChart, GraphicComponent, GridComponent, LegendPlainComponent,
  MarkAreaComponent, MarkLineComponent, TitleComponent, VisualMapPiecewiseComponent, SVGRenderer,
])

/**
 * The plot as an SVG document, `plot.width` pixels wide (default: 1200) and as high as its panels need.
 * A plot without a title gets the model and a summary. All text of the answer is escaped.
 */
export function renderSvg (plot: Plot): string {
  const drawn = headed(plot)
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: plot.width ?? 1200, height: chartHeight(drawn) })
  try {
    chart.setOption(chartOption(drawn))
    return chart.renderToSVGString()
  } finally {
    // Otherwise the instance keeps the process alive.
    chart.dispose()
  }
}
