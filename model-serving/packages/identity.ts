// A model in the service: its identity on the HTTP thread, and the open model on the worker threads.
import type { Manifest } from '../../core/package/manifest.ts'
import type { Autoencoder } from '../../core/scoring/reconstruction-error.ts'

/** Name of the model that is fitted on the posted series itself. */
export const AD_HOC = 'ad-hoc'

/** Everything about a model except its weights. */
export interface ModelIdentity {
  readonly manifest: Manifest
  /** Its number in the registry. Without a registry, the version in the manifest. */
  readonly version: string
  readonly digest: string
  /** Largest relative difference of the golden scores on this machine's backend. 0: they are equal bit for bit. */
  readonly goldenDifference: number
}

/** An open model package. */
export interface OpenModel extends Omit<ModelIdentity, 'version'> {
  /** One per member of the detector. */
  readonly autoencoders: readonly Autoencoder[]
  /** Engine of each member: `kernel`, or a backend of TensorFlow.js. */
  readonly engines: readonly string[]
  dispose (): void
}

/** The backend, for GET /status. */
export interface BackendDescription {
  readonly name: string
  /** Version of TensorFlow.js. */
  readonly version: string
}
