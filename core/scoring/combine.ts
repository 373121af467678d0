// Combines the errors of several autoencoders: each divided by its size on normal data, then the geometric mean. An
// anomaly stands out in all of them; what one of them alone cannot reconstruct counts less.
import { LARGEST_ERROR } from './score.ts'

/** Below this an error is as good as none; keeps the product of all from vanishing with one. */
const LEAST_ERROR = 1e-9

/** One member's errors, part by part, and what they are divided by. */
export interface MemberErrors {
  /** Shape [length × channels]. */
  readonly parts: Float64Array
  readonly scale: number
}

/**
 * Geometric mean of the members' errors, split over channels by the mean of the members' shares.
 * @returns shape [length × channels]; the lone member's own parts where there is one
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
    // A small scale makes a bounded error large again: sums of it must stay exact (core/scoring/score.ts).
    const error = Math.min(LARGEST_ERROR, geometricMean(errors))
    for (let c = 0; c < channels; c++) out[c]! *= error / members.length
  }
  return combined
}

/** Adds each part's share of their sum to `out`, equal shares of nothing; returns the sum. */
function addShares (parts: Float64Array, at: number, out: Float64Array): number {
  let sum = 0
  for (let c = 0; c < out.length; c++) sum += parts[at + c]!
  for (let c = 0; c < out.length; c++) out[c]! += sum === 0 ? 1 / out.length : parts[at + c]! / sum
  return sum
}

/**
 * The n-th root of the product, by Newton's method from the arithmetic mean, which is never below it: so the steps only
 * fall, and end where rounding stops them. Products and quotients alone, for the same bits on every machine.
 * @param values all above 0
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
