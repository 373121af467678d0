// The bytes of a package → a model that scores. Runs in the worker threads: the one that answers loads no
// TensorFlow.js.
import { unpackArchive } from '../../adapters/registry/archive.ts'
import type { BackendChoice } from '../../adapters/tfjs/backend.ts'
import { openModelPackage } from '../../adapters/tfjs/model-package.ts'
import type { OpenModel } from './identity.ts'

/**
 * Proves digest and golden scores; loads TensorFlow.js where the model needs it.
 * @param where what the bytes are, for the sentences of errors
 * @throws Problem invalid-model-package, golden-scores-differ or backend-unavailable
 */
export async function openPackage (where: string, bytes: Uint8Array, backend: BackendChoice): Promise<OpenModel> {
  return openModelPackage(where, await unpackArchive(where, bytes), backend)
}
