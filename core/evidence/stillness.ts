// A channel that stands still: frozen (equal observations) or quiet (steps much smaller than usual).
//
// Steps are differences between neighbouring observations. Where one of the two is missing, the step is unknown, as all
// steps before the first observation are: it counts as the mean step, and never as equal. Means over STILL_SPAN steps
// are summed afresh for every observation, so that a score does not depend on what came before its span, bit for bit.
import { ln } from '../elementary.ts'
import { Ring } from './ring.ts'
import { means, strongestStretch } from './sustained.ts'

/** What is usual for a channel that stands still. Plain JSON; part of the manifest. */
export interface Stillness {
  /** Equal observations in a row that pass: frozen evidence is their number divided by this. */
  readonly frozenAfter: number
  /** Median of the mean |step| over 17 steps, in the unit of the channel. */
  readonly usualStep: number
  /** Stands for an unknown step: the mean |step|, at least the usual one; in the unit of the channel. */
  readonly meanStep: number
  /** Threshold of −log(mean |step| over 17 steps / usual step); 0: no quiet evidence. */
  readonly quietAbove: number
}

/** Steps of a mean, and the steps on each side of its middle. */
export const STILL_SPAN = 17
export const HALF_SPAN = 8
/** Largest ratio of evidence to its threshold. */
const LARGEST_RATIO = 3
/** Bound on steps that keeps their sums finite. */
export const LARGEST_STEP = 1e300

/** Two values are equal if they differ by less than this share of them. */
const ROUNDING = 1e-12
/** Share of the usual step that is added to steps, so that the logarithm is finite. */
const STEP_FLOOR = 0.001
/**
 * Size of a step, bounded.
 * @example
 * stepBetween(5, 3) // 2
 */
export const stepBetween = (before: number, value: number): number => Math.min(LARGEST_STEP, Math.abs(value - before))

/**
 * Whether two neighbouring values are equal but for rounding.
 * @example
 * areEqual(3, 3 + 1e-15) // true
 */
export const areEqual = (before: number, value: number): boolean =>
  Math.abs(value - before) <= ROUNDING * Math.max(Math.abs(before), Math.abs(value))

/** Largest |residual| of a value that is what the season says. */
const AS_EXPECTED = 1e-3

/**
 * Whether a value is just what its season says: a channel that rests every night is not frozen then.
 * @param residual from the baseline, in units of its scale
 * @example
 * isAsExpected(0) // true
 */
export const isAsExpected = (residual: number): boolean => Math.abs(residual) <= AS_EXPECTED

/**
 * −log of a mean step, relative to the usual one; 0 where it is larger.
 * @example
 * quietness(1, 2) // 0.69…
 */
export function quietness (mean: number, usualStep: number): number {
  const share = (mean + STEP_FLOOR * usualStep) / ((1 + STEP_FLOOR) * usualStep)
  return share < 1 ? -ln(share) : 0
}

/** Steps by size; the first one and those that touch a missing observation count as `meanStep`. Shape [length]. */
function stepsOf (values: Float64Array, missing: Uint8Array, meanStep: number): Float64Array {
  const steps = new Float64Array(values.length)
  for (let i = 0; i < steps.length; i++) {
    const isKnown = i > 0 && missing[i] === 0 && missing[i - 1] === 0
    steps[i] = isKnown ? stepBetween(values[i - 1]!, values[i]!) : meanStep
  }
  return steps
}

/**
 * Mean of the 17 steps that end at each observation; steps before the first are unknown. Shape [length].
 * @example
 * meansOf(Float64Array.of(1, 18), new Uint8Array(2), 0) // [0, 1]
 */
export function meansOf (values: Float64Array, missing: Uint8Array, meanStep: number): Float64Array {
  return trailingMeans(stepsOf(values, missing, meanStep), meanStep)
}

/** Means of the steps that end at each observation; those before the first count as `meanStep`. */
function trailingMeans (steps: Float64Array, meanStep: number): Float64Array {
  const before = STILL_SPAN - 1
  const padded = new Float64Array(before + steps.length).fill(meanStep, 0, before)
  padded.set(steps, before)
  return means(padded, STILL_SPAN, true).subarray(before)
}

/**
 * Ratios of the evidence to its thresholds, at most 3; above 1 it is evidence. With hindsight: every observation of a
 * frozen run counts as the whole run, and a quiet stretch is the one whose steps stay below half of the usual.
 * @param values without gaps, in the unit of the channel, shape [length]
 * @param missing 1 where the observation is missing, shape [length]
 * @returns shape [length] each
 * @example
 * const model = { frozenAfter: 2, usualStep: 0, meanStep: 1, quietAbove: 0 }
 * stillnessOf(model, Float64Array.of(1, 5, 5, 5, 5, 2), new Uint8Array(6)).frozen // [0, 0, 1.5, 1.5, 1.5, 0]
 */
export function stillnessOf (
  model: Stillness,
  values: Float64Array,
  missing: Uint8Array
): { frozen: Float64Array, quiet: Float64Array } {
  return { frozen: frozenRuns(model, values, missing), quiet: quietStretches(model, values, missing) }
}

function frozenRuns ({ frozenAfter }: Stillness, values: Float64Array, missing: Uint8Array): Float64Array {
  const frozen = new Float64Array(values.length)
  let from = 1
  for (let i = 1; i <= values.length; i++) {
    if (i < values.length && missing[i] === 0 && missing[i - 1] === 0 && areEqual(values[i - 1]!, values[i]!)) continue
    frozen.fill(ratioTo(frozenAfter, i - from), from, i)
    from = i + 1
  }
  return frozen
}

const ratioTo = (threshold: number, evidence: number): number => Math.min(LARGEST_RATIO, evidence / threshold)

function quietStretches (model: Stillness, values: Float64Array, missing: Uint8Array): Float64Array {
  const { usualStep, meanStep, quietAbove } = model
  const length = values.length
  const quiet = new Float64Array(length)
  if (quietAbove === 0) return quiet
  const steps = stepsOf(values, missing, meanStep)
  const spans = trailingMeans(steps, meanStep)
  const ratios = new Float64Array(length)
  for (let i = HALF_SPAN; i < length; i++) ratios[i - HALF_SPAN] = ratioTo(quietAbove, quietness(spans[i]!, usualStep))
  for (let i = 0; i < length; i++) quiet[i] = Math.min(1, ratios[i]!)
  for (let from = 0; from < length; from++) {
    if (!(ratios[from]! > 1)) continue
    let last = from
    while (ratios[last + 1]! > 1) last++
    const within = { from: Math.max(0, from - HALF_SPAN), to: Math.min(length, last + HALF_SPAN + 1) }
    const stretch = stillest(steps, within, usualStep / 2)
    for (let i = stretch.from; i < stretch.to; i++) {
      quiet[i] = Math.max(quiet[i]!, ratios[Math.max(from, Math.min(last, i))]!)
    }
    from = last
  }
  return quiet
}

interface Range {
  readonly from: number
  readonly to: number
}

/** The part of a range where Σ (limit − step) is largest; nothing if no step is below the limit. */
function stillest (steps: Float64Array, { from, to }: Range, limit: number): Range {
  const best = strongestStretch(steps.subarray(from, to).map((step) => -step), -limit)
  const first = from + best.from
  return first < to && steps[first]! < limit ? { from: first, to: from + best.to + 1 } : { from, to: from }
}

/**
 * The same, causally, observation by observation: a run counts as long as it is so far, and means look back. What it
 * says depends on the last 18 observations, and on the current run of equal ones.
 */
export class StillnessStream {
  readonly #model: Stillness
  /** The latest steps. */
  readonly #steps: Ring
  /** Longest run that is counted: a longer one makes no larger ratio. */
  readonly #longest: number
  #run = 0
  /** The observation before. */
  #before = 0
  #beforeIsMissing = true

  constructor (model: Stillness) {
    this.#model = model
    this.#steps = new Ring(STILL_SPAN, model.meanStep)
    this.#longest = Math.ceil(LARGEST_RATIO * model.frozenAfter)
  }

  /** @param value in the unit of the channel; does not count if it is missing */
  next (value: number, missing: boolean): void {
    const known = !missing && !this.#beforeIsMissing
    this.#steps.push(known ? stepBetween(this.#before, value) : this.#model.meanStep)
    this.#run = known && areEqual(this.#before, value) ? Math.min(this.#longest, this.#run + 1) : 0
    this.#before = missing ? 0 : value
    this.#beforeIsMissing = missing
  }

  /** Ratio of the frozen evidence to its threshold, at most 3. */
  get frozen (): number {
    return ratioTo(this.#model.frozenAfter, this.#run)
  }

  /** Ratio of the quiet evidence to its threshold, at most 3. */
  get quiet (): number {
    const { usualStep, quietAbove } = this.#model
    return quietAbove === 0 ? 0 : ratioTo(quietAbove, quietness(this.#steps.mean(STILL_SPAN), usualStep))
  }

  /** The state: always as many numbers. */
  save (): number[] {
    return [this.#before, this.#beforeIsMissing ? 1 : 0, this.#run, ...this.#steps.save()]
  }

  /** @param state from save() of a stream with the same model */
  restore ([before, beforeIsMissing, run, ...steps]: readonly number[]): void {
    this.#before = before!
    this.#beforeIsMissing = beforeIsMissing === 1
    this.#run = run!
    this.#steps.restore(steps)
  }
}
