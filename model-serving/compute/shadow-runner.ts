// A shadow version scores what its live version has answered, after the answer is out, and tells where it would have
// judged otherwise.
import type { ComputeLimits } from '../settings/config.ts'
import type { WorkerReport } from './messages/messages.ts'
import type { PackageBytes, ResidentModels } from '../packages/resident-models.ts'
import { type Computed, computeWith } from './compute.ts'

export class ShadowRunner {
  readonly #models: ResidentModels
  readonly #limits: ComputeLimits
  readonly #tell: (told: WorkerReport) => void
  /** At most one waits: answers go first, however much is asked. */
  #waiting = false

  constructor (models: ResidentModels, limits: ComputeLimits, tell: (told: WorkerReport) => void) {
    this.#models = models
    this.#limits = limits
    this.#tell = tell
  }

  run (computed: Computed, packages: readonly PackageBytes[]): void {
    const { ref } = computed
    const shadow = ref === undefined ? undefined : packages.find(({ name }) => name === ref.name)
    if (ref === undefined || shadow === undefined || !this.#models.isLive(ref)) return
    const told = {
      kind: 'shadow',
      live: ref,
      shadow: { name: shadow.name, version: shadow.version, digest: shadow.digest },
    } as const
    if (this.#waiting) return this.#tell({ ...told, outcome: { skipped: true } })
    this.#waiting = true
    setImmediate(() => {
      this.#compare(computed, shadow)
        .then((outcome) => {
          this.#tell({ ...told, outcome })
        }, (error: unknown) => {
          this.#tell({ ...told, outcome: { failure: (error as Error).message } })
        })
        .finally(() => {
          this.#waiting = false
        })
    })
  }

  async #compare (
    { input, judged }: Computed,
    one: PackageBytes
  ): Promise<{ observations: number, disagreements: number }> {
    const shadow = await this.#models.add(one)
    const { judged: { verdicts } } = await computeWith(
      { ...shadow, version: one.version, stale: false },
      input,
      this.#limits
    )
    if (verdicts.length !== judged.verdicts.length) {
      throw new Error(
        `the shadow's grid has ${verdicts.length} observations, that of the live version ${judged.verdicts.length}`
      )
    }
    let disagreements = 0
    for (let t = 0; t < verdicts.length; t++) if (verdicts[t] !== judged.verdicts[t]) disagreements++
    return { observations: verdicts.length, disagreements }
  }
}
