// The errors of all members in each gap-free run of a series: calibration scores them by both scorings.
import { standardisedRuns } from '../series/runs.ts'
import type { Series } from '../series/series.ts'
import type { PatternModel } from './detection.ts'
import type { RunOfErrors } from './reconstruction-error.ts'

/**
 * @param errorsOf the errors of member `m` in a run of standardised values, shape [length × channels], that begins at
 * observation `from`
 * @returns one entry for each run; a member whose window is longer than the run has no errors in it
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, 2, 3] } })
 * const model = { channels: ['a'], maxGap: 3, scaler: { center: [0], scale: [1] }, members: [{ windowLength: 2 }] }
 * errorsByRun(model, series, (values) => Float64Array.from(values))[0].parts // [[1, 2, 3]]
 */
export function errorsByRun (
  { channels, members, scaler, maxGap }: PatternModel,
  series: Series,
  errorsOf: (values: Float32Array, m: number, from: number) => Float64Array
): RunOfErrors[] {
  return standardisedRuns(series, scaler, maxGap).map(({ from, values }) => ({
    from,
    length: values.length / channels.length,
    parts: members.map(({ windowLength }, m) =>
      values.length < windowLength * channels.length ? new Float64Array(0) : errorsOf(values, m, from)
    ),
  }))
}
