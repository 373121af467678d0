// The models that are served, by name. Knows no file and no tensor: packages come ready to score.
import { Problem } from '../core/errors.ts'
import type { Manifest } from '../core/manifest.ts'
import type { Autoencoder } from '../core/reconstruction-error.ts'

/** Name of the model that is fitted on the posted series itself. */
export const AD_HOC = 'ad-hoc'

/** What can be told of a model without its weights. */
export interface ModelIdentity {
  readonly manifest: Manifest
  readonly digest: string
  /** Largest relative difference of the golden scores on this machine's backend; 0 is bit for bit. */
  readonly goldenDifference: number
}

/** A model package as far as scoring needs it. */
export interface ServedModel extends ModelIdentity {
  /** One for each member of the detector. */
  readonly autoencoders: readonly Autoencoder[]
}

/** What computes, for GET /status. */
export interface BackendDescription {
  readonly name: string
  /** Version of TensorFlow.js. */
  readonly version: string
}

/** Empty and not ready until `open()` is called with verified models: identities on the thread that answers, whole ones where scores are made. */
export class ModelRegistry<Model extends ModelIdentity = ModelIdentity> {
  #models: ReadonlyMap<string, Model> | undefined
  #backend: BackendDescription | undefined

  /** Serves these models from now on. The caller has verified them: reading a package reproduces its golden scores. */
  open (models: Iterable<Model>, backend: BackendDescription): void {
    const byName = new Map<string, Model>()
    for (const model of models) {
      const { name, version } = model.manifest
      if (name === AD_HOC) throw new Problem('invalid-model-package', `No package may hold a model "${AD_HOC}": that is the one fitted on a posted series; rename it.`)
      const other = byName.get(name)
      if (other !== undefined) {
        throw new Problem('invalid-model-package', `Two packages hold the model "${name}" (versions ${other.manifest.version} and ${version}); keep one, or rename one.`)
      }
      byName.set(name, model)
    }
    this.#models = byName
    this.#backend = backend
  }

  get ready (): boolean {
    return this.#models !== undefined
  }

  get backend (): BackendDescription | undefined {
    return this.#backend
  }

  /** @throws Problem not-ready before open() */
  list (): Model[] {
    return [...this.#open().values()]
  }

  /** @throws Problem not-ready or unknown-model */
  get (name: string): Model {
    const models = this.#open()
    const model = models.get(name)
    if (model !== undefined) return model
    throw new Problem('unknown-model', `There is no model "${name}"; ${listOf('the served models are', [...models.keys()])}, and "${AD_HOC}" is fitted on the series itself.`,
      { items: [{ pointer: '/model', detail: 'not a served model', got: name, want: [...models.keys()] }], extensions: { models: [...models.keys()] } })
  }

  /**
   * The one model whose channels are exactly these, in any order.
   * @returns undefined where none is
   * @throws Problem not-ready, or model-required where several are
   */
  withChannels (channels: readonly string[]): Model | undefined {
    const models = this.list()
    const posted = new Set(channels)
    const matching = models.filter(({ manifest: { detector } }) =>
      detector.channels.length === posted.size && detector.channels.every((channel) => posted.has(channel)))
    if (matching.length <= 1) return matching[0]
    const names = matching.map(({ manifest }) => manifest.name)
    throw new Problem('model-required', `Several served models have exactly the posted channels; name one as "model": ${names.join(', ')}. "${AD_HOC}" fits one on the series itself.`, { extensions: { models: names } })
  }

  #open (): ReadonlyMap<string, Model> {
    if (this.#models !== undefined) return this.#models
    throw new Problem('not-ready', 'The models are still being loaded and verified; try again in a few seconds, or poll GET /readyz.')
  }
}

const listOf = (prefix: string, names: readonly string[]): string => names.length === 0 ? 'no model is served' : `${prefix} ${names.join(', ')}`
