// What a model is to the service: its identity on the thread that answers, the whole of it where scores are made.
import type { Manifest } from '../../core/package/manifest.ts'
import type { Autoencoder } from '../../core/scoring/reconstruction-error.ts'

/** Name of the model that is fitted on the posted series itself. */
export const AD_HOC = 'ad-hoc'

/** What can be told of a model without its weights. */
export interface ModelIdentity {
  readonly manifest: Manifest
  /** Its number in the registry; of a package without one, what its manifest says. */
  readonly version: string
  readonly digest: string
  /** Largest relative difference of the golden scores on this machine's backend; 0 is bit for bit. */
  readonly goldenDifference: number
}

/** A model package as far as scoring needs it. */
export interface OpenModel extends Omit<ModelIdentity, 'version'> {
  /** One for each member of the detector. */
  readonly autoencoders: readonly Autoencoder[]
  /** What runs each of them: `kernel`, or a backend of TensorFlow.js. */
  readonly engines: readonly string[]
  dispose (): void
}

/** What computes, for GET /status. */
export interface BackendDescription {
  readonly name: string
  /** Version of TensorFlow.js. */
  readonly version: string
}
