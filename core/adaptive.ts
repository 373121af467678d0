// A threshold that follows slow change: it rises with the level of recent scores and never falls below 1, the calibrated one.
//
// A quantile of the scores is tracked one observation at a time by steps of bounded size (stochastic approximation, Robbins and
// Monro 1951). What is flagged does not teach, or a fault would soon be normal, until it has lasted so long that it is.
import { Problem } from './errors.ts'

export interface AdaptiveSettings {
  /** Quantile of the unflagged scores that is tracked. */
  readonly quantile?: number
  /** Threshold over that quantile, > 1. */
  readonly margin?: number
  /** Observations in which the threshold falls or rises by a factor of about e, at most, by unflagged scores. */
  readonly memory?: number
  /** Flagged observations, less the unflagged ones since, after which flagged scores teach too: what lasts longer is the new normal. */
  readonly patience?: number
  /** As `memory`, for flagged scores after that. */
  readonly relearning?: number
}

/** Defaults chosen on drifting simulated farms and the development halves of TSB-AD (docs/EXPERIMENTS.md). */
export const ADAPTIVE_DEFAULTS: Required<AdaptiveSettings> = { quantile: 0.9, margin: 1.25, memory: 1000, patience: 500, relearning: 200 }

/** All that the threshold remembers; plain JSON. */
export interface AdaptiveState {
  /** Threshold for the next observation, ≥ 1, in units of the calibrated one. */
  readonly threshold: number
  /** Flagged observations that are not outweighed by unflagged ones, 0 to twice the patience. */
  readonly flagged: number
}

const LARGEST_THRESHOLD = 1e6

/** The threshold of a stream of scores; each step is O(1). */
export class AdaptiveThreshold {
  readonly #settings: Required<AdaptiveSettings>
  #threshold: number
  #flagged: number

  /**
   * @param state as state() gave it, to go on from there
   * @throws Problem invalid-settings
   */
  constructor (settings: AdaptiveSettings = {}, state: AdaptiveState = { threshold: 1, flagged: 0 }) {
    this.#settings = { ...ADAPTIVE_DEFAULTS, ...settings }
    check(this.#settings)
    this.#threshold = state.threshold
    this.#flagged = state.flagged
  }

  /** The threshold for `score`, from earlier scores alone; then learns the score. NaN is not scored and teaches nothing. */
  next (score: number): number {
    const threshold = this.#threshold
    if (!Number.isNaN(score)) this.#learn(score)
    return threshold
  }

  #learn (score: number): void {
    const { quantile, margin, memory, patience, relearning } = this.#settings
    const isFlagged = score > this.#threshold
    this.#flagged = Math.max(0, Math.min(2 * patience, this.#flagged + (isFlagged ? 1 : -1)))
    if (isFlagged && this.#flagged < patience) return
    const step = 1 / (isFlagged ? relearning : memory)
    // Up by q where the score is above the tracked quantile, down by 1 − q where it is not: level where the share 1 − q is above.
    const change = score * margin > this.#threshold ? quantile * step : (quantile - 1) * step
    this.#threshold = Math.max(1, Math.min(LARGEST_THRESHOLD, this.#threshold * (1 + change)))
  }

  state (): AdaptiveState {
    return { threshold: this.#threshold, flagged: this.#flagged }
  }
}

/**
 * The threshold of every observation of a series.
 * @param scores in order of time, in units of the calibrated threshold; NaN is not scored
 * @param settings with `hindsight` the series is followed forwards and backwards and the higher threshold counts: what is normal
 * before or after is normal, so a lasting shift is not flagged at all (core/changepoints.ts tells it)
 * @returns shape [length], ≥ 1
 * @throws Problem invalid-settings
 */
export function adaptiveThresholds (scores: Float64Array, settings: AdaptiveSettings & { readonly hindsight?: boolean } = {}): Float64Array {
  const { hindsight = false, ...rest } = settings
  const forwards = new AdaptiveThreshold(rest)
  const thresholds = scores.map((score) => forwards.next(score))
  if (!hindsight) return thresholds
  const backwards = new AdaptiveThreshold(rest)
  for (let t = scores.length - 1; t >= 0; t--) thresholds[t] = Math.max(thresholds[t]!, backwards.next(scores[t]!))
  return thresholds
}

function check ({ quantile, margin, memory, patience, relearning }: Required<AdaptiveSettings>): void {
  const demand = (holds: boolean, message: string): void => { if (!holds) throw new Problem('invalid-settings', message) }
  demand(quantile > 0 && quantile < 1, `quantile must be between 0 and 1, not ${quantile}.`)
  demand(margin > 1 && margin < Infinity, `margin must be a number above 1, not ${margin}.`)
  for (const [name, value] of Object.entries({ memory, patience, relearning })) {
    demand(Number.isInteger(value) && value >= 1, `${name} must be a whole number of observations, 1 or more, not ${value}.`)
  }
}
