// The linear window autoencoder at its exact optimum: core/linear/subspace.ts as two dense layers. Solved, not trained.
import { type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs'
import { z } from 'zod'
import { VARIANCE_SHARE } from '../../core/fitting/members.ts'
import { fitSubspace, type Subspace } from '../../core/linear/subspace.ts'
import { type Backend } from '../../adapters/tfjs/backend.ts'
import { type WindowMatrix } from '../../core/series/window.ts'
import {
  defineArchitecture,
  type LayersAutoencoder,
  layersAutoencoder,
  type LearningContext,
  meanSquaredError,
} from './architecture.ts'

const parameters = z.strictObject({
  varianceShare: z.number().gt(0).lte(1).default(VARIANCE_SHARE),
})

export const linear = defineArchitecture({
  summary:
    'linear autoencoder on windows, encoder and decoder spanning the principal subspace of the training windows ' +
    '(exact solution)',
  parameters,
  learn: async (windows, { varianceShare }, { backend, onEpoch }) => {
    const { tf } = backend
    const input = tf.input({ shape: [windows.width], name: 'window' })
    const layers = tf.model({
      inputs: input,
      outputs: subspaceOutput(backend, fitSubspace(windows, varianceShare), input),
      name: 'linear',
    })
    return exactAutoencoder(backend, layers, windows, onEpoch)
  },
})

/** Makes an autoencoder that was solved, not trained: its learning curve has one point. */
export function exactAutoencoder (
  backend: Backend,
  layers: LayersModel,
  windows: WindowMatrix,
  onEpoch: LearningContext['onEpoch']
): LayersAutoencoder {
  const autoencoder = layersAutoencoder(backend, layers, [])
  const history = [{ epoch: 1, loss: meanSquaredError(autoencoder, windows) }]
  onEpoch(history[0]!, 1)
  return { ...autoencoder, history }
}

/**
 * Applies two dense layers, not trainable, that compute Vᵀ(x − m) and m + Vz. A dense layer needs a unit: a subspace
 * without directions gets a single zero direction.
 */
export function subspaceOutput (
  { tf }: Backend,
  { mean, directions, components, width }: Subspace,
  input: SymbolicTensor
): SymbolicTensor {
  const units = Math.max(1, components)
  const decode = new Float32Array(units * width)
  decode.set(directions)
  const encode = new Float32Array(width * units)
  const offset = new Float32Array(units)
  for (let k = 0; k < components; k++) {
    let shift = 0
    for (let j = 0; j < width; j++) {
      encode[j * units + k] = decode[k * width + j]!
      shift -= decode[k * width + j]! * mean[j]!
    }
    offset[k] = shift
  }
  const dense = (name: string, inputs: number, units: number): ReturnType<typeof tf.layers.dense> =>
    tf.layers.dense({ name, inputShape: [inputs], units, trainable: false })
  const [encoder, decoder] = [dense('linear_encoder', width, units), dense('linear_decoder', units, width)]
  const output = decoder.apply(encoder.apply(input)) as SymbolicTensor
  tf.tidy(() => {
    encoder.setWeights([tf.tensor2d(encode, [width, units]), tf.tensor1d(offset)])
    decoder.setWeights([tf.tensor2d(decode, [units, width]), tf.tensor1d(Float32Array.from(mean))])
  })
  return output
}
