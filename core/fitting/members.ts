// The linear autoencoders of the default detector, chosen on public benchmarks (docs/EXPERIMENTS.md). No TensorFlow.
import { maskedAutoencoder, subspaceAutoencoder } from '../linear/linear.ts'
import { fitMasked, LARGEST_MASKED_WIDTH } from '../linear/masked.ts'
import type { Autoencoder } from '../scoring/reconstruction-error.ts'
import { fitSubspace } from '../linear/subspace.ts'
import type { Learn, MemberSettings } from './fit.ts'

/** Share of the windows' variance that the principal subspace spans. */
export const VARIANCE_SHARE = 0.8
/** λ of the masked autoencoder, as a share of the mean variance. */
export const RIDGE = 0.03

/** An exactly solved autoencoder and its windows. */
export interface LinearMember extends MemberSettings {
  readonly architecture: 'linear' | 'masked'
}

/**
 * The members for a number of observations and channels. One channel: a masked autoencoder on long windows, because
 * only time can be learnt from. Several channels: short windows of both kinds for values that go together, and longer
 * windows for how they move. Very many channels: no masked autoencoder.
 * @returns members whose windows are at most a twelfth of the observations long
 * @example
 * defaultMembers(1200, 1) // [{ architecture: 'masked', windowLength: 96, tail: 4 }]
 * defaultMembers(1200, 3).map(({ windowLength }) => windowLength) // [8, 8, 32]
 */
export function defaultMembers (observations: number, channels: number): LinearMember[] {
  const member = (architecture: LinearMember['architecture'], length: number, tail: number): LinearMember => {
    const windowLength = wholeEighths(Math.max(1, Math.min(length, Math.floor(observations / 12))))
    return { architecture, windowLength, tail: Math.min(tail, windowLength) }
  }
  if (channels === 1) return [member('masked', 128, 4)]
  const linear = [member('linear', 8, 4), member('linear', 32, 8)]
  return channels * 8 > LARGEST_MASKED_WIDTH ? linear : [linear[0]!, member('masked', 8, 4), linear[1]!]
}

/** Long windows are multiples of 8, so that a stride divides them (core/detector/hindsight.ts). */
const wholeEighths = (length: number): number => length < 16 ? length : length - length % 8

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

/** An autoencoder with its fitted numbers. */
export interface SolvedAutoencoder extends Autoencoder {
  readonly weights: readonly Float64Array[]
}

/**
 * The function that solves one architecture on the windows of a member.
 * @example
 * const windows = sampleWindows([Float32Array.of(1, 2, 1, 2, 1, 2)], 1, 2, 5)
 * const { reconstruct } = await learnerOf('masked')(windows)
 * reconstruct(Float32Array.of(1, 2), 1) // [1.01…, 1.98…]
 */
export function learnerOf (architecture: LinearMember['architecture']): Learn<SolvedAutoencoder> {
  if (architecture === 'linear') {
    return (windows) => {
      const subspace = fitSubspace(windows, VARIANCE_SHARE)
      return { ...subspaceAutoencoder(subspace, windows.channels), weights: [subspace.mean, subspace.directions] }
    }
  }
  return (windows) => {
    const masked = fitMasked(windows, RIDGE)
    return { ...maskedAutoencoder(masked, windows.channels), weights: [masked.offset, masked.weights] }
  }
}
