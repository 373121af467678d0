// Peaks over threshold (Pickands 1975): excesses over a high level follow a generalised Pareto distribution. Values
// that depend on their neighbours come in runs, so the distribution is fitted to the highest value of each run.
import { ln, pow } from './elementary.ts'

/** Generalised Pareto distribution of excesses over a level. */
interface Pareto {
  /** Shape ξ: 0 is an exponential tail, a positive shape a heavier one. */
  readonly shape: number
  /** Scale σ, in the unit of the excesses. */
  readonly scale: number
}

interface ShapeBounds {
  readonly lowest: number
  readonly highest: number
  /** The fitted shape is pulled towards 0 by this many imaginary peaks of shape 0: few peaks give a poor estimate. */
  readonly prior: number
}

/** Shapes nearer to 0 count as 0: their powers would be rounding. */
const SMALLEST_SHAPE = 1e-9

/**
 * The highest value of every run of values above `level`, in order of time; NaN ends a run.
 * @example
 * peaksAbove(Float64Array.of(1, 5, 7, 1, 4, NaN, 6), 3) // [7, 4, 6]
 */
export function peaksAbove (values: Float64Array, level: number): number[] {
  const peaks: number[] = []
  let highest = level
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value > level) {
      highest = Math.max(highest, value)
    } else if (highest > level) {
      peaks.push(highest)
      highest = level
    }
  }
  return highest > level ? [...peaks, highest] : peaks
}

/**
 * Fits by probability-weighted moments (Hosking and Wallis 1987): with a₀ the mean and
 * a₁ = Σ x₍ᵢ₎ (n − i) / (n − 1) / n over ascending x, ξ = 2 − a₀ / (a₀ − 2 a₁) and σ = a₀ (1 − ξ). The fit needs sums
 * and quotients only, so every machine gives the same bits.
 * @param excesses above 0, in any order
 * @returns shape 0 if fewer than two excesses are given; scale 0 without any
 * @example
 * fitPareto([1, 2, 4], { lowest: 0, highest: 0.5, prior: 0 }) // { shape: 0, scale: 2.33… }
 */
export function fitPareto (excesses: readonly number[], { lowest, highest, prior }: ShapeBounds): Pareto {
  const count = excesses.length
  if (count === 0) return { shape: 0, scale: 0 }
  const sorted = Float64Array.from(excesses).sort()
  let sum = 0
  let weighted = 0
  for (let i = 0; i < count; i++) {
    sum += sorted[i]!
    weighted += sorted[i]! * (count - 1 - i)
  }
  const mean = sum / count
  if (count === 1) return { shape: 0, scale: mean }
  // If all excesses are equal, 2 a₁ equals a₀, and the tail ends there: the shape is the lowest that the bound allows.
  const gap = mean - 2 * weighted / (count * (count - 1))
  const raw = gap > 0 ? Math.max(lowest, Math.min(highest, 2 - mean / gap)) : lowest
  const shape = raw * count / (count + prior)
  return { shape, scale: mean * (1 - shape) }
}

/**
 * The excess that the share `share` of the peaks exceeds.
 * @param share in (0, 1]
 * @example
 * excessAt({ shape: 0.5, scale: 1 }, 0.25) // 2
 */
export function excessAt ({ shape, scale }: Pareto, share: number): number {
  if (Math.abs(shape) < SMALLEST_SHAPE) return -scale * ln(share)
  return scale * (pow(share, -shape) - 1) / shape
}
