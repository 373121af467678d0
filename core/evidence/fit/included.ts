// Which rows count in a fit, and statistics of them.
import { quantileInPlace } from '../../quantile.ts'

/** If a smaller share of the rows counts, all rows do. */
export const LEAST_SHARE = 0.3
/** Mean absolute value of a Gaussian times this is its standard deviation. */
export const GAUSSIAN = 1.2533

/**
 * Rows that are included in every channel; if these are few, all rows.
 * @param included 1 for each row that counts, shape [channels][rows]
 * @example
 * everyIncluded([Uint8Array.of(1, 1, 0), Uint8Array.of(1, 0, 1)]) // [1, 0, 0]
 * everyIncluded([Uint8Array.of(1, 0), Uint8Array.of(0, 1)]) // [1, 1]
 */
export function everyIncluded (included: readonly Uint8Array[]): Uint8Array {
  const every = included[0]!.slice()
  for (const flags of included) for (let t = 0; t < every.length; t++) if (flags[t] !== 1) every[t] = 0
  return countOf(every) > LEAST_SHARE * every.length ? every : every.fill(1)
}

/**
 * Number of rows that count.
 * @param flags 0 or 1 for each row
 * @example
 * countOf(Uint8Array.of(1, 0, 1)) // 2
 */
export function countOf (flags: Uint8Array): number {
  let count = 0
  for (let t = 0; t < flags.length; t++) count += flags[t]!
  return count
}

/**
 * The included values without NaN, in a new array.
 * @example
 * includedOf(Float64Array.of(3, 1, NaN), Uint8Array.of(1, 0, 1)) // [3]
 */
export function includedOf (values: Float64Array, included: Uint8Array): Float64Array {
  const kept = new Float64Array(values.length)
  let count = 0
  for (let t = 0; t < values.length; t++) {
    const value = values[t]!
    if (included[t] === 1 && !Number.isNaN(value)) kept[count++] = value
  }
  return kept.subarray(0, count)
}

/**
 * Median of the included values; 0 if there is none.
 * @example
 * medianOf(Float64Array.of(3, 1, 9), Uint8Array.of(1, 1, 0)) // 2
 */
export function medianOf (values: Float64Array, included: Uint8Array): number {
  return medianOfAll(includedOf(values, included))
}

/**
 * Median of values; 0 if there is none.
 * @param values a copy of the caller's own, which is reordered; no value is NaN
 * @example
 * medianOfAll(Float64Array.of(3, 1)) // 2
 */
export function medianOfAll (values: Float64Array): number {
  return values.length === 0 ? 0 : quantileInPlace(values, 0.5)
}

/**
 * Mean |value − center| of the included rows that have a value; 0 if there is none.
 * @example
 * meanAbsolute(Float64Array.of(2, -2, 9, NaN), Uint8Array.of(1, 1, 0, 1)) // 2
 */
export function meanAbsolute (values: Float64Array, included: Uint8Array, center = 0): number {
  let [sum, count] = [0, 0]
  for (let t = 0; t < values.length; t++) {
    const departure = values[t]! - center
    if (included[t] !== 1 || Number.isNaN(departure)) continue
    sum += Math.abs(departure)
    count++
  }
  return count === 0 ? 0 : sum / count
}

/**
 * Spread of the included values around a centre as a standard deviation; 0 if there is none.
 * @example
 * spreadOf(Float64Array.of(2, -2, 9), Uint8Array.of(1, 1, 0)) // 2.5066
 */
export const spreadOf = (values: Float64Array, included: Uint8Array, center = 0): number =>
  GAUSSIAN * meanAbsolute(values, included, center)
