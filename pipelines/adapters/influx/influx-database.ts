// InfluxDB 2 as the database of the stream. One bucket has the measurements verdict, gap, incident and annotation; the
// bucket of raw channels has the measurement observation.
import { flux, fluxDateTime, type ParameterizedQuery, type Row } from '@influxdata/influxdb-client'
import type { Batch, Database, KeptIncident, Period } from '../../database/database.ts'
import { keptIncident } from '../../database/kept-incident.ts'
import { fromSafeName, toTagName } from '../../database/names.ts'
import { unpackModel, unpackVerdict } from '../../database/packed-verdict.ts'
import { millisOf, timeOf } from '../../database/times.ts'
import type { Annotation, Gap, Incident, Verdict } from '../../messages/messages.ts'
import type { InfluxAccess } from '../../../adapters/influx/access.ts'
import { linesOf, rawLinesOf } from './lines.ts'
import { InfluxServer } from './server.ts'

interface InfluxOptions extends InfluxAccess {
  readonly bucket: string
  readonly rawBucket: string
}

/** Range of its nanoseconds, in milliseconds. */
const FIRST = Date.UTC(1678, 0, 1)
const LAST = Date.UTC(2262, 0, 1)

/** Fields of a verdict as text, by name. */
type Fields = Map<string, string>

const piped = (...parts: Array<ParameterizedQuery | string>): string => parts.map(String).join('\n  |> ')

function during ({ from, to }: Period): ParameterizedQuery {
  const inside = (time: number): string => timeOf(Math.min(Math.max(time, FIRST), LAST))
  // The stop of a range is exclusive.
  return flux`range(start: ${fluxDateTime(inside(from))}, stop: ${fluxDateTime(inside(to + 1))})`
}

const ALWAYS: Period = { from: FIRST, to: LAST }

export class InfluxDatabase implements Database {
  readonly location: string
  readonly #server: InfluxServer
  readonly #bucket: string
  readonly #rawBucket: string
  #ready: Promise<unknown> | undefined

  constructor ({ bucket, rawBucket, ...access }: InfluxOptions) {
    this.#server = new InfluxServer(access)
    this.#bucket = bucket
    this.#rawBucket = rawBucket
    this.location = `InfluxDB at ${this.#server.host}, buckets ${bucket} and ${rawBucket}`
  }

  async write (batch: Batch): Promise<void> {
    await this.#prepared()
    // Waits for both, so that a retry never overlaps with a write of the same batch.
    const written = await Promise.allSettled([
      this.#server.write(this.#bucket, linesOf(batch)),
      this.#server.write(this.#rawBucket, rawLinesOf(batch)),
    ])
    for (const result of written) if (result.status === 'rejected') throw result.reason
  }

  /** Creates the buckets once; after a failure, the next call tries again. */
  async #prepared (): Promise<void> {
    this.#ready ??= Promise.all([this.#server.ensureBucket(this.#bucket), this.#server.ensureBucket(this.#rawBucket)])
    try {
      await this.#ready
    } catch (error) {
      this.#ready = undefined
      throw error
    }
  }

  async fleet (): Promise<Verdict[]> {
    const series = new Map<string, Map<number, Fields>>()
    for await (const row of this.#rows(
      during(ALWAYS),
      flux`filter(fn: (r) => r["_measurement"] == "verdict")`,
      flux`last()`,
      flux`keep(columns: ["_time", "_field", "_value", "series"])`
    )) {
      const name = cell(row, 'series')
      if (!series.has(name)) series.set(name, new Map())
      gather(row, series.get(name)!)
    }
    // The last score of a series may be older than its last verdict, which then has none.
    return [...series].flatMap(([name, rows]) => verdictsOf(fromSafeName(name), rows).slice(-1))
  }

  async verdicts (series: string, period: Period, limit: number): Promise<Verdict[]> {
    const rows = new Map<number, Fields>()
    for await (const row of this.#rows(
      during(period),
      ofSeries('verdict', series),
      flux`tail(n: ${limit})`,
      flux`keep(columns: ["_time", "_field", "_value"])`
    )) gather(row, rows)
    return verdictsOf(series, rows)
  }

  async gaps (series: string, { from, to }: Period): Promise<Gap[]> {
    const gaps: Gap[] = []
    for await (const row of this.#rows(
      during({ from, to: LAST }),
      ofSeries('gap', series),
      AS_ROWS,
      flux`filter(fn: (r) => r["from"] <= ${Math.floor(Math.min(to, LAST))})`,
      IN_ORDER
    )) {
      gaps.push({
        series,
        from: timeOf(Number(cell(row, 'from'))),
        to: timeOf(millisOf(cell(row, '_time'))),
        interval: Number(cell(row, 'interval')),
      })
    }
    return gaps
  }

  async incidents ({ from, to }: Period, limit: number, series?: string): Promise<KeptIncident[]> {
    const incidents: Incident[] = []
    const newest = [
      series === undefined ? flux`filter(fn: (r) => r["_measurement"] == "incident")` : ofSeries('incident', series),
      flux`filter(fn: (r) => r["_field"] == "start" or r["_field"] == "state")`,
      flux`last()`,
      AS_ROWS,
      flux`group()`,
    ]
    for await (const row of this.#rows(
      during({ from, to: LAST }),
      ...newest,
      flux`filter(fn: (r) => r["start"] <= ${Math.floor(Math.min(to, LAST))})`,
      flux`sort(columns: ["start"], desc: true)`,
      flux`limit(n: ${limit})`
    )) incidents.push(JSON.parse(cell(row, 'state')) as Incident)
    return this.#annotated(incidents)
  }

  async incident (id: string): Promise<KeptIncident | undefined> {
    const incidents: Incident[] = []
    const tag = toTagName(id)
    for await (const row of this.#rows(
      during(ALWAYS),
      flux`filter(fn: (r) => r["_measurement"] == "incident" and r["id"] == ${tag} and r["_field"] == "state")`,
      flux`last()`
    )) {
      incidents.push(JSON.parse(cell(row, '_value')) as Incident)
    }
    return (await this.#annotated(incidents))[0]
  }

  async #annotated (incidents: readonly Incident[]): Promise<KeptIncident[]> {
    if (incidents.length === 0) return []
    const annotations: Annotation[] = []
    const ids = incidents.map(({ id }) => toTagName(id))
    for await (const row of this.#rows(
      during(ALWAYS),
      flux`filter(fn: (r) => r["_measurement"] == "annotation")`,
      flux`filter(fn: (r) => contains(value: r["incident"], set: ${ids}))`
    )) {
      annotations.push(JSON.parse(cell(row, '_value')) as Annotation)
    }
    return incidents.map((incident) => keptIncident(incident, annotations))
  }

  async * #rows (...parts: ParameterizedQuery[]): AsyncGenerator<Row> {
    await this.#prepared()
    yield * this.#server.rows(this.#bucket, piped(flux`from(bucket: ${this.#bucket})`, ...parts))
  }

  async close (): Promise<void> {
    // The client holds connections only, and they end by themselves.
  }
}

const AS_ROWS = flux`pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`
const IN_ORDER = flux`sort(columns: ["_time"])`

const ofSeries = (measurement: string, series: string): ParameterizedQuery =>
  flux`filter(fn: (r) => r["_measurement"] == ${measurement} and r["series"] == ${toTagName(series)})`

const cell = ({ values, tableMeta }: Row, label: string): string => values[tableMeta.column(label, false).index] ?? ''

/** Each field comes in a table of its own. Joining them here takes a tenth of the time of a pivot in InfluxDB. */
function gather (row: Row, rows: Map<number, Fields>): void {
  const time = millisOf(cell(row, '_time'))
  let fields = rows.get(time)
  if (fields === undefined) rows.set(time, fields = new Map())
  fields.set(cell(row, '_field'), cell(row, '_value'))
}

/** Complete verdicts only: a field that some verdicts lack reaches further back than the others. */
function verdictsOf (series: string, rows: ReadonlyMap<number, Fields>): Verdict[] {
  return [...rows].filter(([, fields]) => fields.has('detail')).sort(([a], [b]) => a - b).map(([time, fields]) => {
    const score = fields.get('score')
    const anomalous = fields.get('anomalous')
    return {
      series,
      time: timeOf(time),
      model: unpackModel(fields.get('model')!),
      score: score === undefined ? null : Number(score),
      anomalous: anomalous === undefined ? null : anomalous === 'true',
      threshold: Number(fields.get('threshold')),
      ...unpackVerdict(fields.get('detail')!),
    }
  })
}
