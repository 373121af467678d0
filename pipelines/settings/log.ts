// Settings of the log between the steps.
import { z } from 'zod'
import { list, wholeNumber } from '../../adapters/settings/values.ts'

export const LOG_SETTINGS = {
  KAFKA_BROKERS: list((entry) => /^[\w.-]+:\d{1,5}$/.test(entry) ? undefined : 'a list of host:port').default([])
    .describe('Brokers for the first connection. None: the stream runs in one process, in memory.'),
  STREAM_PARTITIONS: wholeNumber(1, 1000).default(6).describe(
    'Partitions of topics that a step creates: so many processes can share its work.'
  ),
  KAFKA_REPLICATION: wholeNumber(1, 10).optional().describe(
    "Copies of topics that a step creates. Default: the brokers' own."
  ),
  KAFKA_TLS: z.enum(['on', 'off']).default('off').describe('Whether to connect to brokers by TLS.'),
  KAFKA_USERNAME: z.string().optional().describe('User of Kafka (SASL/SCRAM-SHA-512).'),
  KAFKA_PASSWORD: z.string().optional().meta({ secret: true, description: 'Password of Kafka.' }),
}
export type LogSettings = z.output<z.ZodObject<typeof LOG_SETTINGS>>
