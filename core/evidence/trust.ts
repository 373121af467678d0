// Trust in a cycle that was found in the data: once its phase is lost, whole cycles depart, and departures tell
// nothing.

/** Cycles whose departures are remembered, and blocks of each. */
const CYCLES = 4
const BLOCKS = 2
/** One departure counts at most this much, in units of the scale. */
const LARGEST = 12
/** Departures are lost trust once their mean is this many times the usual one. */
const TOLERATED = 1.5

/**
 * Mean |residual| of normal rows as trust counts it.
 * @param included 1 for each row that counts
 * @example
 * usualDeparture(Float64Array.of(1, -1, 99), Uint8Array.of(1, 1, 1)) // 4.66…
 */
export function usualDeparture (residuals: Float64Array, included: Uint8Array): number {
  let [sum, count] = [0, 0]
  for (let t = 0; t < residuals.length; t++) {
    if (included[t] !== 1) continue
    sum += Math.min(LARGEST, Math.abs(residuals[t]!))
    count++
  }
  return count === 0 ? 0 : sum / count
}

/** The divisor of residuals from a cycle, from the newest cycles before. */
export class CycleTrust {
  readonly #block: number
  readonly #usual: number
  /** Sums of whole blocks, oldest first, then that of the newest one. */
  readonly #sums = new Float64Array(CYCLES * BLOCKS + 1)
  #newest = -Infinity
  #divisor = 1

  /** @param usual the result of usualDeparture() for the cycle's fit */
  constructor (period: number, usual: number) {
    this.#block = Math.max(1, Math.ceil(period / BLOCKS))
    this.#usual = usual
  }

  /**
   * @param index number of the observation on the grid of all times
   * @param residual from the cycle, in units of its scale
   * @returns the divisor for this observation
   */
  next (index: number, residual: number): number {
    const block = Math.floor(index / this.#block)
    if (block > this.#newest) this.#move(block)
    this.#sums[this.#sums.length - 1]! += Math.min(LARGEST, Math.abs(residual))
    return this.#divisor
  }

  #move (block: number): void {
    const moved = Math.min(this.#sums.length, block - this.#newest)
    this.#sums.copyWithin(0, moved)
    this.#sums.fill(0, this.#sums.length - moved)
    this.#newest = block
    let sum = 0
    for (let i = 0; i < this.#sums.length - 1; i++) sum += this.#sums[i]!
    const mean = sum / ((this.#sums.length - 1) * this.#block)
    this.#divisor = Math.max(1, mean / (TOLERATED * this.#usual))
  }

  /** The divisor, the number of the newest block, and the sums. */
  save (): number[] {
    return [this.#divisor, this.#newest, ...this.#sums]
  }

  restore ([divisor, newest, ...sums]: readonly number[]): void {
    this.#divisor = divisor!
    this.#newest = newest!
    this.#sums.set(sums)
  }
}

/**
 * Observations that a divisor can depend on.
 * @example
 * trustMemory(24) // 108
 */
export const trustMemory = (period: number): number => (CYCLES * BLOCKS + 1) * Math.ceil(period / BLOCKS)
