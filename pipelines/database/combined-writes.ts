// Writes that come while one is under way go together in the next: a database likes few large requests, and partitions
// have many small ones.
import { Problem } from '../../core/errors.ts'
import type { Batch, Database } from './database.ts'

interface Waiting {
  readonly batch: Batch
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** As many as there are who wait for what they write; so it is bounded by those who write. */
export class CombinedWrites {
  readonly #database: Pick<Database, 'write'>
  #waiting: Waiting[] = []
  #busy = false

  constructor (database: Pick<Database, 'write'>) {
    this.#database = database
  }

  /** As Database.write(). */
  async write (batch: Batch): Promise<void> {
    const written = new Promise<void>((resolve, reject) => { this.#waiting.push({ batch, resolve, reject }) })
    // It never rejects: what goes wrong is told to those who wait.
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

  /** What is refused for ever is so because of one of them: then each by itself. */
  async #writeAll (together: readonly Waiting[]): Promise<void> {
    try {
      await this.#database.write(joined(together.map(({ batch }) => batch)))
      for (const { resolve } of together) resolve()
    } catch (error) {
      if (together.length > 1 && error instanceof Problem && error.code === 'invalid-request') {
        for (const one of together) {
          await this.#writeAll([one])
        }
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
