// A posted series → the CSV table that training reads. Reading the numbers gives the same bits.
import { timeOf } from '../../core/series/series.ts'
import type { ComputeLimits } from '../settings/config.ts'
import { type ComputeInput, checkTimes } from './read/input.ts'
import { formatInstant } from './read/times.ts'

/** @throws Problem of the series */
export function tableOf (input: ComputeInput, { maxValues }: ComputeLimits): Uint8Array {
  const { series } = input.toSeries({
    channels: input.channels,
    interval: undefined,
    least: 1,
    because: 'training needs at least one',
  }, maxValues)
  checkTimes(series)
  const { channels, length, values } = series
  const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
  const lines = [['timestamp', ...channels.map(quote)].join(',')]
  for (let t = 0; t < length; t++) {
    let line = formatInstant(timeOf(series, t))
    for (let c = 0; c < channels.length; c++) {
      const value = values[t * channels.length + c]!
      line += Number.isNaN(value) ? ',' : `,${value}`
    }
    lines.push(line)
  }
  return new TextEncoder().encode(`${lines.join('\n')}\n`)
}
