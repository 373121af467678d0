// The linear autoencoder plus a trained non-linear branch whose last layer starts at zero: training begins at the
// linear optimum.
import { type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs'
import { z } from 'zod'
import { fitSubspace } from '../../core/linear/subspace.ts'
import { type Backend } from '../../adapters/tfjs/backend.ts'
import { type WindowMatrix } from '../../core/series/window.ts'
import { defineArchitecture } from './architecture.ts'
import { subspaceOutput } from './linear.ts'
import { trainAutoencoder, trainingParameters } from './training.ts'

const parameters = z.strictObject({
  varianceShare: z.number().gt(0).lte(1).default(0.8),
  /** Units of the outer and the innermost layer of a branch. */
  hidden: z.number().int().positive().default(32),
  code: z.number().int().positive().default(4),
  /** Branches of different seeds, averaged. */
  branches: z.number().int().positive().default(2),
  ...trainingParameters({ noise: 0.2, learningRate: 5e-4, steps: 600 }),
})

type Parameters = z.output<typeof parameters>

export const residual = defineArchitecture({
  summary: 'linear autoencoder plus dense branches (ELU) on the same window, averaged, trained from the linear optimum',
  parameters,
  learn: async (windows, options, context) => {
    const model = build(context.backend, windows, options, context.seed)
    return trainAutoencoder({ name: 'residual', model, windows, options, context })
  },
})

function build (
  backend: Backend,
  windows: WindowMatrix,
  { varianceShare, hidden, code, branches }: Parameters,
  seed: number
): LayersModel {
  const { tf } = backend
  const input = tf.input({ shape: [windows.width], name: 'window' })
  const linear = subspaceOutput(backend, fitSubspace(windows, varianceShare), input)
  const outputs = Array.from({ length: branches }, (_, b) => {
    const dense = (
      name: string,
      units: number,
      activation: 'elu' | 'linear',
      layerSeed: number | 'zeros'
    ): ReturnType<typeof tf.layers.dense> =>
      tf.layers.dense({
        name: `branch${b}_${name}`,
        units,
        activation,
        kernelInitializer: layerSeed === 'zeros'
          ? 'zeros'
          : tf.initializers.glorotUniform({ seed: seed + 101 * b + layerSeed }),
      })
    const chain = [
      dense('in', hidden, 'elu', 1),
      dense('code', code, 'linear', 2),
      dense('out', hidden, 'elu', 3),
      dense('last', windows.width, 'linear', 'zeros'),
    ]
    return chain.reduce((tensor, layer) => layer.apply(tensor) as SymbolicTensor, input)
  })
  const branch = outputs.length === 1
    ? outputs[0]!
    : tf.layers.average({ name: 'branches' }).apply(outputs) as SymbolicTensor
  return tf.model({
    inputs: input,
    outputs: tf.layers.add({ name: 'sum' }).apply([linear, branch]) as SymbolicTensor,
    name: 'residual',
  })
}
