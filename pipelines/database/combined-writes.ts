// Groups writes that come while another one runs: few large requests load a database less than the many small ones of
// the partitions.
import { Problem } from '../../core/errors.ts'
import type { Batch, Database } from './database.ts'

interface Waiting {
  readonly batch: Batch
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Each writer waits for its write, so the number of writers bounds the queue. */
export class CombinedWrites {
  readonly #database: Pick<Database, 'write'>
  #waiting: Waiting[] = []
  #busy = false

  constructor (database: Pick<Database, 'write'>) {
    this.#database = database
  }

  /** Like Database.write(). */
  async write (batch: Batch): Promise<void> {
    const written = new Promise<void>((resolve, reject) => { this.#waiting.push({ batch, resolve, reject }) })
    // It never rejects: waiting writers get the errors.
    if (!this.#busy) this.#run().catch(() => {})
    await written
  }

  async #run (): Promise<void> {
    this.#busy = true
    while (this.#waiting.length > 0) {
      const together = this.#waiting
      this.#waiting = []
      await this.#writeAll(together)
    }
    this.#busy = false
  }

  /** If the database refuses the group for good, one batch is to blame: then each is written alone. */
  async #writeAll (together: readonly Waiting[]): Promise<void> {
    try {
      await this.#database.write(joined(together.map(({ batch }) => batch)))
      for (const { resolve } of together) resolve()
    } catch (error) {
      if (together.length > 1 && error instanceof Problem && error.code === 'invalid-request') {
        for (const waiting of together) await this.#writeAll([waiting])
      } else for (const { reject } of together) reject(error)
    }
  }
}

function joined (batches: readonly Batch[]): Batch {
  if (batches.length === 1) return batches[0]!
  return {
    observations: batches.flatMap(({ observations }) => observations),
    verdicts: batches.flatMap(({ verdicts }) => verdicts),
    gaps: batches.flatMap(({ gaps }) => gaps),
    incidents: batches.flatMap(({ incidents }) => incidents),
    annotations: batches.flatMap(({ annotations }) => annotations),
  }
}
