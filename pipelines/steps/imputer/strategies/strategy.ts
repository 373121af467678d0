// The interface of a strategy, which fills missing values. A module exports one as `strategy`.

/** A value of a channel. */
export interface KnownValue {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly value: number
}

/**
 * Fills the missing values of one series. Calls come in the order of time. Results must depend on these calls only, or
 * repetitions differ.
 */
export interface Filler {
  /** Takes a value that has come. */
  observed (channel: number, at: KnownValue): void
  /**
   * Called for a missing value, up to the model's maxGap in a row.
   * @param next the next value of the channel, if it has come already: only for instants without any observation
   * @returns NaN to leave the value missing
   */
  fill (channel: number, time: number, next: KnownValue | undefined): number
  /** What open() needs to continue, as JSON. */
  save (): unknown
}

/** What a module exports as `strategy`. */
export interface Strategy {
  /**
   * Called once for each series.
   * @param channels number of channels; an index names a channel
   * @param saved by save(); undefined for a new series
   */
  open (channels: number, saved: unknown): Filler
}
