// Apache Cassandra as the database of the stream. A partition holds a day of a series; equal keys overwrite each other.
import { types } from 'cassandra-driver'
import { LRUCache } from 'lru-cache'
import type { Batch, Database, KeptIncident, Period } from '../../database/database.ts'
import { keptIncident, orderOfState } from '../../database/kept-incident.ts'
import { fromSafeName, toSafeName } from '../../database/names.ts'
import { packModel, packVerdict, unpackModel, unpackVerdict } from '../../database/packed-verdict.ts'
import { millisOf, timeOf } from '../../database/times.ts'
import type { Annotation, Gap, Incident, RawObservation, Verdict } from '../../messages/messages.ts'
import { type Call, type CassandraAccess, CassandraConnection } from './connection.ts'

const DAY_MS = 86_400_000

/** The last time that a Date can hold. */
const LAST = 8.64e15

const inside = (millis: number): number => Math.min(Math.max(millis, -LAST), LAST)
const dayOf = (millis: number): number => Math.floor(millis / DAY_MS)

/** Months since the year 0. */
function monthOf (millis: number): number {
  const date = new Date(millis)
  return 12 * date.getUTCFullYear() + date.getUTCMonth()
}

export class CassandraDatabase implements Database {
  readonly location: string
  readonly #connection: CassandraConnection
  /** Days and months that this process has noted already: the same few come again and again. */
  readonly #noted = new LRUCache<string, true>({ max: 20_000 })

  constructor (access: CassandraAccess) {
    this.#connection = new CassandraConnection({ ...access, keyspace: access.keyspace.toLowerCase() })
    this.location = `Cassandra at ${access.contactPoints.join(', ')}, keyspace ${access.keyspace}`
  }

  async write ({ observations, verdicts, gaps, incidents, annotations }: Batch): Promise<void> {
    await this.#connection.do([
      ...verdicts.map(verdictCall),
      ...observations.flatMap(observationCalls),
      ...gaps.map(gapCall),
      ...incidents.flatMap(incidentCalls),
      ...annotations.map(annotationCall),
    ])
    // Last, so that the lists of days and months never name rows that do not exist yet.
    await this.#note(new Map([
      ...verdicts.map(({ series, time }) => ['seriesDay', toSafeName(series), dayOf(millisOf(time))] as Call),
      ...incidents.flatMap((incident) => monthsOf(incident).map((month) => ['incidentMonth', month] as Call)),
    ].map((call) => [JSON.stringify(call), call])))
  }

  async #note (calls: ReadonlyMap<string, Call>): Promise<void> {
    const fresh = [...calls].filter(([key]) => !this.#noted.has(key))
    await this.#connection.do(fresh.map(([, call]) => call))
    for (const [key] of fresh) this.#noted.set(key, true)
  }

  async fleet (): Promise<Verdict[]> {
    const newest: Call[] = []
    for await (const row of this.#connection.rows('readNewestDays')) {
      newest.push(['readVerdicts', row['series'], row['day'], new Date(-LAST), new Date(LAST), 1])
    }
    return (await this.#connection.ask(newest)).flat().map(toVerdict)
  }

  async verdicts (series: string, period: Period, limit: number): Promise<Verdict[]> {
    const [from, to] = [inside(period.from), inside(period.to)]
    const found: Verdict[] = []
    for await (const { day } of this.#connection.rows('readDays', toSafeName(series), dayOf(from), dayOf(to))) {
      if (found.length >= limit) break
      for await (const row of this.#connection.rows(
        'readVerdicts',
        toSafeName(series),
        day,
        new Date(from),
        new Date(to),
        limit - found.length
      )) found.push(toVerdict(row))
    }
    return found.reverse()
  }

  async gaps (series: string, { from, to }: Period): Promise<Gap[]> {
    const found: Gap[] = []
    for await (const row of this.#connection.rows('readGaps', toSafeName(series), new Date(inside(from)))) {
      const since = (row['since'] as Date).getTime()
      if (since <= to) {
        found.push({
          series,
          from: timeOf(since),
          to: (row['until'] as Date).toISOString(),
          interval: Number(row['step']),
        })
      }
    }
    return found
  }

  async incidents (period: Period, limit: number, series?: string): Promise<KeptIncident[]> {
    const [from, to] = [inside(period.from), inside(period.to)]
    const found = new Map<string, Incident>()
    for await (const row of this.#connection.rows('readMonths', monthOf(from), monthOf(to))) {
      let matches = 0
      for await (const { data } of this.#connection.rows('readIncidents', row['month'], new Date(to))) {
        const incident = JSON.parse(data as string) as Incident
        if (millisOf(incident.end) < from || (series !== undefined && incident.series !== series)) continue
        found.set(incident.id, incident)
        if (++matches >= limit) break
      }
    }
    const newest = [...found.values()].sort((a, b) => millisOf(b.start) - millisOf(a.start) || (a.id < b.id ? -1 : 1))
    return this.#annotated(newest.slice(0, limit))
  }

  async incident (id: string): Promise<KeptIncident | undefined> {
    const [rows] = await this.#connection.ask([['readIncident', id]])
    return (await this.#annotated(rows!.map(({ data }) => JSON.parse(data as string) as Incident)))[0]
  }

  async #annotated (incidents: readonly Incident[]): Promise<KeptIncident[]> {
    const annotations = await this.#connection.ask(incidents.map(({ id }) => ['readAnnotations', id]))
    return incidents.map((incident, i) =>
      keptIncident(incident, annotations[i]!.map(({ data }) => JSON.parse(data as string) as Annotation))
    )
  }

  async close (): Promise<void> {
    await this.#connection.close()
  }
}

function verdictCall (verdict: Verdict): Call {
  const { series, time, score, threshold, anomalous, model } = verdict
  const millis = millisOf(time)
  // null would leave a tombstone; unset leaves none.
  return [
    'verdict',
    toSafeName(series),
    dayOf(millis),
    new Date(millis),
    score ?? types.unset,
    threshold,
    anomalous ?? types.unset,
    packModel(model),
    packVerdict(verdict),
  ]
}

const gapCall = ({ series, from, to, interval }: Gap): Call =>
  ['gap', toSafeName(series), new Date(millisOf(to)), new Date(millisOf(from)), interval]

function annotationCall (annotation: Annotation): Call {
  const { incident, at, kind } = annotation
  return ['annotation', incident, new Date(millisOf(at)), kind, JSON.stringify(annotation)]
}

function observationCalls ({ series, time, values }: RawObservation): Call[] {
  const measured = new Map(Object.entries(values).filter(([, value]) => value !== null))
  const millis = millisOf(time)
  return measured.size === 0 ? [] : [['observation', measured, toSafeName(series), dayOf(millis), new Date(millis)]]
}

function monthsOf ({ start, end }: Incident): number[] {
  const first = monthOf(millisOf(start))
  return Array.from({ length: monthOf(millisOf(end)) - first + 1 }, (_, i) => first + i)
}

function incidentCalls (incident: Incident): Call[] {
  const data = JSON.stringify(incident)
  // Microseconds: states with the same end are ordered within its millisecond.
  const stamp = types.Long.fromNumber(1000 * millisOf(incident.end) + orderOfState(incident, 999))
  const start = new Date(millisOf(incident.start))
  return [
    ['incidentById', incident.id, data, stamp],
    ...monthsOf(incident).map((month): Call => ['incident', month, start, incident.id, data, stamp]),
  ]
}

function toVerdict (row: types.Row): Verdict {
  return {
    series: fromSafeName(row['series'] as string),
    time: (row['time'] as Date).toISOString(),
    model: unpackModel(row['model'] as string),
    score: row['score'] as number | null,
    threshold: row['threshold'] as number,
    anomalous: row['anomalous'] as boolean | null,
    ...unpackVerdict(row['detail'] as string),
  }
}
