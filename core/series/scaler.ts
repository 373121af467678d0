// Standardises channels: fitted on training data, stored as plain JSON, the same in training, serving and streaming.

export interface Scaler {
  /** Mean of each channel over the training data, in the channel's unit. */
  readonly center: readonly number[]
  /** Standard deviation of each channel, in its unit; 0 marks a channel that never varied. */
  readonly scale: readonly number[]
}

/** Relative spread up to which a channel counts as constant: rounding alone can produce it. */
const CONSTANT_SPREAD = 64 * Number.EPSILON

/**
 * Standardised size of any departure of a channel that never varied in training. Such a channel has no scale, so a
 * departure counts the same in every unit.
 */
export const CONSTANT_DEPARTURE = 1

const LARGEST_SQUARED = 1e150

/** Keeps an extreme value (1e300) finite in 32-bit arithmetic; far beyond every threshold. */
const STANDARDISED_LIMIT = 1e6

/**
 * Mean and standard deviation per channel; NaN is skipped.
 * @param rows training values of several series, each [observations × channels] row-major
 * @example
 * fitScaler([Float64Array.of(1, 7, 3, 7)], 2) // { center: [2, 7], scale: [1, 0] }
 */
export function fitScaler (rows: readonly Float64Array[], channels: number): Scaler {
  const center: number[] = []
  const scale: number[] = []
  for (let c = 0; c < channels; c++) {
    const { mean, deviation } = channelMoments(rows, channels, c)
    center.push(mean)
    scale.push(deviation)
  }
  return { center, scale }
}

function channelMoments (
  rows: readonly Float64Array[],
  channels: number,
  c: number
): { mean: number, deviation: number } {
  const { low, high, sum, count } = channelRange(rows, channels, c)
  if (count === 0) return { mean: 0, deviation: 0 }
  const largest = Math.max(Math.abs(low), Math.abs(high))
  if (high - low <= CONSTANT_SPREAD * largest) return { mean: low, deviation: 0 }
  // The square of 1e160 is infinite and that of 1e-170 is 0: such a channel is measured in units of its largest value.
  const unit = largest > LARGEST_SQUARED || largest < 1 / LARGEST_SQUARED ? largest : 1
  const mean = unit === 1 ? sum / count : meanIn(unit, rows, channels, c)
  let squares = 0
  for (const values of rows) {
    for (let i = c; i < values.length; i += channels) {
      const departure = values[i]! / unit - mean
      if (!Number.isNaN(departure)) squares += departure * departure
    }
  }
  return { mean: mean * unit, deviation: Math.sqrt(squares / count) * unit }
}

function channelRange (
  rows: readonly Float64Array[],
  channels: number,
  c: number
): { low: number, high: number, sum: number, count: number } {
  let [low, high, sum, count] = [Infinity, -Infinity, 0, 0]
  for (const values of rows) {
    for (let i = c; i < values.length; i += channels) {
      const value = values[i]!
      if (Number.isNaN(value)) continue
      if (value <= low) low = Math.min(low, value)
      if (value >= high) high = Math.max(high, value)
      sum += value
      count++
    }
  }
  return { low, high, sum, count }
}

/** Mean of one channel in a unit, NaN skipped. */
function meanIn (unit: number, rows: readonly Float64Array[], channels: number, c: number): number {
  let [sum, count] = [0, 0]
  for (const values of rows) {
    for (let i = c; i < values.length; i += channels) {
      if (!Number.isNaN(values[i]!)) {
        sum += values[i]! / unit
        count++
      }
    }
  }
  return sum / count
}

/**
 * Writes the standardised observations (shape [length × channels]) into `out`, beginning at index `at`.
 * @example
 * const out = new Float32Array(2)
 * standardise({ center: [10], scale: [2] }, [14, 9], out)
 * out // [2, -0.5]
 */
export function standardise (
  { center, scale }: Scaler,
  observations: ArrayLike<number>,
  out: Float32Array,
  at = 0
): void {
  const channels = center.length
  for (let c = 0; c < channels; c++) {
    const [mean, deviation] = [center[c]!, scale[c]!]
    if (deviation === 0) {
      const tolerance = CONSTANT_SPREAD * Math.abs(mean)
      for (let i = c; i < observations.length; i += channels) {
        const departure = within(Number.MAX_VALUE, observations[i]! - mean)
        out[at + i] = Math.abs(departure) <= tolerance ? 0 : Math.sign(departure) * CONSTANT_DEPARTURE
      }
    } else {
      for (let i = c; i < observations.length; i += channels) {
        const departure = observations[i]! - mean
        const ratio = departure / deviation
        out[at + i] = Math.abs(ratio) <= STANDARDISED_LIMIT
          ? ratio
          : within(STANDARDISED_LIMIT, within(Number.MAX_VALUE, departure) / deviation)
      }
    }
  }
}

/** The nearest value in [−limit, limit]. */
const within = (limit: number, value: number): number => Math.max(-limit, Math.min(limit, value))

/**
 * Turns a standardised value of channel c into the channel's unit.
 * @example
 * unscale({ center: [10], scale: [2] }, 0, -0.5) // 9
 */
export function unscale (scaler: Scaler, c: number, standardised: number): number {
  return within(Number.MAX_VALUE, scaler.center[c]! + standardised * scaler.scale[c]!)
}
