// Decides after each verdict whether an incident opens, changes, closes or opens again. Knows no messages, no model and
// no clock.
import { z } from 'zod'
import { isAnomalous } from '../../../core/scoring/threshold.ts'
import { type Account, joinAccounts } from '../../../core/verdicts/account.ts'

export interface IncidentRules {
  /** Anomalous observations in a row that open an incident. */
  readonly openAfter: number
  /** Quiet observations in a row that close it. */
  readonly closeAfter: number
  /** Highest score of a quiet observation. */
  readonly closeBelow: number
  /** If a new incident begins within so many observations after the closing, it is the same one. */
  readonly coolDown: number
  /** Peak score from which an incident is critical. */
  readonly critical: number
}

const count = z.int().min(0)

const SumsSchema = z.object({ sum: z.number(), squares: z.number() })

/** What the anomalous observations say about the kind. States of earlier versions have none. */
const AccountSchema: z.ZodType<Account, unknown> = z.array(z.object({
  channel: count,
  weights: z.array(z.number()),
  rows: count,
  from: z.number(),
  to: z.number(),
  known: count,
  value: SumsSchema,
  expected: SumsSchema,
  unchanged: count,
  first: z.object({ value: z.number().nullable(), unchanged: z.boolean() }),
  last: z.number().nullable(),
  top: z.object({
    time: z.number(),
    score: z.number(),
    evidence: count,
    value: z.number().nullable(),
    expected: z.number().nullable(),
  }),
})).default([])

/** Sums over anomalous observations. */
const TallySchema = z.object({
  start: z.number(),
  end: z.number(),
  observations: count,
  peak: z.object({ time: z.number(), score: z.number() }),
  /** Sum of the scores. */
  total: z.number(),
  /** Sum of score × contribution of each channel; shape [channels]. */
  shares: z.array(z.number()),
  account: AccountSchema,
})
type Tally = z.output<typeof TallySchema>

export const IncidentStateSchema = z.object({
  /** Anomalous observations in a row, too few to open an incident so far. */
  run: TallySchema.nullable(),
  /** The open incident, or the latest one while it may open again. */
  incident: z.object({
    tally: TallySchema,
    open: z.boolean(),
    /** What the last message said of it. */
    told: z.object({ peak: z.number(), top: z.int() }),
  }).nullable(),
  /** If it is open: quiet observations in a row. If it is closed: observations since then. */
  since: count,
})
type IncidentState = z.output<typeof IncidentStateSchema>

/** A change that a message reports. */
export interface IncidentChange {
  readonly type: 'opened' | 'updated' | 'closed'
  readonly tally: Tally
}

/** A peak that rises by this factor is reported. */
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
   * Takes the verdict on the next instant. An instant without a score counts as quiet: nothing shows that the incident
   * continues.
   * @param contributions shape [channels]; null without a score
   * @param account of this instant; empty unless it is anomalous
   */
  next (
    time: number,
    score: number | null,
    contributions: Float64Array | null,
    account: Account
  ): IncidentChange | undefined {
    const { incident } = this.#state
    if (score !== null && contributions !== null && isAnomalous(score)) {
      const observation = tallyOf({ time, score, contributions, account })
      return incident?.open === true ? this.#extend(incident, observation) : this.#extendRun(observation)
    }
    if (incident?.open === true) return this.#countQuiet(incident, score)
    return this.#countClosed()
  }

  /** Closes an open incident, for example because another model takes over. */
  close (): IncidentChange | undefined {
    const { incident } = this.#state
    this.#state = { run: null, incident: null, since: 0 }
    return incident?.open === true ? { type: 'closed', tally: incident.tally } : undefined
  }

  save (): IncidentState {
    return structuredClone(this.#state)
  }

  #extend (incident: NonNullable<IncidentState['incident']>, observation: Tally): IncidentChange | undefined {
    this.#state.since = 0
    incident.tally = sumOf(incident.tally, observation)
    const { peak: { score }, shares } = incident.tally
    const { told: reported } = incident
    const isWorse = score >= this.#rules.critical && reported.peak < this.#rules.critical
    return isWorse || score >= NOTABLE_RISE * reported.peak || topOf(shares) !== reported.top
      ? this.#report('updated', incident.tally)
      : undefined
  }

  #extendRun (observation: Tally): IncidentChange | undefined {
    const { run: before, incident } = this.#state
    const run = before === null ? observation : sumOf(before, observation)
    this.#state.run = run
    this.#state.since++
    if (run.observations < this.#rules.openAfter) return undefined
    // The run began so many observations after the closing.
    const isSame = incident !== null && this.#state.since - run.observations + 1 <= this.#rules.coolDown
    return isSame ? this.#report('updated', sumOf(incident.tally, run)) : this.#report('opened', run)
  }

  #countQuiet (incident: NonNullable<IncidentState['incident']>, score: number | null): IncidentChange | undefined {
    this.#state.since = score === null || score <= this.#rules.closeBelow ? this.#state.since + 1 : 0
    if (this.#state.since < this.#rules.closeAfter) return undefined
    incident.open = false
    this.#state.since = 0
    return { type: 'closed', tally: incident.tally }
  }

  #countClosed (): undefined {
    const since = this.#state.since + 1
    // After the cool-down, a new run opens a new incident.
    this.#state = since < this.#rules.coolDown && this.#state.incident !== null
      ? { ...this.#state, run: null, since }
      : { run: null, incident: null, since: 0 }
  }

  /** Opens the incident, or keeps it open, and notes what its message says. */
  #report (type: 'opened' | 'updated', tally: Tally): IncidentChange {
    this.#state = {
      run: null,
      since: 0,
      incident: { tally, open: true, told: { peak: tally.peak.score, top: topOf(tally.shares) } },
    }
    return { type, tally }
  }
}

function tallyOf ({ time, score, contributions, account }: {
  readonly time: number
  readonly score: number
  readonly contributions: Float64Array
  readonly account: Account
}): Tally {
  return {
    start: time,
    end: time,
    observations: 1,
    peak: { time, score },
    total: score,
    shares: Array.from(contributions, (share) => share * score),
    account,
  }
}

/** @param b later than all of `a` */
function sumOf (a: Tally, b: Tally): Tally {
  return {
    start: a.start,
    end: b.end,
    observations: a.observations + b.observations,
    peak: b.peak.score > a.peak.score ? b.peak : a.peak,
    total: a.total + b.total,
    shares: a.shares.map((share, c) => share + b.shares[c]!),
    account: joinAccounts(a.account, b.account),
  }
}

/** Index of the channel with the largest share; the first of equal ones. */
export function topOf (shares: readonly number[]): number {
  return shares.indexOf(Math.max(...shares))
}
