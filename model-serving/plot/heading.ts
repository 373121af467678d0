// What a plot that has no title of its own is headed by: the model and a summary.
import { type Plot, summarize } from '../public/chart-option.js'

export function headed (plot: Plot): Plot {
  const { model: { name, version } } = plot.answer
  return { title: `${name} ${version}: ${summarize(plot.answer)}`, ...plot, interactive: false }
}
