// Settings of the database: which one, its address, and its user.
import { z } from 'zod'
import { list, wholeNumber } from '../../adapters/settings/values.ts'

const webAddress = z.url({ protocol: /^https?$/, error: 'a URL such as http://influxdb:8086' })
const cassandraName = z.string().regex(
  /^[a-z]\w{0,47}$/i,
  'a letter, then letters, digits and underscores, at most 48 in all'
)

export const DATABASE_SETTINGS = {
  STREAM_DATABASE: z.enum(['influx', 'cassandra', 'sqlite']).optional().describe(
    'Database of verdicts and incidents. Default: influx if INFLUX_URL is set, else sqlite, a file.'
  ),
  STREAM_STORE: z.string().default('.stream/history.sqlite').describe(
    'File of sqlite; created with its folder. One process at a time can use it.'
  ),
  STREAM_KEEP: wholeNumber(1000, 100_000_000).default(200_000).describe(
    'Verdicts that sqlite keeps; the oldest are deleted.'
  ),
  INFLUX_URL: webAddress.optional().describe('Address of InfluxDB 2.'),
  INFLUX_TOKEN: z.string().optional().meta({
    secret: true,
    description: 'Token that may read and write both buckets, and create missing ones.',
  }),
  INFLUX_ORG: z.string().optional().describe('Organisation in InfluxDB.'),
  INFLUX_BUCKET: z.string().default('stream').describe('Bucket of verdicts, gaps, incidents and annotations.'),
  INFLUX_RAW_BUCKET: z.string().default('measurements').describe(
    'Bucket of raw observations, which retraining fetches.'
  ),
  CASSANDRA_CONTACT_POINTS: list((entry) =>
    /^(?:[\w.-]+|\[[\da-f:]+\])(?::\d{1,5})?$/i.test(entry) ? undefined : 'a list of host or host:port'
  ).default([]).describe('Nodes of Cassandra for the first connection.'),
  CASSANDRA_LOCAL_DC: z.string().default('datacenter1').describe('Data centre to query.'),
  CASSANDRA_KEYSPACE: cassandraName.default('stream').describe(
    'Keyspace; created with one copy if it is missing.'
  ),
  CASSANDRA_USERNAME: z.string().optional().describe('User of Cassandra.'),
  CASSANDRA_PASSWORD: z.string().optional().meta({ secret: true, description: 'Password of Cassandra.' }),
}
export type DatabaseSettings = z.output<z.ZodObject<typeof DATABASE_SETTINGS>>
