// What the trained architectures build with: seeded initialisers, the linear path beside a branch, and windows as
// sequences.
import { type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs'
import { z } from 'zod'
import { createRandom } from '../../core/random.ts'
import { fitSubspace } from '../../core/linear/subspace.ts'
import { type Backend } from '../../adapters/tfjs/backend.ts'
import { type WindowMatrix } from '../../core/series/window.ts'
import { subspaceOutput } from './linear.ts'

export type Initializer = ReturnType<Backend['tf']['initializers']['glorotUniform']>

/** An initialiser for each layer, by its name: the defaults of TensorFlow.js draw from an unseeded generator. */
export function seededInitializers ({ tf }: Backend, seed: string): (layer: string) => Initializer {
  const random = createRandom(seed)
  return (layer) => tf.initializers.glorotUniform({ seed: random.fork(layer).integer(2 ** 31) })
}

export const linearPathParameters = {
  /**
   * Whether the exact linear autoencoder lies beside the trained branch, which then learns what is left of the window.
   */
  linearPath: z.boolean().default(true),
  varianceShare: z.number().gt(0).lte(1).default(0.8),
}

interface LinearPath {
  readonly linearPath: boolean
  readonly varianceShare: number
}

/**
 * A model of the linear autoencoder and a branch on the same window, or of the branch alone.
 * @param branch gets the input, and the initialiser of its last layer: zeros beside the linear path, so that training
 * begins at the linear optimum
 */
export function withLinearPath (
  backend: Backend,
  name: string,
  windows: WindowMatrix,
  { linearPath, varianceShare }: LinearPath,
  branch: (input: SymbolicTensor, last: 'zeros' | undefined) => SymbolicTensor
): LayersModel {
  const { tf } = backend
  const inputs = tf.input({ shape: [windows.width], name: 'window' })
  if (!linearPath) return tf.model({ inputs, outputs: branch(inputs, undefined), name })
  const linear = subspaceOutput(backend, fitSubspace(windows, varianceShare), inputs)
  return tf.model({
    inputs,
    outputs: tf.layers.add({ name: 'sum' }).apply([linear, branch(inputs, 'zeros')]) as SymbolicTensor,
    name,
  })
}

/** Applies layers one after another. */
export function chain (
  input: SymbolicTensor,
  layers: ReadonlyArray<{ apply(input: SymbolicTensor): unknown }>
): SymbolicTensor {
  return layers.reduce((tensor, layer) => layer.apply(tensor) as SymbolicTensor, input)
}

/**
 * A sequence [count, length × channels] of pieces as a flat window [windowLength × channels]; what the pieces have in
 * excess is cut off.
 */
export function joinPieces (
  { tf }: Backend,
  pieces: SymbolicTensor,
  windowLength: number,
  channels: number
): SymbolicTensor {
  const [, count, size] = pieces.shape as [null, number, number]
  const length = count * size / channels
  const image = tf.layers.reshape({ name: 'observations', targetShape: [length, channels, 1] })
  const cut = length === windowLength
    ? []
    : [tf.layers.cropping2D({ name: 'cut', cropping: [[0, length - windowLength], [0, 0]] })]
  return chain(pieces, [image, ...cut, tf.layers.flatten({ name: 'flat' })])
}
