// The live feed: remembers the newest state of every series, notifies listeners, and adds the history from the
// database.
import type { Database, KeptIncident, Period } from '../../database/database.ts'
import type { Message, Verdict } from '../../messages/messages.ts'
import { Fleet, type FleetEntry } from './fleet.ts'
import { RecentIncidents } from './recent-incidents.ts'

/** An event for listeners. */
export interface LiveEvent {
  readonly message: Message
  /** The new state of the series, if it has changed. */
  readonly entry?: FleetEntry
}

type LiveListener = (event: LiveEvent) => void

const DAY = 86_400_000
/** The history of scores to read: how far back, and how many. */
const LOOK_BACK = 7 * DAY
const LOOK_BACK_SCORES = 96
/** Concurrent queries to the database. */
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

  /** @returns whether the message was new */
  take (message: Message): boolean {
    switch (message.type) {
      case 'verdict.v1': return this.#emitNew(message, this.fleet.take(message.data, this.#now()))
      case 'gap.v1': {
        const entry = this.fleet.miss(message.data)
        this.#emit({ message, ...(entry && { entry }) })
        return true
      }
      case 'incident.opened.v1':
      case 'incident.updated.v1':
      case 'incident.closed.v1': return this.#emitNew(message, this.#incidents.take(message.data))
      case 'incident.annotated.v1': return this.#emitNew(message, this.#incidents.annotate(message.data))
      case 'observation.raw.v1':
      case 'observation.regular.v1': return false
    }
  }

  /** @returns a function that removes the listener */
  listen (listener: LiveListener): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /**
   * Every series with its newest scores. The first call reads the history from the database.
   * @throws Problem server-unavailable if the database does not answer and no verdict has come yet
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

  /** Verdicts of a series in the order of time; if there are more than `limit`, the newest ones. */
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
    const known = new Map(kept.map((incident) => [incident.id, incident]))
    const others = this.#incidents.others(known)
      .filter((incident) =>
        (series === undefined || incident.series === series) && Date.parse(incident.end) >= period.from &&
        Date.parse(incident.start) <= period.to
      )
    return [...kept, ...others]
      .map(({ id }) => this.#incidents.merged(id, known.get(id))!)
      .sort((a, b) => Date.parse(b.start) - Date.parse(a.start))
      .slice(0, limit)
  }

  async incident (id: string): Promise<KeptIncident | undefined> {
    return this.#incidents.merged(id, await this.#database.incident(id))
  }

  #emitNew (message: Message, change: FleetEntry | boolean | undefined): boolean {
    if (change === undefined || change === false) return false
    this.#emit({ message, ...(typeof change === 'object' && { entry: change }) })
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
