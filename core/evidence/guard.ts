// A channel that departs most of the time has changed its ways: its evidence counts relative to what is now usual.

/** Observations around (with hindsight) or before (causal). */
const SPAN = 501
/** Every so many-th observation is remembered, and the median is taken anew after so many. */
const SAMPLING = 10
const RENEWAL = 50
const FACTOR = 1.4
/** Observations that a divisor can depend on. */
export const GUARD_MEMORY = SPAN + RENEWAL
/** Fewest samples that show a change; missing ones count as no evidence. */
const SAMPLES = Math.floor((SPAN - 1) / SAMPLING)

/** The divisor for a set of samples: 1 unless more than half of them are evidence. */
function divisorOf (samples: Float64Array): number {
  let passed = 0
  for (let i = 0; i < samples.length; i++) if (samples[i]! > 0) passed++
  if (2 * passed <= samples.length) return 1
  const sorted = samples.slice().sort()
  return Math.max(1, FACTOR * sorted[(sorted.length - 1) >> 1]!)
}

/**
 * Divides evidence that has passed by what is usual around it, in place.
 * @param passed ratios above 1, and 0 elsewhere; shape [length]
 * @param index number of the first row on the grid of all times
 * @example
 * const passed = new Float64Array(1000).fill(2)
 * relativeToUsual(passed, 0)
 * passed[500] // 0.71…
 */
export function relativeToUsual (passed: Float64Array, index: number): void {
  const raw = passed.slice()
  const samples = new Float64Array(SAMPLES)
  const reach = SPAN >> 1
  let divisor = 1
  for (let t = 0; t < raw.length; t++) {
    if (t === 0 || (index + t) % RENEWAL === 0) {
      samples.fill(0)
      const first = t - reach + (SAMPLING - (index + t - reach) % SAMPLING) % SAMPLING
      for (let i = 0; i < SAMPLES; i++) samples[i] = raw[first + i * SAMPLING] ?? 0
      divisor = divisorOf(samples)
    }
    passed[t] = raw[t]! / divisor
  }
}

/** The same, from the past alone. */
export class TrailingGuard {
  readonly #samples = new Float64Array(SAMPLES)
  #newest = -Infinity
  #divisor = 1

  /**
   * @param index number of the observation on the grid of all times
   * @param passed its ratio if above 1, else 0
   * @returns the divisor for this observation
   */
  next (index: number, passed: number): number {
    if (index % RENEWAL === 0) this.#divisor = divisorOf(this.#samples)
    if (index % SAMPLING === 0) {
      const number = index / SAMPLING
      const moved = Math.min(SAMPLES, number - this.#newest)
      this.#samples.copyWithin(0, moved)
      this.#samples.fill(0, SAMPLES - moved)
      this.#samples[SAMPLES - 1] = passed
      this.#newest = number
    }
    return this.#divisor
  }

  save (): number[] {
    return [this.#divisor, this.#newest, ...this.#samples]
  }

  restore ([divisor, newest, ...samples]: readonly number[]): void {
    this.#divisor = divisor!
    this.#newest = newest!
    this.#samples.set(samples)
  }
}
