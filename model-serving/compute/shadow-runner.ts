// After an answer, a shadow version scores the same series, and the thread reports how many verdicts differ.
import type { ComputeLimits } from '../settings/config.ts'
import type { PackageBytes, ResidentModels } from '../packages/resident-models.ts'
import type { WorkerReport } from './messages/messages.ts'
import { type Computed, computeWith } from './compute.ts'

export class ShadowRunner {
  readonly #models: ResidentModels
  readonly #limits: ComputeLimits
  readonly #report: (report: WorkerReport) => void
  /** At most one comparison waits: answers come first. */
  #waiting = false

  constructor (models: ResidentModels, limits: ComputeLimits, report: (report: WorkerReport) => void) {
    this.#models = models
    this.#limits = limits
    this.#report = report
  }

  run (computed: Computed, packages: readonly PackageBytes[]): void {
    const { ref } = computed
    const shadow = ref === undefined ? undefined : packages.find(({ name }) => name === ref.name)
    if (ref === undefined || shadow === undefined || !this.#models.isLive(ref)) return
    const versions = {
      kind: 'shadow',
      live: ref,
      shadow: { name: shadow.name, version: shadow.version, digest: shadow.digest },
    } as const
    if (this.#waiting) return this.#report({ ...versions, outcome: { skipped: true } })
    this.#waiting = true
    setImmediate(() => {
      this.#compare(computed, shadow)
        .then((outcome) => {
          this.#report({ ...versions, outcome })
        }, (error: unknown) => {
          this.#report({ ...versions, outcome: { failure: (error as Error).message } })
        })
        .finally(() => {
          this.#waiting = false
        })
    })
  }

  async #compare (
    { input, judged }: Computed,
    shadowPackage: PackageBytes
  ): Promise<{ observations: number, disagreements: number }> {
    const shadow = await this.#models.add(shadowPackage)
    const { judged: { verdicts } } = await computeWith(
      { ...shadow, version: shadowPackage.version, stale: false },
      input,
      this.#limits
    )
    if (verdicts.length !== judged.verdicts.length) {
      throw new Error(
        `the shadow version scores ${verdicts.length} observations, the live version ${judged.verdicts.length}`
      )
    }
    let disagreements = 0
    for (let t = 0; t < verdicts.length; t++) if (verdicts[t] !== judged.verdicts[t]) disagreements++
    return { observations: verdicts.length, disagreements }
  }
}
