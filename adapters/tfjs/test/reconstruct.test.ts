// A model's reconstructions: correct values, the same bits in every batch, no tensor left behind. Runs on TFJS_BACKEND.
import { type LayersModel } from '@tensorflow/tfjs'
import fc from 'fast-check'
import t from 'tap'
import { createRandom } from '../../../core/random.ts'
import { type BackendChoice, loadBackend } from '../backend.ts'
import { toReconstruct } from '../reconstruct.ts'

const backend = await loadBackend((process.env['TFJS_BACKEND'] ?? 'auto') as BackendChoice)
const { tf } = backend

type Layer = NonNullable<NonNullable<Parameters<typeof tf.sequential>[0]>['layers']>[number]
const [LENGTH, CHANNELS, COUNT] = [24, 2, 600]
const WIDTH = LENGTH * CHANNELS

const initializer = (seed: number) => tf.initializers.glorotUniform({ seed })

const ARCHITECTURES: Record<string, () => Layer[]> = {
  dense: () => [
    tf.layers.dense({ units: 16, activation: 'tanh', inputShape: [WIDTH], kernelInitializer: initializer(1) }),
    tf.layers.dense({ units: 5, activation: 'relu', kernelInitializer: initializer(2) }),
    tf.layers.dense({ units: WIDTH, kernelInitializer: initializer(3) }),
  ],
  convolutional: () => [
    tf.layers.reshape({ targetShape: [LENGTH, CHANNELS], inputShape: [WIDTH] }),
    tf.layers.conv1d({
      filters: 6,
      kernelSize: 5,
      padding: 'same',
      activation: 'relu',
      kernelInitializer: initializer(4),
    }),
    tf.layers.conv1d({ filters: CHANNELS, kernelSize: 5, padding: 'same', kernelInitializer: initializer(5) }),
    tf.layers.flatten(),
  ],
  recurrent: () => [
    tf.layers.reshape({ targetShape: [LENGTH, CHANNELS], inputShape: [WIDTH] }),
    tf.layers.lstm({
      units: 4,
      returnSequences: true,
      kernelInitializer: initializer(6),
      recurrentInitializer: initializer(7),
    }),
    tf.layers.dense({ units: CHANNELS, kernelInitializer: initializer(8) }),
    tf.layers.flatten(),
  ],
}

function modelOf (layers: Layer[]): LayersModel {
  return tf.sequential({ layers })
}

function randomWindows (count: number, width: number): Float32Array {
  const random = createRandom('reconstruct.test')
  return Float32Array.from({ length: count * width }, () => random.normal())
}

t.test('values come back in order: a model that doubles and swaps two values', async (t) => {
  const layer = tf.layers.dense({ units: 2, useBias: false, inputShape: [2] })
  const model = modelOf([layer])
  layer.setWeights([tf.tensor2d([[0, 2], [2, 0]])])
  const windows = Float32Array.from({ length: 2 * 1300 }, (_, i) => i)
  const expected = windows.map((value) => 2 * (value % 2 === 0 ? value + 1 : value - 1))
  t.same(toReconstruct(backend, model)(windows, 1300), expected)
})

for (const [name, layers] of Object.entries(ARCHITECTURES)) {
  t.test(`${name}: a window's reconstruction is the model's, bit for bit the same in every batch`, async (t) => {
    const before = tf.memory().numTensors
    const model = modelOf(layers())
    const reconstruct = toReconstruct(backend, model)
    const windows = randomWindows(COUNT, WIDTH)
    const all = reconstruct(windows, COUNT)
    const predicted = tf.tidy(() => model.predict(tf.tensor2d(windows, [COUNT, WIDTH])) as ReturnType<typeof tf.tensor>)
    const values = predicted.dataSync()
    predicted.dispose()
    t.ok(all.every((value, i) => Math.abs(value - values[i]!) < 1e-5), 'the values of predict()')
    t.ok(all.some((value) => Math.abs(value) > 0.1), 'and not all zero')
    const loaded = tf.memory().numTensors
    const some = fc.tuple(
      fc.nat(COUNT - 1),
      fc.oneof(fc.constantFrom(1, 2, 3, 7, 64, 255, 256, 257), fc.integer({ min: 1, max: COUNT }))
    )
    fc.assert(
      fc.property(some, ([from, wanted]) => {
        const count = Math.min(wanted, COUNT - from)
        const part = reconstruct(windows.subarray(from * WIDTH, (from + count) * WIDTH), count)
        return Buffer.compare(Buffer.from(part.buffer), Buffer.from(all.buffer, from * WIDTH * 4, part.byteLength)) ===
          0
      }),
      { numRuns: 40, seed: 1 }
    )
    t.equal(tf.memory().numTensors, loaded, 'no tensor is left behind')
    reconstruct.dispose()
    t.equal(tf.memory().numTensors, before, 'dispose frees the weights')
  })
}

t.test('a window of NaN does not change its neighbours', async (t) => {
  const reconstruct = toReconstruct(backend, modelOf(ARCHITECTURES['dense']!()))
  const windows = randomWindows(3, WIDTH)
  const [first, , last] = [0, 1, 2].map((row) => reconstruct(windows.slice(row * WIDTH, (row + 1) * WIDTH), 1))
  windows.fill(NaN, WIDTH, 2 * WIDTH)
  const all = reconstruct(windows, 3)
  t.same(all.slice(0, WIDTH), first)
  t.same(all.slice(2 * WIDTH), last)
  reconstruct.dispose()
})

t.test('no windows give no reconstructions; a wrong count is refused', async (t) => {
  const reconstruct = toReconstruct(backend, modelOf(ARCHITECTURES['dense']!()))
  t.equal(reconstruct(new Float32Array(0), 0).length, 0)
  t.throws(() => reconstruct(new Float32Array(WIDTH), 2), { code: 'internal-error' })
  reconstruct.dispose()
})

t.test('a model that is not flat, or changes the width, is refused', async (t) => {
  const reshaped = modelOf(ARCHITECTURES['convolutional']!().slice(0, 3))
  const narrowed = modelOf(ARCHITECTURES['dense']!().slice(0, 2))
  for (const model of [reshaped, narrowed]) {
    t.throws(() => toReconstruct(backend, model), {
      code: 'invalid-model-package',
      message: /\[null, windowLength \* channels\]/,
    })
    model.dispose()
  }
})
