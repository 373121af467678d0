// The plain dense autoencoder: width → hidden → code → hidden → width, trained by gradient descent alone.
import { z } from 'zod'
import { defineArchitecture } from './architecture.ts'
import { chain, seededInitializers } from './branch.ts'
import { trainAutoencoder, trainingParameters } from './training.ts'

const parameters = z.strictObject({
  /** Units of the outer and the innermost layer. */
  hidden: z.number().int().positive().default(64),
  code: z.number().int().positive().default(8),
  ...trainingParameters({ noise: 0.1, learningRate: 2e-3, steps: 600 }),
})

export const dense = defineArchitecture({
  summary: 'dense autoencoder (ELU) on windows, trained by gradient descent',
  parameters,
  learn: async (windows, options, context) => {
    const { tf } = context.backend
    const initializer = seededInitializers(context.backend, `dense/${context.seed}`)
    const layer = (name: string, units: number, activation: 'elu' | 'linear'): ReturnType<typeof tf.layers.dense> =>
      tf.layers.dense({ name, units, activation, kernelInitializer: initializer(name) })
    const inputs = tf.input({ shape: [windows.width], name: 'window' })
    const outputs = chain(inputs, [
      layer('in', options.hidden, 'elu'),
      layer('code', options.code, 'linear'),
      layer('out', options.hidden, 'elu'),
      layer('last', windows.width, 'linear'),
    ])
    const model = tf.model({ inputs, outputs, name: 'dense' })
    return trainAutoencoder({ name: 'dense', model, windows, options, context })
  },
})
