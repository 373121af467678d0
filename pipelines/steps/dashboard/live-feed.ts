// What comes by, for whoever looks: remembers the newest state of every series, tells listeners, and adds what the
// database knows of before.
import type { Database, KeptIncident, Period } from '../../database/database.ts'
import type { Message, Verdict } from '../../messages/messages.ts'
import { Fleet, type FleetEntry } from './fleet.ts'
import { RecentIncidents } from './recent-incidents.ts'

/** What a listener is told. */
export interface LiveEvent {
  readonly message: Message
  /** How the series looks after it, where that has changed. */
  readonly entry?: FleetEntry
}

type LiveListener = (event: LiveEvent) => void

const DAY = 86_400_000
/** How far back scores are looked for, and how many of them. */
const LOOK_BACK = 7 * DAY
const LOOK_BACK_SCORES = 96
/** Questions to the database at a time. */
const AT_A_TIME = 4

export class LiveFeed {
  readonly fleet = new Fleet()
  readonly #database: Database
  readonly #now: () => number
  readonly #listeners = new Set<LiveListener>()
  readonly #incidents = new RecentIncidents()
  #backfill: Promise<void> | undefined

  /** @param now milliseconds since 1970 */
  constructor (database: Database, now: () => number = Date.now) {
    this.#database = database
    this.#now = now
  }

  /** @returns whether it said anything new */
  take (message: Message): boolean {
    switch (message.type) {
      case 'verdict.v1': return this.#tell(message, this.fleet.take(message.data, this.#now()))
      case 'gap.v1': {
        const entry = this.fleet.miss(message.data)
        this.#emit({ message, ...(entry && { entry }) })
        return true
      }
      case 'incident.opened.v1':
      case 'incident.updated.v1':
      case 'incident.closed.v1': return this.#tell(message, this.#incidents.take(message.data))
      case 'incident.annotated.v1': return this.#tell(message, this.#incidents.annotate(message.data))
      case 'observation.raw.v1':
      case 'observation.regular.v1': return false
    }
  }

  /** @returns what ends it */
  listen (listener: LiveListener): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /**
   * Every series, with its newest scores; asks the database once.
   * @throws Problem server-unavailable where the database does not answer and nothing has come by yet
   */
  async series (): Promise<ReturnType<Fleet['list']>> {
    this.#backfill ??= this.#readHistory()
    try {
      await this.#backfill
    } catch (error) {
      this.#backfill = undefined
      if (this.fleet.newest === undefined) throw error
    }
    return this.fleet.list(this.#now())
  }

  /** Verdicts of a series in the order of time; the newest ones where there are more than `limit`. */
  async verdicts (series: string, period: Period, limit: number): Promise<Verdict[]> {
    const kept = await this.#database.verdicts(series, period, limit)
    const last = kept.at(-1)
    const after = last === undefined ? -Infinity : Date.parse(last.time)
    const more = this.fleet.verdicts(series).filter(({ time }) =>
      Date.parse(time) > after && isWithin(Date.parse(time), period)
    )
    return [...kept, ...more].slice(-limit)
  }

  /** The newest first. */
  async incidents (period: Period, limit: number, series?: string): Promise<KeptIncident[]> {
    const kept = await this.#database.incidents(period, limit, series)
    const known = new Map(kept.map((one) => [one.id, one]))
    const others = this.#incidents.others(known)
      .filter((one) =>
        (series === undefined || one.series === series) && Date.parse(one.end) >= period.from &&
        Date.parse(one.start) <= period.to
      )
    return [...kept, ...others]
      .map(({ id }) => this.#incidents.merged(id, known.get(id))!)
      .sort((a, b) => Date.parse(b.start) - Date.parse(a.start))
      .slice(0, limit)
  }

  async incident (id: string): Promise<KeptIncident | undefined> {
    return this.#incidents.merged(id, await this.#database.incident(id))
  }

  #tell (message: Message, news: FleetEntry | boolean | undefined): boolean {
    if (news === undefined || news === false) return false
    this.#emit({ message, ...(typeof news === 'object' && { entry: news }) })
    return true
  }

  #emit (event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  async #readHistory (): Promise<void> {
    const waiting = await this.#database.fleet()
    await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const to = Date.parse(next.time)
        const history = await this.#database.verdicts(next.series, { from: to - LOOK_BACK, to }, LOOK_BACK_SCORES)
        this.fleet.remember(next.series, history.length > 0 ? history : [next])
      }
    }))
  }
}

const isWithin = (time: number, { from, to }: Period): boolean => time >= from && time <= to
