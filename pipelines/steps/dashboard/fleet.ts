// The newest state of every series with its latest scores, for the overview. The number of series is limited: those
// that have been silent the longest go first.
import { LRUCache } from 'lru-cache'
import type { Gap, Verdict } from '../../messages/messages.ts'

const MAX_SERIES = 2000
/** Scores per series, for its small chart. */
const SCORES = 96
/** Verdicts per series: the database may not have the newest ones yet. */
const VERDICTS = 8
/** Channels that an entry names. */
const CHANNELS = 3

/** One score at an instant, milliseconds since 1970. */
type Point = readonly [time: number, score: number | null]

/** A series as the overview shows it. */
export interface FleetEntry {
  readonly series: string
  /** Time of the newest verdict, RFC 3339. */
  readonly time: string
  readonly score: number | null
  readonly threshold: number
  readonly anomalous: boolean | null
  readonly model: { readonly name: string, readonly version: string }
  /** Channels by their share in the score, highest first. */
  readonly channels: ReadonlyArray<{ readonly channel: string, readonly contribution: number }>
  /** End of a gap after the newest verdict; null without one. */
  readonly gapUntil: string | null
}

interface Kept {
  entry: FleetEntry
  /** Time of the newest verdict, milliseconds since 1970. */
  time: number
  /** Milliseconds since 1970; undefined if nothing has come since this process started. */
  arrivedAt: number | undefined
  readonly scores: Point[]
  readonly verdicts: Verdict[]
}

export class Fleet {
  readonly #kept = new LRUCache<string, Kept>({ max: MAX_SERIES })
  #newest = -Infinity

  /** Time of the newest verdict of all series, milliseconds since 1970; undefined without verdicts. */
  get newest (): number | undefined {
    return this.#newest === -Infinity ? undefined : this.#newest
  }

  /** @returns the new state of the series; undefined if the verdict is not newer */
  take (verdict: Verdict, now: number | undefined): FleetEntry | undefined {
    const time = Date.parse(verdict.time)
    const before = this.#kept.get(verdict.series)
    if (before !== undefined && time <= before.time) return undefined
    const kept = before ?? { entry: entryOf(verdict), time, arrivedAt: now, scores: [], verdicts: [] }
    kept.entry = entryOf(verdict)
    kept.time = time
    kept.arrivedAt = now ?? kept.arrivedAt
    push(kept.scores, [time, verdict.score], SCORES)
    push(kept.verdicts, verdict, VERDICTS)
    this.#kept.set(verdict.series, kept)
    this.#newest = Math.max(this.#newest, time)
    return kept.entry
  }

  /** @returns the new state of the series; undefined if it is unknown, or has verdicts after the gap */
  miss (gap: Gap): FleetEntry | undefined {
    const kept = this.#kept.get(gap.series)
    if (
      kept === undefined || Date.parse(gap.to) <= kept.time ||
      (kept.entry.gapUntil !== null && kept.entry.gapUntil >= gap.to)
    ) return undefined
    kept.entry = { ...kept.entry, gapUntil: gap.to }
    return kept.entry
  }

  has (series: string): boolean {
    return this.#kept.has(series)
  }

  /** Adds verdicts from before the start of this process, in the order of time. */
  remember (series: string, history: readonly Verdict[]): void {
    if (!this.#kept.has(series)) {
      for (const verdict of history) this.take(verdict, undefined)
      return
    }
    const { scores } = this.#kept.get(series)!
    const first = scores[0]?.[0] ?? Infinity
    const earlier = history.map(({ time, score }): Point => [Date.parse(time), score]).filter(([time]) => time < first)
    scores.unshift(...earlier.slice(Math.max(0, earlier.length + scores.length - SCORES)))
  }

  /** The newest verdicts, in the order of time. */
  verdicts (series: string): readonly Verdict[] {
    return this.#kept.get(series)?.verdicts ?? []
  }

  list (now: number): Array<FleetEntry & { readonly scores: readonly Point[], readonly silentMs: number | null }> {
    return [...this.#kept.values()]
      .map(({ entry, scores, arrivedAt }) => ({
        ...entry,
        scores,
        silentMs: arrivedAt === undefined ? null : now - arrivedAt,
      }))
      .sort((a, b) => a.series < b.series ? -1 : 1)
  }
}

function entryOf ({ series, time, score, threshold, anomalous, model, contributions }: Verdict): FleetEntry {
  return {
    series,
    time,
    score,
    threshold,
    anomalous,
    model: { name: model.name, version: model.version },
    channels: contributions?.slice(0, CHANNELS) ?? [],
    gapUntil: null,
  }
}

function push<T> (list: T[], item: T, most: number): void {
  list.push(item)
  if (list.length > most) list.shift()
}
