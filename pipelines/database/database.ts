// The database of the stream: what it stores, and the queries. Implemented in adapters/influx/, adapters/cassandra/ and
// adapters/sqlite/.
import type { Annotation, Gap, Incident, RawObservation, Verdict } from '../messages/messages.ts'

/** Data to store, in order of arrival. */
export interface Batch {
  readonly observations: readonly RawObservation[]
  readonly verdicts: readonly Verdict[]
  readonly gaps: readonly Gap[]
  readonly incidents: readonly Incident[]
  readonly annotations: readonly Annotation[]
}

/** An incident with people's feedback, if there is any. */
export interface KeptIncident extends Incident {
  readonly acknowledgedAt: string | null
  readonly feedback: 'false-alarm' | 'confirmed' | null
  readonly note: string | null
}

/** Both ends inclusive; milliseconds since 1970. */
export interface Period {
  readonly from: number
  readonly to: number
}

export interface Database {
  /** Where it is, for people; without secrets. */
  readonly location: string
  /**
   * Resolves once everything is stored. Writing the same data again changes nothing.
   * @throws Problem server-unavailable if a retry may help
   */
  write (batch: Batch): Promise<void>
  /** The newest verdict of every series. */
  fleet (): Promise<Verdict[]>
  /** In the order of time; if there are more than `limit`, the newest ones. */
  verdicts (series: string, period: Period, limit: number): Promise<Verdict[]>
  /** In the order of time. */
  gaps (series: string, period: Period): Promise<Gap[]>
  /** Incidents that overlap the period, the newest first. Default: of all series. */
  incidents (period: Period, limit: number, series?: string): Promise<KeptIncident[]>
  incident (id: string): Promise<KeptIncident | undefined>
  close (): Promise<void>
}
