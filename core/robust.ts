// Robust statistics of one channel: a minority of extreme or shifted values cannot move them.
import { quantile } from './quantile.ts'

/** Median absolute deviation → standard deviation, for bell-shaped values. */
export const MAD_TO_DEVIATION = 1.4826
/** Most differences for each lag. */
const SAMPLED = 2000
const LONGEST_LAG_SHARE = 1 / 16

/**
 * Median and deviation: 1.4826 × the median absolute deviation, or the standard deviation if most values are equal; 0
 * for a constant.
 * @example
 * robustMoments(Float64Array.of(1, 2, 3, 4, 1000)) // { centre: 3, deviation: 1.48… }
 */
export function robustMoments (values: Float64Array): { centre: number, deviation: number } {
  const centre = quantile(values, 0.5)
  const departures = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) departures[i] = Math.abs(values[i]! - centre)
  const spread = MAD_TO_DEVIATION * quantile(departures, 0.5)
  if (spread > 0) return { centre, deviation: spread }
  const largest = departures.reduce((most, departure) => Math.max(most, departure), 0)
  if (largest === 0) return { centre, deviation: 0 }
  return {
    centre,
    deviation: largest *
      Math.sqrt(departures.reduce((sum, departure) => sum + (departure / largest) ** 2, 0) / values.length),
  }
}

/**
 * Integrated autocorrelation time, ≥ 1: so many successive values hold as much information as one independent value. By
 * the robust variogram (Cressie and Hawkins 1980): differences over a lag grow until the values are independent, and
 * few of them span a level shift. Lags are powers of two up to a sixteenth of the series.
 * @example
 * const random = createRandom('noise')
 * autocorrelationTime(Float64Array.from({ length: 1000 }, random.normal)) // 1
 */
export function autocorrelationTime (values: Float64Array): number {
  const lags: number[] = []
  const spreads: number[] = []
  for (let lag = 1; lag <= values.length * LONGEST_LAG_SHARE; lag *= 2) {
    lags.push(lag)
    spreads.push(squaredDifference(values, lag))
  }
  const most = Math.max(...spreads)
  if (!(most > 0)) return 1
  let time = 1
  let [beforeLag, before] = [0, 1]
  for (const [i, lag] of lags.entries()) {
    const correlation = 1 - spreads[i]! / most
    // Between two lags the correlation falls linearly. Below 0.1 it is noise.
    time += (lag - beforeLag) * (before + correlation) - (before - correlation)
    if (correlation < 0.1) break
    beforeLag = lag
    before = correlation
  }
  return Math.max(1, time)
}

const GOLDEN_RATIO = 0.6180339887498949

/** Square of the median absolute difference over `lag`. */
function squaredDifference (values: Float64Array, lag: number): number {
  const pairs = values.length - lag
  const count = Math.min(pairs, SAMPLED)
  const differences = Float64Array.from({ length: count }, (_, i) => {
    // Multiples of the golden ratio spread evenly, whereas equal steps could match a period of the data.
    const t = count === pairs ? i : Math.floor((i * GOLDEN_RATIO) % 1 * pairs)
    return Math.abs(values[t + lag]! - values[t]!)
  })
  return quantile(differences, 0.5) ** 2
}
