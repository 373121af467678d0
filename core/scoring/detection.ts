// The parts of a detector and its results: the types that training, serving and streaming share.
import type { Scaler } from '../series/scaler.ts'
import type { Level } from './level.ts'
import type { ScoreTail } from './tail.ts'

/** One member of the detector: the windows it sees, and how its errors count. */
export interface Member {
  /** Observations in a window. */
  readonly windowLength: number
  /** Newest observations of the window whose residuals count in causal scoring. */
  readonly tail: number
  /**
   * Mean error on unseen normal data, by scoring. Errors are divided by it before members are combined. 1 for a single
   * member.
   */
  readonly scale: { readonly causal: number, readonly batch: number }
  /** Exponent of its errors in the geometric mean. */
  readonly weight: number
}

/** How errors become scores, in one of the two scorings. */
export interface ScoringModel {
  /** Errors in the moving mean; odd for batch scoring, where it is centred. */
  readonly smoothing: number
  /** Smoothed reconstruction error that counts as score 1 unless the level is raised. */
  readonly threshold: number
  readonly level: Level
  /** Distribution of normal scores, for thresholds other than 1. */
  readonly scores: ScoreTail
}

/** All that was fitted or chosen, except the autoencoders' weights. Part of the manifest. */
export interface PatternModel {
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
  /** Members whose errors are combined by the weighted geometric mean; at least one, of which one reconstructs. */
  readonly members: readonly Member[]
  readonly causal: ScoringModel
  readonly batch: ScoringModel
  /** Half-width of the band around the expected value, per channel, in its unit. */
  readonly margins: readonly number[]
}

/** causal: from the past alone, the only scoring for streams; batch: with hindsight, for a complete series. */
export type Scoring = 'causal' | 'batch'

/**
 * The result for one observation. All members but `imputed` are null in warm-up and in gaps: not scored does not mean
 * normal.
 */
export interface Verdict {
  /** Higher is more anomalous; 1 is the threshold of every model. */
  readonly score: number | null
  /** score > 1 */
  readonly anomalous: boolean | null
  /** Share of each channel in the score: ≥ 0, sum 1. Shape [channels]. */
  readonly contributions: Float64Array | null
  /** Expected value, in each channel's unit. Shape [channels]. */
  readonly expected: Float64Array | null
  /** Code of the evidence that decides (core/evidence/model.ts); 0 if not scored. */
  readonly evidence: number
  /** 1 if a missing value was filled. Shape [channels]. */
  readonly imputed: Uint8Array
}

/** The verdicts of a whole series, aligned with it; NaN is not scored. */
export interface Detection {
  /** Shape [length]; anomalous ⇔ score > 1. */
  readonly score: Float64Array
  /** Shape [length × channels]. */
  readonly contributions: Float64Array
  /** Shape [length × channels], in each channel's unit. */
  readonly expected: Float64Array
  /** Code of the evidence that decides (core/evidence/model.ts); 0 if not scored. Shape [length]. */
  readonly evidence: Uint8Array
  /** Shape [length × channels]; 1 if a missing value was filled. */
  readonly imputed: Uint8Array
}

/**
 * A detection of `length` observations in which nothing is scored yet.
 * @example
 * emptyDetection(2, 1).score // [NaN, NaN]
 */
export function emptyDetection (length: number, channels: number): Detection {
  return {
    score: new Float64Array(length).fill(NaN),
    contributions: new Float64Array(length * channels).fill(NaN),
    expected: new Float64Array(length * channels).fill(NaN),
    evidence: new Uint8Array(length),
    imputed: new Uint8Array(length * channels),
  }
}
