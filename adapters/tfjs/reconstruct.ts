// A trained LayersModel as a Reconstruct function: batches, padding and disposal of tensors. Knows neither scaling nor
// scores.
import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import { Problem } from '../../core/errors.ts'
import type { Reconstruct } from '../../core/scoring/reconstruction-error.ts'
import type { Backend, BackendName } from './backend.ts'

/**
 * Windows per call. On native, the algorithm of a matrix product depends on the number of rows, and so would a window's
 * bits: every batch is padded to the same shape. WASM and plain JavaScript compute each row by itself
 * (docs/decisions/0006).
 */
const BATCHES: Record<BackendName, { size: number, padded: boolean }> = {
  native: { size: 256, padded: true },
  wasm: { size: 512, padded: false },
  cpu: { size: 128, padded: false },
}

interface ModelReconstruct extends Reconstruct {
  /** Frees the weights; do not call the function afterwards. */
  dispose (): void
}

/**
 * Makes the reconstruction function of a model with input and output [null, windowLength * channels].
 * Its argument and its result are [count, windowLength * channels], flattened. The function is synchronous. A row's
 * bits depend neither on the other rows nor on their number. No tensor is left behind.
 * @throws Problem `invalid-model-package` if the model is not flat, or its output is not as wide as its input.
 * @example
 * const reconstruct = toReconstruct(await loadBackend('auto'), model)
 * const reconstruction = reconstruct(windows, windows.length / width)
 */
export function toReconstruct ({ tf, name }: Backend, model: LayersModel): ModelReconstruct {
  const width = flatWidth(model)
  const { size, padded } = BATCHES[name]
  const predict = (rows: Float32Array): Float32Array => {
    const output = tf.tidy(() => model.predictOnBatch(tf.tensor2d(rows, [rows.length / width, width])) as Tensor)
    const values = output.dataSync<'float32'>()
    output.dispose()
    return values
  }
  const reconstruct = (windows: Float32Array, count: number): Float32Array => {
    if (windows.length !== count * width) {
      throw new Problem(
        'internal-error',
        `${count} windows of ${width} values were expected, but ${windows.length} values were given.`
      )
    }
    const result = new Float32Array(windows.length)
    for (let from = 0; from < count; from += size) {
      const rows = windows.subarray(from * width, Math.min(count, from + size) * width)
      const batch = padded && rows.length < size * width ? pad(rows, size * width) : rows
      result.set(predict(batch).subarray(0, rows.length), from * width)
    }
    return result
  }
  return Object.assign(reconstruct, { dispose: () => { model.dispose() } })
}

function pad (rows: Float32Array, length: number): Float32Array {
  const batch = new Float32Array(length)
  batch.set(rows)
  return batch
}

/** Values per window of a model [null, n] → [null, n]. */
function flatWidth (model: LayersModel): number {
  const [input, output] = [model.inputs, model.outputs].map((ends) => ends.length === 1 ? ends[0]!.shape : [])
  const width = input?.[1]
  if (input?.length !== 2 || output?.length !== 2 || typeof width !== 'number' || output[1] !== width) {
    const shapesOf = (ends: typeof model.inputs): string => JSON.stringify(ends.map(({ shape }) => shape))
    throw new Problem(
      'invalid-model-package',
      `The model maps ${shapesOf(model.inputs)} to ${shapesOf(model.outputs)}; ` +
        'it needs one input and one output of shape [null, windowLength * channels].'
    )
  }
  return width
}
