// The open models of a worker thread, within a memory budget. The least recently used model is closed first.
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

/** Finds the model of a request. */
export interface ModelLookup {
  /** @throws Problem unknown-model, unknown-version */
  get (reference: string): Promise<ModelInService>
  /** The model with exactly these channels; undefined if there is none. @throws Problem model-required */
  withChannels (channels: readonly string[]): Promise<ModelInService | undefined>
}

/** The bytes of a package, shared by all threads. */
export interface PackageBytes extends VersionRef {
  readonly where: string
  readonly bytes: Uint8Array
}

/** The thread must be given this package before it can answer. */
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
  /** Digests of the newest catalogue. */
  #served = new Set<string>()
  #epoch = 0

  /** @param budget most bytes of open packages */
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
   * Resolves names by this catalogue from now on. Closes the models that an alias no longer stands for.
   * @param epoch grows with every change. Requests may overtake each other: an older catalogue closes nothing.
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
    const known = this.#models.get(digest)
    if (known !== undefined) return known
    const model = await this.#open(where, bytes, this.#backend)
    if (model.digest !== digest || model.manifest.name !== name) {
      model.dispose()
      throw new Problem(
        'invalid-model-package',
        `The package of ${name}@${version} contains "${model.manifest.name}" with digest ${model.digest} instead of ` +
          `${digest}; publish it again.`
      )
    }
    // A package larger than the budget displaces all others, but is opened all the same.
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

  /** Whether this version is the live version of its model. */
  isLive ({ name, digest }: VersionRef): boolean {
    return this.#catalogue.find((model) => model.name === name)?.live?.digest === digest
  }

  #use (ref: VersionRef | ServedVersion): ModelInService {
    const model = this.#models.get(ref.digest)
    if (model === undefined) throw new PackageMissing(ref)
    return { ...model, version: ref.version, stale: isStale(ref) }
  }
}

/** Depends on the clock. Scores do not. */
function isStale (ref: VersionRef | ServedVersion): boolean {
  const { staleFrom = Infinity, drifting = false } = ref as ServedVersion
  return drifting || Date.now() >= staleFrom
}
