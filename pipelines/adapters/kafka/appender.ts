// Appends records in order. Records that come while an append runs go with the next one.
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

/** Most characters of one request, unless one record is larger: brokers take batches of a megabyte. */
const MOST_CHARACTERS = 600_000
/** Approximate characters of the headers of a record. */
const OVERHEAD = 200

type StringProducer = Producer<string, string, string, string>

/**
 * Sends one request at a time. This client numbers the records of an idempotent producer when they are acknowledged: a
 * second request at the same time would repeat the numbers, and brokers would drop its records as repetitions. For the
 * same reason, a producer that failed once is not used again.
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
        const brokers = this.#settings.KAFKA_BROKERS.join(', ')
        const problem = new Problem(
          'log-unavailable',
          `Kafka (${brokers}) did not take the records: ${reasonOf(cause as Error)}. Try again.`,
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

/** closeClient() passes `force`, which only consumers take: a producer would call it as its callback. */
async function closeProducer (producer: StringProducer | undefined): Promise<void> {
  await closeClient(producer === undefined ? undefined : { close: async () => producer.close() })
}

function * requestsOf (records: readonly NewRecord[]): Generator<NewRecord[]> {
  let request: NewRecord[] = []
  let size = 0
  for (const record of records) {
    const characters = record.key.length + record.value.length + OVERHEAD
    if (request.length > 0 && size + characters > MOST_CHARACTERS) {
      yield request
      request = []
      size = 0
    }
    request.push(record)
    size += characters
  }
  if (request.length > 0) yield request
}

/** The client nests the reason in errors of errors. */
function reasonOf (error: Error & { readonly errors?: readonly Error[] }): string {
  const inner = error.errors?.[0]
  return inner === undefined || inner === error
    ? error.message
    : `${error.message.replace(/\.$/, '')}: ${reasonOf(inner)}`
}
