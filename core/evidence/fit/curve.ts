// Whether values follow a smooth curve as a whole: growth, a ramp, decay, a hump. Waves, steps and what wanders do not.
import { ln } from '../../elementary.ts'
import { medianOf } from './included.ts'

/** The course of values is that of medians of so many blocks of time. */
const BLOCKS = 16
/** A curve turns at most so often, */
const TURNS = 2
/** by more than this share of its range, */
const TURN = 0.02
/** and its largest step is at most this share of its way: a level that comes and goes has two steps of a half. */
const LARGEST_STEP = 0.45

/**
 * Whether included values follow a curve, or their logarithms do.
 * @param included 1 for each value that counts
 * @example
 * isCurve(Float64Array.from({ length: 64 }, (_, t) => t * t), new Uint8Array(64).fill(1)) // true
 * isCurve(Float64Array.from({ length: 64 }, (_, t) => t < 40 ? 0 : 9), new Uint8Array(64).fill(1)) // false
 */
export function isCurve (values: Float64Array, included: Uint8Array): boolean {
  const course = Array.from({ length: BLOCKS }, (_, b) => {
    const [from, to] = [Math.floor(b * values.length / BLOCKS), Math.floor((b + 1) * values.length / BLOCKS)]
    return medianOf(values.subarray(from, to), included.subarray(from, to))
  })
  return bends(course) || (course.every((value) => value > 0) && bends(course.map(ln)))
}

function bends (course: readonly number[]): boolean {
  const least = TURN * (Math.max(...course) - Math.min(...course))
  const steps = course.slice(1).map((value, b) => Math.abs(value - course[b]!))
  const way = steps.reduce((sum, step) => sum + step, 0)
  if (!(Math.max(...steps) <= LARGEST_STEP * way)) return false
  let turns = 0
  let direction = 0
  let farthest = course[0]!
  for (const value of course) {
    const moved = value - farthest
    const isBack = direction !== 0 && Math.sign(moved) !== direction
    if (isBack ? Math.abs(moved) <= least : Math.abs(moved) <= (direction === 0 ? least : 0)) continue
    if (isBack) turns++
    direction = Math.sign(moved)
    farthest = value
  }
  return way > 0 && turns <= TURNS
}
