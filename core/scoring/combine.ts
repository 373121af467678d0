// Combines the errors of several autoencoders: each divided by its mean on normal data, then the geometric mean. An
// anomaly has a large error in all of them; a large error in only one counts less.
import { LARGEST_ERROR } from './score.ts'

/** Smallest error in the mean: one error of 0 must not make the product 0. */
const LEAST_ERROR = 1e-9

/** One member's errors, part by part, and their divisor. */
interface MemberErrors {
  /** Shape [length × channels]. */
  readonly parts: Float64Array
  readonly scale: number
}

/**
 * Geometric mean of the members' errors, split over channels by the mean of the members' shares.
 * @returns shape [length × channels]; the parts of a single member unchanged, not copied
 * @example
 * const [one, other] = [Float64Array.of(1, 1), Float64Array.of(8, 0)]
 * combineErrors([{ parts: one, scale: 1 }, { parts: other, scale: 1 }], 2) // [3, 1]
 */
export function combineErrors (members: readonly MemberErrors[], channels: number): Float64Array {
  const [first, ...others] = members
  if (others.length === 0) return first!.parts
  const combined = new Float64Array(first!.parts.length)
  const errors = new Float64Array(members.length)
  for (let at = 0; at < combined.length; at += channels) {
    const out = combined.subarray(at, at + channels)
    members.forEach(({ parts, scale }, m) => {
      const sum = addShares(parts, at, out)
      errors[m] = Math.max(sum / scale, LEAST_ERROR)
    })
    // A small scale makes a bounded error large again, and sums of errors must stay exact (core/scoring/score.ts).
    const error = Math.min(LARGEST_ERROR, geometricMean(errors))
    for (let c = 0; c < channels; c++) out[c]! *= error / members.length
  }
  return combined
}

/** Adds each part's share of their sum to `out`, equal shares if the sum is 0; returns the sum. */
function addShares (parts: Float64Array, at: number, out: Float64Array): number {
  let sum = 0
  for (let c = 0; c < out.length; c++) sum += parts[at + c]!
  for (let c = 0; c < out.length; c++) out[c]! += sum === 0 ? 1 / out.length : parts[at + c]! / sum
  return sum
}

/**
 * The n-th root of the product, by Newton's method from the arithmetic mean. That is never below the root, so the steps
 * only fall, and end when rounding stops them. Products and quotients give the same bits on every machine.
 * @param values all above 0
 * @example
 * geometricMean(Float64Array.of(2, 8)) // 4
 */
export function geometricMean (values: Float64Array): number {
  const n = values.length
  let root = values.reduce((sum, value) => sum + value, 0) / n
  for (;;) {
    let ratio = root
    for (let i = 0; i < n; i++) ratio *= values[i]! / root
    const next = ((n - 1) * root + ratio) / n
    if (!(next < root)) return root
    root = next
  }
}
