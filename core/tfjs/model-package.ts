// Reads and writes model packages: manifest, LayersModel, golden scores and the digest over all three. Refuses what it cannot prove.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type io, type LayersModel } from '@tensorflow/tfjs'
import { type z } from 'zod'
import { Problem } from '../errors.ts'
import { reproduceGolden } from '../golden.ts'
import { type Golden, GoldenSchema, type Manifest, MANIFEST_FORMAT, ManifestSchema } from '../manifest.ts'
import { type Reconstruct } from '../reconstruction-error.ts'
import { type Backend } from './backend.ts'
import { toReconstruct } from './reconstruct.ts'

/** The files that the digest covers. MODEL_CARD.md tells the same to people and is not covered. */
const FILES = ['golden.json', 'manifest.json', 'model.json', 'weights.bin'] as const

/** A package that was read, verified and proved by its golden scores. */
export interface ModelPackage {
  readonly manifest: Manifest
  /** `sha256:` and 64 hexadecimal digits: the same data, code and parameters give the same digest on every machine. */
  readonly digest: string
  /** Largest relative difference of the golden scores on this backend. */
  readonly goldenDifference: number
  readonly reconstruct: Reconstruct
  dispose (): void
}

/** A LayersModel as JSON topology and bytes. */
export interface SavedModel {
  readonly topology: unknown
  readonly weightSpecs: io.WeightsManifestEntry[]
  readonly weights: Uint8Array
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
function digestOf (contents: ReadonlyMap<string, Uint8Array>): string {
  const lines = FILES.map((name) => {
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

/** Writes model.json and weights.bin in TensorFlow.js' own layout, readable by tf.loadLayersModel. */
export async function writeLayersModel (directory: string, saved: SavedModel): Promise<void> {
  await mkdir(directory, { recursive: true })
  const json = { format: 'layers-model', modelTopology: saved.topology, weightsManifest: [{ paths: ['weights.bin'], weights: saved.weightSpecs }] }
  await writeFile(join(directory, 'model.json'), `${canonicalJson(json)}\n`)
  await writeFile(join(directory, 'weights.bin'), saved.weights)
}

/** Reads what writeLayersModel() wrote. */
export async function readLayersModel (directory: string): Promise<SavedModel> {
  return parseLayersModel(await readAll(directory, ['model.json', 'weights.bin']))
}

function parseLayersModel (contents: ReadonlyMap<string, Uint8Array>): SavedModel {
  const { modelTopology, weightsManifest } = parseJson(contents, 'model.json') as { modelTopology: unknown, weightsManifest: [{ weights: io.WeightsManifestEntry[] }] }
  return { topology: modelTopology, weightSpecs: weightsManifest[0].weights, weights: contents.get('weights.bin')! }
}

/**
 * Writes a package into a directory.
 * @returns its digest
 */
export async function writeModelPackage (directory: string, parts: { manifest: Manifest, golden: Golden, model: SavedModel, card: string }): Promise<string> {
  await writeLayersModel(directory, parts.model)
  await writeFile(join(directory, 'manifest.json'), `${JSON.stringify(ManifestSchema.parse(parts.manifest), null, 2)}\n`)
  await writeFile(join(directory, 'golden.json'), `${canonicalJson(GoldenSchema.parse(parts.golden))}\n`)
  const digest = digestOf(await readAll(directory, FILES))
  await writeFile(join(directory, 'MODEL_CARD.md'), parts.card.replaceAll('{digest}', digest))
  await writeFile(join(directory, 'digest.txt'), `${digest}\n`)
  return digest
}

/**
 * Reads a package, verifies digest and schema, loads the model and reproduces the golden scores.
 * @throws Problem invalid-model-package or golden-scores-differ
 */
export async function loadModelPackage (directory: string, backend: Backend): Promise<ModelPackage> {
  const contents = await readAll(directory, [...FILES, 'digest.txt'])
  const { digest, manifest, golden } = verify(directory, contents)
  const model = await refused(directory, 'model.json and weights.bin are no LayersModel', async () => loadLayersModel(backend, parseLayersModel(contents)))
  try {
    const reconstruct = await refused(directory, 'model.json', async () => flatReconstruct(backend, model, manifest))
    return { manifest, digest, goldenDifference: reproduceGolden(manifest.detector, reconstruct, golden), reconstruct, dispose: () => { model.dispose() } }
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** Everything that can be known before a tensor is made. */
function verify (directory: string, contents: ReadonlyMap<string, Uint8Array>): { digest: string, manifest: Manifest, golden: Golden } {
  const json = (name: string): unknown => {
    try {
      return parseJson(contents, name)
    } catch (cause) {
      throw invalid(directory, (cause as Error).message, cause)
    }
  }
  // First of all: another format may have other rules for everything that follows.
  const { format } = (json('manifest.json') ?? {}) as { format?: unknown }
  if (format !== MANIFEST_FORMAT) throw invalid(directory, `manifest.json: /format is ${JSON.stringify(format)}, this program reads ${MANIFEST_FORMAT}`)
  for (const name of ['golden.json', 'model.json']) json(name)
  const recorded = Buffer.from(contents.get('digest.txt')!).toString('utf8').trim()
  const digest = digestOf(contents)
  if (digest !== recorded) throw invalid(directory, `the digest of ${FILES.join(', ')} is ${digest}, but digest.txt says ${recorded}; one of them was changed`)
  const manifest = matching(directory, 'manifest.json', ManifestSchema, json('manifest.json'))
  return { digest, manifest, golden: matching(directory, 'golden.json', GoldenSchema, json('golden.json')) }
}

/** @throws Error where the model is not flat, or not as wide as the manifest's windows */
function flatReconstruct (backend: Backend, model: LayersModel, { detector }: Manifest): Reconstruct {
  const reconstruct = toReconstruct(backend, model)
  const [width, wanted] = [model.inputs[0]?.shape[1], detector.windowLength * detector.channels.length]
  if (width !== wanted) throw new Error(`its windows hold ${width} values, those of manifest.json ${detector.windowLength} × ${detector.channels.length}`)
  return reconstruct
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
