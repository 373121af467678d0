// The default title of a plot: the model and a summary.
import { type Plot, summarize } from '../public/chart-option.js'

export function headed (plot: Plot): Plot {
  const { model: { name, version } } = plot.answer
  return { title: `${name} ${version}: ${summarize(plot.answer)}`, ...plot, interactive: false }
}
