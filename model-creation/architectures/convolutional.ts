// Convolutions over time: strides shorten the window on the way to the code, channels unfold into time on the way back.
import { type SymbolicTensor } from '@tensorflow/tfjs'
import { z } from 'zod'
import { type Backend } from '../../adapters/tfjs/backend.ts'
import { type WindowMatrix } from '../../core/series/window.ts'
import { defineArchitecture } from './architecture.ts'
import {
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
  /** Observations that a filter sees, of which every convolution of the encoder skips every second one. */
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
    const model = withLinearPath(
      backend,
      'convolutional',
      windows,
      options,
      (input, last) => branch(backend, windows, options, initializer, input, last)
    )
    return trainAutoencoder('convolutional', model, windows, options, context)
  },
})

/**
 * No pooling and no up-sampling: where the decoder must grow, a convolution gives twice the filters and a reshape lays
 * them out in time.
 */
function branch (backend: Backend, { width, channels }: WindowMatrix, { filters, kernel, code }: Parameters,
  initializer: (layer: string) => Initializer, input: SymbolicTensor, last: 'zeros' | undefined): SymbolicTensor {
  const { tf } = backend
  const windowLength = width / channels
  const half = Math.ceil(windowLength / 2)
  const quarter = Math.ceil(half / 2)
  const convolution = (
    name: string,
    outputs: number,
    strides: number,
    activation: 'elu' | 'linear',
    kernelInitializer: Initializer | 'zeros' = initializer(name)
  ) =>
    tf.layers.conv1d({
      name,
      filters: outputs,
      kernelSize: kernel,
      strides,
      padding: 'same',
      activation,
      kernelInitializer,
    })
  const dense = (name: string, units: number, activation: 'elu' | 'linear') =>
    tf.layers.dense({ name, units, activation, kernelInitializer: initializer(name) })
  const pieces = chain(input, [
    tf.layers.reshape({ name: 'sequence', targetShape: [windowLength, channels] }),
    convolution('halve', filters, 2, 'elu'),
    convolution('quarter', filters, 2, 'elu'),
    tf.layers.flatten({ name: 'features' }),
    dense('code', code, 'linear'),
    dense('decode', quarter * filters, 'elu'),
    tf.layers.reshape({ name: 'quarters', targetShape: [quarter, filters] }),
    convolution('double', 2 * filters, 1, 'elu'),
    tf.layers.reshape({ name: 'halves', targetShape: [2 * quarter, filters] }),
    convolution('last', 2 * channels, 1, 'linear', last),
  ])
  return joinPieces(backend, pieces, windowLength, channels)
}
