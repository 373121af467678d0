// The period of one channel from its autocorrelation; it sets the buffer of VUS. Knows no labels.

const MAX_OBSERVATIONS = 20_000
const FIRST_LAG = 3
const LAST_LAG = 400
/** Bounds on the lag, counted from FIRST_LAG, and the result outside of them. */
const MIN_OFFSET = 3
const MAX_OFFSET = 300
const DEFAULT_PERIOD = 125

/** Deviations from the mean; a missing value deviates by 0, so its products are 0. Shape [at most 20,000]. */
function deviations (values: ArrayLike<number>): Float64Array {
  const length = Math.min(values.length, MAX_OBSERVATIONS)
  let sum = 0
  let count = 0
  for (let t = 0; t < length; t++) {
    if (Number.isNaN(values[t]!)) continue
    sum += values[t]!
    count++
  }
  const mean = sum / count
  return Float64Array.from({ length }, (_, t) => Number.isNaN(values[t]!) ? 0 : values[t]! - mean)
}

/** Σ_t d_t · d_{t+lag} over the variance sum, for lags FIRST_LAG … LAST_LAG, or fewer for a short series. */
function autocorrelations (values: ArrayLike<number>): Float64Array {
  const d = deviations(values)
  const variance = d.reduce((sum, x) => sum + x * x, 0)
  const count = Math.max(0, Math.min(LAST_LAG, d.length - 1) - FIRST_LAG + 1)
  return Float64Array.from({ length: count }, (_, offset) => {
    const lag = offset + FIRST_LAG
    let sum = 0
    for (let t = lag; t < d.length; t++) sum += d[t]! * d[t - lag]!
    return sum / variance
  })
}

/**
 * The lag of the largest local maximum of the autocorrelation, lags 3 … 400 of the first 20,000 observations: the rule
 * by which the TSB-AD benchmark (Liu and Paparrizos, 2024; `find_length_rank`) chooses the longest buffer of VUS. A
 * local maximum is greater than both neighbours, so neither end is one; of equal ones the later counts. The range test
 * is on the lag counted from 3: below 3 or above 300 (lags 3–5 and 304–400) the period is 125. A missing value (NaN)
 * counts as the mean. Edge cases: no local maximum, a constant, fewer than 8 observations, or none → 125.
 * @param values one channel, shape [length]
 * @returns observations per period: 6 … 303
 * @example
 * autocorrelationPeriod(Array.from({ length: 200 }, (_, t) => Math.sin(2 * Math.PI * t / 12))) // 12
 */
export function autocorrelationPeriod (values: ArrayLike<number>): number {
  const correlations = autocorrelations(values)
  let best = -1
  let height = -Infinity
  for (let i = 1; i < correlations.length - 1; i++) {
    const here = correlations[i]!
    const peak = here > correlations[i - 1]! && here > correlations[i + 1]!
    if (!peak || here < height) continue
    best = i
    height = here
  }
  return best < MIN_OFFSET || best > MAX_OFFSET ? DEFAULT_PERIOD : best + FIRST_LAG
}
