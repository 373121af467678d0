// The state of a step for one partition: the newest record of a state topic. It includes everything before `offset`.
//
// Each record is complete and stays valid. A member that the group took for dead may write an older state after a newer
// one. That is harmless: the next owner begins earlier and repeats messages, and their readers drop repetitions.
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import type { Log, NewRecord } from '../messages/log.ts'

const SavedSchema = z.object({ offset: z.int().min(0), state: z.unknown() })
type Saved = z.output<typeof SavedSchema>

export class SavedState {
  readonly #log: Log
  readonly #topic: string
  readonly #partition: number

  constructor (log: Log, topic: string, partition: number) {
    this.#log = log
    this.#topic = topic
    this.#partition = partition
  }

  /** @throws Problem log-unavailable; invalid-settings if the newest record is not a state */
  async read (): Promise<Saved | undefined> {
    const place = { topic: this.#topic, partition: this.#partition }
    const { first, next } = await this.#log.bounds(place)
    if (next <= first) return undefined
    const [newest] = await this.#log.read(place, next - 1, 1)
    if (newest === undefined) return undefined
    const saved = SavedSchema.safeParse(parsed(newest.value))
    if (saved.success) return saved.data
    throw new Problem(
      'invalid-settings',
      `The newest record of ${this.#topic}, partition ${this.#partition}, is no state of a step; ` +
        'nothing but the steps may write there. Delete the topic to begin anew.'
    )
  }

  record (saved: Saved): NewRecord {
    return {
      topic: this.#topic,
      key: String(this.#partition),
      partition: this.#partition,
      value: JSON.stringify(saved),
      headers: { 'content-type': 'application/json' },
    }
  }
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
