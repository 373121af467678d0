// Gated recurrent units over time: the encoder's last state is the code, and a second recurrence unfolds it to the
// window.
import { type SymbolicTensor } from '@tensorflow/tfjs'
import { z } from 'zod'
import { defineArchitecture } from './architecture.ts'
import {
  type BranchPlan,
  chain,
  joinPieces,
  linearPathParameters,
  seededInitializers,
  withLinearPath,
} from './branch.ts'
import { trainAutoencoder, trainingParameters } from './training.ts'

/** Each step of a recurrence runs a few small operations; their overhead dominates the training time. */
const MOST_STEPS = 8

const parameters = z.strictObject({
  ...linearPathParameters,
  /** Units of encoder and decoder; the code has as many. */
  units: z.number().int().positive().default(16),
  /** Observations per step; auto: as few as keep a window within 8 steps. */
  piece: z.literal('auto').or(z.number().int().positive()).default('auto'),
  ...trainingParameters({ noise: 0.2, learningRate: 2e-3, steps: 150 }),
})

type Parameters = z.output<typeof parameters>

export const recurrent = defineArchitecture({
  summary: 'recurrent autoencoder (GRU) over time, beside the exact linear autoencoder unless linearPath is off',
  parameters,
  learn: async (windows, options, context) => {
    const { backend, seed } = context
    const initializer = seededInitializers(backend, `recurrent/${seed}`)
    const model = withLinearPath('recurrent', { backend, windows, options, initializer }, branch)
    return trainAutoencoder({ name: 'recurrent', model, windows, options, context })
  },
})

function branch (
  { backend, windows: { width, channels }, options: { units, piece }, initializer }: BranchPlan<Parameters>,
  input: SymbolicTensor,
  last: 'zeros' | undefined
): SymbolicTensor {
  const { tf } = backend
  const windowLength = width / channels
  // TensorFlow.js cannot differentiate a sequence of one step. A single observation is therefore repeated, and longer
  // windows have at least two pieces.
  const length = Math.max(2, windowLength)
  const size = Math.min(piece === 'auto' ? Math.ceil(length / MOST_STEPS) : piece, Math.ceil(length / 2))
  const recurrence = (name: string, returnSequences: boolean) => tf.layers.gru({
    name,
    units,
    returnSequences,
    recurrentActivation: 'sigmoid',
    kernelInitializer: initializer(name),
    recurrentInitializer: initializer(`${name}_recurrent`),
  })
  const pieces = chain(input, [
    windowLength === 1
      ? tf.layers.repeatVector({ name: 'sequence', n: length })
      : tf.layers.reshape({ name: 'sequence', targetShape: [length, channels] }),
    tf.layers.conv1d({
      name: 'read',
      filters: units,
      kernelSize: size,
      strides: size,
      padding: 'same',
      kernelInitializer: initializer('read'),
    }),
    recurrence('encode', false),
    tf.layers.repeatVector({ name: 'code', n: Math.ceil(length / size) }),
    recurrence('decode', true),
    tf.layers.dense({ name: 'last', units: size * channels, kernelInitializer: last ?? initializer('last') }),
  ])
  return joinPieces(backend, pieces, windowLength, channels)
}
