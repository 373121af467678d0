// The contract of an architecture: a summary, a schema of parameters, and a function that learns an autoencoder from
// windows.
import { type LayersModel } from '@tensorflow/tfjs'
import { z } from 'zod'
import { type Learn } from '../../core/fitting/fit.ts'
import { type Autoencoder, type Reconstruction } from '../../core/scoring/reconstruction-error.ts'
import { type Backend } from '../../adapters/tfjs/backend.ts'
import { toReconstruct } from '../../adapters/tfjs/reconstruct.ts'
import { type SavedModel, saveLayersModel } from '../../adapters/tfjs/saved-models.ts'
import { type WindowMatrix } from '../../core/series/window.ts'

/** One point of a learning curve. */
export interface Epoch {
  readonly epoch: number
  /**
   * Mean squared error on the training windows, in standardised units; with the noise that the architecture adds, if
   * any.
   */
  readonly loss: number
}

/** A fitted member that a package can hold. */
export type TrainedMember = Autoencoder & {
  readonly history: readonly Epoch[]
  save (): Promise<SavedModel>
  dispose (): void
}

/** An autoencoder as a LayersModel: input and output of shape [windows, windowLength × channels]. */
export type LayersAutoencoder = Reconstruction & TrainedMember & { readonly layers: LayersModel }

export interface LearningContext {
  readonly backend: Backend
  /** Seeds all randomness of the training. */
  readonly seed: number
  readonly onEpoch: (epoch: Epoch, epochs: number) => void
}

/** One architecture: each has its own file in this folder. */
interface Definition<P extends z.ZodType> {
  /** One sentence for the model card. */
  readonly summary: string
  /** With a default for every parameter. */
  readonly parameters: P
  learn (windows: WindowMatrix, parameters: z.output<P>, context: LearningContext): Promise<LayersAutoencoder>
}

/** The pipeline's view of an architecture: the same type for all parameters. */
export interface Architecture {
  readonly summary: string
  /** Schema of its section in params.yaml; absent parameters get their defaults. */
  readonly parameters: z.ZodType<Record<string, unknown>, Record<string, unknown> | undefined>
  /** The learner for core/fitting/fit.ts. */
  learner (parameters: Record<string, unknown>, context: LearningContext): Learn<LayersAutoencoder>
}

export function defineArchitecture<P extends z.ZodType<Record<string, unknown>>> (
  { summary, parameters, learn }: Definition<P>
): Architecture {
  return {
    summary,
    parameters: z.record(z.string(), z.unknown()).default({}).pipe(z.preprocess((value) => value, parameters)),
    learner: (given, context) => {
      const checked = parameters.parse(given)
      return async (windows) => learn(windows, checked, context)
    },
  }
}

/** Makes an autoencoder from a LayersModel. */
export function layersAutoencoder (
  backend: Backend,
  layers: LayersModel,
  history: readonly Epoch[]
): LayersAutoencoder {
  return {
    layers,
    history,
    reconstruct: toReconstruct(backend, layers),
    save: async () => saveLayersModel(backend, layers),
    dispose: () => {
      layers.dispose()
    },
  }
}

/** Mean squared error of an autoencoder over windows. */
export function meanSquaredError ({ reconstruct }: Reconstruction, { values, count }: WindowMatrix): number {
  const reconstructions = reconstruct(values, count)
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += (values[i]! - reconstructions[i]!) ** 2
  return sum / values.length
}
