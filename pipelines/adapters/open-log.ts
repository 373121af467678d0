// Opens the log that the settings name: Kafka. Loads its client only if it is needed.
import type { FastifyBaseLogger } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { LogSettings } from '../settings/log.ts'
import type { Log } from '../messages/log.ts'

/** @throws Problem invalid-settings without brokers; log-unavailable if none answers */
export async function openLog (settings: LogSettings, logger: Pick<FastifyBaseLogger, 'warn'>): Promise<Log> {
  const brokers = settings.KAFKA_BROKERS.join(', ')
  if (brokers === '') {
    throw new Problem(
      'invalid-settings',
      'KAFKA_BROKERS is not set, and a step in a process of its own needs it; ' +
        'name brokers as host:port, or run `npm start`, which has all in one process.'
    )
  }
  const { openKafkaLog } = await import('./kafka/kafka-log.ts')
  try {
    return await openKafkaLog(settings, {
      onTrouble: (error) => {
        logger.warn({ problem: error.message }, 'Kafka does not answer as it should; trying again')
      },
    })
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw new Problem('log-unavailable', `None of KAFKA_BROKERS (${brokers}) answers: ${(cause as Error).message}`, {
      cause,
    })
  }
}
