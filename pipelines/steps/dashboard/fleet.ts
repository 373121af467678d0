// The newest state of every series, with the scores that led to it: what the overview shows. Bounded: the series that
// are longest silent go first.
import { LRUCache } from 'lru-cache'
import type { Gap, Verdict } from '../../messages/messages.ts'

/** Series that are remembered. */
const MAX_SERIES = 2000
/** Scores of each, for its small chart. */
const SCORES = 96
/** Whole verdicts of each: what the database may not hold yet. */
const VERDICTS = 8
/** Channels that are named. */
const CHANNELS = 3

/** One score at an instant, milliseconds since 1970. */
type Point = readonly [time: number, score: number | null]

/** A series as the overview shows it. */
export interface FleetEntry {
  readonly series: string
  /** RFC 3339, of the newest verdict. */
  readonly time: string
  readonly score: number | null
  readonly threshold: number
  readonly anomalous: boolean | null
  readonly model: { readonly name: string, readonly version: string }
  /** Channels by their share in the score, highest first. */
  readonly channels: ReadonlyArray<{ readonly channel: string, readonly contribution: number }>
  /** Where observations are missing after the newest verdict: until when. */
  readonly gapUntil: string | null
}

interface Kept {
  entry: FleetEntry
  /** Milliseconds since 1970, of the newest verdict. */
  time: number
  /** Milliseconds since 1970; undefined: nothing has come while this process ran. */
  arrivedAt: number | undefined
  readonly scores: Point[]
  readonly verdicts: Verdict[]
}

export class Fleet {
  readonly #kept = new LRUCache<string, Kept>({ max: MAX_SERIES })
  #newest = -Infinity

  /** Of all verdicts so far, milliseconds since 1970; undefined: there is none. */
  get newest (): number | undefined {
    return this.#newest === -Infinity ? undefined : this.#newest
  }

  /** @returns the series as it is now; undefined where this was known already */
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

  /** @returns the series as it is now; undefined where nothing is known of it, or it went on after the gap */
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

  /** Verdicts of before this process ran, in the order of time. */
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
