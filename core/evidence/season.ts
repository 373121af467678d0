// Phases of a cycle, and the usual value of each phase.
import { placeMiddle } from '../quantile.ts'

/**
 * Phase of a time in a cycle: a bin of 0 … round(period) − 1.
 * @param index number of the observation on the grid of all times
 * @example
 * phaseOf(50, 24) // 2
 * phaseOf(10, 2.5) // 0
 */
export function phaseOf (index: number, period: number): number {
  const bins = Math.round(period)
  const within = ((index % period) + period) % period
  return period === bins ? within : Math.min(bins - 1, Math.floor(within * bins / period))
}

/** Values of training rows by phase. */
export interface Phases {
  readonly bins: number
  /** Rows, phase after phase, in order of time. */
  readonly rows: Int32Array
  /** First of `rows` of each phase, and their number; shape [bins + 1]. */
  readonly starts: Int32Array
}

/**
 * Groups rows by phase.
 * @param index number of each row on the grid of all times
 * @example
 * groupByPhase(Float64Array.of(0, 1, 2, 3), 2).rows // [0, 2, 1, 3]
 */
export function groupByPhase (index: Float64Array, period: number): Phases {
  const bins = Math.round(period)
  const starts = new Int32Array(bins + 1)
  const phases = new Int32Array(index.length)
  for (let t = 0; t < index.length; t++) {
    phases[t] = phaseOf(index[t]!, period)
    starts[phases[t]! + 1]!++
  }
  for (let b = 0; b < bins; b++) starts[b + 1]! += starts[b]!
  const next = starts.slice(0, bins)
  const rows = new Int32Array(index.length)
  for (let t = 0; t < index.length; t++) rows[next[phases[t]!]!++] = t
  return { bins, rows, starts }
}

/**
 * Median of each phase, and each row's residual from the median of the other rows of its phase.
 * @param values shape [rows]; rows that are not included enter no median
 * @param every only each so many-th phase: enough to judge a cycle. Other residuals are NaN.
 * @example
 * const phases = groupByPhase(Float64Array.of(0, 1, 2), 1)
 * phaseMedians(Float64Array.of(1, 2, 9), Uint8Array.of(1, 1, 1), phases).profile // [2]
 * phaseMedians(Float64Array.of(1, 2, 9), Uint8Array.of(1, 1, 1), phases).residuals // [-4.5, -3, 7.5]
 */
export function phaseMedians (
  values: Float64Array,
  included: Uint8Array,
  { bins, rows, starts }: Phases,
  every = 1
): { profile: Float64Array, residuals: Float64Array } {
  const profile = new Float64Array(bins).fill(NaN)
  const residuals = new Float64Array(values.length).fill(NaN)
  const column = new Float64Array(values.length)
  for (let b = 0; b < bins; b += every) {
    let count = 0
    for (let i = starts[b]!; i < starts[b + 1]!; i++) if (included[rows[i]!] === 1) column[count++] = values[rows[i]!]!
    placeMiddle(column, count)
    const median = count === 0 ? NaN : 0.5 * (column[(count - 1) >> 1]! + column[count >> 1]!)
    profile[b] = median
    for (let i = starts[b]!; i < starts[b + 1]!; i++) {
      const t = rows[i]!
      const others = included[t] === 1 && count > 1 ? medianWithout(column, count, values[t]!) : median
      residuals[t] = values[t]! - others
    }
  }
  return { profile, residuals }
}

/** Median of values without one of them. @param column whose middle is sorted */
function medianWithout (column: Float64Array, count: number, value: number): number {
  const low = (count - 2) >> 1
  const high = (count - 1) >> 1
  return 0.5 * (column[value <= column[low]! ? low + 1 : low]! + column[value <= column[high]! ? high + 1 : high]!)
}
