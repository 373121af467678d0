// Laws that every architecture of the registry keeps, and what the two of today promise beyond. Runs on TFJS_BACKEND.
import t from 'tap'
import { detectCausal } from '../../core/detector.ts'
import { FIT_DEFAULTS, type FitSettings, fitDetector } from '../../core/fit.ts'
import { detectBatch, standardisedRuns } from '../../core/hindsight.ts'
import { createRandom } from '../../core/random.ts'
import { fitScaler } from '../../core/scaler.ts'
import { fromColumns, type Series } from '../../core/series.ts'
import { fitSubspace, subspaceReconstruct } from '../../core/subspace.ts'
import { type BackendChoice, loadBackend } from '../../core/tfjs/backend.ts'
import { loadLayersModel, readLayersModel, saveLayersModel, writeLayersModel } from '../../core/tfjs/model-package.ts'
import { toReconstruct } from '../../core/tfjs/reconstruct.ts'
import { sampleWindows, type WindowMatrix } from '../../core/window.ts'
import { type Epoch, type LayersAutoencoder, meanSquaredError } from '../architectures/architecture.ts'
import { ARCHITECTURE_NAMES, type ArchitectureName, ARCHITECTURES } from '../architectures/index.ts'

const backend = await loadBackend((process.env['TFJS_BACKEND'] ?? 'auto') as BackendChoice)
const { tf } = backend

/** Quick, and still trained: the laws must hold for a model that moved. */
const QUICK = { linear: {}, residual: { hidden: 8, code: 2, batch: 32, steps: 40 } }

type Overrides = Partial<Record<ArchitectureName, Record<string, unknown>>>

interface Options { readonly seed?: number, readonly overrides?: Overrides, readonly onEpoch?: (epoch: Epoch, epochs: number) => void }

function learn (name: ArchitectureName, { seed = 1, overrides = {}, onEpoch = () => {} }: Options = {}): (windows: WindowMatrix) => Promise<LayersAutoencoder> {
  const run = ARCHITECTURES[name].learner({ ...QUICK[name], ...overrides[name] }, { backend, seed, onEpoch })
  return async (windows) => run(windows)
}

/** Correlated channels with noise. */
function waves (length: number, channels: number, factor = 1): Series {
  const random = createRandom(`waves/${channels}`)
  const columns: number[][] = Array.from({ length: channels }, () => [])
  for (let i = 0; i < length; i++) {
    columns.forEach((column, c) => column.push(factor * ((1 + c % 3) * Math.sin(i / 7 + c / 3) + Math.cos(i / 19) + 0.2 * random.normal() + c)))
  }
  return fromColumns({ start: 0, interval: 60_000, columns: Object.fromEntries(columns.map((column, c) => [`c${c}`, column])) })
}

function windowsOf (series: Series, length: number, maxCount = 1000): WindowMatrix {
  const scaler = fitScaler([series.values], series.channels.length)
  return sampleWindows(standardisedRuns(series, scaler, 0).map(({ values }) => values), series.channels.length, length, maxCount)
}

const SETTINGS: FitSettings = { ...FIT_DEFAULTS, windowLength: 6, folds: 2, causal: { ...FIT_DEFAULTS.causal, smoothing: 5 }, batch: { ...FIT_DEFAULTS.batch, smoothing: 7 } }
const WINDOWS = windowsOf(waves(300, 3), 8)

/** Reconstructs every window as the mean training window. */
function meanWindow ({ values, count, width }: WindowMatrix): { reconstruct: (windows: Float32Array) => Float32Array } {
  const mean = new Float64Array(width)
  values.forEach((value, i) => { mean[i % width]! += value / count })
  return { reconstruct: (windows) => windows.map((_, i) => mean[i % width]!) }
}

function largestDifference (a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), a.length === b.length ? 0 : Infinity)
}

/** Runs a body and proves that it left no tensor behind. */
async function withoutLeaks (t: { equal: (found: unknown, wanted: unknown, name: string) => unknown }, body: () => Promise<void>): Promise<void> {
  const before = tf.memory().numTensors
  await body()
  t.equal(tf.memory().numTensors, before, 'no tensor is left behind')
}

for (const name of ARCHITECTURE_NAMES) {
  t.test(`${name}: the same seed gives the same bits, another seed others where anything is random`, async (t) => {
    await withoutLeaks(t, async () => {
      const [first, again, other] = [await learn(name)(WINDOWS), await learn(name)(WINDOWS), await learn(name, { seed: 2 })(WINDOWS)]
      const [saved, savedAgain, savedOther] = await Promise.all([first, again, other].map(async ({ layers }) => saveLayersModel(backend, layers)))
      t.strictSame(savedAgain, saved, 'topology, names and weights')
      t.strictSame(again.history, first.history)
      t.equal(Buffer.compare(savedOther!.weights, saved!.weights) === 0, name === 'linear', 'linear has no randomness')
      for (const autoencoder of [first, again, other]) autoencoder.dispose()
    })
  })

  t.test(`${name}: what is saved and loaded reconstructs the same bits`, async (t) => {
    const directory = t.testdir({})
    await withoutLeaks(t, async () => {
      const autoencoder = await learn(name)(WINDOWS)
      await writeLayersModel(directory, await saveLayersModel(backend, autoencoder.layers))
      const loaded = await loadLayersModel(backend, await readLayersModel(directory))
      t.strictSame(toReconstruct(backend, loaded)(WINDOWS.values, WINDOWS.count), autoencoder.reconstruct(WINDOWS.values, WINDOWS.count))
      t.strictSame([loaded.inputs, loaded.outputs].map(([end]) => end!.shape), [[null, WINDOWS.width], [null, WINDOWS.width]])
      loaded.dispose()
      autoencoder.dispose()
    })
  })

  t.test(`${name}: it holds its weights and no other tensor, and reconstructs its training windows far better than their mean does`, async (t) => {
    await withoutLeaks(t, async () => {
      const before = tf.memory().numTensors
      const autoencoder = await learn(name)(WINDOWS)
      t.equal(tf.memory().numTensors - before, autoencoder.layers.weights.length)
      const [error, ofMean] = [meanSquaredError(autoencoder, WINDOWS), meanSquaredError(meanWindow(WINDOWS), WINDOWS)]
      t.ok(error < 0.35 * ofMean && ofMean > 0.5, `${error} against ${ofMean}`)
      autoencoder.dispose()
    })
  })

  t.test(`${name}: every epoch is told, the last one as the last`, async (t) => {
    const told: Array<[number, number]> = []
    const autoencoder = await learn(name, { onEpoch: ({ epoch }, epochs) => { told.push([epoch, epochs]) } })(WINDOWS)
    const epochs = told.length
    t.strictSame(told, Array.from({ length: epochs }, (_, i) => [i + 1, epochs]))
    t.strictSame(autoencoder.history.map(({ epoch }) => epoch), told.map(([epoch]) => epoch))
    t.ok(autoencoder.history.every(({ loss }) => loss > 0 && Number.isFinite(loss)))
    t.equal(epochs, name === 'linear' ? 1 : Math.ceil(40 / Math.ceil(WINDOWS.count / 32)))
    autoencoder.dispose()
  })

  t.test(`${name}: training data without variance are reconstructed, and a departure is an anomaly`, async (t) => {
    await withoutLeaks(t, async () => {
      const flat = fromColumns({ start: 0, interval: 1000, columns: { a: Array<number>(80).fill(5.1), b: Array<number>(80).fill(0) } })
      const { model, autoencoder } = await fitDetector([flat], SETTINGS, learn(name))
      t.ok(detectBatch(model, autoencoder.reconstruct, flat).score.every((score) => score <= 1))
      const departed = { ...flat, values: flat.values.map((value, i) => i >= 2 * 40 && i < 2 * 50 && i % 2 === 1 ? value + 1e-6 : value) }
      const { score, contributions } = detectCausal(model, autoencoder.reconstruct, departed)
      t.ok(score[45]! > 1 && Number.isFinite(score[45]!), `score ${score[45]}`)
      t.ok(contributions[2 * 45 + 1]! > 0.5, 'its channel is blamed')
      autoencoder.dispose()
    })
  })

  for (const [shape, series, settings] of [
    ['one channel', waves(150, 1), SETTINGS],
    ['40 channels', waves(120, 40), { ...SETTINGS, windowLength: 4 }],
    ['fewer windows than columns', waves(60, 8), { ...SETTINGS, windowLength: 10, maxWindows: 12 }],
    ['fewer windows than a batch', waves(16, 2), SETTINGS],
  ] as const) {
    t.test(`${name}: ${shape}: everything that is fitted and scored is finite`, async (t) => {
      await withoutLeaks(t, async () => {
        const { model, autoencoder, calibration } = await fitDetector([series], settings, learn(name))
        const { score } = detectBatch(model, autoencoder.reconstruct, series)
        t.ok(score.length === series.length && score.every((value) => Number.isFinite(value) && value >= 0))
        t.ok(calibration.causal.length > 0 && calibration.causal.every(Number.isFinite))
        t.ok([model.causal.threshold, model.batch.threshold, ...model.margins].every((value) => Number.isFinite(value) && value > 0))
        t.ok(score.filter((value) => value > 1).length < series.length / 4, 'training data are mostly normal')
        autoencoder.dispose()
      })
    })
  }

  t.test(`${name}: scores do not depend on the unit of the values, from 1e-30 to 1e30`, async (t) => {
    await withoutLeaks(t, async () => {
      const scores = []
      // Powers of two scale without rounding, so even the bits are the same.
      for (const factor of [1, 2 ** -100, 2 ** 100]) {
        const series = waves(120, 2, factor)
        const { model, autoencoder } = await fitDetector([series], SETTINGS, learn(name))
        const { score, expected } = detectBatch(model, autoencoder.reconstruct, series)
        t.ok(expected.every(Number.isFinite))
        scores.push(score)
        autoencoder.dispose()
      }
      t.ok(scores[0]!.every(Number.isFinite))
      t.strictSame(scores[1], scores[0])
      t.strictSame(scores[2], scores[0])
    })
  })

  t.test(`${name}: all parameters have defaults, unknown ones are refused, and the model card has a sentence`, (t) => {
    t.ok(Object.keys(ARCHITECTURES[name].parameters.parse(undefined)).length > 0)
    t.notOk(ARCHITECTURES[name].parameters.safeParse({ hiden: 1 }).success)
    t.match(ARCHITECTURES[name].summary, /autoencoder/)
    t.end()
  })
}

t.test('linear: the layers compute what core/subspace.ts computes', async (t) => {
  for (const windows of [WINDOWS, windowsOf(waves(60, 8), 10, 12), windowsOf(waves(40, 1), 1)]) {
    const autoencoder = await learn('linear')(windows)
    const exact = subspaceReconstruct(fitSubspace(windows, ARCHITECTURES.linear.parameters.parse({})['varianceShare'] as number))(windows.values, windows.count)
    const difference = largestDifference(autoencoder.reconstruct(windows.values, windows.count), exact)
    t.ok(difference < 1e-5, `${difference}`)
    autoencoder.dispose()
  }
})

t.test('residual: training begins at the linear optimum', async (t) => {
  const linear = await learn('linear')(WINDOWS)
  const residual = await learn('residual', { overrides: { residual: { steps: 1, learningRate: 1e-9 } } })(WINDOWS)
  const difference = largestDifference(residual.reconstruct(WINDOWS.values, WINDOWS.count), linear.reconstruct(WINDOWS.values, WINDOWS.count))
  t.ok(difference < 1e-5, `${difference}`)
  linear.dispose()
  residual.dispose()
})

t.test('residual: the branches lower the error where there is something non-linear to learn, and do not raise it where there is not', async (t) => {
  // The second channel is the square of the first: invisible to a linear autoencoder of one direction.
  const random = createRandom('parabola')
  const values = new Float32Array(2 * 500)
  for (let i = 0; i < 500; i++) {
    const x = random.normal()
    values.set([2 * x, (x * x - 1) / 2], 2 * i)
  }
  const parabola = { values, count: 500, width: 2, channels: 2 }
  const errors = async (windows: WindowMatrix, overrides: Overrides): Promise<[number, number]> => {
    const [linear, residual] = [await learn('linear', { overrides })(windows), await learn('residual', { overrides })(windows)]
    const found: [number, number] = [meanSquaredError(linear, windows), meanSquaredError(residual, windows)]
    linear.dispose()
    residual.dispose()
    return found
  }
  const trained = { noise: 0, learningRate: 0.005, steps: 300 }
  const [straight, bent] = await errors(parabola, { residual: trained })
  t.ok(bent < 0.6 * straight, `parabola: ${bent} against ${straight}`)
  const [linear, residual] = await errors(WINDOWS, { residual: { noise: 0.2, learningRate: 5e-4, steps: 120 } })
  t.ok(residual < 1.02 * linear, `waves: ${residual} against ${linear}`)
})
