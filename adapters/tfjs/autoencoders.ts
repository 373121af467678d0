// Saved models as members of a detector. The kernel runs those that were solved exactly, TensorFlow.js runs the others.
import type { LayersModel } from '@tensorflow/tfjs'
import type { DetectorModel } from '../../core/detector/model.ts'
import type { Autoencoder, Reconstruct } from '../../core/scoring/reconstruction-error.ts'
import { type Backend, type BackendChoice, loadBackend } from './backend.ts'
import { linearLayers } from './linear-layers.ts'
import { measureOf } from './measures.ts'
import { toReconstruct } from './reconstruct.ts'
import { loadLayersModel, memberFiles, named, type SavedModel } from './saved-models.ts'

/** The engines that can run autoencoders. */
interface Engines {
  /** Whether the kernel runs the exactly solved ones (adapters/tfjs/linear-layers.ts). */
  readonly kernel: boolean
  /** Loads TensorFlow.js for the others. */
  readonly backend: () => Promise<Backend>
}

interface LoadedAutoencoders {
  readonly autoencoders: readonly Autoencoder[]
  /** The engine of each of them: `kernel`, or a backend of TensorFlow.js. */
  readonly engines: readonly string[]
  /** Frees the weights. */
  dispose (): void
}

/** `auto` uses the kernel where it can and the fastest backend for the rest; a named backend runs all autoencoders. */
export function enginesOf (choice: BackendChoice): Engines {
  return { kernel: choice === 'auto', backend: async () => loadBackend(choice) }
}

/**
 * Loads the members' saved models as autoencoders.
 * @throws Error if a model is not flat, or not as wide as its member's windows
 */
export async function loadAutoencoders (
  engines: Engines,
  models: readonly SavedModel[],
  { members, channels }: Pick<DetectorModel, 'members' | 'channels'>
): Promise<LoadedAutoencoders> {
  const loaded: LayersModel[] = []
  const dispose = (): void => { for (const model of loaded) model.dispose() }
  const load = async (saved: SavedModel, windowLength: number): Promise<[string, Autoencoder]> => {
    const measure = measureOf(saved, windowLength, channels.length)
    if (measure !== undefined) return ['kernel', measure]
    const linear = engines.kernel ? linearLayers(saved, windowLength * channels.length, channels.length) : undefined
    if (linear !== undefined) return ['kernel', linear]
    const backend = await engines.backend()
    const model = await loadLayersModel(backend, saved)
    loaded.push(model)
    return [backend.name, { reconstruct: flatReconstruct(backend, model, windowLength, channels.length) }]
  }
  try {
    const all: Array<[string, Autoencoder]> = []
    for (const [m, { model: name }] of memberFiles(models.length).entries()) {
      all.push(await named(name, load(models[m]!, members[m]!.windowLength)))
    }
    return { autoencoders: all.map(([, autoencoder]) => autoencoder), engines: all.map(([engine]) => engine), dispose }
  } catch (error) {
    dispose()
    throw error
  }
}

function flatReconstruct (backend: Backend, model: LayersModel, windowLength: number, channels: number): Reconstruct {
  const reconstruct = toReconstruct(backend, model)
  const width = model.inputs[0]?.shape[1]
  if (width !== windowLength * channels) {
    throw new Error(`its windows hold ${width} values, those of manifest.json ${windowLength} × ${channels}`)
  }
  return reconstruct
}
