// One series and its detector: rows wait until the whole batch is read, then one call scores them. Counts in sampling
// intervals; knows no messages.
import { z } from 'zod'
import type { DetectorModel } from '../../../core/detector/model.ts'
import { memoryOf } from '../../../core/evidence/stream.ts'
import type { Verdict } from '../../../core/scoring/detection.ts'
import { Detector } from '../../../core/detector/detector.ts'
import type { Autoencoder } from '../../../core/scoring/reconstruction-error.ts'
import { type Arrival, arrivalOf } from '../../messages/messages.ts'
import { type IncidentRules, Incidents, IncidentStateSchema } from './incidents.ts'
import { RecentObservations, RecentSchema } from './recent-observations.ts'
import { decodeDetector, encodeDetector, SavedDetectorSchema } from './saved-detector.ts'

/** The part of a model version that scores. */
export interface LoadedDetector {
  readonly detector: DetectorModel
  readonly autoencoders: readonly Autoencoder[]
}

/** An instant to score. Without an origin, no observation came for it. */
export interface Row<Origin> {
  readonly time: number
  /** Shape [channels], NaN is missing. */
  readonly values: readonly number[]
  /** 1 for each value that the imputer has filled; undefined: none. */
  readonly filled: Uint8Array | undefined
  /** Arrival of the message that brought this row or shows that it is missing. */
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
type SavedSeries = z.output<typeof SavedSeriesSchema>

/** After so many instants without a value, a detector is as if new: more of them change nothing. */
const forgetsAfter = ({ maxGap, windowLength, causal: { smoothing, level }, evidence }: DetectorModel): number =>
  Math.max(maxGap + windowLength + smoothing + level.span, memoryOf(evidence.causal!))

export class ScoredSeries<Origin> {
  /** Arrival of the newest message. */
  arrival: Arrival = { receivedAt: 0 }
  readonly #rules: IncidentRules
  #incidents: Incidents
  #last: number | undefined
  #detector: Detector | undefined
  #recent: RecentObservations | undefined
  /** The saved state, until a detector takes it over. */
  #saved: SavedSeries | undefined
  #rows: Array<Row<Origin>> = []

  /** Call resume() or begin() next. */
  constructor (rules: IncidentRules, saved?: SavedSeries) {
    this.#rules = rules
    this.#saved = saved
    this.#last = saved?.last ?? undefined
    if (saved !== undefined) this.arrival = arrivalOf(saved)
    this.#incidents = new Incidents(rules, saved?.incidents)
  }

  /** The last instant that add() or skipTo() has taken. */
  get last (): number | undefined {
    return this.#last
  }

  get incidents (): Incidents {
    return this.#incidents
  }

  /** Continues with the version of the saved state. @throws Problem invalid-state */
  resume ({ detector, autoencoders }: LoadedDetector): void {
    this.#recent = this.#recentOf(detector)
    this.#detector = this.#saved?.detector == null
      ? this.#warm({ detector, autoencoders })
      : new Detector(detector, autoencoders, decodeDetector(this.#saved.detector))
    this.#saved = undefined
  }

  /** Switches to another version with the same channels and interval. The newest observations warm it up. */
  switchTo (loaded: LoadedDetector): void {
    this.#recent = this.#recentOf(loaded.detector)
    this.#detector = this.#warm(loaded)
    this.#saved = undefined
  }

  /** Begins anew, after the last instant. */
  begin ({ detector, autoencoders }: LoadedDetector): void {
    this.#recent = emptyRecent(detector)
    this.#detector = new Detector(detector, autoencoders)
    this.#incidents = new Incidents(this.#rules)
    this.#saved = undefined
  }

  /**
   * Takes an instant. The instants between it and the last one are missing.
   * @param row its time is on the grid, after the last one
   */
  add (row: Row<Origin>, model: DetectorModel): void {
    this.skipTo(row.time - model.interval, model, row.arrival)
    this.#rows.push(row)
    this.#last = row.time
  }

  /**
   * Takes the instants up to `time` as missing; of a long gap, only as many as can matter to the detector.
   * @param arrival of the message that shows the gap
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

  /** Scores the waiting rows, in order. */
  score (each: (row: Row<Origin>, verdict: Verdict) => void): void {
    const rows = this.#rows
    this.#rows = []
    for (const { values, filled } of rows) this.#recent!.push(values, filled)
    const verdicts = this.#detector!.observeAll(rows)
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

  #warm ({ detector: model, autoencoders }: LoadedDetector): Detector {
    const detector = new Detector(model, autoencoders)
    const rows = this.#recent!.rows()
    // The newest observations lie next to each other on the grid.
    const last = this.#last ?? 0
    detector.observeAll(
      rows.map((row, i) => ({ ...row, time: last - (rows.length - 1 - i) * model.interval }))
    )
    return detector
  }
}

function emptyRecent ({ windowLength, causal, channels }: DetectorModel): RecentObservations {
  return new RecentObservations(windowLength + causal.smoothing, channels.length)
}
