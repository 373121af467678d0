// From verdict to verdict: when an incident opens, changes, closes and opens again. Knows no message, no model and no
// clock.
import { isAnomalous } from '../../../core/scoring/threshold.ts'
import { z } from 'zod'

export interface IncidentRules {
  /** Anomalous observations in a row that open one. */
  readonly openAfter: number
  /** Quiet ones in a row that close it. */
  readonly closeAfter: number
  /** Highest score of a quiet observation. */
  readonly closeBelow: number
  /** Observations after the closing within which a new one is the same one. */
  readonly coolDown: number
  /** Peak score from which it is critical. */
  readonly critical: number
}

const count = z.int().min(0)

/** Anomalous observations taken together. */
const TallySchema = z.object({
  start: z.number(),
  end: z.number(),
  observations: count,
  peak: z.object({ time: z.number(), score: z.number() }),
  /** Sum of the scores. */
  total: z.number(),
  /** Sum of score × contribution of each channel; shape [channels]. */
  shares: z.array(z.number()),
})
export type Tally = z.output<typeof TallySchema>

export const IncidentStateSchema = z.object({
  /** Anomalous in a row, not yet enough. */
  run: TallySchema.nullable(),
  /** The open one, or the latest one as long as it may open again. */
  incident: z.object({
    tally: TallySchema,
    open: z.boolean(),
    /** What has been said of it last. */
    told: z.object({ peak: z.number(), top: z.int() }),
  }).nullable(),
  /** Of an open one: quiet observations in a row; of a closed one: observations since. */
  since: count,
})
type IncidentState = z.output<typeof IncidentStateSchema>

/** What there is to say. */
export interface IncidentChange {
  readonly type: 'opened' | 'updated' | 'closed'
  readonly tally: Tally
}

/** A peak that rises by so much is told. */
const NOTABLE_RISE = 1.1

/** The incidents of one series, one after another. */
export class Incidents {
  readonly #rules: IncidentRules
  #state: IncidentState

  /** @param saved by save() */
  constructor (rules: IncidentRules, saved: IncidentState = { run: null, incident: null, since: 0 }) {
    this.#rules = rules
    this.#state = structuredClone(saved)
  }

  /**
   * Takes the verdict on the next instant. An instant that is not scored counts as quiet: nobody can say that it goes
   * on.
   * @param contributions shape [channels]; where there is a score
   */
  next (time: number, score: number | null, contributions: Float64Array | null): IncidentChange | undefined {
    const { incident } = this.#state
    if (score !== null && contributions !== null && isAnomalous(score)) {
      const one = tallyOf(time, score, contributions)
      return incident?.open === true ? this.#goOn(incident, one) : this.#begin(one)
    }
    if (incident?.open === true) return this.#calm(incident, score)
    return this.#rest()
  }

  /** Closes what is open: nothing more can be said of it. */
  close (): IncidentChange | undefined {
    const { incident } = this.#state
    this.#state = { run: null, incident: null, since: 0 }
    return incident?.open === true ? { type: 'closed', tally: incident.tally } : undefined
  }

  save (): IncidentState {
    return structuredClone(this.#state)
  }

  #goOn (incident: NonNullable<IncidentState['incident']>, one: Tally): IncidentChange | undefined {
    this.#state.since = 0
    incident.tally = together(incident.tally, one)
    const { peak: { score }, shares } = incident.tally
    const { told } = incident
    const isWorse = score >= this.#rules.critical && told.peak < this.#rules.critical
    return isWorse || score >= NOTABLE_RISE * told.peak || topOf(shares) !== told.top
      ? this.#tell('updated', incident.tally)
      : undefined
  }

  #begin (one: Tally): IncidentChange | undefined {
    const { run: before, incident } = this.#state
    const run = before === null ? one : together(before, one)
    this.#state.run = run
    this.#state.since++
    if (run.observations < this.#rules.openAfter) return undefined
    // The run began so many observations after the closing.
    const isSame = incident !== null && this.#state.since - run.observations + 1 <= this.#rules.coolDown
    return isSame ? this.#tell('updated', together(incident.tally, run)) : this.#tell('opened', run)
  }

  #calm (incident: NonNullable<IncidentState['incident']>, score: number | null): IncidentChange | undefined {
    this.#state.since = score === null || score <= this.#rules.closeBelow ? this.#state.since + 1 : 0
    if (this.#state.since < this.#rules.closeAfter) return undefined
    incident.open = false
    this.#state.since = 0
    return { type: 'closed', tally: incident.tally }
  }

  #rest (): undefined {
    const since = this.#state.since + 1
    // The next one would be too late to open it again.
    this.#state = since < this.#rules.coolDown && this.#state.incident !== null
      ? { ...this.#state, run: null, since }
      : { run: null, incident: null, since: 0 }
  }

  /** It is open now, and this is known of it. */
  #tell (type: 'opened' | 'updated', tally: Tally): IncidentChange {
    this.#state = {
      run: null,
      since: 0,
      incident: { tally, open: true, told: { peak: tally.peak.score, top: topOf(tally.shares) } },
    }
    return { type, tally }
  }
}

function tallyOf (time: number, score: number, contributions: Float64Array): Tally {
  return {
    start: time,
    end: time,
    observations: 1,
    peak: { time, score },
    total: score,
    shares: Array.from(contributions, (share) => share * score),
  }
}

/** @param b later than all of `a` */
function together (a: Tally, b: Tally): Tally {
  return {
    start: a.start,
    end: b.end,
    observations: a.observations + b.observations,
    peak: b.peak.score > a.peak.score ? b.peak : a.peak,
    total: a.total + b.total,
    shares: a.shares.map((share, c) => share + b.shares[c]!),
  }
}

/** The channel with the largest share; of several the first. */
function topOf (shares: readonly number[]): number {
  return shares.indexOf(Math.max(...shares))
}
