// The types that the page and the plots share: the answer of the service, a plot of it, and problem documents.

/** Values on the answer's regular grid; null, or NaN in a typed array, is missing, or not scored. */
export type Values = ArrayLike<number | null>

export interface Anomaly {
  /** First and last anomalous observation, ISO 8601, both inside. */
  readonly start: string
  readonly end: string
  readonly peak: string
  readonly peakScore: number
  readonly kind: 'spike' | 'level' | 'variance' | 'seasonal' | 'quiet' | 'relation' | 'pattern'
  /** One plain sentence about the first channel. */
  readonly message: string
  /** Most contributing first. */
  readonly channels: ReadonlyArray<{ readonly name: string, readonly contribution: number }>
}

export interface ChannelQuality {
  readonly missing: number
  /** Indices of the observations that were filled. */
  readonly imputed: readonly number[]
  readonly duplicates: number
  readonly outOfOrder: number
}

/** The answer of POST /compute. Members that `include` can leave out are optional. */
export interface Answer {
  readonly model: {
    readonly name: string,
    readonly version: string,
    readonly digest: string,
    readonly architecture: string,
  }
  readonly scoring: 'batch' | 'causal'
  readonly threshold: number
  readonly start: string
  /** Sampling interval, ISO 8601 duration. */
  readonly step: string
  /** The table had no timestamps: observation n stands at start + n × step, and times mean nothing. */
  readonly numbered?: true
  /** What the fit of an ad-hoc model could not learn, or left out. */
  readonly notices?: readonly string[]
  readonly score?: Values
  readonly isAnomaly?: ReadonlyArray<boolean | null>
  readonly observed?: Readonly<Record<string, Values>>
  readonly expected?: Readonly<Record<string, Values>>
  readonly lower?: Readonly<Record<string, Values>>
  readonly upper?: Readonly<Record<string, Values>>
  /** Share of each channel in the score, at least 0, sum 1 over the channels. */
  readonly contributions?: Readonly<Record<string, Values>>
  readonly anomalies?: readonly Anomaly[]
  readonly quality?: Readonly<Record<string, ChannelQuality>>
}

/** One description of a plot, drawn alike by the page and by the server. */
export interface Plot {
  readonly answer: Answer
  readonly theme?: 'light' | 'dark'
  /** Pixels; default 1200. The height follows from the panels. */
  readonly width?: number
  /** Channels to draw, in this order; default: all, or the most contributing twelve of more. */
  readonly channels?: readonly string[]
  /** Heading above the plot; default none. */
  readonly title?: string
  /** A smaller line below the title; default none. */
  readonly subtitle?: string
  /** True adds zoom, tooltip and axis pointer. */
  readonly interactive?: boolean
  /** Part of the time to show, milliseconds since the epoch; default everything. */
  readonly view?: { readonly from: number, readonly to: number }
}

/** Regular grid of an answer: milliseconds since the epoch, milliseconds, observations. */
export interface Timeline {
  readonly start: number
  readonly interval: number
  readonly length: number
}

/** One of the stacked coordinate systems of a plot, in pixels. */
export interface Panel {
  readonly kind: 'score' | 'contributions' | 'channel'
  readonly name: string
  readonly top: number
  readonly height: number
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  /** False on narrow screens: names stand above the panels instead of beside them. */
  readonly wide: boolean
  readonly legendTop: number
  readonly sliderTop: number
  readonly panels: readonly Panel[]
}

export interface Palette {
  readonly background: string
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly grid: string
  /** Behind the heat map. */
  readonly well: string
  readonly observed: string
  readonly expected: string
  readonly band: string
  readonly score: string
  readonly alarm: string
  /**
   * Above the threshold, and below it: the same colour unseen (a gradient to `transparent` is black in some renderers).
   */
  readonly excess: string
  readonly noExcess: string
  readonly anomaly: string
  readonly imputed: string
  /** From the least to the greatest contribution. */
  readonly ramp: readonly string[]
}

/** Milliseconds since the epoch and a value; null is a gap. */
export type Point = readonly [number, number | null]

/** What there is to draw of a plot, and where. */
export interface Plan {
  readonly answer: Answer
  readonly channels: readonly string[]
  readonly layout: Layout
  readonly palette: Palette
  readonly title: string | undefined
  readonly subtitle: string | undefined
  readonly time: Timeline
  /** Ends of the time axis. */
  readonly extent: { readonly min: number, readonly max: number }
  readonly scoreExtent: { readonly min: number, readonly max: number, readonly interval: number }
  valueExtent (channel: string): { min: number, max: number }
  score (): { line: readonly Point[], lone: readonly Point[] }
  channel (name: string): {
    band: { bottom: readonly Point[], width: readonly Point[] }
    expected: readonly Point[]
    observed: readonly Point[]
    lone: readonly Point[]
    imputed: readonly Point[]
  }
  /** Rectangles of the heat map: from, to, row, level. */
  heat (): ReadonlyArray<readonly [number, number, number, number]>
}

/** An entry of GET /models. */
export interface Model {
  readonly name: string
  readonly version: string
  readonly digest: string
  readonly architecture: string
  readonly channels: readonly string[]
  readonly samplingInterval: string
  readonly sensitivity: { readonly summary: string }
  readonly windowLength: number
}

/** RFC 9457 problem document. */
export interface ProblemDocument {
  readonly code?: string
  readonly title?: string
  readonly detail?: string
  readonly status?: number
  readonly errors?: ReadonlyArray<
    { readonly pointer?: string, readonly detail?: string, readonly got?: unknown, readonly want?: unknown }
  >
}

/** The request of a person. */
export interface Order {
  readonly name: string
  readonly body: Blob
  /** Empty: the service chooses by the channels. */
  readonly model: string
  readonly scoring: 'batch' | 'causal'
  /** Further parameters of the query. */
  readonly options: Readonly<Record<string, string>>
}
