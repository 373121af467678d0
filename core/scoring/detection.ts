// What a detector is made of and what it says: the types that training, serving and streaming share.
import type { Level } from './level.ts'
import type { Scaler } from '../series/scaler.ts'
import type { ScoreTail } from './tail.ts'

/** One autoencoder of the detector: the windows it sees, and the size of its errors on normal data. */
export interface Member {
  /** Observations in a window. */
  readonly windowLength: number
  /** Newest observations of the window whose residuals count in causal scoring. */
  readonly tail: number
  /**
   * Mean error of unseen normal data, by scoring: errors are divided by it, so that members can be combined. 1 for a
   * lone member.
   */
  readonly scale: { readonly causal: number, readonly batch: number }
}

/** How errors become scores, in one of the two scorings. */
export interface ScoringModel {
  /** Errors in the moving mean; odd for batch scoring, where it is centred. */
  readonly smoothing: number
  /** Smoothed reconstruction error that is served as score 1, as long as the level is not raised. */
  readonly threshold: number
  readonly level: Level
  /** What scores of normal data look like, for thresholds other than 1. */
  readonly scores: ScoreTail
}

/** Everything about a detector that was fitted or chosen, except the autoencoders' weights. Part of the manifest. */
export interface DetectorModel {
  /** Channel names, in the order of every array of shape [channels]. */
  readonly channels: readonly string[]
  /** Sampling interval in milliseconds. */
  readonly interval: number
  /** Longest gap that is filled, in observations. */
  readonly maxGap: number
  readonly scaler: Scaler
  /** Weight of each channel's squared residual in the reconstruction error. */
  readonly weights: readonly number[]
  /** Observations in the longest window: a shorter series has no score. */
  readonly windowLength: number
  /** Autoencoders whose errors are combined by the geometric mean; at least one. */
  readonly members: readonly Member[]
  readonly causal: ScoringModel
  readonly batch: ScoringModel
  /** Half-width of the band around the expected value, per channel, in its unit. */
  readonly margins: readonly number[]
}

/**
 * causal: of the past alone, the only one for streams; batch: with hindsight, for a series that is there as a whole.
 */
export type Scoring = 'causal' | 'batch'

/**
 * What the detector says of one observation. All but `imputed` are null in warm-up and in gaps: not scored is not
 * "normal".
 */
export interface Verdict {
  /** Higher is more anomalous; 1 is the threshold of every model. */
  readonly score: number | null
  /** score > 1 */
  readonly anomalous: boolean | null
  /** Share of each channel in the score: ≥ 0, sum 1. Shape [channels]. */
  readonly contributions: Float64Array | null
  /** What the model expected, in each channel's unit. Shape [channels]. */
  readonly expected: Float64Array | null
  /** 1 where a missing value was filled. Shape [channels]. */
  readonly imputed: Uint8Array
}

/** The verdicts of a whole series, aligned with it; NaN where not scored. */
export interface Detection {
  /** Shape [length]; anomalous ⇔ score > 1. */
  readonly score: Float64Array
  /** Shape [length × channels]. */
  readonly contributions: Float64Array
  /** Shape [length × channels], in each channel's unit. */
  readonly expected: Float64Array
  /** Shape [length × channels]; 1 where a missing value was filled. */
  readonly imputed: Uint8Array
}

/** A detection of `length` observations in which nothing is scored yet. */
export function emptyDetection (length: number, channels: number): Detection {
  return {
    score: new Float64Array(length).fill(NaN),
    contributions: new Float64Array(length * channels).fill(NaN),
    expected: new Float64Array(length * channels).fill(NaN),
    imputed: new Uint8Array(length * channels),
  }
}
