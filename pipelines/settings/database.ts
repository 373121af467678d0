// Settings of what keeps the stream: which database, where it is, who may use it.
import { z } from 'zod'
import { list, wholeNumber } from '../../adapters/settings/values.ts'

const webAddress = z.url({ protocol: /^https?$/, error: 'a URL such as http://influxdb:8086' })
const cassandraName = z.string().regex(
  /^[a-z]\w{0,47}$/i,
  'a letter, then letters, digits and underscores, at most 48 in all'
)

export const DATABASE_SETTINGS = {
  STREAM_DATABASE: z.enum(['influx', 'cassandra', 'sqlite']).optional().describe(
    'What keeps verdicts and incidents. Default: influx where INFLUX_URL is set, else sqlite, a file.'
  ),
  STREAM_STORE: z.string().default('.stream/history.sqlite').describe(
    'The file of sqlite; made with its folder. One process at a time can use it.'
  ),
  STREAM_KEEP: wholeNumber(1000, 100_000_000).default(200_000).describe('Verdicts that sqlite keeps; the oldest go.'),
  INFLUX_URL: webAddress.optional().describe('InfluxDB 2: its address.'),
  INFLUX_TOKEN: z.string().optional().meta({
    secret: true,
    description: 'A token that may read and write both buckets, and create them where they are missing.',
  }),
  INFLUX_ORG: z.string().optional().describe('Its organisation.'),
  INFLUX_BUCKET: z.string().default('stream').describe('Bucket of verdicts, gaps, incidents and annotations.'),
  INFLUX_RAW_BUCKET: z.string().default('measurements').describe(
    'Bucket of the observations as they came, which retraining fetches.'
  ),
  CASSANDRA_CONTACT_POINTS: list((entry) =>
    /^(?:[\w.-]+|\[[\da-f:]+\])(?::\d{1,5})?$/i.test(entry) ? undefined : 'a list of host or host:port'
  ).default([]).describe('Nodes of Cassandra to begin with.'),
  CASSANDRA_LOCAL_DC: z.string().default('datacenter1').describe('The data centre that is asked.'),
  CASSANDRA_KEYSPACE: cassandraName.default('stream').describe(
    'Its keyspace; created with one copy where it is missing.'
  ),
  CASSANDRA_USERNAME: z.string().optional().describe('Who reads and writes there.'),
  CASSANDRA_PASSWORD: z.string().optional().meta({ secret: true, description: 'The password.' }),
}
export type DatabaseSettings = z.output<z.ZodObject<typeof DATABASE_SETTINGS>>
