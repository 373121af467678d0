// What stands in for missing values: the interface of a strategy. A module exports one as `strategy`.

/** A value of a channel, and when it was, in milliseconds since 1970. */
export interface KnownValue {
  readonly time: number
  readonly value: number
}

/**
 * Fills the missing values of one series. Called in the order of time; must be a function of what it was told, or
 * repetitions differ.
 */
export interface Filler {
  /** A value has come. */
  observed (channel: number, at: KnownValue): void
  /**
   * Asked for a value that is missing, as long as the channel has been missing for at most the model's maxGap.
   * @param next the next value of the channel, where it has come already: only for instants of which nothing came
   * @returns NaN where it has none: the value stays missing
   */
  fill (channel: number, time: number, next: KnownValue | undefined): number
  /** What open() needs to go on, as JSON. */
  save (): unknown
}

/** What a module exports as `strategy`. */
export interface Strategy {
  /**
   * One for each series.
   * @param channels their number; they are told by their index
   * @param saved by save(); undefined for a new series
   */
  open (channels: number, saved: unknown): Filler
}
