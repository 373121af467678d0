// A channel that departs again and again has changed its ways: its evidence counts relative to what is now usual.

/** Observations in a part. */
const PART = 50
/** Parts that count: with hindsight half of them before; causally all. */
const PARTS = 10
/** Evidence is usual if it is seen in more than half of the parts and in this share of their observations. */
const LEAST_SHARE = 0.1
const FACTOR = 1.4
/** Observations that a divisor can depend on. */
export const GUARD_MEMORY = (PARTS + 1) * PART

/** The evidence in a part: observations with a ratio above 1, and the sum of these ratios. */
interface Part {
  count: number
  sum: number
}

/** The divisor next to some parts: 1 unless evidence is usual there. Its size is the median of the parts' means. */
function divisorOf (parts: readonly Part[]): number {
  const seen = parts.filter(({ count }) => count > 0)
  const observations = seen.reduce((sum, { count }) => sum + count, 0)
  if (2 * seen.length <= PARTS || observations < LEAST_SHARE * PARTS * PART) return 1
  const means = Float64Array.from(seen, ({ count, sum }) => sum / count).sort()
  return Math.max(1, FACTOR * means[(means.length - 1) >> 1]!)
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
  const first = Math.floor(index / PART)
  const partOf = (t: number): number => Math.floor((index + t) / PART) - first
  const parts = Array.from({ length: partOf(passed.length - 1) + 1 }, (): Part => ({ count: 0, sum: 0 }))
  for (let t = 0; t < passed.length; t++) add(parts[partOf(t)]!, passed[t]!)
  const divisors = parts.map((_, p) => divisorOf(parts.slice(Math.max(0, p - PARTS / 2), p + PARTS / 2)))
  for (let t = 0; t < passed.length; t++) passed[t]! /= divisors[partOf(t)]!
}

function add (part: Part, passed: number): void {
  if (!(passed > 0)) return
  part.count++
  part.sum += passed
}

/** The same, from the past alone. */
export class TrailingGuard {
  /** The whole parts before, oldest first, then the newest one. */
  #parts: Part[] = Array.from({ length: PARTS + 1 }, () => ({ count: 0, sum: 0 }))
  #newest = -Infinity
  #divisor = 1

  /**
   * @param index number of the observation on the grid of all times
   * @param passed its ratio if above 1, else 0
   * @returns the divisor for this observation
   */
  next (index: number, passed: number): number {
    const part = Math.floor(index / PART)
    if (part > this.#newest) {
      const moved = Math.min(this.#parts.length, part - this.#newest)
      this.#parts.splice(0, moved)
      for (let i = 0; i < moved; i++) this.#parts.push({ count: 0, sum: 0 })
      this.#newest = part
      this.#divisor = divisorOf(this.#parts.slice(0, -1))
    }
    add(this.#parts.at(-1)!, passed)
    return this.#divisor
  }

  save (): number[] {
    return [this.#divisor, this.#newest, ...this.#parts.flatMap(({ count, sum }) => [count, sum])]
  }

  restore ([divisor, newest, ...parts]: readonly number[]): void {
    this.#divisor = divisor!
    this.#newest = newest!
    this.#parts = this.#parts.map((_, i) => ({ count: parts[2 * i]!, sum: parts[2 * i + 1]! }))
  }
}
