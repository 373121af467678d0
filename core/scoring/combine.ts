// Combines the errors of several members: each divided by its mean on normal data, then the weighted geometric mean. An
// anomaly has a large error in all of them; a large error in only one counts less.
import { exp, ln } from '../elementary.ts'
import { LARGEST_ERROR } from './score.ts'

/** Smallest error in the mean: one error of 0 must not make the product 0. */
const LEAST_ERROR = 1e-9

/** One member's errors, part by part, their divisor, and their exponent in the mean. */
interface MemberErrors {
  /** Shape [length × channels]. */
  readonly parts: Float64Array
  readonly scale: number
  readonly weight: number
}

/**
 * Weighted geometric mean of the members' errors, split over channels by the weighted mean of the members' shares.
 * @returns shape [length × channels]; the parts of a single member unchanged, not copied; empty without any
 * @example
 * const [one, other] = [Float64Array.of(1, 1), Float64Array.of(8, 0)]
 * const members = [one, other].map((parts) => ({ parts, scale: 1, weight: 1 }))
 * combineErrors(members, 2) // [3, 1]
 */
export function combineErrors (members: readonly MemberErrors[], channels: number): Float64Array {
  const [first, ...others] = members
  if (first === undefined) return new Float64Array(0)
  if (others.length === 0) return first.parts
  const combined = new Float64Array(first.parts.length)
  const weights = members.reduce((sum, { weight }) => sum + weight, 0)
  for (let at = 0; at < combined.length; at += channels) {
    let logs = 0
    for (let m = 0; m < members.length; m++) {
      const { parts, scale, weight } = members[m]!
      let sum = 0
      for (let i = at; i < at + channels; i++) sum += parts[i]!
      const share = weight / weights
      for (let i = at; i < at + channels; i++) combined[i]! += share * (sum === 0 ? 1 / channels : parts[i]! / sum)
      logs += weight * ln(Math.max(sum / scale, LEAST_ERROR))
    }
    // A small scale makes a bounded error large again, and sums of errors must stay exact (core/scoring/score.ts).
    const error = Math.min(LARGEST_ERROR, exp(logs / weights))
    for (let i = at; i < at + channels; i++) combined[i]! *= error
  }
  return combined
}
