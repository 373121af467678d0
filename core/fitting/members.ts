// The default detector: which linear autoencoders it is made of, chosen on public benchmarks (docs/EXPERIMENTS.md). No
// TensorFlow.
import type { Learn, MemberSettings } from './fit.ts'
import { maskedAutoencoder, subspaceAutoencoder } from '../linear/linear.ts'
import { fitMasked, LARGEST_MASKED_WIDTH } from '../linear/masked.ts'
import type { Autoencoder } from '../scoring/reconstruction-error.ts'
import { fitSubspace } from '../linear/subspace.ts'

/** Share of the windows' variance that the principal subspace spans. */
export const VARIANCE_SHARE = 0.8
/** λ of the masked autoencoder, as a share of the mean variance. */
export const RIDGE = 0.03

/** An exactly solved autoencoder and its windows. */
export interface LinearMember extends MemberSettings {
  readonly architecture: 'linear' | 'masked'
}

/**
 * A lone channel: one masked autoencoder on long windows, for all there is to learn from is time. Several channels:
 * short windows see which values go together, in both kinds, and longer ones how they move. Very many channels leave
 * the masked one out.
 * @returns window lengths for as many observations; at most a twelfth of them
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

/** Long windows are whole multiples of 8, so that there is a stride that divides them (core/scoring/hindsight.ts). */
const wholeEighths = (length: number): number => length < 16 ? length : length - length % 8

/** Window of a lone autoencoder: 128 observations for one channel, else 16; at most a twelfth of the training part. */
export function defaultWindowLength (observations: number, channels: number): number {
  return wholeEighths(Math.max(1, Math.min(channels === 1 ? 128 : 16, Math.floor(observations / 12))))
}

/** Newest observations of a lone autoencoder's window that count in causal scoring. */
export function defaultTail (windowLength: number): number {
  return Math.min(windowLength, Math.max(8, Math.floor(windowLength / 4)))
}

/** An autoencoder with all that it consists of. */
export interface SolvedAutoencoder extends Autoencoder {
  readonly weights: readonly Float64Array[]
}

/** Solves one architecture on the windows of a member. */
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
