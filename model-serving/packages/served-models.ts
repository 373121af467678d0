// The models that are served now. They change all at once, so that no reader sees a partial change.
import type { Scoring } from '../../core/scoring/detection.ts'
import { Problem } from '../../core/errors.ts'
import {
  type Catalogue,
  type CatalogueModel,
  resolve,
  type ServedVersion,
  unknownModel,
  type VersionRef,
} from './catalogue.ts'
import { AD_HOC, type BackendDescription, type ModelIdentity } from './identity.ts'

const SCORINGS: readonly Scoring[] = ['batch', 'causal']

/** A model with its proved versions. */
export interface ServedModel {
  readonly name: string
  readonly live?: ModelIdentity | undefined
  readonly shadow?: ModelIdentity | undefined
  /** In the order of their numbers; at least the live and the shadow version. */
  readonly versions: readonly PublishedVersion[]
}

export interface PublishedVersion extends VersionRef {
  /** In milliseconds since 1970; undefined if unknown. */
  readonly publishedAt?: number | undefined
}

type Named = Pick<ServedModel, 'name'> & { readonly live?: { readonly version: string } | undefined }

/**
 * @param others models that are already served
 * @throws Problem invalid-model-package if the name is reserved or taken
 */
export function checkName ({ name, live }: Named, others: readonly Named[]): void {
  if (name === AD_HOC) {
    throw new Problem(
      'invalid-model-package',
      `The name "${AD_HOC}" is reserved for the model that is fitted on a posted series; rename the model.`
    )
  }
  const other = others.find((one) => one.name === name)
  if (other !== undefined) {
    throw new Problem(
      'invalid-model-package',
      `Two packages contain the model "${name}" (versions ${other.live?.version} and ${live?.version}); keep one, or ` +
        'rename one.'
    )
  }
}

/** Empty and not ready until `open()` is called. */
export class ServedModels {
  readonly #maxAgeMs: number | undefined
  /** Each entry is a digest and a scoring. */
  readonly #drifting = new Set<string>()
  #models: ReadonlyMap<string, ServedModel> | undefined
  #backend: BackendDescription | undefined
  #catalogue: Catalogue = []

  /** @param maxAgeMs age from which the answers of a version are stale; undefined: never */
  constructor ({ maxAgeMs }: { readonly maxAgeMs?: number | undefined } = {}) {
    this.#maxAgeMs = maxAgeMs
  }

  /**
   * Serves only these models from now on. The caller has opened and proved their packages.
   * @throws Problem invalid-model-package if two models have the same name
   */
  open (models: readonly ServedModel[], backend: BackendDescription): void {
    models.forEach((model, i) => { checkName(model, models.slice(0, i)) })
    this.#models = new Map(models.map((model) => [model.name, model]))
    this.#backend = backend
    this.#describe()
  }

  get ready (): boolean {
    return this.#models !== undefined
  }

  get backend (): BackendDescription | undefined {
    return this.#backend
  }

  /** For the worker threads. A new object after every change. */
  get catalogue (): Catalogue {
    return this.#catalogue
  }

  /** @throws Problem not-ready before open() */
  list (): ServedModel[] {
    return [...this.#open().values()]
  }

  /** @throws Problem not-ready, unknown-model */
  model (name: string): ServedModel {
    const model = this.#open().get(name)
    if (model !== undefined) return model
    throw unknownModel(this.#catalogue, name)
  }

  /**
   * The proved version that a reference stands for.
   * @throws Problem not-ready, unknown-model; unknown-version also if the version is neither live nor a shadow
   */
  get (reference: string): ModelIdentity {
    this.#open()
    const found = resolve(this.#catalogue, reference)
    const { live, shadow } = this.model(found.name)
    const identity = [live, shadow].find((one) => one?.version === found.version)
    if (identity !== undefined) return identity
    throw new Problem(
      'unknown-version',
      `Version ${found.version} of "${found.name}" is published, but it is neither live nor a shadow; only those ` +
        'versions have a description here.'
    )
  }

  /**
   * Sets whether the scores of a version have drifted from those it was calibrated on.
   * @returns whether this is a change
   */
  setDrifting (digest: string, scoring: Scoring, isDrifting: boolean): boolean {
    const key = `${digest} ${scoring}`
    if (this.#drifting.has(key) === isDrifting) return false
    if (isDrifting) this.#drifting.add(key)
    else this.#drifting.delete(key)
    this.#describe()
    return true
  }

  #describe (): void {
    this.#catalogue = [...this.#models?.values() ?? []].map(({ name, live, shadow, versions }): CatalogueModel => {
      const served = (identity: ModelIdentity | undefined): ServedVersion | undefined => identity === undefined
        ? undefined
        : {
            name,
            version: identity.version,
            digest: identity.digest,
            channels: identity.manifest.detector.channels,
            staleFrom: this.#staleFrom(versions.find(({ digest }) => digest === identity.digest)),
            drifting: SCORINGS.some((scoring) => this.#drifting.has(`${identity.digest} ${scoring}`)),
          }
      return {
        name,
        live: served(live),
        shadow: served(shadow),
        versions: versions.map(({ version, digest }) => ({ name, version, digest })),
      }
    })
  }

  #staleFrom (version: PublishedVersion | undefined): number | undefined {
    if (this.#maxAgeMs === undefined || version?.publishedAt === undefined) return undefined
    return version.publishedAt + this.#maxAgeMs
  }

  #open (): ReadonlyMap<string, ServedModel> {
    if (this.#models !== undefined) return this.#models
    throw new Problem(
      'not-ready',
      'The models are still being loaded and verified; try again in a few seconds, or poll GET /readyz.'
    )
  }
}
