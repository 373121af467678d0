// A series without its long gaps: runs from which windows may be cut.
import { fillGaps } from './impute.ts'
import { type Scaler, standardise } from './scaler.ts'
import type { Series } from './series.ts'

/** A gap-free run of standardised observations. */
interface Run {
  /** Index of its first observation in the series. */
  readonly from: number
  /** Shape [length × channels]. */
  readonly values: Float32Array
}

/**
 * Fills short gaps and cuts the series at long ones.
 * @param imputed receives 1 for each filled value, shape [length × channels]
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, NaN, NaN, 4, 5] } })
 * standardisedRuns(series, { center: [4], scale: [1] }, 1)
 * // [{ from: 0, values: [-3, -3] }, { from: 3, values: [0, 1] }]
 */
export function standardisedRuns (series: Series, scaler: Scaler, maxGap: number, imputed?: Uint8Array): Run[] {
  const channels = series.channels.length
  const { filled, incomplete } = fillGaps(series.values, channels, maxGap, imputed)
  const values = new Float32Array(filled.length)
  standardise(scaler, filled, values)
  return completeRuns(series.length, incomplete).map(({ from, to }) => ({
    from,
    values: values.subarray(from * channels, to * channels),
  }))
}

/**
 * Lengths of the series' runs between gaps of more than `maxGap` observations.
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, NaN, NaN, 4, 5] } })
 * runLengths(series, 1) // [2, 2]
 */
export function runLengths ({ values, channels, length }: Series, maxGap: number): number[] {
  return completeRuns(length, fillGaps(values, channels.length, maxGap).incomplete).map(({ from, to }) => to - from)
}

function completeRuns (length: number, incomplete: Uint8Array | undefined): Array<{ from: number, to: number }> {
  return runsWhere(length, (t) => incomplete?.[t] !== 1).map(({ from, to }) => ({ from, to: to + 1 }))
}

/**
 * The longest runs of observations that share something, in order of time.
 * @param isIn whether an observation has it
 * @returns first and last observation of each run
 * @example
 * const values = [0, 2, 2, 0, 2]
 * runsWhere(5, (t) => values[t] > 1) // [{ from: 1, to: 2 }, { from: 4, to: 4 }]
 */
export function runsWhere (length: number, isIn: (t: number) => boolean): Array<{ from: number, to: number }> {
  const runs: Array<{ from: number, to: number }> = []
  for (let from = 0; from < length; from++) {
    if (!isIn(from)) continue
    let to = from
    while (to + 1 < length && isIn(to + 1)) to++
    runs.push({ from, to })
    from = to
  }
  return runs
}
