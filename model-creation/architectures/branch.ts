// Building blocks of the trained architectures: seeded initialisers, the linear path beside a branch, and windows as
// sequences.
import { type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs'
import { z } from 'zod'
import { createRandom } from '../../core/random.ts'
import { fitSubspace } from '../../core/linear/subspace.ts'
import { type Backend } from '../../adapters/tfjs/backend.ts'
import { type WindowMatrix } from '../../core/series/window.ts'
import { subspaceOutput } from './linear.ts'

export type Initializer = ReturnType<Backend['tf']['initializers']['glorotUniform']>

/** Makes an initialiser for each layer by its name: TensorFlow.js's defaults draw from an unseeded generator. */
export function seededInitializers ({ tf }: Backend, seed: string): (layer: string) => Initializer {
  const random = createRandom(seed)
  return (layer) => tf.initializers.glorotUniform({ seed: random.fork(layer).integer(2 ** 31) })
}

export const linearPathParameters = {
  /**
   * Whether the exact linear autoencoder runs beside the trained branch, which then learns only the residual.
   */
  linearPath: z.boolean().default(true),
  varianceShare: z.number().gt(0).lte(1).default(0.8),
}

interface LinearPath {
  readonly linearPath: boolean
  readonly varianceShare: number
}

/** Everything that a branch is built from. */
export interface BranchPlan<Options> {
  readonly backend: Backend
  readonly windows: WindowMatrix
  readonly options: Options
  /** The seeded initialiser of a layer. */
  readonly initializer: (layer: string) => Initializer
}

/**
 * Builds the layers of a branch.
 * @param last the initialiser of the last layer; undefined: a seeded one
 */
type Branch<Options> = (
  plan: BranchPlan<Options>,
  input: SymbolicTensor,
  last: 'zeros' | undefined
) => SymbolicTensor

/**
 * A model of the linear autoencoder and a branch on the same window, or of the branch alone. Beside the linear path,
 * the branch's last layer starts at zero: training begins at the linear optimum.
 */
export function withLinearPath<Options extends LinearPath> (
  name: string,
  plan: BranchPlan<Options>,
  branch: Branch<Options>
): LayersModel {
  const { backend, windows, options: { linearPath, varianceShare } } = plan
  const { tf } = backend
  const inputs = tf.input({ shape: [windows.width], name: 'window' })
  if (!linearPath) return tf.model({ inputs, outputs: branch(plan, inputs, undefined), name })
  const linear = subspaceOutput(backend, fitSubspace(windows, varianceShare), inputs)
  return tf.model({
    inputs,
    outputs: tf.layers.add({ name: 'sum' }).apply([linear, branch(plan, inputs, 'zeros')]) as SymbolicTensor,
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
 * Joins a sequence [count, length × channels] of pieces to a flat window [windowLength × channels], and cuts off the
 * excess.
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
