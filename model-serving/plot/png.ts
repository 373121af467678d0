// The PNG of an answer, drawn without ECharts.
import type { Plot } from '../public/chart-option.js'
import { headed } from './heading.ts'
import { drawStill } from './draw-png.ts'

/** Has the size of the SVG. The same plot gives the same bytes. */
export function renderPng (plot: Plot): Buffer {
  return drawStill(headed(plot)).toPng()
}
