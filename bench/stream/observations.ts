// The load of bench/stream.ts: any number of series that play the same pattern, each from another place.
import { createRandom } from '../../core/random.ts'
import { fromColumns, type Series } from '../../core/series/series.ts'
import type { RawObservation } from '../../pipelines/messages/messages.ts'

export const CHANNELS = 12
/** Sampling interval in milliseconds. */
export const INTERVAL = 1000
export const START = Date.UTC(2026, 0, 1)

/** Twelve channels that follow two hidden ones. */
function plant (length: number, seed: string): Series {
  const random = createRandom(seed)
  const columns: Record<string, number[]> = Object.fromEntries(
    Array.from({ length: CHANNELS }, (_, c) => [`channel_${String(c + 1).padStart(2, '0')}`, []])
  )
  for (let t = 0; t < length; t++) {
    const [slow, quick] = [Math.sin(t / 97), Math.sin(t / 13)]
    Object.values(columns).forEach((column, c) => {
      column.push(Math.round(1000 * (20 + c + (c % 3 + 1) * slow + (c % 4) * quick + 0.2 * random.normal())) / 1000)
    })
  }
  return fromColumns({ start: START, interval: INTERVAL, columns })
}

/** The pattern that all series play. */
export const PATTERN = plant(2000, 'plant')

/** Observation t of series i. */
export function observation (i: number, t: number): RawObservation {
  const row = (t + 17 * i) % PATTERN.length
  return {
    series: `S${String(i + 1).padStart(4, '0')}`,
    time: new Date(START + t * INTERVAL).toISOString(),
    values: Object.fromEntries(PATTERN.channels.map((name, c) => [name, PATTERN.values[row * CHANNELS + c]!])),
  }
}
