// Opens the database that the settings name. Loads its client only; connects to no server before the first use.
import { Problem } from '../../core/errors.ts'
import type { DatabaseSettings } from '../settings/database.ts'
import type { Database } from '../database/database.ts'

/** @throws Problem invalid-settings if a variable is missing (the message names it) or the file is in use */
export async function openDatabase (settings: DatabaseSettings): Promise<Database> {
  switch (settings.STREAM_DATABASE ?? (settings.INFLUX_URL === undefined ? 'sqlite' : 'influx')) {
    case 'influx': return openInflux(settings)
    case 'cassandra': return openCassandra(settings)
    case 'sqlite': {
      const { SqliteDatabase } = await import('./sqlite/sqlite-database.ts')
      return new SqliteDatabase({ file: settings.STREAM_STORE, keep: settings.STREAM_KEEP })
    }
  }
}

async function openInflux (
  { INFLUX_URL: url, INFLUX_TOKEN: token, INFLUX_ORG: org, INFLUX_BUCKET: bucket, INFLUX_RAW_BUCKET: rawBucket }:
  DatabaseSettings
): Promise<Database> {
  if (url === undefined || token === undefined || org === undefined) {
    throw new Problem(
      'invalid-settings',
      'INFLUX_URL, INFLUX_TOKEN and INFLUX_ORG belong together, and one is not set; ' +
        'set all three, or STREAM_DATABASE=sqlite.'
    )
  }
  const { InfluxDatabase } = await import('./influx/influx-database.ts')
  return new InfluxDatabase({ url, token, org, bucket, rawBucket })
}

async function openCassandra (settings: DatabaseSettings): Promise<Database> {
  const { CASSANDRA_CONTACT_POINTS: contactPoints, CASSANDRA_USERNAME: username, CASSANDRA_PASSWORD: password } =
    settings
  if (contactPoints.length === 0) {
    throw new Problem(
      'invalid-settings',
      'CASSANDRA_CONTACT_POINTS is not set, and STREAM_DATABASE=cassandra needs it; name nodes as host:port.'
    )
  }
  if ((username === undefined) !== (password === undefined)) {
    throw new Problem(
      'invalid-settings',
      'CASSANDRA_USERNAME and CASSANDRA_PASSWORD belong together, and one is not set; set both or neither.'
    )
  }
  const { CassandraDatabase } = await import('./cassandra/cassandra-database.ts')
  return new CassandraDatabase({
    contactPoints,
    localDataCenter: settings.CASSANDRA_LOCAL_DC,
    keyspace: settings.CASSANDRA_KEYSPACE,
    ...(username !== undefined && password !== undefined && { credentials: { username, password } }),
  })
}
