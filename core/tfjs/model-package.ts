// Reads and writes model packages: manifest, LayersModel, golden scores and the digest over all three. Refuses what it cannot prove.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { io, LayersModel } from '@tensorflow/tfjs'
import type { z } from 'zod'
import type { DetectorModel } from '../detection.ts'
import { Problem } from '../errors.ts'
import { reproduceGolden } from '../golden.ts'
import { type Golden, GoldenSchema, type Manifest, MANIFEST_FORMAT, ManifestSchema } from '../manifest.ts'
import type { Autoencoder, Reconstruct } from '../reconstruction-error.ts'
import { type Backend, type BackendChoice, loadBackend } from './backend.ts'
import { linearLayers } from './linear-layers.ts'
import { toReconstruct } from './reconstruct.ts'
import type { SavedModel } from './saved-model.ts'

/** The files of one member: TensorFlow.js' own layout, loadable by tf.loadLayersModel. */
interface MemberFiles {
  readonly model: string
  readonly weights: string
}

/** model.json and weights.bin, then model-2.json and weights-2.bin and so on. */
function memberFiles (members: number): MemberFiles[] {
  return Array.from({ length: members }, (_, m) => m === 0 ? { model: 'model.json', weights: 'weights.bin' } : { model: `model-${m + 1}.json`, weights: `weights-${m + 1}.bin` })
}

/** The files that the digest covers, in the order of their names. MODEL_CARD.md tells the same to people and is not covered. */
function coveredFiles (members: number): string[] {
  return ['golden.json', 'manifest.json', ...memberFiles(members).flatMap(({ model, weights }) => [model, weights])].sort()
}

/** Of the TensorFlow.js that is installed; told without loading it. */
export const TENSORFLOW_VERSION = (createRequire(import.meta.url)('@tensorflow/tfjs/package.json') as { version: string }).version

/** A package that was read, verified and proved by its golden scores. */
export interface ModelPackage {
  readonly manifest: Manifest
  /** `sha256:` and 64 hexadecimal digits: the same data, code and parameters give the same digest on every machine. */
  readonly digest: string
  /** Largest relative difference of the golden scores on this backend. */
  readonly goldenDifference: number
  /** One for each member of the detector. */
  readonly autoencoders: readonly Autoencoder[]
  /** What runs each of them: `kernel`, or a backend of TensorFlow.js. */
  readonly engines: readonly string[]
  dispose (): void
}

/** JSON with sorted keys, so that equal content has equal bytes. */
export function canonicalJson (value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => a < b ? -1 : 1))
      : item)
}

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** Digest over canonical content: JSON files by meaning, weights by bytes. */
function digestOf (contents: ReadonlyMap<string, Uint8Array>, members: number): string {
  const lines = coveredFiles(members).map((name) => {
    const canonical = name.endsWith('.json') ? canonicalJson(parseJson(contents, name)) : contents.get(name)!
    return `${name} ${sha256(canonical)}\n`
  })
  return `sha256:${sha256(lines.join(''))}`
}

/** @throws SyntaxError that names the file */
function parseJson (contents: ReadonlyMap<string, Uint8Array>, name: string): unknown {
  try {
    return JSON.parse(Buffer.from(contents.get(name)!).toString('utf8'))
  } catch (cause) {
    throw new SyntaxError(`${name} is not JSON`, { cause })
  }
}

/** Takes a LayersModel apart for storage. */
export async function saveLayersModel (backend: Backend, model: LayersModel): Promise<SavedModel> {
  let saved: SavedModel | undefined
  await model.save(backend.tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
    const buffers = Array.isArray(weightData) ? weightData : [weightData ?? new ArrayBuffer(0)]
    saved = { topology: modelTopology, weightSpecs: weightSpecs ?? [], weights: Buffer.concat(buffers.map((buffer) => Buffer.from(buffer))) }
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
  }))
  return saved!
}

/** Puts a stored LayersModel together again on a backend. Unlike tf.loadLayersModel it leaves no tensor behind where weights do not fit. */
export async function loadLayersModel ({ tf }: Backend, saved: SavedModel): Promise<LayersModel> {
  const model = await tf.models.modelFromJSON(saved.topology as Parameters<typeof tf.models.modelFromJSON>[0])
  try {
    const weights = saved.weights.buffer.slice(saved.weights.byteOffset, saved.weights.byteOffset + saved.weights.byteLength) as ArrayBuffer
    tf.tidy(() => { model.loadWeights(tf.io.decodeWeights(weights, saved.weightSpecs)) })
    return model
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** Writes the members' models in TensorFlow.js' own layout. */
export async function writeLayersModels (directory: string, models: readonly SavedModel[]): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const [m, { model, weights }] of memberFiles(models.length).entries()) {
    const saved = models[m]!
    const json = { format: 'layers-model', modelTopology: saved.topology, weightsManifest: [{ paths: [weights], weights: saved.weightSpecs }] }
    await writeFile(join(directory, model), `${canonicalJson(json)}\n`)
    await writeFile(join(directory, weights), saved.weights)
  }
}

/** Reads what writeLayersModels() wrote. */
export async function readLayersModels (directory: string, members: number): Promise<SavedModel[]> {
  const files = memberFiles(members)
  const contents = await readAll(directory, files.flatMap(({ model, weights }) => [model, weights]))
  return Promise.all(files.map(async (names) => parseLayersModel(contents, names)))
}

async function parseLayersModel (contents: ReadonlyMap<string, Uint8Array>, { model, weights }: MemberFiles): Promise<SavedModel> {
  const { modelTopology, weightsManifest } = parseJson(contents, model) as { modelTopology: unknown, weightsManifest: [{ weights: io.WeightsManifestEntry[] }] }
  return { topology: modelTopology, weightSpecs: weightsManifest[0].weights, weights: contents.get(weights)! }
}

/** What runs autoencoders. */
export interface Engines {
  /** Whether the kernel runs the exactly solved ones (core/tfjs/linear-layers.ts). */
  readonly kernel: boolean
  /** Loads TensorFlow.js for the others. */
  readonly backend: () => Promise<Backend>
}

export interface LoadedAutoencoders {
  readonly autoencoders: readonly Autoencoder[]
  /** What runs each of them: `kernel`, or a backend of TensorFlow.js. */
  readonly engines: readonly string[]
  /** Frees the weights. */
  dispose (): void
}

/**
 * The members' saved models as autoencoders.
 * @throws Error where a model is not flat, or not as wide as its member's windows
 */
export async function loadAutoencoders (engines: Engines, models: readonly SavedModel[], { members, channels }: Pick<DetectorModel, 'members' | 'channels'>): Promise<LoadedAutoencoders> {
  const loaded: LayersModel[] = []
  const dispose = (): void => { for (const model of loaded) model.dispose() }
  const load = async (saved: SavedModel, windowLength: number): Promise<[string, Autoencoder]> => {
    const linear = engines.kernel ? linearLayers(saved, windowLength * channels.length, channels.length) : undefined
    if (linear !== undefined) return ['kernel', linear]
    const backend = await engines.backend()
    const model = await loadLayersModel(backend, saved)
    loaded.push(model)
    return [backend.name, { reconstruct: flatReconstruct(backend, model, windowLength, channels.length) }]
  }
  try {
    const all: Array<[string, Autoencoder]> = []
    for (const [m, { model: name }] of memberFiles(models.length).entries()) all.push(await named(name, load(models[m]!, members[m]!.windowLength)))
    return { autoencoders: all.map(([, autoencoder]) => autoencoder), engines: all.map(([engine]) => engine), dispose }
  } catch (error) {
    dispose()
    throw error
  }
}

/** Says which member's file an error is about. */
async function named<T> (name: string, made: Promise<T>): Promise<T> {
  return made.catch((cause: unknown) => { throw new Error(`${name}: ${(cause as Error).message}`, { cause }) })
}

function flatReconstruct (backend: Backend, model: LayersModel, windowLength: number, channels: number): Reconstruct {
  const reconstruct = toReconstruct(backend, model)
  const width = model.inputs[0]?.shape[1]
  if (width !== windowLength * channels) throw new Error(`its windows hold ${width} values, those of manifest.json ${windowLength} × ${channels}`)
  return reconstruct
}

/**
 * Writes a package into a directory.
 * @returns its digest
 */
export async function writeModelPackage (directory: string, parts: { manifest: Manifest, golden: Golden, models: readonly SavedModel[], card: string }): Promise<string> {
  await writeLayersModels(directory, parts.models)
  await writeFile(join(directory, 'manifest.json'), `${JSON.stringify(ManifestSchema.parse(parts.manifest), null, 2)}\n`)
  await writeFile(join(directory, 'golden.json'), `${canonicalJson(GoldenSchema.parse(parts.golden))}\n`)
  const digest = digestOf(await readAll(directory, coveredFiles(parts.models.length)), parts.models.length)
  await writeFile(join(directory, 'MODEL_CARD.md'), parts.card.replaceAll('{digest}', digest))
  await writeFile(join(directory, 'digest.txt'), `${digest}\n`)
  return digest
}

/** `auto`: the kernel what it can, the fastest backend the rest; else that backend everything. */
export function enginesOf (choice: BackendChoice): Engines {
  return { kernel: choice === 'auto', backend: async () => loadBackend(choice) }
}

/**
 * Reads a package, verifies digest and schema, loads the model and reproduces the golden scores.
 * @throws Problem invalid-model-package or golden-scores-differ
 */
export async function loadModelPackage (directory: string, choice: BackendChoice): Promise<ModelPackage> {
  const { digest, manifest, golden, models } = await verify(directory)
  const { autoencoders, engines, dispose } = await refused(directory, NO_LAYERS_MODEL, async () => loadAutoencoders(enginesOf(choice), models, manifest.detector))
  try {
    return { manifest, digest, goldenDifference: reproduceGolden(manifest.detector, autoencoders, golden), autoencoders, engines, dispose }
  } catch (error) {
    dispose()
    throw error
  }
}

interface Verified {
  readonly digest: string
  readonly manifest: Manifest
  readonly golden: Golden
  readonly models: readonly SavedModel[]
}

/** Everything that can be known before a tensor is made. */
async function verify (directory: string): Promise<Verified> {
  const first = await readAll(directory, ['manifest.json', 'digest.txt'])
  const manifest = readManifest(directory, first)
  const members = manifest.detector.members.length
  const contents = await readAll(directory, coveredFiles(members))
  const recorded = Buffer.from(first.get('digest.txt')!).toString('utf8').trim()
  const json = jsonReader(directory, contents)
  for (const { model } of memberFiles(members)) json(model)
  const golden = matching(directory, 'golden.json', GoldenSchema, json('golden.json'))
  const digest = digestOf(contents, members)
  if (digest !== recorded) throw invalid(directory, `the digest of ${coveredFiles(members).join(', ')} is ${digest}, but digest.txt says ${recorded}; one of them was changed`)
  const models = await refused(directory, NO_LAYERS_MODEL, async () => Promise.all(memberFiles(members).map(async (names) => named(names.model, parseLayersModel(contents, names)))))
  return { digest, manifest, golden, models }
}

function jsonReader (directory: string, contents: ReadonlyMap<string, Uint8Array>): (name: string) => unknown {
  return (name) => {
    try {
      return parseJson(contents, name)
    } catch (cause) {
      throw invalid(directory, (cause as Error).message, cause)
    }
  }
}

function readManifest (directory: string, contents: ReadonlyMap<string, Uint8Array>): Manifest {
  const json = jsonReader(directory, contents)('manifest.json')
  // First of all: another format may have other rules for everything that follows.
  const { format } = (json ?? {}) as { format?: unknown }
  if (format !== MANIFEST_FORMAT) throw invalid(directory, `manifest.json: /format is ${JSON.stringify(format)}, this program reads ${MANIFEST_FORMAT}`)
  return matching(directory, 'manifest.json', ManifestSchema, json)
}

async function readAll (directory: string, names: readonly string[]): Promise<Map<string, Uint8Array>> {
  return new Map(await Promise.all(names.map(async (name) => [name, await readPart(directory, name)] as const)))
}

async function readPart (directory: string, name: string): Promise<Uint8Array> {
  return readFile(join(directory, name)).catch((cause: unknown) => { throw invalid(directory, `${name} cannot be read`, cause) })
}

function invalid (directory: string, reason: string, cause?: unknown): Problem {
  return new Problem('invalid-model-package', `The model package ${directory} cannot be used: ${reason}. Train or fetch it again.`, { cause })
}

/** What is said of members' files that are JSON and are signed, and still are not what TensorFlow.js wrote. */
const NO_LAYERS_MODEL = 'what is in it is no LayersModel'

async function refused<T> (directory: string, what: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (cause) {
    throw invalid(directory, `${what}: ${(cause as Error).message}`, cause)
  }
}

function matching<T> (directory: string, name: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw invalid(directory, `${name}: /${issue?.path.join('/') ?? ''} ${issue?.message ?? 'is not valid'}`, result.error)
}
