// The SVG of an answer, by ECharts without a browser: what the page shows.
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
 * The plot as an SVG document, `plot.width` pixels wide (default 1200), as high as its panels need.
 * Headed by the model and a summary where the plot has no title. All text of the answer is escaped.
 */
export function renderSvg (plot: Plot): string {
  const drawn = headed(plot)
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: plot.width ?? 1200, height: chartHeight(drawn) })
  try {
    chart.setOption(chartOption(drawn))
    return chart.renderToSVGString()
  } finally {
    // An instance that lives on keeps the process alive.
    chart.dispose()
  }
}
