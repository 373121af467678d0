// Appends records in order: what comes while an append runs goes with the next one.
import { ProduceAcks, Producer, stringSerializers } from '@platformatic/kafka'
import { withTimeout } from '../../../adapters/waiting.ts'
import { Problem } from '../../../core/errors.ts'
import type { NewRecord } from '../../messages/log.ts'
import type { LogSettings } from '../../settings/log.ts'
import { ANSWER_MS, closeClient, connectionOf } from './connection.ts'

interface Waiting {
  readonly records: readonly NewRecord[]
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Characters of records that go to the brokers together, but for one that is larger: they take batches of a megabyte.
 */
const MOST_CHARACTERS = 600_000
/** Of headers, about. */
const OVERHEAD = 200

type StringProducer = Producer<string, string, string, string>

/**
 * One request at a time: this client numbers the records of an idempotent producer when they are acknowledged, so that
 * a second request beside the first would repeat its numbers, and brokers drop what they think they have. For the same
 * reason a producer that failed once is not used again.
 */
export class Appender {
  readonly #settings: LogSettings
  #producer: StringProducer | undefined
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #closed = false

  constructor (settings: LogSettings) {
    this.#settings = settings
  }

  /** @throws Problem log-unavailable */
  async append (records: readonly NewRecord[]): Promise<void> {
    if (records.length === 0) return
    if (this.#closed) throw new Problem('log-unavailable', 'The connection to Kafka is closed.')
    const done = new Promise<void>((resolve, reject) => { this.#waiting.push({ records, resolve, reject }) })
    this.#running ??= this.#run().finally(() => { this.#running = undefined })
    await done
  }

  async close (): Promise<void> {
    this.#closed = true
    await this.#running
    await closeProducer(this.#producer)
  }

  async #run (): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      try {
        for (const request of requestsOf(group.flatMap(({ records }) => records))) await this.#send(request)
        for (const { resolve } of group) resolve()
      } catch (cause) {
        const problem = new Problem(
          'log-unavailable',
          `Kafka (${this.#settings.KAFKA_BROKERS.join(', ')}) did not take the records: ${
            reasonOf(cause as Error)
          }. Try again.`,
          { cause }
        )
        for (const { reject } of group) reject(problem)
      }
    }
  }

  async #send (messages: NewRecord[]): Promise<void> {
    const producer =
      (this.#producer ??= new Producer({
        ...connectionOf(this.#settings),
        serializers: stringSerializers,
        idempotent: true,
        acks: ProduceAcks.ALL,
      }))
    try {
      await withTimeout(ANSWER_MS, 'an append', producer.send({ messages }))
    } catch (error) {
      this.#producer = undefined
      closeProducer(producer).catch(() => {})
      throw error
    }
  }
}

/** Consumers are told whether to be forced; what a producer is told it would call when it is closed. */
async function closeProducer (producer: StringProducer | undefined): Promise<void> {
  await closeClient(producer === undefined ? undefined : { close: async () => producer.close() })
}

function * requestsOf (records: readonly NewRecord[]): Generator<NewRecord[]> {
  let request: NewRecord[] = []
  let size = 0
  for (const record of records) {
    const own = record.key.length + record.value.length + OVERHEAD
    if (request.length > 0 && size + own > MOST_CHARACTERS) {
      yield request
      request = []
      size = 0
    }
    request.push(record)
    size += own
  }
  if (request.length > 0) yield request
}

/** The client hides what happened in errors of errors. */
function reasonOf (error: Error & { readonly errors?: readonly Error[] }): string {
  const inner = error.errors?.[0]
  return inner === undefined || inner === error
    ? error.message
    : `${error.message.replace(/\.$/, '')}: ${reasonOf(inner)}`
}
