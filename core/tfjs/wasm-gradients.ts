// What TensorFlow.js 4.22 lacks to train convolutions on WASM: the gradient of a convolution by its filter.
import { type KernelConfig, type NamedAttrMap, type NamedTensorInfoMap, type TensorInfo } from '@tensorflow/tfjs'
import type * as tensorflow from '@tensorflow/tfjs'

type Tensorflow = typeof tensorflow

/** What a kernel needs of the WASM backend: tensors are views of its memory. */
interface Memory {
  typedArrayFromHeap (tensor: TensorInfo): Float32Array
  makeOutput (shape: readonly number[], type: 'float32'): TensorInfo
}

interface Attributes {
  readonly strides: number | [number, number]
  readonly pad: 'valid' | 'same' | number
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
  readonly filterShape: [number, number, number, number]
  readonly dataFormat: string
}

type Convolution = ReturnType<Tensorflow['backend_util']['computeConv2DInfo']>

const KERNEL = 'Conv2DBackpropFilter'

/**
 * Registers the kernel where it is missing. Sums are taken in 64 bits and in one order, so every machine finds the same bits.
 * Images are [batch, height, width, channels]; TensorFlow.js itself refuses gradients of dilated convolutions.
 */
export function repairWasmGradients (tf: Tensorflow): void {
  if (tf.getKernel(KERNEL, 'wasm') !== undefined) return
  const kernelFunc = ({ inputs, backend, attrs }: { inputs: NamedTensorInfoMap, backend: object, attrs?: NamedAttrMap }): TensorInfo => {
    const { x, dy } = inputs as { x: TensorInfo, dy: TensorInfo }
    const { strides, pad, dimRoundingMode, filterShape, dataFormat } = attrs as unknown as Attributes
    if (dataFormat !== 'NHWC') throw new Error(`${KERNEL} on WASM: dataFormat must be NHWC, not ${dataFormat}.`)
    const convolution = tf.backend_util.computeConv2DInfo(x.shape as [number, number, number, number], filterShape, strides, 1, pad, dimRoundingMode)
    const memory = backend as unknown as Memory
    const output = memory.makeOutput(filterShape, 'float32')
    // Views are taken after the last allocation: memory that grows detaches older ones.
    memory.typedArrayFromHeap(output).set(filterGradient(convolution, memory.typedArrayFromHeap(x), memory.typedArrayFromHeap(dy)))
    return output
  }
  tf.registerKernel({ kernelName: KERNEL, backendName: 'wasm', kernelFunc } as KernelConfig)
}

/** dL/dF[fy, fx, c, o]: the sum over images and output places of the input that the filter's cell met there, times dL/dy. */
function filterGradient (convolution: Convolution, x: Float32Array, dy: Float32Array): Float64Array {
  const { batchSize, outHeight, outWidth, filterHeight, filterWidth, inHeight, inWidth, inChannels, outChannels, strideHeight, strideWidth, padInfo } = convolution
  const gradient = new Float64Array(filterHeight * filterWidth * inChannels * outChannels)
  for (let place = 0; place < batchSize * outHeight * outWidth; place++) {
    const left = (place % outWidth) * strideWidth - padInfo.left
    const line = Math.floor(place / outWidth)
    const top = (line % outHeight) * strideHeight - padInfo.top
    const image = Math.floor(line / outHeight) * inHeight
    const derivative = dy.subarray(place * outChannels, (place + 1) * outChannels)
    for (let fy = Math.max(0, -top); fy < Math.min(filterHeight, inHeight - top); fy++) {
      for (let fx = Math.max(0, -left); fx < Math.min(filterWidth, inWidth - left); fx++) {
        const from = ((image + top + fy) * inWidth + left + fx) * inChannels
        addProduct(gradient, (fy * filterWidth + fx) * inChannels * outChannels, x, from, inChannels, derivative)
      }
    }
  }
  return gradient
}

/** Adds the outer product of one input place and the derivatives. */
function addProduct (gradient: Float64Array, at: number, x: Float32Array, from: number, channels: number, derivative: Float32Array): void {
  const outChannels = derivative.length
  for (let c = 0; c < channels; c++) {
    const value = x[from + c]!
    const row = at + c * outChannels
    for (let o = 0; o < outChannels; o++) gradient[row + o]! += value * derivative[o]!
  }
}
