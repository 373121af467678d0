// What is usual for a channel that stands still, from normal data.
import { ln } from '../../elementary.ts'
import { quantileInPlace } from '../../quantile.ts'
import { includedOf } from './included.ts'
import {
  areEqual,
  HALF_SPAN,
  LARGEST_STEP,
  meansOf,
  quietness,
  STILL_SPAN,
  stepBetween,
  type Stillness,
} from '../stillness.ts'
import { tailThreshold } from './tail-threshold.ts'

export interface StillnessOptions {
  /** Runs of evidence above its threshold per observation, > 0. */
  readonly rate: number
  /** Of 8 blocks of time, leave out so many that are quietest (0: none). */
  readonly leftOut: number
  /** Whether means look back (as the stream does), or lie around their observation. */
  readonly causal: boolean
  /** Whether the longest run of equal observations may be an anomaly. */
  readonly robust: boolean
}

/** Fewer means give no quiet evidence. */
const FEWEST_MEANS = 7 * STILL_SPAN

/** Fewer equal observations in a row are never frozen. */
const FEWEST_EQUAL = 5
/** Bounds on the share of equal steps. */
const [LEAST_EQUAL, MOST_EQUAL] = [0.02, 0.9999]
/** A run passes if it is at most so many times as long as the longest one that was seen. */
const LONGER = 1.5

/** A channel rests at a value where, beside the longest run there, so many others last at least a third as long. */
const OTHER_RESTS = 2
const SHORTEST_REST = 1 / 3

/** Lowest threshold of quiet evidence: steps of half the usual size. */
const LOWEST_QUIET = 0.7

/** Consecutive equal steps. */
interface Run {
  readonly length: number
  readonly value: number
}

/**
 * Learns from normal data what is usual for a channel that stands still. Frozen: runs of equal observations are rarer
 * than `rate` if steps are equal at random, and longer than 1.5 times the longest run. Where a channel rests (at zero
 * by night, say), or is so coarse that 17 equal observations are no news, there is no quiet evidence.
 * @param values without gaps, in the unit of the channel, shape [length]
 * @param included 1 where the value counts as normal, shape [length]
 * @example
 * const random = createRandom('stillness')
 * const values = Float64Array.from({ length: 1000 }, random.normal)
 * const options = { rate: 1e-6, leftOut: 0, causal: true, robust: false }
 * fitStillness(values, new Uint8Array(1000).fill(1), options).frozenAfter // 5
 */
export function fitStillness (values: Float64Array, included: Uint8Array, options: StillnessOptions): Stillness {
  const unknown = new Uint8Array(included.length)
  for (let i = 0; i < unknown.length; i++) unknown[i] = included[i] === 1 ? 0 : 1
  const { runs, known, meanStep } = surveySteps(values, unknown)
  const longest = runs.reduce((most, run) => run.length > most.length ? run : most, { length: 0, value: NaN })
  const rests = isHabit(longest, runs, known, options.rate)
  const counted = options.robust && !rests ? runs.filter((run) => run !== longest) : runs
  const leftOut = counted === runs ? 0 : longest.length
  const byChance = longestByChance(stepsIn(counted), known - leftOut, options.rate)
  const seen = counted.reduce((most, { length }) => Math.max(most, length), 0)
  const stillnessIsUsual = byChance >= STILL_SPAN || (rests && longest.length >= STILL_SPAN)
  const quiet = stillnessIsUsual
    ? { usualStep: 0, quietAbove: 0 }
    : fitQuiet(meansOf(values, unknown, meanStep), included, options)
  return {
    frozenAfter: Math.max(FEWEST_EQUAL, byChance, LONGER * seen + 1),
    meanStep: Math.max(meanStep, quiet.usualStep),
    ...quiet,
  }
}

const stepsIn = (runs: readonly Run[]): number => runs.reduce((sum, { length }) => sum + length, 0)

/** Length that runs reach at the rate, if steps are equal at random; without any step, as if nearly all were equal. */
function longestByChance (equal: number, known: number, rate: number): number {
  const share = known > 0 ? Math.min(MOST_EQUAL, Math.max(LEAST_EQUAL, equal / known)) : MOST_EQUAL
  return ln(rate * (1 - share)) / ln(share)
}

/**
 * Whether the channel rests where its longest run lies: others there are not much shorter, and too long for chance by
 * the share of equal steps at all other values.
 */
function isHabit (longest: Run, runs: readonly Run[], known: number, rate: number): boolean {
  const there = runs.filter((run) => areEqual(run.value, longest.value))
  const steps = stepsIn(there)
  const byChance = Math.max(FEWEST_EQUAL, longestByChance(stepsIn(runs) - steps, known - steps, rate))
  const shortest = Math.max(byChance, SHORTEST_REST * longest.length)
  return there.filter(({ length }) => length >= shortest).length > OTHER_RESTS
}

/** Runs of equal steps, the number of known steps, and their mean size. */
function surveySteps (values: Float64Array, missing: Uint8Array): { runs: Run[], known: number, meanStep: number } {
  const runs: Run[] = []
  let known = 0
  let sum = 0
  let length = 0
  for (let i = 1; i <= values.length; i++) {
    const knows = i < values.length && missing[i] === 0 && missing[i - 1] === 0
    if (knows) {
      known++
      sum += stepBetween(values[i - 1]!, values[i]!)
    }
    if (knows && areEqual(values[i - 1]!, values[i]!)) {
      length++
    } else if (length > 0) {
      runs.push({ length, value: values[i - 1]! })
      length = 0
    }
  }
  return { runs, known, meanStep: known === 0 ? 0 : Math.min(LARGEST_STEP, sum / known) }
}

/** @param means of the STILL_SPAN steps that end at each observation */
function fitQuiet (
  means: Float64Array,
  included: Uint8Array,
  { rate, leftOut, causal }: StillnessOptions
): Pick<Stillness, 'usualStep' | 'quietAbove'> {
  const none = { usualStep: 0, quietAbove: 0 }
  const shift = causal ? 0 : HALF_SPAN
  const spans = means.subarray(STILL_SPAN)
  const counts = included.subarray(STILL_SPAN - shift, means.length - shift)
  const counted = includedOf(spans, counts)
  const usualStep = counted.length < FEWEST_MEANS ? 0 : quantileInPlace(counted, 0.5)
  if (usualStep === 0) return none
  const evidence = new Float64Array(spans.length)
  for (let i = 0; i < spans.length; i++) evidence[i] = quietness(spans[i]!, usualStep)
  const tail = { rate, dependence: STILL_SPAN / 2, mostPeaks: Infinity, squared: false, leftOut }
  return { usualStep, quietAbove: Math.max(LOWEST_QUIET, tailThreshold(evidence, counts, tail)) }
}
