// Types of chart-option.js for TypeScript importers, which read no JavaScript.
import type { EChartsOption } from 'echarts'
import type { Answer, Plot } from './types.d.ts'

export { type Answer, type Plot } from './types.d.ts'

/** The ECharts option that draws `plot`; it belongs in a canvas of `plot.width` × `chartHeight(plot)` pixels. */
export function chartOption (plot: Plot): EChartsOption

/** Height in pixels that all panels of `plot` need. */
export function chartHeight (plot: Plot): number

/** How many anomalies there are, and when the worst is. */
export function headline (answer: Answer): string

/** Kind and sentence of the worst anomaly; undefined if there is none. */
export function reasonOf (answer: Answer): string | undefined
