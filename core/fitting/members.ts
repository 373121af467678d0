// The members of the default detector, chosen on public benchmarks (docs/EXPERIMENTS.md). No TensorFlow.
import { deviationMember, fitDeviation } from '../features/deviation.ts'
import { filtersMember, fitFilters, SHORTEST_FILTERED } from '../features/filters.ts'
import { maskedAutoencoder, subspaceAutoencoder } from '../linear/linear.ts'
import { fitMasked, LARGEST_MASKED_WIDTH } from '../linear/masked.ts'
import type { Autoencoder } from '../scoring/reconstruction-error.ts'
import { fitSubspace } from '../linear/subspace.ts'
import type { Learn, MemberSettings } from './fit.ts'

/** Share of the windows' variance that the principal subspace spans. */
export const VARIANCE_SHARE = 0.8
/** λ of the masked autoencoder, as a share of the mean variance. */
export const RIDGE = 0.03

/** linear, masked: autoencoders (core/linear/); filters, deviation: measures of windows (core/features/). */
export type SolvedArchitecture = 'linear' | 'masked' | 'filters' | 'deviation'

/** A member that is solved exactly, and its windows. */
interface SolvedMember extends MemberSettings {
  readonly architecture: SolvedArchitecture
  readonly weight: number
}

/** Fewer observations calibrate neither features nor smoothed scores: a quarter, which is held out, is too short. */
export const LEAST_TO_CALIBRATE = 256
/** With several channels, features of single channels count less than what the channels do together. */
const FILTERS_WEIGHT = 0.1
/** The deviation tells less than the shapes. */
const DEVIATION_WEIGHT = 0.5

/**
 * The members for a number of observations and channels. One channel: a masked autoencoder on long windows, because
 * only time can be learnt from, filter features for shapes at any phase, and the deviation of the newest observations
 * for calm and unrest. Several channels: short windows of both kinds for values that go together, longer windows for
 * how they move, and filter features. Very many channels: no masked autoencoder.
 * @returns members whose windows are at most a twelfth of the observations long
 * @example
 * defaultMembers(1200, 1).map(({ architecture }) => architecture) // ['masked', 'filters', 'deviation']
 * defaultMembers(1200, 3).map(({ windowLength }) => windowLength) // [8, 8, 32, 64]
 */
export function defaultMembers (observations: number, channels: number): SolvedMember[] {
  const member = (architecture: SolvedArchitecture, length: number, tail: number): SolvedMember => {
    const windowLength = wholeEighths(Math.max(1, Math.min(length, Math.floor(observations / 12))))
    return { architecture, windowLength, tail: Math.min(tail, windowLength), weight: 1 }
  }
  const features = observations >= LEAST_TO_CALIBRATE
  if (channels === 1) {
    const measures = [member('filters', 96, 96), { ...member('deviation', 16, 16), weight: DEVIATION_WEIGHT }]
    return [member('masked', 128, 4), ...features ? measures : []]
  }
  return [
    member('linear', 8, 4),
    ...channels * 8 > LARGEST_MASKED_WIDTH ? [] : [member('masked', 8, 4)],
    member('linear', 32, 8),
    ...features ? [{ ...member('filters', 64, 64), weight: FILTERS_WEIGHT }] : [],
  ]
}

/**
 * Long windows are multiples of 8, so that a stride divides them (core/scoring/pattern-hindsight.ts).
 * @example
 * wholeEighths(100) // 96
 * wholeEighths(11) // 11
 */
export const wholeEighths = (length: number): number => length < SHORTEST_FILTERED ? length : length - length % 8

/**
 * Window of a single autoencoder: 128 observations for one channel, else 16; at most a twelfth of the training part.
 * @example
 * defaultWindowLength(10_000, 1) // 128
 * defaultWindowLength(120, 3) // 10
 */
export function defaultWindowLength (observations: number, channels: number): number {
  return wholeEighths(Math.max(1, Math.min(channels === 1 ? 128 : 16, Math.floor(observations / 12))))
}

/**
 * Newest observations of a single autoencoder's window that count in causal scoring.
 * @example
 * defaultTail(128) // 32
 * defaultTail(5) // 5
 */
export function defaultTail (windowLength: number): number {
  return Math.min(windowLength, Math.max(8, Math.floor(windowLength / 4)))
}

/** A member with its fitted numbers. */
export type SolvedAutoencoder = Autoencoder & { readonly weights: ReadonlyArray<Float64Array | Float32Array> }

const LEARNERS: Record<SolvedArchitecture, Learn<SolvedAutoencoder>> = {
  linear: (windows) => {
    const subspace = fitSubspace(windows, VARIANCE_SHARE)
    return { ...subspaceAutoencoder(subspace, windows.channels), weights: [subspace.mean, subspace.directions] }
  },
  masked: (windows) => {
    const masked = fitMasked(windows, RIDGE)
    return { ...maskedAutoencoder(masked, windows.channels), weights: [masked.offset, masked.weights] }
  },
  filters: (windows) => {
    const filters = fitFilters(windows)
    return { ...filtersMember(filters), weights: [filters.maps] }
  },
  deviation: (windows) => {
    const usual = fitDeviation(windows)
    return { ...deviationMember(usual), weights: [usual.center, usual.spread] }
  },
}

/**
 * The function that solves one architecture on the windows of a member.
 * @example
 * const windows = sampleWindows([Float32Array.of(1, 2, 1, 2, 1, 2)], 1, 2, 5)
 * const { reconstruct } = await learnerOf('masked')(windows)
 * reconstruct(Float32Array.of(1, 2), 1) // [1.01…, 1.98…]
 */
export function learnerOf (architecture: SolvedArchitecture): Learn<SolvedAutoencoder> {
  return LEARNERS[architecture]
}

/**
 * Whether learnerOf() knows an architecture.
 * @example
 * isSolved('filters') // true
 * isSolved('dense') // false
 */
export function isSolved (architecture: string): architecture is SolvedArchitecture {
  return Object.hasOwn(LEARNERS, architecture)
}
