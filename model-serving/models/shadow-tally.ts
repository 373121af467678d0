// Counts how often a shadow version and the live version give different verdicts.
import type { ShadowReport } from '../compute/messages/messages.ts'

interface ShadowCount {
  readonly name: string
  readonly live: string
  readonly shadow: string
  /** Series that both scored. */
  series: number
  /** Series that the shadow did not score because answers come first. */
  skipped: number
  /** Series that the shadow could not score. */
  failed: number
  observations: number
  /** Observations with different verdicts. */
  disagreements: number
  lastFailure: string | null
}

export class ShadowTally {
  readonly #counts = new Map<string, ShadowCount>()

  add ({ live, shadow, outcome }: ShadowReport): void {
    const key = `${live.digest} ${shadow.digest}`
    const count = this.#counts.get(key) ??
      {
        name: live.name,
        live: live.version,
        shadow: shadow.version,
        series: 0,
        skipped: 0,
        failed: 0,
        observations: 0,
        disagreements: 0,
        lastFailure: null,
      }
    this.#counts.set(key, count)
    if ('skipped' in outcome) count.skipped++
    else if ('failure' in outcome) {
      count.failed++
      count.lastFailure = outcome.failure
    } else {
      count.series++
      count.observations += outcome.observations
      count.disagreements += outcome.disagreements
    }
  }

  list (): readonly ShadowCount[] {
    return [...this.#counts.values()]
  }
}
