// Model packages: reading returns every bit that was written, the digest ignores formatting, and damaged packages are
// refused.
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { detectBatch } from '../../../core/detector/hindsight.ts'
import { type Manifest, MANIFEST_FORMAT } from '../../../core/package/manifest.ts'
import { createRandom } from '../../../core/random.ts'
import { calmed, NOT_MEASURED, proofOf } from '../../../core/test/proof.ts'
import { fitEnsemble, fitLinear, scoresOf, waves } from '../../../core/test/synthetic.ts'
import { type BackendChoice, loadBackend } from '../backend.ts'
import { enginesOf, loadAutoencoders } from '../autoencoders.ts'
import { loadModelPackage, writeModelPackage } from '../model-package.ts'
import { canonicalJson, loadLayersModel, readModels, type SavedModel, saveLayersModel } from '../saved-models.ts'
import { toReconstruct } from '../reconstruct.ts'

const choice = (process.env['TFJS_BACKEND'] ?? 'auto') as BackendChoice
const backend = await loadBackend(choice)
const { tf } = backend

const JSON_FILES = ['golden.json', 'manifest.json', 'model.json']
const SERIES = waves(240)
const { model: fitted } = await fitLinear([SERIES])
const WIDTH = fitted.windowLength * fitted.channels.length

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A small autoencoder with weights from a seed. */
async function denseModel (widths: number[], seed = 1): Promise<SavedModel> {
  const random = createRandom(`dense/${seed}`)
  const input = tf.input({ shape: [widths[0]!], name: 'window' })
  let output = input
  const layers = widths.slice(1).map((units, i) =>
    tf.layers.dense({ units, activation: i === 0 ? 'tanh' : 'linear', name: `dense_${i}` })
  )
  for (const layer of layers) output = layer.apply(output) as typeof input
  const model = tf.model({ inputs: input, outputs: output, name: 'small' })
  layers.forEach((layer, i) => tf.tidy(() => {
    const kernel = Float32Array.from({ length: widths[i]! * widths[i + 1]! }, () => 0.3 * random.normal())
    layer.setWeights([tf.tensor2d(kernel, [widths[i]!, widths[i + 1]!]), tf.zeros([widths[i + 1]!])])
  }))
  const saved = await saveLayersModel(backend, model)
  model.dispose()
  return saved
}

const small = await denseModel([WIDTH, 6, WIDTH])

const layersOfSmall = await loadLayersModel(backend, small)
const smallAutoencoder = { reconstruct: toReconstruct(backend, layersOfSmall) }
const detector = calmed(fitted, [smallAutoencoder], SERIES)

const manifest: Manifest = {
  format: MANIFEST_FORMAT,
  name: 'waves',
  version: '1',
  description: 'Waves of the test.',
  architecture: 'dense',
  detector: detector as Manifest['detector'],
  training: {
    tfjs: backend.version,
    backend: backend.name,
    parameters: { seed: 1 },
    dataSha256: 'ab'.repeat(32),
    series: 1,
    observations: SERIES.length,
  },
  sensitivity: NOT_MEASURED,
}

const detectorOf = manifest.detector

const golden = proofOf(detector, [smallAutoencoder], SERIES)
layersOfSmall.dispose()
const parts = { manifest, golden, models: [small], card: 'digest {digest}\n' }

/**
 * Loads a folder and returns the error. Fails the test if there is no error, or if a tensor is left behind.
 */
async function refusal (t: Tap, directory: string): Promise<{ code: string, message: string }> {
  const before = tf.memory().numTensors
  const outcome = await loadModelPackage(directory, choice).then((loaded) => {
    loaded.dispose()
  }, (error: unknown) => error)
  t.equal(tf.memory().numTensors, before, 'no tensor is left behind')
  t.ok(outcome instanceof Error, 'it was refused')
  return outcome as unknown as { code: string, message: string }
}

type Tap = Pick<typeof t, 'equal' | 'ok' | 'match'>

/** Changes a JSON file of a package. */
async function edit (directory: string, name: string, change: (value: never) => unknown): Promise<void> {
  const file = join(directory, name)
  const value = JSON.parse(await readFile(file, 'utf8')) as never
  await writeFile(file, JSON.stringify(change(value) ?? value))
}

/** Updates digest.txt to the changed content, as somebody who damaged the package on purpose would. */
async function sign (t: Tap, directory: string): Promise<void> {
  const { message } = await refusal(t, directory)
  const digest = /is (sha256:[0-9a-f]{64}), but/.exec(message)?.[1]
  t.ok(digest, 'the error names the digest of the content')
  await writeFile(join(directory, 'digest.txt'), `${digest}\n`)
}

t.test('a package that is written and read has the same bits and scores, and leaves no tensor behind', async (t) => {
  const directory = join(t.testdir({}), 'package')
  const digest = await writeModelPackage(directory, parts)
  t.match(digest, /^sha256:[0-9a-f]{64}$/)
  t.equal(await readFile(join(directory, 'MODEL_CARD.md'), 'utf8'), `digest ${digest}\n`, 'the card names it')

  const original = await loadLayersModel(backend, small)
  const before = tf.memory().numTensors
  const loaded = await loadModelPackage(directory, choice)
  t.equal(loaded.digest, digest)
  t.same(loaded.manifest, manifest)
  t.equal(loaded.goldenDifference, 0)
  const random = createRandom('windows')
  const windows = Float32Array.from({ length: 300 * WIDTH }, () => random.normal())
  t.same(
    Buffer.from(loaded.autoencoders[0]!.reconstruct!(windows, 300).buffer),
    Buffer.from(toReconstruct(backend, original)(windows, 300).buffer),
    'reconstructions'
  )
  const scores = scoresOf(detectBatch(loaded.manifest.detector, loaded.autoencoders, waves(400)))
  t.strictSame(
    scores,
    scoresOf(detectBatch(detector, [{ reconstruct: toReconstruct(backend, original) }], waves(400))),
    'scores'
  )
  t.ok(
    scores.some((score) => score !== null && score > 0.5) && scores.every((score) =>
      score === null || Number.isFinite(score)
    )
  )
  loaded.dispose()
  t.equal(tf.memory().numTensors, before, 'load and dispose leave nothing behind')
  original.dispose()

  const layers = await loadLayersModel(backend, (await readModels(directory, 1))[0]!)
  t.strictSame(await saveLayersModel(backend, layers), small, 'saving the loaded model gives the same files')
  layers.dispose()
})

t.test('equal parts have equal digests and equal bytes, wherever they are written', async (t) => {
  const root = t.testdir({})
  const [here, there] = [join(root, 'a'), join(root, 'some where', 'else')]
  const digest = await writeModelPackage(here, parts)
  t.equal(
    await writeModelPackage(there, {
      ...parts,
      manifest: reversed(manifest as unknown as Json) as unknown as Manifest,
    }),
    digest
  )
  for (const name of ['golden.json', 'model.json', 'weights.bin', 'digest.txt']) {
    t.same(await readFile(join(here, name)), await readFile(join(there, name)), name)
  }
  t.not(
    await writeModelPackage(there, { ...parts, manifest: { ...manifest, version: '2' } }),
    digest,
    'another version'
  )
  t.not(
    await writeModelPackage(there, { ...parts, models: [await denseModel([WIDTH, 6, WIDTH], 2)] }),
    digest,
    'other weights'
  )
  t.not(
    await writeModelPackage(there, { ...parts, golden: { ...golden, start: golden.start + 1 } }),
    digest,
    'other golden scores'
  )
  t.equal(await writeModelPackage(there, { ...parts, card: 'another card' }), digest, 'the card is for people')
})

t.test('TensorFlow.js itself reads the model, from the files as they are', async (t) => {
  const directory = t.testdir({})
  await writeModelPackage(directory, parts)
  const json = JSON.parse(await readFile(join(directory, 'model.json'), 'utf8')) as {
    format: string,
    modelTopology: object,
    weightsManifest: [{ paths: string[], weights: SavedModel['weightSpecs'] }],
  }
  t.match(json, { format: 'layers-model', weightsManifest: [{ paths: ['weights.bin'] }] })
  const weightData = Uint8Array.from(await readFile(join(directory, 'weights.bin'))).buffer
  const before = tf.memory().numTensors
  const model = await tf.loadLayersModel(
    tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs: json.weightsManifest[0].weights, weightData })
  )
  t.strictSame(await saveLayersModel(backend, model), small)
  model.dispose()
  t.equal(tf.memory().numTensors, before)
})

/** The same JSON with every object's keys in the opposite order. */
function reversed (value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).reverse().map(([key, item]) => [key, reversed(item)]))
}

/** The paths of all leaves of a JSON document. */
function leaves (value: Json, path: Array<string | number> = []): Array<Array<string | number>> {
  if (value === null || typeof value !== 'object') return [path]
  return Object.entries(value).flatMap(([key, item]) =>
    leaves(item, [...path, Array.isArray(value) ? Number(key) : key])
  )
}

function changedAt (value: Json, [key, ...rest]: Array<string | number>): Json {
  if (key === undefined) {
    return typeof value === 'number'
      ? value + 1
      : value === null
        ? 0
        : typeof value === 'string'
          ? `${value}!`
          : !value
  }
  return Array.isArray(value)
    ? value.map((item, i) => i === key ? changedAt(item, rest) : item)
    : { ...value as Record<string, Json>, [key]: changedAt((value as Record<string, Json>)[key]!, rest) }
}

t.test('the digest ignores white space and the order of keys in JSON, but no value', async (t) => {
  const directory = t.testdir({})
  const digest = await writeModelPackage(directory, parts)
  for (const name of JSON_FILES) {
    await edit(directory, name, (value) => reversed(value))
    await writeFile(
      join(directory, name),
      `\n${JSON.stringify(JSON.parse(await readFile(join(directory, name), 'utf8')), null, '\t')}\r\n`
    )
  }
  const loaded = await loadModelPackage(directory, choice)
  t.equal(loaded.digest, digest)
  loaded.dispose()

  const texts = new Map(
    await Promise.all(JSON_FILES.map(async (name) => [name, await readFile(join(directory, name), 'utf8')] as const))
  )
  const before = tf.memory().numTensors
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...JSON_FILES), fc.nat(), async (name, at) => {
      const text = texts.get(name)!
      const value = JSON.parse(text) as Json
      const places = leaves(value)
      await writeFile(join(directory, name), JSON.stringify(changedAt(value, places[at % places.length]!)))
      const refused = await loadModelPackage(directory, choice).then(
        () => false,
        (error: { code: string, message: string }) =>
          error.code === 'invalid-model-package' && error.message.includes(name)
      )
      await writeFile(join(directory, name), text)
      return refused
    }),
    { numRuns: 60, seed: 1 }
  )
  t.equal(tf.memory().numTensors, before)
  t.equal(canonicalJson({ b: [{ d: 1, c: null }], a: 'ü' }), '{"a":"ü","b":[{"c":null,"d":1}]}')
})

t.test('a file that is missing, changed or not JSON is refused, and the error names it', async (t) => {
  const whole = join(t.testdir({}), 'whole')
  await writeModelPackage(whole, parts)
  const damaged = join(whole, '..', 'damaged')
  const damage = async (
    name: string,
    make: (file: string) => Promise<unknown>,
    reason: RegExp | string
  ): Promise<void> => {
    await rm(damaged, { recursive: true, force: true })
    await cp(whole, damaged, { recursive: true })
    await make(join(damaged, name))
    const { code, message } = await refusal(t, damaged)
    t.equal(code, 'invalid-model-package', name)
    t.match(message, name)
    t.match(message, reason)
    t.match(message, damaged, 'the folder is named too')
  }
  for (const name of [...JSON_FILES, 'weights.bin', 'digest.txt']) {
    await damage(name, async (file) => rm(file), 'cannot be read')
    await damage(name, async (file) => writeFile(file, ''), name.endsWith('.json') ? 'is not JSON' : 'digest')
  }
  for (const name of JSON_FILES) {
    await damage(name, async (file) =>
      writeFile(file, (await readFile(file, 'utf8')).slice(0, -9)), 'is not JSON')
  }
  await damage('manifest.json', async (file) => writeFile(file, 'null'), '/format is undefined')
  for (const at of [0, 301, small.weights.length - 1]) {
    await damage('weights.bin', async (file) => {
      const bytes = await readFile(file)
      bytes[at]! ^= 1
      await writeFile(file, bytes)
    }, /was changed/)
  }
  await damage(
    'weights.bin',
    async (file) => writeFile(file, Buffer.concat([await readFile(file), Buffer.alloc(4)])),
    /was changed/
  )
  await damage(
    'digest.txt',
    async (file) => writeFile(file, `sha256:${'0'.repeat(64)}\n`),
    /digest\.txt says sha256:0{64}/
  )
  await damage(
    'manifest.json',
    async () =>
      edit(
        damaged,
        'manifest.json',
        (value: Manifest) => ({
          ...value,
          detector: { ...value.detector, batch: { ...detectorOf.batch, threshold: 99 } },
        })
      ),
    /was changed/
  )
  await t.rejects(loadModelPackage(join(whole, 'nowhere'), choice), { code: 'invalid-model-package' })
})

t.test('another format is refused before anything else is checked', async (t) => {
  const directory = t.testdir({})
  await writeModelPackage(directory, parts)
  await edit(directory, 'manifest.json', (value: Manifest) => ({ ...value, format: 1 }))
  t.match(await refusal(t, directory), {
    code: 'invalid-model-package',
    message: /json: \/format is 1, this program reads 3; an earlier version .*npm run train.*publish FOLDER --promote/,
  })
})

t.test('a manifest, golden scores or models of a wrong shape are refused by name', async (t) => {
  const directory = t.testdir({})
  const detectorWith = (change: Partial<Manifest['detector']>) => (value: Manifest): Manifest => ({
    ...value,
    detector: { ...value.detector, ...change },
  })
  /** Channels that are compared with each other, where the second one follows the first. */
  const withRelated = (related: readonly number[]) => (value: Manifest): Manifest => {
    const { causal, batch } = value.detector.evidence
    const prediction = { offset: 0, weights: [1, 0] }
    const thresholds = { point: 5, mean: [null, null], power: [null, null] }
    const relation = { prediction, raw: false, factor: 1, thresholds }
    const channels = causal!.channels.map((channel, c) => ({ ...channel, relation: c === 1 ? relation : null }))
    const raw = { center: [0, 0], scale: [1, 1] }
    return detectorWith({ evidence: { causal: { ...causal!, channels, related, raw }, batch } })(value)
  }
  const manifests: Array<[(value: Manifest) => unknown, RegExp]> = [
    [(value) => ({ ...value, colour: 'red' }), /manifest\.json: \/ .*colour/],
    [(value) => ({ ...value, name: 'No Name' }), /manifest\.json: \/name lower-case/],
    [detectorWith({ batch: { ...detectorOf.batch, smoothing: 8 } }), /\/detector\/batch\/smoothing must be odd/],
    [
      detectorWith({ batch: { ...detectorOf.batch, level: { span: 600, factor: 1 } } }),
      /\/detector\/batch\/level\/span must be odd/,
    ],
    [
      detectorWith({ causal: { ...detectorOf.causal, scores: { ...detectorOf.causal.scores, quantiles: [1] } } }),
      /\/detector\/causal\/scores\/quantiles/,
    ],
    [
      detectorWith({ members: [{ ...detectorOf.members[0]!, tail: 9 }] }),
      /\/detector\/members\/0\/tail must be at most windowLength/,
    ],
    [
      detectorWith({ members: [{ ...detectorOf.members[0]!, scale: { causal: 0, batch: 1 } }] }),
      /\/detector\/members\/0\/scale\/causal/,
    ],
    [detectorWith({ members: [] }), /\/detector\/members/],
    [detectorWith({ channels: ['a', 'b', 'a'] }), /\/detector\/channels two channels have the same name/],
    [detectorWith({ channels: ['a', 'b'] }), /\/detector scaler, weights and margins need one entry for each channel/],
    [detectorWith({ windowLength: 12 }), /\/detector\/windowLength must be that of the longest member/],
    [withRelated([0, 0]), /\/detector\/evidence\/causal related channels, .* must agree/],
    [withRelated([0, 2]), /\/detector\/evidence\/causal related channels, .* must agree/],
  ]
  for (const [change, message] of manifests) {
    await writeModelPackage(directory, parts)
    await edit(directory, 'manifest.json', change as (value: never) => unknown)
    t.match(await refusal(t, directory), { code: 'invalid-model-package', message })
  }
  await writeModelPackage(directory, parts)
  await edit(
    directory,
    'manifest.json',
    detectorWith({ windowLength: 12, members: [{ ...detectorOf.members[0]!, windowLength: 12 }] }) as (
      value: never,
    ) => unknown
  )
  await sign(t, directory)
  t.match(await refusal(t, directory), {
    code: 'invalid-model-package',
    message: /model\.json: its windows hold 24 values, those of manifest\.json 12 × 3/,
  })
  await writeModelPackage(directory, parts)
  await edit(directory, 'golden.json', ({ batch: _, ...value }: typeof golden) => value)
  t.match(await refusal(t, directory), { code: 'invalid-model-package', message: /golden\.json: \/batch/ })
})

t.test('weights that do not fit the topology are refused, and no tensor is left behind', async (t) => {
  const directory = t.testdir({})
  const [other, narrow, deep] = await Promise.all([
    denseModel([WIDTH, 5, WIDTH]),
    denseModel([WIDTH, 6]),
    denseModel([WIDTH, 6, 6, WIDTH]),
  ])
  const models: Array<[string, SavedModel]> = [
    ['too short', { ...small, weights: small.weights.subarray(0, 100) }],
    ['of another shape', { ...small, weights: other.weights, weightSpecs: other.weightSpecs }],
    ['of fewer layers', { ...small, weights: narrow.weights, weightSpecs: narrow.weightSpecs }],
    ['of more layers', { ...small, weights: deep.weights, weightSpecs: deep.weightSpecs }],
    ['without topology', { ...small, topology: {} }],
    ['with an unknown layer', {
      ...small,
      topology: JSON.parse(JSON.stringify(small.topology).replaceAll('Dense', 'Densest')) as unknown,
    }],
    ['of another width', narrow],
  ]
  for (const [name, model] of models) {
    await writeModelPackage(directory, { ...parts, models: [model] })
    t.match(await refusal(t, directory), { code: 'invalid-model-package', message: /model\.json/ }, name)
  }
  await writeModelPackage(directory, parts)
  await edit(directory, 'model.json', () => ({ modelTopology: small.topology }))
  await sign(t, directory)
  t.match(
    await refusal(t, directory),
    { code: 'invalid-model-package', message: /model\.json/ },
    'without a list of weights'
  )
})

t.test('a package whose scores differ from the golden ones is refused, and no tensor is left behind', async (t) => {
  const directory = t.testdir({})
  const differs = { code: 'golden-scores-differ', message: /golden scores differ by/ }
  await writeModelPackage(directory, { ...parts, models: [await denseModel([WIDTH, 6, WIDTH], 2)] })
  t.match(await refusal(t, directory), differs, 'other weights of the same shape')
  const goldens: Array<[string, typeof golden]> = [
    ['a batch score', { ...golden, batch: golden.batch.map((score, i) => i === 100 ? score! * 1.001 : score) }],
    ['a causal score', { ...golden, causal: golden.causal.map((score, i) => i === 100 ? score! * 1.001 : score) }],
    ['a warm-up that is scored', { ...golden, causal: golden.causal.map((score) => score ?? 0) }],
    ['a score that is none', { ...golden, batch: golden.batch.map((score, i) => i === 100 ? null : score) }],
    ['fewer scores', { ...golden, batch: golden.batch.slice(1) }],
    ['a channel that is not there', { ...golden, values: { ...golden.values, channel_1: [] } }],
  ]
  for (const [name, changed] of goldens) {
    await writeModelPackage(directory, { ...parts, golden: changed })
    t.match(await refusal(t, directory), differs, name)
  }
  await writeModelPackage(directory, {
    ...parts,
    golden: { ...golden, batch: golden.batch.map((score) => score === null ? null : score * (1 + 2e-5)) },
  })
  const loaded = await loadModelPackage(directory, choice)
  t.ok(
    loaded.goldenDifference > 1e-5 && loaded.goldenDifference < 1e-4,
    'rounding differences of another backend are allowed, and reported'
  )
  loaded.dispose()
})

t.test('a package whose model is not as sensitive as its probes say is refused, and no tensor is left', async (t) => {
  const directory = t.testdir({})
  const { probes } = golden
  const [first] = probes.probes
  const cases: Array<[string, typeof probes, RegExp]> = [
    ['no probe', { ...probes, probes: [] }, /no probe/],
    ['a small offset', { ...probes, probes: [{ ...first!, found: first!.missed }] }, /does not find an offset of/],
    ['a large offset', { ...probes, probes: [{ ...first!, missed: first!.found }] }, /which it must not/],
    ['no values', { ...probes, values: {} }, /scores no observation of normal data \(batch\)/],
  ]
  for (const [name, changed, message] of cases) {
    await writeModelPackage(directory, { ...parts, golden: { ...golden, probes: changed } })
    t.match(await refusal(t, directory), { code: 'sensitivity-differs', message }, name)
  }
})

t.test('the manifest records the tracking run, and the digest does not cover it', async (t) => {
  const directory = join(t.testdir({}), 'package')
  const digest = await writeModelPackage(directory, parts)
  const tracking = { mlflowRunId: '0123456789abcdef0123456789abcdef' }
  t.equal(await writeModelPackage(directory, { ...parts, manifest: { ...parts.manifest, tracking } }), digest)
  const loaded = await loadModelPackage(directory, choice)
  t.same(loaded.manifest.tracking, tracking)
  loaded.dispose()
  await edit(directory, 'manifest.json', (value: Manifest) => ({ ...value, tracking: { mlflowRunId: '../x' } }))
  t.match(await refusal(t, directory), { code: 'invalid-model-package', message: /tracking\/mlflowRunId/ })
})

t.test('several members: each has its own files and windows, and the digest covers all of them', async (t) => {
  const directory = join(t.testdir({}), 'ensemble')
  const { model: trained } = await fitEnsemble([SERIES])
  const models = await Promise.all(
    trained.members.map(async ({ windowLength }, m) => denseModel([windowLength * 3, 4, windowLength * 3], 10 + m))
  )
  const before = tf.memory().numTensors
  const { autoencoders, dispose } = await loadAutoencoders(enginesOf(choice), models, trained)
  const model = calmed(trained, autoencoders, SERIES)
  const several = {
    manifest: { ...manifest, architecture: 'ensemble', detector: model as Manifest['detector'] },
    golden: proofOf(model, autoencoders, SERIES),
    models,
    card: '',
  }
  const scores = scoresOf(detectBatch(model, autoencoders, waves(400)))
  dispose()
  t.equal(tf.memory().numTensors, before)
  const digest = await writeModelPackage(directory, several)
  t.strictSame((await readdir(directory)).sort(), ['MODEL_CARD.md', 'digest.txt', 'golden.json', 'manifest.json',
    'model-2.json', 'model-3.json', 'model.json', 'weights-2.bin', 'weights-3.bin', 'weights.bin'])
  const loaded = await loadModelPackage(directory, choice)
  t.strictSame([loaded.digest, loaded.goldenDifference, loaded.autoencoders.length], [digest, 0, 3])
  t.strictSame(scoresOf(detectBatch(loaded.manifest.detector, loaded.autoencoders, waves(400))), scores)
  loaded.dispose()
  t.equal(tf.memory().numTensors, before)
  t.strictSame(await readModels(directory, 3), models)
  t.match(await readFile(join(directory, 'model-2.json'), 'utf8'), '"paths":["weights-2.bin"]')

  for (const name of ['model-2.json', 'weights-3.bin']) {
    const kept = await readFile(join(directory, name))
    await rm(join(directory, name))
    t.match(await refusal(t, directory), {
      code: 'invalid-model-package',
      message: new RegExp(`${name.replace('.', '\\.')} cannot be read`),
    })
    const changed = Buffer.from(kept)
    changed[changed.indexOf('1') < 0 ? 0 : changed.indexOf('1')]! ^= 1
    await writeFile(join(directory, name), changed)
    t.match(await refusal(t, directory), { code: 'invalid-model-package', message: /was changed/ })
    await writeFile(join(directory, name), kept)
  }
  const [first, second, third] = models as [SavedModel, SavedModel, SavedModel]
  t.not(
    await writeModelPackage(directory, { ...several, models: [first, second, await denseModel([24, 4, 24], 99)] }),
    digest,
    'other weights of the last member'
  )
  t.match(await refusal(t, directory), { code: 'golden-scores-differ' })
  await writeModelPackage(directory, { ...several, models: [second, first, third] })
  t.match(await refusal(t, directory), {
    code: 'invalid-model-package',
    message: /model\.json: its windows hold 36 values, those of manifest\.json 5 × 3/,
  })
  await writeModelPackage(directory, { ...several, models: [first, third, second] })
  t.match(await refusal(t, directory), {
    code: 'invalid-model-package',
    message: /model-2\.json: its windows hold 24 values, those of manifest\.json 12 × 3/,
  })
  await writeModelPackage(directory, {
    ...several,
    models: [first, { ...second, weights: second.weights.subarray(0, 40) }, third],
  })
  t.match(await refusal(t, directory), {
    code: 'invalid-model-package',
    message: /not hold a LayersModel: model-2\.json: /,
  })
})
