// The masked linear autoencoder at its exact optimum: core/linear/masked.ts as one dense layer with a zero diagonal.
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import { fitMasked, LARGEST_MASKED_WIDTH } from '../../core/linear/masked.ts'
import { RIDGE } from '../../core/fitting/members.ts'
import { defineArchitecture } from './architecture.ts'
import { exactAutoencoder } from './linear.ts'

const parameters = z.strictObject({
  /** λ as a share of the mean variance of the windows' values. */
  ridge: z.number().positive().default(RIDGE),
})

export const masked = defineArchitecture({
  summary:
    'linear autoencoder on windows that reconstructs every value from all the others ' +
    '(exact solution under a zero diagonal)',
  parameters,
  learn: async (windows, { ridge }, { backend, onEpoch }) => {
    const { width } = windows
    if (width > LARGEST_MASKED_WIDTH) {
      throw new Problem(
        'invalid-settings',
        `Windows of ${width} values are too wide for the architecture masked, ` +
          `which takes at most ${LARGEST_MASKED_WIDTH}; choose a shorter train.windowLength, or linear.`
      )
    }
    const { tf } = backend
    const solution = fitMasked(windows, ridge)
    const input = tf.input({ shape: [width], name: 'window' })
    const layer = tf.layers.dense({ name: 'masked', units: width, trainable: false })
    const output = layer.apply(input) as ReturnType<typeof tf.input>
    tf.tidy(() => {
      layer.setWeights([
        tf.tensor2d(Float32Array.from(solution.weights), [width, width]),
        tf.tensor1d(Float32Array.from(solution.offset)),
      ])
    })
    return exactAutoencoder(backend, tf.model({ inputs: input, outputs: output, name: 'masked' }), windows, onEpoch)
  },
})
