// The models that a thread has open, as many as its budget of memory allows; the least recently used one goes first.
import { LRUCache } from 'lru-cache'
import { Problem } from '../../core/errors.ts'
import type { BackendChoice } from '../../adapters/tfjs/backend.ts'
import { type Catalogue, resolve, type ServedVersion, type VersionRef, withChannels } from './catalogue.ts'
import type { OpenModel } from './identity.ts'
import type { openPackage } from './open-package.ts'

/** A model as one request uses it. */
export interface ModelInService extends OpenModel {
  readonly version: string
  readonly stale: boolean
}

/** What answers need of the models. */
export interface ModelLookup {
  /** @throws Problem unknown-model, unknown-version */
  get (reference: string): Promise<ModelInService>
  /** The one with exactly these channels; undefined where none is. @throws Problem model-required */
  withChannels (channels: readonly string[]): Promise<ModelInService | undefined>
}

/** A package's bytes, shared by all threads. */
export interface PackageBytes extends VersionRef {
  readonly where: string
  readonly bytes: Uint8Array
}

/** What a thread must be given before it can answer. */
export class PackageMissing extends Error {
  override readonly name = 'PackageMissing'
  readonly ref: VersionRef

  constructor (ref: VersionRef) {
    super(`the package of ${ref.name}@${ref.version} is not here`)
    this.ref = ref
  }
}

export class ResidentModels implements ModelLookup {
  readonly #open: typeof openPackage
  readonly #backend: BackendChoice
  readonly #budget: number
  readonly #models: LRUCache<string, OpenModel>
  #catalogue: Catalogue = []
  /** Of the newest catalogue. */
  #served = new Set<string>()
  #epoch = 0

  /** @param budget bytes of packages that may be open */
  constructor (
    { open, backend, budget }: {
      readonly open: typeof openPackage,
      readonly backend: BackendChoice,
      readonly budget: number,
    }
  ) {
    this.#open = open
    this.#backend = backend
    this.#budget = budget
    this.#models = new LRUCache({ maxSize: budget, dispose: (model) => { model.dispose() } })
  }

  /** Digests of the open models. */
  get digests (): string[] {
    return [...this.#models.keys()]
  }

  /**
   * From now on names mean this; what an alias stood for, and none does any more, is closed.
   * @param epoch grows with every change: requests may overtake each other, and an older one closes nothing
   */
  follow (catalogue: Catalogue, epoch: number): void {
    this.#catalogue = catalogue
    if (epoch <= this.#epoch) return
    const served = new Set(
      catalogue.flatMap(({ live, shadow }) => [live, shadow].flatMap((one) => one === undefined ? [] : [one.digest]))
    )
    for (const digest of this.#served) if (!served.has(digest)) this.#models.delete(digest)
    this.#served = served
    this.#epoch = epoch
  }

  /** Opens a package and proves it. @throws Problem of a package that cannot be used */
  async add ({ where, bytes, name, version, digest }: PackageBytes): Promise<OpenModel> {
    const there = this.#models.get(digest)
    if (there !== undefined) return there
    const model = await this.#open(where, bytes, this.#backend)
    if (model.digest !== digest || model.manifest.name !== name) {
      model.dispose()
      throw new Problem(
        'invalid-model-package',
        `The package of ${name}@${version} is that of "${model.manifest.name}", ${model.digest}, and not ${digest}; publish it again.`
      )
    }
    // One that is larger than the budget leaves room for no other, but is there all the same.
    this.#models.set(digest, model, { size: Math.min(this.#budget, Math.max(1, bytes.byteLength)) })
    return model
  }

  async get (reference: string): Promise<ModelInService> {
    return this.#use(resolve(this.#catalogue, reference))
  }

  async withChannels (channels: readonly string[]): Promise<ModelInService | undefined> {
    const found = withChannels(this.#catalogue, channels)
    return found === undefined ? undefined : this.#use(found)
  }

  /** Whether `live` of its model stands for this version. */
  isLive ({ name, digest }: VersionRef): boolean {
    return this.#catalogue.find((model) => model.name === name)?.live?.digest === digest
  }

  #use (ref: VersionRef | ServedVersion): ModelInService {
    const model = this.#models.get(ref.digest)
    if (model === undefined) throw new PackageMissing(ref)
    return { ...model, version: ref.version, stale: isStale(ref) }
  }
}

/** A clock's word: nothing of it enters a score. */
function isStale (ref: VersionRef | ServedVersion): boolean {
  const { staleFrom = Infinity, drifting = false } = ref as ServedVersion
  return drifting || Date.now() >= staleFrom
}
