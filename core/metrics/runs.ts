// Runs of labelled or flagged observations, and the checks that every metric makes of its inputs. Knows no metric.
import { Problem } from '../errors.ts'

/** Truth or verdict per observation: a truthy value counts as anomalous, so NaN counts as normal. */
export type Flags = ArrayLike<number | boolean>

/** A maximal run of anomalous observations: the indices of its first and last one. */
export interface Run {
  readonly first: number
  readonly last: number
}

/**
 * The maximal runs of anomalous observations, in order.
 * @example
 * runsOf([0, 1, 1, 0, 1]) // [{ first: 1, last: 2 }, { first: 4, last: 4 }]
 */
export function runsOf (flags: Flags): Run[] {
  const runs: Run[] = []
  for (let t = 0; t < flags.length; t++) {
    if (!flags[t]) continue
    const first = t
    while (t + 1 < flags.length && flags[t + 1]) t++
    runs.push({ first, last: t })
  }
  return runs
}

/**
 * Number of anomalous observations.
 * @example
 * countOf([0, 1, true, NaN]) // 2
 */
export function countOf (flags: Flags): number {
  let count = 0
  for (let t = 0; t < flags.length; t++) if (flags[t]) count++
  return count
}

/**
 * Throws `channel-length-mismatch` unless there is one label for every verdict or score.
 * @example
 * assertPaired([0, 1], [0.5]) // throws channel-length-mismatch
 */
export function assertPaired (labels: ArrayLike<unknown>, others: ArrayLike<unknown>): void {
  if (labels.length === others.length) return
  throw new Problem(
    'channel-length-mismatch',
    `There are ${labels.length} labels for ${others.length} observations: give one label to each`
  )
}

/**
 * The scores, with −∞ for unscored observations (NaN): they are flagged last. Shape [length].
 * @example
 * rankable([0.5, NaN]) // [0.5, -Infinity]
 */
export function rankable (scores: ArrayLike<number>): Float64Array {
  return Float64Array.from(scores, (score) => Number.isNaN(score) ? -Infinity : score)
}

/**
 * Indices of the scores from the highest to the lowest; equal scores in order of time. Shape [length].
 * @example
 * descendingOrder(Float64Array.of(1, 3, 2, 3)) // [1, 3, 2, 0]
 */
export function descendingOrder (scores: Float64Array): Uint32Array {
  const order = Uint32Array.from(scores, (_, t) => t)
  return order.sort((a, b) => {
    if (scores[a]! !== scores[b]!) return scores[a]! > scores[b]! ? -1 : 1
    return a - b
  })
}
