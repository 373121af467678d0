// Channels as a fit could make them, for tests: a fixed level of 0 and a scale of 1 unless said otherwise.
import { fromColumns } from '../../series/series.ts'
import type { Baseline, ChannelEvidence, EvidenceFit, Rows, Thresholds } from '../model.ts'
import { rowsOf } from '../rows.ts'

export const BASELINE: Baseline = { base: 0, level: 0, multiplicative: false, period: 1, profile: [0], scale: [1] }

/** Thresholds of points alone. */
export const pointsAbove = (point: number): Thresholds => ({ point, mean: [null, null], power: [null, null] })

/** A channel in which nothing is evidence. */
export const SILENT: ChannelEvidence = {
  baseline: BASELINE,
  constant: false,
  pair: null,
  season: null,
  usual: 0,
  own: null,
  relation: null,
  stillness: null,
}

/** A fit of channels that are not compared. */
export const fitOf = (...channels: ReadonlyArray<Partial<ChannelEvidence>>): EvidenceFit => ({
  adaptive: false,
  channels: channels.map((channel) => ({ ...SILENT, ...channel })),
  related: [],
  raw: { center: [], scale: [] },
})

/** Rows of one series, each second; NaN is missing. */
export function rowsFrom (...columns: ReadonlyArray<readonly number[]>): Rows {
  const named = columns.map((column, c) => [`channel_${c}`, [...column]])
  return rowsOf([fromColumns({ start: 0, interval: 1000, columns: Object.fromEntries(named) })])
}
