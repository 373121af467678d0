// The tables of the stream in Cassandra, and their creation. Tables that grow without limit are partitioned by time: a
// partition holds a day of a series.
import type { Client } from 'cassandra-driver'

const TABLES = {
  verdict:
    `series text, day int, time timestamp, score double, threshold double, anomalous boolean, model text, detail text,
    PRIMARY KEY ((series, day), time)) WITH CLUSTERING ORDER BY (time DESC`,
  observation: 'series text, day int, time timestamp, values map<text, double>, PRIMARY KEY ((series, day), time)',
  /** Days with verdicts: queries read only these. */
  series_day: 'series text, day int, PRIMARY KEY (series, day)) WITH CLUSTERING ORDER BY (day DESC',
  gap: 'series text, until timestamp, since timestamp, step bigint, PRIMARY KEY (series, until)',
  /** An incident is in each month that it overlaps. */
  incident:
    `month int, since timestamp, id text, data text,
    PRIMARY KEY (month, since, id)) WITH CLUSTERING ORDER BY (since DESC, id ASC`,
  incident_month: 'part int, month int, PRIMARY KEY (part, month)) WITH CLUSTERING ORDER BY (month DESC',
  incident_by_id: 'id text PRIMARY KEY, data text',
  annotation: 'incident text, at timestamp, kind text, data text, PRIMARY KEY (incident, at, kind)',
} as const

/** Creates what is missing only: once everything exists, the right to read and write is enough. */
export async function ensureTables (client: Client, keyspace: string): Promise<void> {
  const { rows: keyspaces } = await client.execute(
    'SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?',
    [keyspace],
    { prepare: true }
  )
  if (keyspaces.length === 0) {
    await client.execute(
      `CREATE KEYSPACE IF NOT EXISTS ${keyspace} ` +
        "WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
    )
  }
  const { rows } = await client.execute('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?', [
    keyspace,
  ], { prepare: true })
  const there = new Set(rows.map((row) => row['table_name'] as string))
  for (const [name, columns] of Object.entries(TABLES)) {
    if (!there.has(name)) await client.execute(`CREATE TABLE IF NOT EXISTS ${keyspace}.${name} (${columns})`)
  }
}

/** By name; `k` stands for the keyspace. */
export const STATEMENTS = {
  verdict: `INSERT INTO k.verdict (series, day, time, score, threshold, anomalous, model, detail)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  // Adding to a map needs no read, leaves no tombstone, and keeps other channels of the same time.
  observation: 'UPDATE k.observation SET values = values + ? WHERE series = ? AND day = ? AND time = ?',
  seriesDay: 'INSERT INTO k.series_day (series, day) VALUES (?, ?)',
  gap: 'INSERT INTO k.gap (series, until, since, step) VALUES (?, ?, ?, ?)',
  // Cassandra keeps the row with the latest timestamp. The timestamp is that of the state, so a repeated older state
  // changes nothing.
  incident: 'INSERT INTO k.incident (month, since, id, data) VALUES (?, ?, ?, ?) USING TIMESTAMP ?',
  incidentById: 'INSERT INTO k.incident_by_id (id, data) VALUES (?, ?) USING TIMESTAMP ?',
  incidentMonth: 'INSERT INTO k.incident_month (part, month) VALUES (0, ?)',
  annotation: 'INSERT INTO k.annotation (incident, at, kind, data) VALUES (?, ?, ?, ?)',
  readNewestDays: 'SELECT series, day FROM k.series_day PER PARTITION LIMIT 1',
  readDays: 'SELECT day FROM k.series_day WHERE series = ? AND day >= ? AND day <= ?',
  readVerdicts: 'SELECT * FROM k.verdict WHERE series = ? AND day = ? AND time >= ? AND time <= ? LIMIT ?',
  readGaps: 'SELECT * FROM k.gap WHERE series = ? AND until >= ?',
  readMonths: 'SELECT month FROM k.incident_month WHERE part = 0 AND month >= ? AND month <= ?',
  readIncidents: 'SELECT data FROM k.incident WHERE month = ? AND since <= ?',
  readIncident: 'SELECT data FROM k.incident_by_id WHERE id = ?',
  readAnnotations: 'SELECT data FROM k.annotation WHERE incident = ?',
} as const
export type Statement = keyof typeof STATEMENTS
