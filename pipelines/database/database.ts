// What is kept of the stream, and what is asked of it. Adapters: adapters/influx.ts, adapters/cassandra.ts,
// adapters/sqlite.ts.
import type { Annotation, Gap, Incident, RawObservation, Verdict } from '../messages/messages.ts'

/** Things to be kept, in the order in which they came. */
export interface Batch {
  readonly observations: readonly RawObservation[]
  readonly verdicts: readonly Verdict[]
  readonly gaps: readonly Gap[]
  readonly incidents: readonly Incident[]
  readonly annotations: readonly Annotation[]
}

/** What people said of an incident, if anything. */
export interface KeptIncident extends Incident {
  readonly acknowledgedAt: string | null
  readonly feedback: 'false-alarm' | 'confirmed' | null
  readonly note: string | null
}

/** Both ends inside; milliseconds since 1970. */
export interface Period {
  readonly from: number
  readonly to: number
}

export interface Database {
  /** What it is, for people; without secrets. */
  readonly location: string
  /**
   * Fulfilled once all is kept. The same things again change nothing.
   * @throws Problem server-unavailable where trying again may help
   */
  write (batch: Batch): Promise<void>
  /** The newest verdict of every series. */
  fleet (): Promise<Verdict[]>
  /** In the order of time; the newest ones where there are more than `limit`. */
  verdicts (series: string, period: Period, limit: number): Promise<Verdict[]>
  /** In the order of time. */
  gaps (series: string, period: Period): Promise<Gap[]>
  /** Those that overlap the period, the newest first; of all series unless one is named. */
  incidents (period: Period, limit: number, series?: string): Promise<KeptIncident[]>
  incident (id: string): Promise<KeptIncident | undefined>
  close (): Promise<void>
}
