// Settings of the log between the steps.
import { z } from 'zod'
import { list, wholeNumber } from '../../adapters/settings/values.ts'

export const LOG_SETTINGS = {
  KAFKA_BROKERS: list((entry) => /^[\w.-]+:\d{1,5}$/.test(entry) ? undefined : 'a list of host:port').default([])
    .describe('Brokers to begin with. None: the stream runs in one process, in memory.'),
  STREAM_PARTITIONS: wholeNumber(1, 1000).default(6).describe(
    'Partitions of topics that a step creates: as many processes can share its work.'
  ),
  KAFKA_REPLICATION: wholeNumber(1, 10).optional().describe(
    'Copies of topics that a step creates. Default: what the brokers say.'
  ),
  KAFKA_TLS: z.enum(['on', 'off']).default('off').describe('Whether brokers are spoken to in TLS.'),
  KAFKA_USERNAME: z.string().optional().describe('Who reads and writes there (SASL/SCRAM-SHA-512).'),
  KAFKA_PASSWORD: z.string().optional().meta({ secret: true, description: 'The password.' }),
}
export type LogSettings = z.output<z.ZodObject<typeof LOG_SETTINGS>>
