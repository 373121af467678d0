// The default heading of a plot: the model and what it found, and below it the sentence of the worst anomaly.
import { headline, type Plot, reasonOf } from '../public/chart-option.js'

export function headed (plot: Plot): Plot {
  const { model: { name, version } } = plot.answer
  const reason = reasonOf(plot.answer)
  return {
    title: `${name} ${version}: ${headline(plot.answer)}`,
    ...(reason !== undefined && { subtitle: reason }),
    ...plot,
    interactive: false,
  }
}
