// The bytes of a package → a model that scores. Runs in the worker threads: the HTTP thread does not load
// TensorFlow.js.
import { unpackArchive } from '../../adapters/registry/archive.ts'
import type { BackendChoice } from '../../adapters/tfjs/backend.ts'
import { openModelPackage } from '../../adapters/tfjs/model-package.ts'
import type { OpenModel } from './identity.ts'

/**
 * Verifies the digest, the golden scores and the probes. Loads TensorFlow.js only if the model needs it.
 * @param where name of the package, for error messages
 * @throws Problem invalid-model-package, golden-scores-differ, sensitivity-differs or backend-unavailable
 */
export async function openPackage (where: string, bytes: Uint8Array, backend: BackendChoice): Promise<OpenModel> {
  return openModelPackage(where, await unpackArchive(where, bytes), backend)
}
