// Convolutions over time: strides shorten the window on the way to the code, channels unfold into time on the way back.
import { type SymbolicTensor } from '@tensorflow/tfjs'
import { z } from 'zod'
import { defineArchitecture } from './architecture.ts'
import {
  type BranchPlan,
  chain,
  type Initializer,
  joinPieces,
  linearPathParameters,
  seededInitializers,
  withLinearPath,
} from './branch.ts'
import { trainAutoencoder, trainingParameters } from './training.ts'

const parameters = z.strictObject({
  ...linearPathParameters,
  /** Filters of each convolution. */
  filters: z.number().int().positive().default(16),
  /** Observations that a filter sees. The encoder's convolutions have stride 2. */
  kernel: z.number().int().positive().default(5),
  /** Units of the innermost layer. */
  code: z.number().int().positive().default(8),
  ...trainingParameters({ noise: 0.2, learningRate: 1e-3, steps: 200 }),
})

type Parameters = z.output<typeof parameters>

export const convolutional = defineArchitecture({
  summary:
    'autoencoder of strided convolutions over time (ELU), beside the exact linear autoencoder unless linearPath is off',
  parameters,
  learn: async (windows, options, context) => {
    const { backend, seed } = context
    const initializer = seededInitializers(backend, `convolutional/${seed}`)
    const model = withLinearPath('convolutional', { backend, windows, options, initializer }, branch)
    return trainAutoencoder({ name: 'convolutional', model, windows, options, context })
  },
})

/** How a convolution differs from the others. */
interface Convolution {
  readonly filters: number
  readonly strides: number
  readonly activation: 'elu' | 'linear'
  readonly kernelInitializer?: Initializer | 'zeros' | undefined
}

/**
 * Uses neither pooling nor up-sampling. Where the decoder must grow, a convolution doubles the filters, and a reshape
 * lays them out in time.
 */
function branch (
  { backend, windows: { width, channels }, options: { filters, kernel, code }, initializer }: BranchPlan<Parameters>,
  input: SymbolicTensor,
  last: 'zeros' | undefined
): SymbolicTensor {
  const { tf } = backend
  const windowLength = width / channels
  const half = Math.ceil(windowLength / 2)
  const quarter = Math.ceil(half / 2)
  const convolution = (name: string, { kernelInitializer = initializer(name), ...options }: Convolution) =>
    tf.layers.conv1d({ name, ...options, kernelSize: kernel, padding: 'same', kernelInitializer })
  const dense = (name: string, units: number, activation: 'elu' | 'linear') =>
    tf.layers.dense({ name, units, activation, kernelInitializer: initializer(name) })
  const pieces = chain(input, [
    tf.layers.reshape({ name: 'sequence', targetShape: [windowLength, channels] }),
    convolution('halve', { filters, strides: 2, activation: 'elu' }),
    convolution('quarter', { filters, strides: 2, activation: 'elu' }),
    tf.layers.flatten({ name: 'features' }),
    dense('code', code, 'linear'),
    dense('decode', quarter * filters, 'elu'),
    tf.layers.reshape({ name: 'quarters', targetShape: [quarter, filters] }),
    convolution('double', { filters: 2 * filters, strides: 1, activation: 'elu' }),
    tf.layers.reshape({ name: 'halves', targetShape: [2 * quarter, filters] }),
    convolution('last', { filters: 2 * channels, strides: 1, activation: 'linear', kernelInitializer: last }),
  ])
  return joinPieces(backend, pieces, windowLength, channels)
}
