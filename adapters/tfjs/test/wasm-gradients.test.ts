// Gradients on WASM, including the added one, equal those of plain JavaScript and finite differences. Each backend runs
// in its own process.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { loadBackend } from '../backend.ts'

/**
 * Image, filter, strides, padding. The cases: one row of pixels as in conv1d, images, a filter larger than the image, a
 * single place.
 */
const CONVOLUTIONS = [
  [[3, 1, 9, 2], [1, 3, 2, 4], [1, 1], 'same'],
  [[2, 1, 10, 3], [1, 5, 3, 2], [1, 2], 'same'],
  [[2, 1, 11, 1], [1, 4, 1, 3], [1, 3], 'valid'],
  [[2, 7, 6, 2], [3, 2, 2, 5], [2, 1], 'same'],
  [[2, 7, 6, 2], [3, 2, 2, 5], [2, 3], 'valid'],
  [[1, 5, 5, 1], [2, 2, 1, 1], [1, 1], 1],
  [[4, 1, 2, 3], [1, 7, 3, 2], [1, 2], 'same'],
  [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1], 'valid'],
] as const

interface Found {
  readonly backend: string
  /** For each convolution, the derivative of a weighted sum of its output by the filter. */
  readonly filters: number[][]
  /**
   * The gradient by all weights, for a model with every kind of layer that the architectures use.
   */
  readonly gradient: number[]
  /** The gradient's slope along one direction, computed in two ways. */
  readonly slope: { readonly exact: number, readonly differences: number }
  readonly leaked: number
}

const PROGRAM = `
  import { loadBackend } from ${JSON.stringify(new URL('../backend.ts', import.meta.url).href)}
  const { tf, name } = await loadBackend(process.argv[1])
  // Small whole numbers: sums are exact in any order.
  const whole = (shape, seed) => {
    const length = shape.reduce((a, b) => a * b, 1)
    return tf.tensor(Float32Array.from({ length }, (_, i) => (i * 7 + seed * 3 + i * i) % 11 - 5), shape)
  }
  const before = tf.memory().numTensors
  const filters = ${JSON.stringify(CONVOLUTIONS)}.map(([image, filter, strides, pad]) => tf.tidy(() => {
    const x = whole(image, 1)
    const convolve = (f) => tf.conv2d(x, f, strides, pad)
    const dy = whole(convolve(whole(filter, 2)).shape, 3)
    return Array.from(tf.grad(convolve)(whole(filter, 2), dy).dataSync())
  }))
  const leaked = tf.memory().numTensors - before
  const seeded = (seed) => tf.initializers.glorotUniform({ seed })
  const same = { padding: 'same' }
  const gru = { units: 4, recurrentActivation: 'sigmoid' }
  const model = tf.sequential({ layers: [
    tf.layers.reshape({ inputShape: [22], targetShape: [11, 2] }),
    tf.layers.conv1d({
      ...same, filters: 3, kernelSize: 5, strides: 2, activation: 'elu', kernelInitializer: seeded(1),
    }),
    tf.layers.gru({ ...gru, kernelInitializer: seeded(2), recurrentInitializer: seeded(3) }),
    tf.layers.repeatVector({ n: 3 }),
    tf.layers.gru({ ...gru, returnSequences: true, kernelInitializer: seeded(4), recurrentInitializer: seeded(5) }),
    tf.layers.conv1d({ ...same, filters: 8, kernelSize: 3, kernelInitializer: seeded(6) }),
    tf.layers.reshape({ targetShape: [12, 2, 1] }),
    tf.layers.cropping2D({ cropping: [[0, 1], [0, 0]] }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 22, activation: 'elu', kernelInitializer: seeded(7) }),
  ] })
  const x = whole([6, 22], 4).div(4)
  const loss = () => model.apply(x, { training: true }).sub(x).square().mean()
  const weights = model.trainableWeights.map((weight) => weight.val)
  const { grads } = tf.variableGrads(loss, weights)
  const directions = weights.map(({ shape }, i) => whole(shape, i))
  const exact = weights.reduce((sum, { name }, i) => sum + grads[name].mul(directions[i]).sum().dataSync()[0], 0)
  const moved = (step) => {
    weights.forEach((weight, i) => weight.assign(weight.add(directions[i].mul(step))))
    return loss().dataSync()[0]
  }
  const h = 0.0005
  const ahead = moved(h)
  const differences = (ahead - moved(-2 * h)) / (2 * h)
  const gradient = weights.flatMap(({ name }) => Array.from(grads[name].dataSync()))
  console.log(JSON.stringify({ backend: name, filters, leaked, gradient, slope: { exact, differences } }))`

async function computeOn (backend: string): Promise<Found> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath,
    ['--import', 'tsx', '--no-deprecation', '--input-type=module', '-e', PROGRAM, backend], { env, timeout: 60_000 })
  return JSON.parse(stdout) as Found
}

t.test('WASM computes the same gradients as plain JavaScript', async (t) => {
  const [wasm, plain] = [await computeOn('wasm'), await computeOn('cpu')]
  t.strictSame([wasm.backend, plain.backend], ['wasm', 'cpu'])
  CONVOLUTIONS.forEach((convolution, i) => {
    t.ok(plain.filters[i]!.some((value) => value !== 0))
    t.strictSame(wasm.filters[i], plain.filters[i], JSON.stringify(convolution))
  })
  t.equal(wasm.leaked, 0, 'no tensor is left behind')
  const largest = Math.max(...plain.gradient.map(Math.abs))
  const difference = Math.max(...plain.gradient.map((value, i) => Math.abs(value - wasm.gradient[i]!)))
  t.ok(
    wasm.gradient.length === plain.gradient.length && largest > 0.01 && difference < 1e-5 * largest,
    `all layers: ${difference} of ${largest}`
  )
  for (const { backend, slope: { exact, differences } } of [wasm, plain]) {
    t.ok(
      Math.abs(exact - differences) < 0.01 * Math.abs(exact),
      `${backend}: the loss rises by ${differences}, the gradient says ${exact}`
    )
  }
})

t.test('an image whose channels come first is refused, not misread', async (t) => {
  const { tf } = await loadBackend('wasm')
  const kernel = tf.getKernel('Conv2DBackpropFilter', 'wasm').kernelFunc as unknown as (call: object) => unknown
  const [x, dy] = [tf.ones([1, 2, 1, 4]), tf.ones([1, 3, 1, 4])]
  const attrs = { strides: 1, pad: 'valid', filterShape: [1, 1, 2, 3], dataFormat: 'NCHW' }
  t.throws(() => kernel({ inputs: { x, dy }, backend: tf.backend(), attrs }), { message: /NHWC/ })
})
