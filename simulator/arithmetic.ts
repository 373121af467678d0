// Smooth curves and noise from + − × ÷ and square roots alone.
//
// The files must be byte-identical on every machine. IEEE 754 fixes the last bit of these five operations, but not of
// sin, exp, pow or log (V8 has changed some of them between versions). A simulation that feeds on its own state would
// amplify a differing bit until it shows in a rounded value. So nothing in simulator/ calls these functions.
import type { Random } from '../core/random.ts'

/** The nearest value in [low, high]. */
export function clamp (value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}

/** Noise of mean 0 and standard deviation 1, bell-shaped, bounded by ±√12: the sum of four uniforms (Irwin–Hall). */
export function noise (random: Random): number {
  return (random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2) * Math.sqrt(3)
}

/** A draw from [low, high). */
export function between (random: Random, low: number, high: number): number {
  return low + (high - low) * random.uniform()
}

/** First-order autoregression of unit variance with a memory of about `steps` observations; each call gives a value. */
export function wander (random: Random, steps: number): () => number {
  const keep = 1 - 1 / steps
  const fresh = Math.sqrt(1 - keep * keep)
  let value = noise(random)
  return () => {
    value = keep * value + fresh * noise(random)
    return value
  }
}

/** `wander` through a low-pass filter of the same memory: it turns smoothly, as weather does; unit variance. */
export function drift (random: Random, steps: number): () => number {
  const next = wander(random, steps)
  const keep = 1 - 1 / steps
  const spread = Math.sqrt(1 + keep * keep) / (1 + keep)
  let value = next() * spread
  return () => {
    value = keep * value + (1 - keep) * next()
    return value / spread
  }
}

/** A hump: 1 at x = 0, falling smoothly to 0 at |x| ≥ 1. */
export function hump (x: number): number {
  const inside = Math.max(0, 1 - x * x)
  return inside * inside
}

/** A smooth step: 0 for x ≤ 0, 1 for x ≥ 1. */
export function rise (x: number): number {
  const within = clamp(x, 0, 1)
  return within * within * (3 - 2 * within)
}

/** A wave of period 1 from two parabolas: 0 at whole phases, +1 at a quarter, −1 at three quarters. */
export function wave (phase: number): number {
  const within = phase - Math.floor(phase)
  return within < 0.5 ? 16 * within * (0.5 - within) : -16 * (within - 0.5) * (1 - within)
}

/** Linear between the points of `table` ([x, y], x ascending), constant beyond its ends. */
export function interpolate (table: ReadonlyArray<readonly [number, number]>, x: number): number {
  let [beforeX, beforeY] = table[0]!
  if (x <= beforeX) return beforeY
  for (const [afterX, afterY] of table) {
    if (x < afterX) return beforeY + (afterY - beforeY) * (x - beforeX) / (afterX - beforeX)
    beforeX = afterX
    beforeY = afterY
  }
  return beforeY
}
