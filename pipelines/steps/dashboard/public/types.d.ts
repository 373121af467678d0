// Types of the server's answers and frames.

export interface Share { readonly channel: string, readonly contribution: number }

export interface Verdict {
  readonly series: string
  readonly time: string
  readonly model: { readonly name: string, readonly version: string }
  readonly score: number | null
  readonly anomalous: boolean | null
  readonly threshold: number
  readonly contributions: readonly Share[] | null
  readonly values: Readonly<Record<string, number | null>>
  readonly expected: Readonly<Record<string, number>> | null
  readonly imputed: readonly string[]
}

export interface Gap { readonly series: string, readonly from: string, readonly to: string }

export interface Incident {
  readonly id: string
  readonly series: string
  readonly start: string
  readonly end: string
  readonly closed: boolean
  readonly peak: { readonly time: string, readonly score: number }
  readonly severity: 'warning' | 'critical'
  readonly channels: readonly Share[]
  readonly observations: number
  /** Absent from incidents of earlier versions, as is `message`. */
  readonly kind?: string
  /** One plain sentence about the first channel. */
  readonly message?: string
  readonly acknowledgedAt?: string | null
  readonly feedback?: 'false-alarm' | 'confirmed' | null
  readonly note?: string | null
}

export type AnnotationKind = 'acknowledged' | 'false-alarm' | 'confirmed'

export interface Annotation {
  readonly incident: string
  readonly at: string
  readonly kind: AnnotationKind
  readonly note?: string
}

export interface FleetEntry {
  readonly series: string
  readonly time: string
  readonly score: number | null
  readonly threshold: number
  readonly anomalous: boolean | null
  readonly model: { readonly name: string, readonly version: string }
  readonly channels: readonly Share[]
  readonly gapUntil: string | null
}

export type Point = readonly [time: number, score: number | null]

export interface FleetAnswer {
  readonly newest: string | null
  readonly series: ReadonlyArray<FleetEntry & { readonly scores: readonly Point[], readonly silentMs: number | null }>
  readonly links: ReadonlyArray<{ readonly href: string, readonly text: string }>
  readonly database: string
}

export interface Frame {
  readonly type: 'welcome' | 'frame'
  readonly fleet?: readonly FleetEntry[]
  readonly verdicts?: readonly Verdict[]
  readonly gaps?: readonly Gap[]
  readonly incidents?: readonly Incident[]
  readonly annotations?: readonly Annotation[]
  readonly skipped?: number
}

export type State = 'anomalous' | 'gap' | 'stale' | 'normal' | 'warm-up'

/** The view that the address names. */
export interface View {
  readonly series: string | undefined
  readonly range: string
  /** Shown channels; empty: those that contribute most. */
  readonly channels: readonly string[]
  /** Milliseconds since 1970: the view is paused there. Undefined: live. */
  readonly at: number | undefined
}
