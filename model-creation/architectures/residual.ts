// The linear autoencoder plus a trained non-linear branch whose last layer starts at zero: training begins at the linear optimum.
import { type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs'
import { z } from 'zod'
import { createRandom, type Random, shuffle } from '../../core/random.ts'
import { fitSubspace } from '../../core/subspace.ts'
import { type Backend } from '../../core/tfjs/backend.ts'
import { type WindowMatrix } from '../../core/window.ts'
import { defineArchitecture, type Epoch, layersAutoencoder, type LearningContext } from './architecture.ts'
import { subspaceOutput } from './linear.ts'

const parameters = z.strictObject({
  varianceShare: z.number().gt(0).lte(1).default(0.8),
  /** Units of the outer and the innermost layer of a branch. */
  hidden: z.number().int().positive().default(32),
  code: z.number().int().positive().default(4),
  /** Branches of different seeds, averaged. */
  branches: z.number().int().positive().default(2),
  /** Standard deviation of the noise added to the training input (denoising), in standardised units. */
  noise: z.number().nonnegative().default(0.2),
  learningRate: z.number().positive().default(5e-4),
  batch: z.number().int().positive().default(64),
  /** Optimiser steps; an epoch is as many as the windows fill batches. */
  steps: z.number().int().positive().default(600),
})

type Parameters = z.output<typeof parameters>

export const residual = defineArchitecture({
  summary: 'linear autoencoder plus dense branches (ELU) on the same window, averaged, trained from the linear optimum',
  parameters,
  learn: async (windows, options, context) => {
    const model = build(context.backend, windows, options, context.seed)
    const optimizer = context.backend.tf.train.adam(options.learningRate)
    model.compile({ optimizer, loss: 'meanSquaredError' })
    try {
      return layersAutoencoder(context.backend, model, await train(model, windows, options, context))
    } catch (error) {
      model.dispose()
      throw error
    } finally {
      // Its moments are as large as the weights, and the model does not own them.
      optimizer.dispose()
    }
  },
})

function build (backend: Backend, windows: WindowMatrix, { varianceShare, hidden, code, branches }: Parameters, seed: number): LayersModel {
  const { tf } = backend
  const input = tf.input({ shape: [windows.width], name: 'window' })
  const linear = subspaceOutput(backend, fitSubspace(windows, varianceShare), input)
  const outputs = Array.from({ length: branches }, (_, b) => {
    const dense = (name: string, units: number, activation: 'elu' | 'linear', layerSeed: number | 'zeros'): ReturnType<typeof tf.layers.dense> =>
      tf.layers.dense({
        name: `branch${b}_${name}`,
        units,
        activation,
        kernelInitializer: layerSeed === 'zeros' ? 'zeros' : tf.initializers.glorotUniform({ seed: seed + 101 * b + layerSeed }),
      })
    const chain = [dense('in', hidden, 'elu', 1), dense('code', code, 'linear', 2), dense('out', hidden, 'elu', 3), dense('last', windows.width, 'linear', 'zeros')]
    return chain.reduce((tensor, layer) => layer.apply(tensor) as SymbolicTensor, input)
  })
  const branch = outputs.length === 1 ? outputs[0]! : tf.layers.average({ name: 'branches' }).apply(outputs) as SymbolicTensor
  return tf.model({ inputs: input, outputs: tf.layers.add({ name: 'sum' }).apply([linear, branch]) as SymbolicTensor, name: 'residual' })
}

/** Own seeded batches: fit({ shuffle: true }) of TensorFlow.js draws from Math.random. */
async function train (model: LayersModel, windows: WindowMatrix, options: Parameters, { backend, seed, onEpoch }: LearningContext): Promise<Epoch[]> {
  const random = createRandom(`residual/${seed}`)
  const perEpoch = Math.max(1, Math.ceil(windows.count / options.batch))
  const epochs = Math.ceil(options.steps / perEpoch)
  const order = Uint32Array.from({ length: windows.count }, (_, i) => i)
  const history: Epoch[] = []
  for (let epoch = 1; epoch <= epochs; epoch++) {
    shuffle(order, random)
    const steps = Math.min(perEpoch, options.steps - (epoch - 1) * perEpoch)
    let loss = 0
    for (let step = 0; step < steps; step++) {
      const rows = order.subarray(step * options.batch, (step + 1) * options.batch)
      loss += await trainStep(backend, model, windows, rows, options.noise, random)
    }
    history.push({ epoch, loss: loss / steps })
    onEpoch(history.at(-1)!, epochs)
  }
  return history
}

async function trainStep ({ tf }: Backend, model: LayersModel, { values, width }: WindowMatrix, rows: Uint32Array, noise: number, random: Random): Promise<number> {
  const target = new Float32Array(rows.length * width)
  rows.forEach((row, i) => { target.set(values.subarray(row * width, (row + 1) * width), i * width) })
  const noisy = target.map((value) => value + noise * random.normal())
  const x = tf.tensor2d(noisy, [rows.length, width])
  const y = tf.tensor2d(target, [rows.length, width])
  try {
    return await model.trainOnBatch(x, y) as number
  } finally {
    x.dispose()
    y.dispose()
  }
}
