// Departures of a channel that never varied: the first ones are news, a habit is none.
import { runsWhere } from '../series/runs.ts'

/** So many departures within MEMORY observations are news; further ones are a habit. */
const NEWS = 2
const MEMORY = 5000

/**
 * With hindsight: which departures are news, those that have fewer than two others nearby.
 * @param residuals 0 where the channel is at its value, shape [length]
 * @returns 1 for each row of such a departure
 * @example
 * newsOf(Float64Array.of(0, 12, 12, 0)) // [0, 1, 1, 0]
 * newsOf(Float64Array.of(12, 0, 12, 0, 12, 0)) // [0, 0, 0, 0, 0, 0]
 */
export function newsOf (residuals: Float64Array): Uint8Array {
  const runs = runsWhere(residuals.length, (t) => residuals[t] !== 0)
  const news = new Uint8Array(residuals.length)
  runs.forEach(({ from, to }, i) => {
    // Of three runs next to each other, this one is the first, the middle or the last.
    const isHabit = [i - NEWS, i - 1, i].some((first) => {
      const [early, late] = [runs[first], runs[first + NEWS]]
      return early !== undefined && late !== undefined && late.from - early.from <= MEMORY
    })
    if (!isHabit) news.fill(1, from, to + 1)
  })
  return news
}

/** The same, causally: a departure is news if fewer than two began in the time before. */
export class DepartureStream {
  /** Numbers of the rows at which the newest departures began, oldest first. */
  readonly #begins = new Float64Array(NEWS + 1).fill(-Infinity)
  #departs = false

  /**
   * @param index number of the observation on the grid of all times
   * @returns whether the observation is part of a departure that is news
   */
  next (index: number, departs: boolean): boolean {
    if (departs && !this.#departs) {
      this.#begins.copyWithin(0, 1)
      this.#begins[NEWS] = index
    }
    this.#departs = departs
    return departs && this.#begins[NEWS]! - this.#begins[0]! > MEMORY
  }

  save (): number[] {
    return [this.#departs ? 1 : 0, ...this.#begins]
  }

  restore ([departs, ...begins]: readonly number[]): void {
    this.#departs = departs === 1
    this.#begins.set(begins)
  }
}

/** Observations that a verdict on a departure can depend on. */
export const DEPARTURE_MEMORY = MEMORY
