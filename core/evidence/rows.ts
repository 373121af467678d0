// Series as rows of columns without gaps, for evidence.
import type { Series } from '../series/series.ts'
import type { Rows } from './model.ts'

/** Larger values are bounded, so that sums of them are numbers. */
const LARGEST_VALUE = 1e290

/**
 * A value as evidence takes it: bounded.
 * @example
 * boundedValue(-1e300) // -1e290
 */
export const boundedValue = (value: number): number => Math.max(-LARGEST_VALUE, Math.min(LARGEST_VALUE, value))

/**
 * The rows of some series with the same channels and interval, gaps filled on a line between their neighbours.
 * @example
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a: [1, NaN, 3] } })
 * rowsOf([series]).columns[0] // [1, 2, 3]
 * rowsOf([series]).missing[0] // [0, 1, 0]
 */
export function rowsOf (series: readonly Series[]): Rows {
  const { channels, interval } = series[0]!
  const edges = [0]
  for (const { length } of series) edges.push(edges.at(-1)! + length)
  const length = edges.at(-1)!
  const index = new Float64Array(length)
  series.forEach(({ start, length: count }, s) => {
    const first = Math.floor(start / interval)
    for (let t = 0; t < count; t++) index[edges[s]! + t] = first + t
  })
  const columns: Float64Array[] = []
  const missing: Uint8Array[] = []
  for (let c = 0; c < channels.length; c++) {
    const column = new Float64Array(length)
    const gaps = new Uint8Array(length)
    series.forEach(({ values, length: count }, s) => {
      const part = column.subarray(edges[s], edges[s + 1])
      for (let t = 0; t < count; t++) part[t] = boundedOrMissing(values[t * channels.length + c]!)
      fillLine(part, gaps.subarray(edges[s], edges[s + 1]))
    })
    columns.push(column)
    missing.push(gaps)
  }
  return { interval, index, edges, columns, missing }
}

/** What is not finite is missing. */
const boundedOrMissing = (value: number): number => Number.isFinite(value) ? boundedValue(value) : NaN

/** Fills gaps on a line between their neighbours, at the ends with the nearest value; 0 if there is no value. */
function fillLine (values: Float64Array, missing: Uint8Array): void {
  let known = -1
  for (let t = 0; t < values.length; t++) {
    if (!Number.isFinite(values[t]!)) {
      missing[t] = 1
      continue
    }
    const [from, to] = [known, t]
    const step = from < 0 ? 0 : (values[to]! - values[from]!) / (to - from)
    for (let i = from + 1; i < to; i++) values[i] = from < 0 ? values[to]! : values[from]! + step * (i - from)
    known = t
  }
  values.fill(known < 0 ? 0 : values[known]!, known + 1)
}
