// Periods of a channel: peaks of its autocorrelation, which is computed by a fast Fourier transform.
import FFT from 'fft.js'
import { sinPi } from '../../elementary.ts'
import { robustMoments } from '../../robust.ts'

const FEWEST_VALUES = 24
const SHORTEST = 4
const MOST_PERIODS = 3

/** Departures from the median are clipped at so many deviations: a few spikes must not hide a season. */
const CLIP = 4
/** Departures this small, relative to those before the trend was taken out, are rounding. */
const ROUNDING = 1e-9

/** Longest lag, as a share of the length: beyond it, few pairs of values tell a correlation. */
const LONGEST_LAG = 0.7
/** Lowest correlation of a period. */
const LOWEST_PEAK = 0.15
/** A multiple of a period is a period of its own if its correlation is higher by this, and by MULTIPLE_CHANCE / √n. */
const MULTIPLE_GAIN = 0.05
const MULTIPLE_CHANCE = 2

/** A peak is the highest within this share of its lag; near a multiple, the search covers at least so many lags. */
const MARGIN = 0.04
const SMALLEST_MARGIN = 2
/** The refinement ends where the correlation at a multiple is below this, or beyond this share of the length. */
const LOWEST_MULTIPLE = 0.1
const FARTHEST_MULTIPLE = 0.6
/** Fractions closer to a whole number than this are that number. */
const SMALLEST_FRACTION = 0.02

/**
 * Candidates for the period of a season, the most probable first: at most three peaks of the autocorrelation above
 * 0.15, at 4 to `longest` observations, in whole observations; a peak whose multiples point to a fraction gives that
 * fraction, too. Multiples of a candidate that explain no more than it does are left out. The values are clipped around
 * their median, and their trend is taken out. It takes O(n log n): 28,000 values about 4 ms.
 * @param values without gaps, shape [length], in any unit
 * @param longest longest period, in observations
 * @returns in observations; fractions are rounded to thousandths; none for less than 24 values, or without variation
 * @example
 * findPeriods(Float64Array.from({ length: 200 }, (_, t) => [0, 1, 4, 2, 3, 1, 0][t % 7]), 60) // [7]
 */
export function findPeriods (values: Float64Array, longest: number): number[] {
  const departures = departuresOf(values)
  if (departures === undefined) return []
  const correlations = autocorrelation(departures, Math.floor(LONGEST_LAG * values.length))
  const periods = strongestPeriods(correlations, longest, values.length).flatMap((refined) => {
    const whole = Math.round(refined)
    return Math.abs(refined - whole) > SMALLEST_FRACTION ? [whole, Math.round(refined * 1000) / 1000] : [whole]
  })
  return [...new Set(periods)]
}

/** Clipped values minus their trend; undefined if they are too few or do not vary around the trend. */
function departuresOf (values: Float64Array): Float64Array | undefined {
  const count = values.length
  if (count < FEWEST_VALUES) return undefined
  const { centre, deviation } = robustMoments(values)
  if (deviation === 0) return undefined
  // In units of the deviation, so that no square overflows.
  const departures = new Float64Array(count)
  for (let i = 0; i < count; i++) departures[i] = Math.max(-CLIP, Math.min(CLIP, (values[i]! - centre) / deviation))
  const middle = (count - 1) / 2
  let sum = 0
  let moment = 0
  for (let i = 0; i < count; i++) {
    sum += departures[i]!
    moment += departures[i]! * (i - middle)
  }
  const mean = sum / count
  const slope = 12 * moment / (count * (count * count - 1))
  let largest = 0
  for (let i = 0; i < count; i++) {
    departures[i] = departures[i]! - mean - slope * (i - middle)
    largest = Math.max(largest, Math.abs(departures[i]!))
  }
  return largest > ROUNDING ? departures : undefined
}

/** The transform of the latest length, as channels of one length follow each other. Longer ones are not kept. */
let latest: FFT | undefined
const LONGEST_KEPT = 2 ** 18

function transformOf (size: number): FFT {
  if (latest?.size === size) return latest
  const made = new FFT(size)
  // The package fills its table by Math.cos and Math.sin.
  for (let i = 0; i < 2 * size; i += 2) {
    made.table[i] = sinPi(0.5 - i / size)
    made.table[i + 1] = -sinPi(i / size)
  }
  if (size <= LONGEST_KEPT) latest = made
  return made
}

/** Correlations at the lags [0, lags), from the mean product of the pairs at each lag. `lags` ≤ 0.85 × length. */
function autocorrelation (departures: Float64Array, lags: number): Float64Array {
  const count = departures.length
  // Zeros behind the values keep the ends of the series apart.
  let size = 2
  while (size < count + lags) size *= 2
  const transform = transformOf(size)
  const padded = new Float64Array(size)
  padded.set(departures)
  const spectrum = new Float64Array(2 * size)
  transform.realTransform(spectrum, padded)
  // The power is real and even, so that its transform is its inverse transform but for a factor.
  for (let i = 0; i <= size / 2; i++) {
    const power = spectrum[2 * i]! ** 2 + spectrum[2 * i + 1]! ** 2
    padded[i] = power
    padded[(size - i) % size] = power
  }
  transform.realTransform(spectrum, padded)
  const total = spectrum[0]!
  const correlations = new Float64Array(lags)
  for (let lag = 0; lag < lags; lag++) correlations[lag] = spectrum[2 * lag]! / total * count / (count - lag)
  return correlations
}

interface Peak {
  readonly lag: number
  readonly height: number
}

/** Refined periods of the highest peaks, without multiples of shorter ones that are hardly higher. */
function strongestPeriods (correlations: Float64Array, longest: number, count: number): number[] {
  const gain = Math.max(MULTIPLE_GAIN, MULTIPLE_CHANCE / Math.sqrt(count))
  const found: Array<{ height: number, period: number }> = []
  for (const { lag, height } of peaksOf(correlations, longest, count)) {
    const period = refine(lag, correlations, count)
    const explained = found.some((other) =>
      height < other.height + gain && (isMultiple(lag, other.period) || isMultiple(period, other.period))
    )
    if (!explained) found.push({ height, period })
  }
  return found.sort((a, b) => b.height - a.height).slice(0, MOST_PERIODS).map(({ period }) => period)
}

/** Lags of correlations that are the highest around, and stand out of those at shorter lags by more than chance. */
function peaksOf (correlations: Float64Array, longest: number, count: number): Peak[] {
  const peaks: Peak[] = []
  const last = Math.min(longest, correlations.length - 2)
  let lowest = 1
  for (let lag = 1; lag <= last; lag++) {
    const height = correlations[lag]!
    lowest = Math.min(lowest, height)
    if (lag < SHORTEST || height <= LOWEST_PEAK || height - lowest <= 1 / Math.sqrt(count)) continue
    if (isHighest(correlations, lag, Math.max(1, Math.floor(MARGIN * lag)))) peaks.push({ lag, height })
  }
  return peaks
}

function isHighest (correlations: Float64Array, lag: number, reach: number): boolean {
  const height = correlations[lag]!
  for (let i = 1; i <= reach; i++) {
    if (correlations[lag - i]! >= height || correlations[lag + i]! > height) return false
  }
  return true
}

/** Whether one period is a multiple of another, or the same. */
function isMultiple (period: number, of: number): boolean {
  const cycles = Math.max(1, Math.round(period / of))
  return Math.abs(period - cycles * of) <= Math.max(1, MARGIN * of)
}

/** The period by the peaks near its multiples: at the k-th, a whole lag is a k-th of an observation. */
function refine (peak: number, correlations: Float64Array, count: number): number {
  let period = peak
  let cycles = 2
  while (cycles * period < Math.min(correlations.length - SMALLEST_MARGIN, FARTHEST_MULTIPLE * count)) {
    const margin = Math.max(SMALLEST_MARGIN, MARGIN * period)
    const from = Math.round(cycles * period - margin)
    const to = Math.min(correlations.length, Math.round(cycles * period + margin) + 1)
    let best = from
    for (let lag = from; lag < to; lag++) {
      if (correlations[lag]! > correlations[best]!) best = lag
    }
    if (correlations[best]! < LOWEST_MULTIPLE) break
    period = best / cycles
    cycles = cycles < 4 ? cycles + 1 : Math.floor(cycles * 1.5)
  }
  return period
}
