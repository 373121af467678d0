// Observations → records of the log, acknowledged once the log has stored them. A limit bounds how many may wait.
import { hash } from 'node:crypto'
import { Problem } from '../../../core/errors.ts'
import { encode } from '../../messages/cloud-events.ts'
import type { Log, NewRecord } from '../../messages/log.ts'
import type { Arrival, RawObservation } from '../../messages/messages.ts'
import type { StepMetrics } from '../../runtime/metrics.ts'

/** Brokers take records of about a megabyte. They refuse a larger one for good, with all records sent along with it. */
const MAX_RECORD_BYTES = 900_000

export class Keeper {
  readonly #log: Log
  readonly #metrics: StepMetrics
  readonly #maxWaiting: number
  #waiting = 0

  constructor (log: Log, metrics: StepMetrics, maxWaiting: number) {
    this.#log = log
    this.#metrics = metrics
    this.#maxWaiting = maxWaiting
  }

  get waiting (): number {
    return this.#waiting
  }

  /**
   * Resolves once the log has stored all observations. The log groups appends that come while another one runs.
   * @param arrival of all observations
   * @throws Problem stream-saturated, invalid-request: nothing is stored; log-unavailable: some may be stored
   */
  async keep (observations: readonly RawObservation[], arrival: Arrival): Promise<void> {
    const { length } = observations
    this.#metrics.received('observation.raw.v1', length)
    // A request that alone exceeds the limit is accepted once nothing waits.
    if (this.#waiting > 0 && this.#waiting + length > this.#maxWaiting) {
      throw new Problem(
        'stream-saturated',
        `${this.#waiting} observations wait to be stored, and at most ${this.#maxWaiting} may wait; ` +
          `send these ${length} again after Retry-After seconds.`,
        { extensions: { limit: this.#maxWaiting } }
      )
    }
    const records = observations.map((observation, i) => toRecord(observation, arrival, i))
    this.#waiting += length
    try {
      await this.#log.append(records)
    } catch (error) {
      this.#metrics.failed('sending')
      throw error
    } finally {
      this.#waiting -= length
    }
    this.#metrics.sent('observation.raw.v1', length)
  }
}

/** The id is a hash of the content: an observation that is sent twice is the same event. */
function toRecord (data: RawObservation, arrival: Arrival, index: number): NewRecord {
  const record = encode({ type: 'observation.raw.v1', id: '', ...arrival, data }, '/collector')
  if (record.value.length > MAX_RECORD_BYTES / 3 && Buffer.byteLength(record.value) > MAX_RECORD_BYTES) {
    throw new Problem(
      'invalid-request',
      `Observation ${index} is larger than ${MAX_RECORD_BYTES} bytes; ` +
        'send its channels in several observations of the same time.'
    )
  }
  return { ...record, headers: { ...record.headers, ce_id: hash('sha1', record.value, 'base64url') } }
}
