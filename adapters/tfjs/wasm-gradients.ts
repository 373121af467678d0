// The gradient of a convolution by its filter: without it, TensorFlow.js 4.22 cannot train convolutions on WASM.
import type * as tensorflow from '@tensorflow/tfjs'

type Tensorflow = typeof tensorflow
type TensorInfo = tensorflow.TensorInfo
type Convolution = ReturnType<Tensorflow['backend_util']['computeConv2DInfo']>

/** The part of the WASM backend that a kernel uses: tensors are views of its memory. */
interface Memory {
  typedArrayFromHeap (tensor: TensorInfo): Float32Array
  makeOutput (shape: readonly number[], type: 'float32'): TensorInfo
  disposeData (dataId: object): void
}

interface Call {
  readonly inputs: { readonly x: TensorInfo, readonly dy: TensorInfo }
  readonly backend: Memory
  readonly attrs: {
    readonly strides: number | [number, number]
    readonly pad: 'valid' | 'same' | number
    readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
    readonly filterShape: [number, number, number, number]
    readonly dataFormat: string
  }
}

const KERNEL = 'Conv2DBackpropFilter'

/**
 * Registers the kernel if it is missing. The gradient is one matrix product of the backend: the inputs that each cell
 * of the filter met, times the derivatives. Images are [batch, height, width, channels]. TensorFlow.js itself refuses
 * gradients of dilated convolutions.
 */
export function repairWasmGradients (tf: Tensorflow): void {
  if (tf.getKernel(KERNEL, 'wasm') !== undefined) return
  const product = tf.getKernel('BatchMatMul', 'wasm').kernelFunc
  const kernelFunc = ({ inputs: { x, dy }, backend, attrs }: Call): TensorInfo => {
    const { strides, pad, dimRoundingMode, filterShape, dataFormat } = attrs
    if (dataFormat !== 'NHWC') throw new Error(`${KERNEL} on WASM: dataFormat must be NHWC, not ${dataFormat}.`)
    const convolution = tf.backend_util.computeConv2DInfo(
      x.shape as Convolution['inShape'],
      filterShape,
      strides,
      1,
      pad,
      dimRoundingMode
    )
    const { batchSize, outHeight, outWidth, filterHeight, filterWidth, inChannels, outChannels } = convolution
    const [places, cells] = [batchSize * outHeight * outWidth, filterHeight * filterWidth * inChannels]
    const met = backend.makeOutput([1, cells, places], 'float32')
    // Take the views after the allocation: growing the memory detaches older views.
    gather(convolution, backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(met).fill(0), places)
    const gradient = product({
      inputs: { a: met, b: { ...dy, shape: [1, places, outChannels] } },
      backend,
      // gather() has transposed already: the product is fast only without transposition.
      attrs: { transposeA: false, transposeB: false },
    }) as TensorInfo
    backend.disposeData(met.dataId)
    return { ...gradient, shape: filterShape }
  }
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: 'wasm',
    kernelFunc: kernelFunc as unknown as tensorflow.KernelFunc,
  })
}

/**
 * Copies the inputs that each cell of the filter met, for each place of the output.
 * @param met zeros, shape [filterHeight × filterWidth × inChannels, places]; padding stays zero
 */
function gather (convolution: Convolution, x: Float32Array, met: Float32Array, places: number): void {
  const {
    outHeight,
    outWidth,
    filterHeight,
    filterWidth,
    inHeight,
    inWidth,
    inChannels,
    strideHeight,
    strideWidth,
    padInfo,
  } = convolution
  for (let place = 0; place < places; place++) {
    const left = (place % outWidth) * strideWidth - padInfo.left
    const line = Math.floor(place / outWidth)
    const top = (line % outHeight) * strideHeight - padInfo.top
    const image = Math.floor(line / outHeight) * inHeight
    for (let fy = Math.max(0, -top); fy < Math.min(filterHeight, inHeight - top); fy++) {
      for (let fx = Math.max(0, -left); fx < Math.min(filterWidth, inWidth - left); fx++) {
        const from = ((image + top + fy) * inWidth + left + fx) * inChannels
        const cell = (fy * filterWidth + fx) * inChannels
        for (let c = 0; c < inChannels; c++) met[(cell + c) * places + place] = x[from + c]!
      }
    }
  }
}
