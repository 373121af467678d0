// The laws of core/test/checks.ts over every architecture and over ensembles, and what else an architecture promises.
// architectures.test.ts runs the laws in a quicker form. Runs on TFJS_BACKEND.
import { createHash } from 'node:crypto'
import t from 'tap'
import { standardisedRuns } from '../../core/series/runs.ts'
import { detectCausal } from '../../core/detector/detector.ts'
import { fitDetector } from '../../core/fitting/fit.ts'
import { detectBatch } from '../../core/detector/hindsight.ts'
import { fitMasked, LARGEST_MASKED_WIDTH, maskedReconstruct } from '../../core/linear/masked.ts'
import { defaultMembers } from '../../core/fitting/members.ts'
import { createRandom } from '../../core/random.ts'
import { fitScaler } from '../../core/series/scaler.ts'
import { type Series } from '../../core/series/series.ts'
import { fitSubspace, subspaceReconstruct } from '../../core/linear/subspace.ts'
import { runChecks } from '../../core/test/checks.ts'
import { altered, SMALL, waves } from '../../core/test/synthetic.ts'
import { linearLayers } from '../../adapters/tfjs/linear-layers.ts'
import { loadAutoencoders } from '../../adapters/tfjs/autoencoders.ts'
import { saveLayersModel, type SavedModel } from '../../adapters/tfjs/saved-models.ts'
import { sampleWindows, type WindowMatrix } from '../../core/series/window.ts'
import { type Epoch, type LayersAutoencoder, meanSquaredError } from '../architectures/architecture.ts'
import { ARCHITECTURE_NAMES, type ArchitectureName, ARCHITECTURES } from '../architectures/index.ts'
import { membersOf } from '../stages/members.ts'
import { parseParams } from '../settings/params.ts'
import { backend, EXACT, QUICK, subjectOf } from './architecture-laws.ts'

const { tf } = backend

const TRAINED = ARCHITECTURE_NAMES.filter((name) => !EXACT.includes(name))
/** The trained architectures that start at the linear optimum. */
const FROM_LINEAR = ['residual', 'convolutional', 'recurrent'] as const

interface Options {
  readonly seed?: number
  readonly parameters?: Record<string, unknown>
  readonly onEpoch?: (epoch: Epoch, epochs: number) => void
}

function learn (
  name: ArchitectureName,
  { seed = 1, parameters = {}, onEpoch = () => {} }: Options = {}
): (windows: WindowMatrix) => Promise<LayersAutoencoder> {
  const run = ARCHITECTURES[name].learner({ ...QUICK[name], ...parameters }, { backend, seed, onEpoch })
  return async (windows) => run(windows)
}

for (const name of ARCHITECTURE_NAMES) runChecks(t, name, subjectOf([name]))

runChecks(t, 'ensemble of linear and masked', subjectOf(['linear', 'masked']))

runChecks(t, 'ensemble of masked and dense', subjectOf(['masked', 'dense']))

function windowsOf (series: Series, length: number, maxCount = 1000): WindowMatrix {
  const scaler = fitScaler([series.values], series.channels.length)
  return sampleWindows(
    standardisedRuns(series, scaler, 0).map(({ values }) => values),
    series.channels.length,
    length,
    maxCount
  )
}

const WINDOWS = windowsOf(waves(300), 8)

/** Reconstructs every window as the mean training window. */
function meanWindow ({ values, count, width }: WindowMatrix): { reconstruct: (windows: Float32Array) => Float32Array } {
  const mean = new Float64Array(width)
  values.forEach((value, i) => { mean[i % width]! += value / count })
  return { reconstruct: (windows) => windows.map((_, i) => mean[i % width]!) }
}

function largestDifference (a: Float32Array, b: Float32Array): number {
  return a.reduce(
    (largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)),
    a.length === b.length ? 0 : Infinity
  )
}

for (const name of ARCHITECTURE_NAMES) {
  t.test(`${name}: holds only its weights, is flat, and reconstructs windows far better than their mean`, async (t) => {
    const before = tf.memory().numTensors
    const autoencoder = await learn(name)(WINDOWS)
    t.equal(tf.memory().numTensors - before, autoencoder.layers.weights.length)
    t.strictSame([autoencoder.layers.inputs, autoencoder.layers.outputs].map(([end]) => end!.shape), [
      [null, WINDOWS.width],
      [null, WINDOWS.width],
    ])
    const [error, ofMean] = [meanSquaredError(autoencoder, WINDOWS), meanSquaredError(meanWindow(WINDOWS), WINDOWS)]
    t.ok(error < 0.35 * ofMean && ofMean > 0.5, `${error} against ${ofMean}`)
    autoencoder.dispose()
    t.equal(tf.memory().numTensors, before)
  })

  t.test(`${name}: every epoch is reported, the last one as the last`, async (t) => {
    const reported: Array<[number, number]> = []
    const onEpoch = ({ epoch }: Epoch, epochs: number): void => { reported.push([epoch, epochs]) }
    const autoencoder = await learn(name, { onEpoch })(WINDOWS)
    const epochs = reported.length
    t.strictSame(reported, Array.from({ length: epochs }, (_, i) => [i + 1, epochs]))
    t.strictSame(autoencoder.history.map(({ epoch }) => epoch), reported.map(([epoch]) => epoch))
    t.ok(autoencoder.history.every(({ loss }) => loss > 0 && Number.isFinite(loss)))
    const { steps, batch } = QUICK[name] as { steps: number, batch: number }
    t.equal(epochs, EXACT.includes(name) ? 1 : Math.ceil(steps / Math.ceil(WINDOWS.count / batch)))
    autoencoder.dispose()
  })

  t.test(`${name}: all parameters have defaults, unknown ones are refused, and the model card has a sentence`, (t) => {
    t.ok(Object.keys(ARCHITECTURES[name].parameters.parse(undefined)).length > 0)
    t.notOk(ARCHITECTURES[name].parameters.safeParse({ hiden: 1 }).success)
    t.match(ARCHITECTURES[name].summary, /autoencoder/)
    t.end()
  })
}

t.test('linear: the layers compute what core/linear/subspace.ts computes', async (t) => {
  for (const windows of [WINDOWS, windowsOf(waves(60, 8), 10, 12), windowsOf(waves(40, 1), 1)]) {
    const autoencoder = await learn('linear')(windows)
    const exact = subspaceReconstruct(
      fitSubspace(windows, ARCHITECTURES.linear.parameters.parse({})['varianceShare'] as number)
    )(windows.values, windows.count)
    const difference = largestDifference(autoencoder.reconstruct(windows.values, windows.count), exact)
    t.ok(difference < 1e-5, `${difference}`)
    autoencoder.dispose()
  }
})

t.test('masked: the layer computes what core/linear/masked.ts computes, and refuses windows too wide', async (t) => {
  for (const windows of [WINDOWS, windowsOf(waves(60, 8), 10, 12), windowsOf(waves(40, 1), 1)]) {
    const autoencoder = await learn('masked')(windows)
    const exact = maskedReconstruct(fitMasked(windows, ARCHITECTURES.masked.parameters.parse({})['ridge'] as number))(
      windows.values,
      windows.count
    )
    const difference = largestDifference(autoencoder.reconstruct(windows.values, windows.count), exact)
    t.ok(difference < 1e-5, `${difference}`)
    autoencoder.dispose()
  }
  const before = tf.memory().numTensors
  const width = LARGEST_MASKED_WIDTH + 1
  const wide = { values: new Float32Array(2 * width), count: 2, width, channels: width }
  await t.rejects(learn('masked')(wide), {
    code: 'invalid-settings',
    message: /1025 values.*at most 1024.*windowLength/,
  })
  t.equal(tf.memory().numTensors, before)
})

t.test('the kernel runs stored linear models, TensorFlow.js all others, with the same scores', async (t) => {
  const series = waves(200, 2)
  const fault = altered(series, (values) => values.fill(9, 260, 290))
  for (const [names, engines] of [
    [['linear', 'masked'], ['kernel', 'kernel']],
    [['dense', 'linear'], [backend.name, 'kernel']],
  ] as Array<[ArchitectureName[], string[]]>) {
    const { model, autoencoders } = await fitDetector([series], SMALL, subjectOf(names).members(1, 8))
    const models = await Promise.all(autoencoders.map(async (member) => member.save()))
    const before = tf.memory().numTensors
    const loaded = await loadAutoencoders({ kernel: true, backend: async () => backend }, models, model)
    t.strictSame(loaded.engines, engines)
    for (const detect of [detectBatch, detectCausal]) {
      const [quick, slow] = [detect(model, loaded.autoencoders, fault), detect(model, autoencoders, fault)]
      t.strictSame(quick.imputed, slow.imputed)
      t.ok(
        quick.score.every((score, i) =>
          Number.isNaN(score)
            ? Number.isNaN(slow.score[i]!)
            : Math.abs(score - slow.score[i]!) < 1e-4 * Math.max(0.01, slow.score[i]!)
        )
      )
    }
    loaded.dispose()
    t.equal(tf.memory().numTensors, before)
    for (const autoencoder of autoencoders) autoencoder.dispose()
  }
})

t.test('a model that only looks linear is run by TensorFlow.js', async (t) => {
  const stored = async (name: 'linear' | 'masked'): Promise<SavedModel> => {
    const autoencoder = await learn(name)(WINDOWS)
    const saved = await saveLayersModel(backend, autoencoder.layers)
    autoencoder.dispose()
    return saved
  }
  const [linear, masked] = [await stored('linear'), await stored('masked')]
  const recognised = (saved: SavedModel, width = WINDOWS.width): boolean => linearLayers(saved, width, 3) !== undefined
  t.ok(recognised(linear) && recognised(masked))
  const bent = (saved: SavedModel, at: number): SavedModel => {
    const weights = Float32Array.from(new Float32Array(Uint8Array.from(saved.weights).buffer))
    weights[at]! += 0.5
    return { ...saved, weights: new Uint8Array(weights.buffer) }
  }
  const renamed = (saved: SavedModel, from: string, to: string): SavedModel => ({
    ...saved,
    topology: JSON.parse(JSON.stringify(saved.topology).replaceAll(from, to)) as unknown,
  })
  const encoder = linear.weightSpecs[0]!.shape
  t.notOk(recognised(bent(masked, 0)), 'a value reconstructs itself')
  t.notOk(recognised(bent(linear, 0)), 'encoder and decoder differ')
  t.notOk(recognised(bent(linear, encoder[0]! * encoder[1]!)), 'the code is not centred on the mean')
  t.notOk(recognised(renamed(linear, '"linear"', '"tanh"')), 'activated')
  t.notOk(recognised(renamed(masked, 'Dense', 'Dropout')), 'no dense layer')
  t.notOk(recognised(masked, WINDOWS.width - 3), 'of another width')
  t.notOk(recognised({ ...masked, weightSpecs: [] }), 'without weights')
  t.notOk(recognised({ ...masked, weights: masked.weights.subarray(0, 40) }), 'cut off')
  t.notOk(recognised({ ...masked, topology: {} }), 'without layers')
})

t.test('members: one architecture or an ensemble, with given or default windows', async (t) => {
  const chosen = (train: Record<string, unknown>, series: readonly Series[]): unknown =>
    membersOf(parseParams({ train }, 'the test').train, series)
  const [one, three] = [waves(1200, 1), waves(240, 3)]
  t.strictSame(chosen({ architecture: 'dense' }, [three]), [{ architecture: 'dense', windowLength: 16, tail: 8 }])
  t.strictSame(
    chosen({ architecture: 'dense' }, [three, one]),
    [{ architecture: 'dense', windowLength: 16, tail: 8 }],
    'the longest series counts'
  )
  t.strictSame(chosen({ architecture: 'masked', windowLength: 20, tail: 30 }, [three]), [{
    architecture: 'masked',
    windowLength: 20,
    tail: 20,
  }])
  t.strictSame(chosen({}, [one]), defaultMembers(1200, 1), 'the ensemble is the default')
  t.strictSame(chosen({}, [three]), defaultMembers(240, 3))
  const members = [{ architecture: 'dense', windowLength: 12, tail: 3 }, {
    architecture: 'linear',
    windowLength: 5,
    tail: 5,
  }]
  t.strictSame(chosen({ members }, [three]), members)
  for (const refused of [
    { members: [] },
    { members: [{ architecture: 'ensemble', windowLength: 5, tail: 5 }] },
    { windowLength: 0 },
    { architecture: 'lstm' },
  ]) {
    t.throws(() => parseParams({ train: refused }, 'the test'), {
      code: 'invalid-settings',
      message: new RegExp(`train\\.${Object.keys(refused)[0]}`),
    })
  }
})

for (const name of FROM_LINEAR) {
  t.test(`${name}: training starts at the linear optimum`, async (t) => {
    const linear = await learn('linear')(WINDOWS)
    const begun = await learn(name, { parameters: { steps: 1, learningRate: 1e-9 } })(WINDOWS)
    const difference = largestDifference(
      begun.reconstruct(WINDOWS.values, WINDOWS.count),
      linear.reconstruct(WINDOWS.values, WINDOWS.count)
    )
    t.ok(difference < 1e-5, `${difference}`)
    linear.dispose()
    begun.dispose()
  })
}

for (const name of ['convolutional', 'recurrent'] as const) {
  t.test(`${name}: without its linear path it is the branch alone, and learns`, async (t) => {
    const alone = await learn(name, { parameters: { linearPath: false, steps: 45, learningRate: 0.03 } })(WINDOWS)
    t.notOk(alone.layers.layers.some((layer) => layer.name.startsWith('linear') || layer.name === 'sum'))
    const [error, ofMean] = [meanSquaredError(alone, WINDOWS), meanSquaredError(meanWindow(WINDOWS), WINDOWS)]
    t.ok(error < 0.6 * ofMean, `${error} against ${ofMean}`)
    alone.dispose()
  })
}

t.test('residual: the branches lower the error of non-linear data, and do not raise that of linear data', async (t) => {
  // The second channel is the square of the first: invisible to a linear autoencoder of one direction.
  const random = createRandom('parabola')
  const values = new Float32Array(2 * 500)
  for (let i = 0; i < 500; i++) {
    const x = random.normal()
    values.set([2 * x, (x * x - 1) / 2], 2 * i)
  }
  const parabola = { values, count: 500, width: 2, channels: 2 }
  const errors = async (windows: WindowMatrix, parameters: Record<string, unknown>): Promise<[number, number]> => {
    const [linear, residual] = [await learn('linear')(windows), await learn('residual', { parameters })(windows)]
    const found: [number, number] = [meanSquaredError(linear, windows), meanSquaredError(residual, windows)]
    linear.dispose()
    residual.dispose()
    return found
  }
  const [straight, bent] = await errors(parabola, { noise: 0, learningRate: 0.005, steps: 300 })
  t.ok(bent < 0.6 * straight, `parabola: ${bent} against ${straight}`)
  const [linear, residual] = await errors(WINDOWS, { noise: 0.2, learningRate: 5e-4, steps: 120 })
  t.ok(residual < 1.02 * linear, `waves: ${residual} against ${linear}`)
})

for (const name of TRAINED) {
  t.test(`${name}: with a validation share, training stops early and keeps the best weights`, async (t) => {
    const before = tf.memory().numTensors
    // The learning rate is far too high to converge: the error of the tail goes up and down.
    const parameters = { validation: 0.25, learningRate: 0.05, steps: 200, patience: 2 }
    const reported: Array<[number, number]> = []
    const onEpoch = ({ epoch }: Epoch, epochs: number): void => { reported.push([epoch, epochs]) }
    const stopped = await learn(name, { parameters, onEpoch })(WINDOWS)
    const kept = Math.max(1, WINDOWS.count - Math.floor(WINDOWS.count * 0.25))
    const perEpoch = Math.ceil(kept / 32)
    const epochs = stopped.history.length
    t.ok(epochs > 2 && epochs < 200 / perEpoch, `${epochs} epochs`)
    t.strictSame(reported.at(-1), [epochs, epochs], 'the last epoch is reported as the last')
    const tail = { ...WINDOWS, values: WINDOWS.values.subarray(kept * WINDOWS.width), count: WINDOWS.count - kept }
    // The best epoch lies `patience` before the end: a training of so many steps ends with the same weights.
    const best = await learn(name, { parameters: { ...parameters, steps: (epochs - 2) * perEpoch, patience: 100 } })(
      WINDOWS
    )
    t.equal(meanSquaredError(stopped, tail), meanSquaredError(best, tail))
    stopped.dispose()
    best.dispose()
    t.equal(tf.memory().numTensors, before, 'no tensor is left behind')
  })

  t.test(`${name}: training that diverges is a problem with a remedy`, async (t) => {
    const before = tf.memory().numTensors
    for (const parameters of [{ steps: 20 }, { steps: 1 }, { steps: 20, validation: 0.2 }]) {
      await t.rejects(learn(name, { parameters: { ...parameters, learningRate: 3e38 } })(WINDOWS), {
        code: 'invalid-settings',
        message: new RegExp(`diverged.*${name}.learningRate`),
      })
    }
    t.equal(tf.memory().numTensors, before, 'no tensor is left behind')
  })
}

t.test('residual: its weights have not changed', { skip: backend.name !== 'wasm' }, async (t) => {
  const residual = await learn('residual', { parameters: { steps: 40 } })(WINDOWS)
  const { weights } = await saveLayersModel(backend, residual.layers)
  t.equal(
    createHash('sha256').update(weights).digest('hex'),
    '49600e1d69cd12f79e5bb43380a23b66d2ff70dcbe68db3b7c0a1419c5af3556',
    'on every machine, in every version'
  )
  residual.dispose()
})
