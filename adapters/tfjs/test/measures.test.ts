// Members that reconstruct nothing, as files of a package.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { deviationMember, fitDeviation } from '../../../core/features/deviation.ts'
import { filtersMember, fitFilters } from '../../../core/features/filters.ts'
import { type Measure } from '../../../core/scoring/reconstruction-error.ts'
import { sampleWindows } from '../../../core/series/window.ts'
import { enginesOf, loadAutoencoders } from '../autoencoders.ts'
import { savedDeviation, savedFilters } from '../measures.ts'
import { readModels, type SavedModel, writeModels } from '../saved-models.ts'

const CHANNELS = ['a', 'b']
const RUN = Float32Array.from({ length: 300 * 2 }, (_, i) => Math.sin(i * i / 900) + (i % 7) / 9)
const filters = fitFilters(sampleWindows([RUN], 2, 40, 90))
const usual = fitDeviation(sampleWindows([RUN], 2, 10, 90))
const SAVED = [savedFilters(filters), savedDeviation(usual)]
const MEMBERS = [40, 10].map((windowLength) => ({
  windowLength,
  tail: windowLength,
  scale: { causal: 1, batch: 1 },
  weight: 1,
}))

const load = async (models: readonly SavedModel[]): ReturnType<typeof loadAutoencoders> =>
  loadAutoencoders(enginesOf('auto'), models, { members: MEMBERS, channels: CHANNELS })

function errors (member: Measure, windowLength: number): Float64Array {
  return member.errorsOfRun(RUN, {
    channels: 2,
    windowLength,
    stride: 1,
    tail: windowLength,
    weights: [1, 1],
    summed: false,
  }).errors
}

t.test('filters and deviations come back from their files with the same bits, without TensorFlow.js', async (t) => {
  const directory = t.testdir({})
  await writeModels(directory, SAVED)
  const json = JSON.parse(await readFile(join(directory, 'model.json'), 'utf8')) as unknown
  t.strictSame(json, {
    format: 'filters',
    weightsManifest: [{
      paths: ['weights.bin'],
      weights: [{ name: 'maps', shape: [2, 12 * 13], dtype: 'float32' }],
    }],
  })
  const { autoencoders, engines } = await load(await readModels(directory, 2))
  t.strictSame(engines, ['kernel', 'kernel'])
  const [first, second] = autoencoders as readonly Measure[]
  t.strictSame(errors(first!, 40), errors(filtersMember(filters), 40))
  t.strictSame(errors(second!, 10), errors(deviationMember(usual), 10))
})

t.test('numbers that do not fit the manifest, or are none, are refused by the name of the file', async (t) => {
  const [first, second] = SAVED as [SavedModel, SavedModel]
  await t.rejects(load([second, first]), {
    message: /model-2\.json: its weights are not the 0 numbers of filters on windows of 10 × 2/,
  })
  await t.rejects(load([first, { ...second, weights: second.weights.subarray(4) }]), {
    message: /model-2\.json: its weights are not the 4 numbers of deviation on windows of 10 × 2/,
  })
  const spoilt = new Uint8Array(second.weights).fill(255)
  await t.rejects(load([first, { ...second, weights: spoilt }]), { message: /model-2\.json: its weights/ })
})

t.test('a model of an unknown format is refused', async (t) => {
  const directory = t.testdir({})
  await writeModels(directory, SAVED)
  const path = join(directory, 'model-2.json')
  await writeFile(path, (await readFile(path, 'utf8')).replace('deviation', 'wavelet'))
  await t.rejects(readModels(directory, 2), { message: /its format is "wavelet"/ })
})
