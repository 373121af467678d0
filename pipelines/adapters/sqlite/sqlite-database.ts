// The embedded database: one file, by SQLite compiled to WebAssembly. It keeps a limited number of verdicts, and no raw
// observations.
//
// It works on the calling thread. It uses WAL mode because the package does not replay rollback journals after a crash:
// it takes its own lock for the lock of a process that still writes.
import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import sqlite, { type Database as Connection, type Statement } from 'node-sqlite3-wasm'
import { Problem } from '../../../core/errors.ts'
import type { Batch, Database, KeptIncident, Period } from '../../database/database.ts'
import { keptIncident, orderOfState } from '../../database/kept-incident.ts'
import { fromSafeName, toSafeName } from '../../database/names.ts'
import { packModel, packVerdict, unpackModel, unpackVerdict } from '../../database/packed-verdict.ts'
import { millisOf, timeOf } from '../../database/times.ts'
import type { Annotation, Gap, Incident, Verdict } from '../../messages/messages.ts'
import { leaveFile, takeFile } from './owner.ts'

interface SqliteOptions {
  readonly file: string
  /** Approximate number of verdicts to keep; of gaps, incidents and annotations a twentieth each. */
  readonly keep: number
}

const SCHEMA = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA cache_size = -16000;
  CREATE TABLE IF NOT EXISTS verdict (id INTEGER PRIMARY KEY, series TEXT NOT NULL, time INTEGER NOT NULL, score REAL,
    threshold REAL NOT NULL, anomalous INTEGER, model TEXT NOT NULL, detail TEXT NOT NULL, UNIQUE (series, time));
  CREATE TABLE IF NOT EXISTS gap (id INTEGER PRIMARY KEY, series TEXT NOT NULL, since INTEGER NOT NULL,
    until INTEGER NOT NULL, step INTEGER NOT NULL, UNIQUE (series, since));
  CREATE TABLE IF NOT EXISTS incident (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, series TEXT NOT NULL,
    since INTEGER NOT NULL, until INTEGER NOT NULL, state INTEGER NOT NULL, data TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS incident_since ON incident (since);
  CREATE TABLE IF NOT EXISTS annotation (id INTEGER PRIMARY KEY, incident TEXT NOT NULL, at INTEGER NOT NULL,
    kind TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (incident, at, kind));
`

/** A repeated write overwrites itself; of an incident, the newer state stays. */
const UPSERTS = {
  verdict: `INSERT INTO verdict (series, time, score, threshold, anomalous, model, detail) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (series, time) DO UPDATE SET score = excluded.score, threshold = excluded.threshold,
      anomalous = excluded.anomalous, model = excluded.model, detail = excluded.detail`,
  gap: `INSERT INTO gap (series, since, until, step) VALUES (?, ?, ?, ?)
    ON CONFLICT (series, since) DO UPDATE SET until = excluded.until, step = excluded.step`,
  incident: `INSERT INTO incident (name, series, since, until, state, data) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET since = excluded.since, until = excluded.until, state = excluded.state,
      data = excluded.data WHERE (excluded.until, excluded.state) >= (incident.until, incident.state)`,
  annotation: `INSERT INTO annotation (incident, at, kind, data) VALUES (?, ?, ?, ?)
    ON CONFLICT (incident, at, kind) DO UPDATE SET data = excluded.data`,
} as const
type Table = keyof typeof UPSERTS

/** Goes from series to series by the index: a scan of the table would take longer with every verdict. */
const FLEET = `WITH RECURSIVE fleet (series) AS (SELECT min(series) FROM verdict UNION ALL
    SELECT (SELECT min(series) FROM verdict WHERE series > fleet.series) FROM fleet WHERE fleet.series IS NOT NULL)
  SELECT verdict.* FROM fleet JOIN verdict ON verdict.series = fleet.series
    AND verdict.time = (SELECT max(time) FROM verdict WHERE series = fleet.series)`

/** Rows that one step prunes. Other work of the thread runs between two steps. */
const PRUNE_STEP = 2000

interface VerdictRow {
  readonly series: string
  readonly time: number
  readonly score: number | null
  readonly threshold: number
  readonly anomalous: 0 | 1 | null
  readonly model: string
  readonly detail: string
}

export class SqliteDatabase implements Database {
  readonly location: string
  readonly #file: string
  readonly #keep: Readonly<Record<Table, number>>
  readonly #connection: Connection
  readonly #upserts: Readonly<Record<Table, Statement>>

  /** @throws Problem invalid-settings if another process uses the file, or it is no SQLite file */
  constructor ({ file, keep }: SqliteOptions) {
    this.#file = resolve(file)
    this.location = `SQLite in ${file}`
    const others = Math.ceil(keep / 20)
    this.#keep = { verdict: keep, gap: others, incident: others, annotation: others }
    mkdirSync(dirname(this.#file), { recursive: true })
    takeFile(this.#file)
    this.#connection = opened(this.#file)
    const prepared = Object.entries(UPSERTS).map(([table, text]) => [table, this.#connection.prepare(text)] as const)
    this.#upserts = Object.fromEntries(prepared) as Record<Table, Statement>
  }

  async write ({ verdicts, gaps, incidents, annotations }: Batch): Promise<void> {
    this.#connection.exec('BEGIN')
    try {
      for (const verdict of verdicts) this.#upserts.verdict.run(verdictValues(verdict))
      for (const { series, from, to, interval } of gaps) {
        this.#upserts.gap.run([toSafeName(series), millisOf(from), millisOf(to), interval])
      }
      for (const incident of incidents) this.#upserts.incident.run(incidentValues(incident))
      for (const annotation of annotations) {
        this.#upserts.annotation.run([
          toSafeName(annotation.incident),
          millisOf(annotation.at),
          annotation.kind,
          JSON.stringify(annotation),
        ])
      }
      this.#connection.exec('COMMIT')
    } catch (cause) {
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK')
      // The rows fit the tables, so the disk must be the reason.
      throw new Problem(
        'server-unavailable',
        `${this.location} takes nothing: ${(cause as Error).message}; check that the disk has room.`,
        { cause }
      )
    }
    for (const table of Object.keys(UPSERTS) as Table[]) await this.#prune(table)
  }

  /** Prunes a table that exceeds its limit by a whole step. Ids have no holes except at the front. */
  async #prune (table: Table): Promise<void> {
    let { first, last } = this.#rows<{ first: number | null, last: number | null }>(
      `SELECT min(id) first, max(id) last FROM ${table}`
    )[0]!
    if (first === null || last === null || last - first < this.#keep[table] + PRUNE_STEP) return
    while (this.#connection.isOpen && last - first >= this.#keep[table]) {
      first = Math.min(first + PRUNE_STEP, last - this.#keep[table] + 1)
      this.#connection.run(`DELETE FROM ${table} WHERE id < ?`, first)
      await new Promise(setImmediate)
    }
  }

  async fleet (): Promise<Verdict[]> {
    return this.#rows<VerdictRow>(FLEET).map(toVerdict)
  }

  async verdicts (series: string, { from, to }: Period, limit: number): Promise<Verdict[]> {
    const newest = this.#rows<VerdictRow>(
      'SELECT * FROM verdict WHERE series = ? AND time BETWEEN ? AND ? ORDER BY time DESC LIMIT ?',
      [toSafeName(series), from, to, limit]
    )
    return newest.reverse().map(toVerdict)
  }

  async gaps (series: string, { from, to }: Period): Promise<Gap[]> {
    return this.#rows<{ since: number, until: number, step: number }>(
      'SELECT * FROM gap WHERE series = ? AND since <= ? AND until >= ? ORDER BY since',
      [toSafeName(series), to, from]
    )
      .map(({ since, until, step }) => ({ series, from: timeOf(since), to: timeOf(until), interval: step }))
  }

  async incidents ({ from, to }: Period, limit: number, series?: string): Promise<KeptIncident[]> {
    const ofSeries = series === undefined ? '' : 'AND series = ?'
    return this.#rows<{ data: string }>(
      `SELECT data FROM incident WHERE since <= ? AND until >= ? ${ofSeries} ORDER BY since DESC, name LIMIT ?`,
      [to, from, ...(series === undefined ? [] : [toSafeName(series)]), limit]
    ).map(({ data }) => this.#kept(data))
  }

  async incident (id: string): Promise<KeptIncident | undefined> {
    const [row] = this.#rows<{ data: string }>('SELECT data FROM incident WHERE name = ?', [toSafeName(id)])
    return row === undefined ? undefined : this.#kept(row.data)
  }

  #kept (data: string): KeptIncident {
    const incident = JSON.parse(data) as Incident
    const annotations = this.#rows<{ data: string }>('SELECT data FROM annotation WHERE incident = ?', [
      toSafeName(incident.id),
    ])
    return keptIncident(incident, annotations.map((row) => JSON.parse(row.data) as Annotation))
  }

  #rows<Row> (sql: string, values: Array<string | number> = []): Row[] {
    return this.#connection.all(sql, values) as Row[]
  }

  async close (): Promise<void> {
    for (const statement of Object.values(this.#upserts)) statement.finalize()
    this.#connection.close()
    leaveFile(this.#file)
  }
}

function opened (file: string): Connection {
  const connection = new sqlite.Database(file)
  try {
    connection.exec(SCHEMA)
    return connection
  } catch (cause) {
    connection.close()
    leaveFile(file)
    throw new Problem(
      'invalid-settings',
      `STREAM_STORE: ${file} cannot be used: ${(cause as Error).message}; move it away to get a new one.`,
      { cause }
    )
  }
}

function verdictValues (verdict: Verdict): Array<string | number | boolean | null> {
  const { series, time, score, threshold, anomalous, model } = verdict
  return [toSafeName(series), millisOf(time), score, threshold, anomalous, packModel(model), packVerdict(verdict)]
}

function incidentValues (incident: Incident): Array<string | number> {
  return [
    toSafeName(incident.id),
    toSafeName(incident.series),
    millisOf(incident.start),
    millisOf(incident.end),
    orderOfState(incident, Number.MAX_SAFE_INTEGER),
    JSON.stringify(incident),
  ]
}

function toVerdict ({ series, time, score, threshold, anomalous, model, detail }: VerdictRow): Verdict {
  return {
    series: fromSafeName(series),
    time: timeOf(time),
    model: unpackModel(model),
    score,
    anomalous: anomalous === null ? null : anomalous === 1,
    threshold,
    ...unpackVerdict(detail),
  }
}
