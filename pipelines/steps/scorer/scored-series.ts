// One series and its detector: rows wait until a batch is read, then are scored by one call. Counts in intervals; knows
// no message.
import { z } from 'zod'
import type { DetectorModel, Verdict } from '../../../core/scoring/detection.ts'
import { Detector } from '../../../core/scoring/detector.ts'
import type { Autoencoder } from '../../../core/scoring/reconstruction-error.ts'
import { type Arrival, arrivalOf } from '../../messages/messages.ts'
import { type IncidentRules, Incidents, IncidentStateSchema } from './incidents.ts'
import { RecentObservations, RecentSchema } from './recent-observations.ts'
import { decodeDetector, encodeDetector, SavedDetectorSchema } from './saved-detector.ts'

/** A version of a model, as far as scoring goes. */
export interface Scoring {
  readonly detector: DetectorModel
  readonly autoencoders: readonly Autoencoder[]
}

/** An instant that is to be scored; without an origin it is one of which nothing came. */
export interface Row<Origin> {
  readonly time: number
  /** Shape [channels], NaN is missing. */
  readonly values: readonly number[]
  /** 1 where somebody has filled the value; undefined: none. */
  readonly filled: Uint8Array | undefined
  /** Of what says so. */
  readonly arrival: Arrival
  readonly origin: Origin | undefined
}

export const SavedSeriesSchema = z.object({
  last: z.number().nullable(),
  receivedAt: z.number(),
  trace: z.string().optional(),
  detector: SavedDetectorSchema.nullable(),
  recent: RecentSchema,
  incidents: IncidentStateSchema,
})
export type SavedSeries = z.output<typeof SavedSeriesSchema>

/** Instants without a value after which a detector is as good as new; further ones change nothing. */
const forgetsAfter = ({ maxGap, windowLength, causal: { smoothing, level } }: DetectorModel): number =>
  maxGap + windowLength + smoothing + level.span

export class ScoredSeries<Origin> {
  /** Of the newest message. */
  arrival: Arrival = { receivedAt: 0 }
  readonly #rules: IncidentRules
  #incidents: Incidents
  #last: number | undefined
  #detector: Detector | undefined
  #recent: RecentObservations | undefined
  /** Until it is known what scores. */
  #saved: SavedSeries | undefined
  #rows: Array<Row<Origin>> = []

  /** To be followed by resume() or begin(). */
  constructor (rules: IncidentRules, saved?: SavedSeries) {
    this.#rules = rules
    this.#saved = saved
    this.#last = saved?.last ?? undefined
    if (saved !== undefined) this.arrival = arrivalOf(saved)
    this.#incidents = new Incidents(rules, saved?.incidents)
  }

  /** The last instant that was taken. */
  get last (): number | undefined {
    return this.#last
  }

  get incidents (): Incidents {
    return this.#incidents
  }

  /** Goes on with the version that it was saved with. @throws Problem invalid-state */
  resume ({ detector, autoencoders }: Scoring): void {
    this.#recent = this.#recentOf(detector)
    this.#detector = this.#saved?.detector == null
      ? this.#warm({ detector, autoencoders })
      : new Detector(detector, autoencoders, decodeDetector(this.#saved.detector))
    this.#saved = undefined
  }

  /** Another version of the same channels and interval: it sees the newest observations before it is asked. */
  goOver (scoring: Scoring): void {
    this.#recent = this.#recentOf(scoring.detector)
    this.#detector = this.#warm(scoring)
    this.#saved = undefined
  }

  /** Begins anew, behind what was taken. */
  begin ({ detector, autoencoders }: Scoring): void {
    this.#recent = emptyRecent(detector)
    this.#detector = new Detector(detector, autoencoders)
    this.#incidents = new Incidents(this.#rules)
    this.#saved = undefined
  }

  /**
   * Takes an instant; those between it and the last one are missing.
   * @param time on the grid, after the last one
   */
  add (row: Row<Origin>, model: DetectorModel): void {
    this.skipTo(row.time - model.interval, model, row.arrival)
    this.#rows.push(row)
    this.#last = row.time
  }

  /**
   * Nothing came up to this instant; of many, as many are fed as can matter.
   * @param arrival of what says so
   */
  skipTo (time: number, model: DetectorModel, arrival: Arrival): void {
    this.arrival = arrival
    const { interval, channels } = model
    const last = this.#last ?? time
    const count = Math.min((time - last) / interval, forgetsAfter(model))
    for (let i = 1; i <= count; i++) {
      this.#rows.push({
        time: last + i * interval,
        values: channels.map(() => NaN),
        filled: undefined,
        arrival,
        origin: undefined,
      })
    }
    this.#last = Math.max(last, time)
  }

  /** Scores what was taken, in order. */
  score (each: (row: Row<Origin>, verdict: Verdict) => void): void {
    const rows = this.#rows
    this.#rows = []
    for (const { values, filled } of rows) this.#recent!.push(values, filled)
    const verdicts = this.#detector!.observeAll(rows.map(({ values }) => values), rows.map(({ filled }) => filled))
    rows.forEach((row, i) => { each(row, verdicts[i]!) })
  }

  save (): SavedSeries {
    return {
      last: this.#last ?? null,
      ...this.arrival,
      detector: this.#detector === undefined
        ? this.#saved?.detector ?? null
        : encodeDetector(this.#detector.save()),
      recent: this.#recent?.save() ?? this.#saved?.recent ?? { values: '', filled: '' },
      incidents: this.#incidents.save(),
    }
  }

  #recentOf (model: DetectorModel): RecentObservations {
    const recent = emptyRecent(model)
    if (this.#recent !== undefined) for (const { values, filled } of this.#recent.rows()) recent.push(values, filled)
    else if (this.#saved !== undefined) recent.restore(this.#saved.recent)
    return recent
  }

  #warm ({ detector: model, autoencoders }: Scoring): Detector {
    const detector = new Detector(model, autoencoders)
    const rows = this.#recent!.rows()
    detector.observeAll(rows.map(({ values }) => values), rows.map(({ filled }) => filled))
    return detector
  }
}

function emptyRecent ({ windowLength, causal, channels }: DetectorModel): RecentObservations {
  return new RecentObservations(windowLength + causal.smoothing, channels.length)
}
