// Reads and writes model packages: manifest, LayersModel, golden scores and the digest over all three. Refuses what it cannot prove.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type io, type LayersModel } from '@tensorflow/tfjs'
import { type z } from 'zod'
import { Problem } from '../errors.ts'
import { reproduceGolden } from '../golden.ts'
import { type Golden, GoldenSchema, type Manifest, ManifestSchema } from '../manifest.ts'
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
    const bytes = contents.get(name)!
    const canonical = name.endsWith('.json') ? canonicalJson(JSON.parse(Buffer.from(bytes).toString('utf8'))) : bytes
    return `${name} ${sha256(canonical)}\n`
  })
  return `sha256:${sha256(lines.join(''))}`
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

/** Puts a stored LayersModel together again on a backend. */
export async function loadLayersModel (backend: Backend, saved: SavedModel): Promise<LayersModel> {
  const weightData = saved.weights.buffer.slice(saved.weights.byteOffset, saved.weights.byteOffset + saved.weights.byteLength) as ArrayBuffer
  return backend.tf.loadLayersModel(backend.tf.io.fromMemory({ modelTopology: saved.topology as object, weightSpecs: saved.weightSpecs, weightData }))
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
  return parseLayersModel(await readPart(directory, 'model.json'), await readPart(directory, 'weights.bin'))
}

function parseLayersModel (json: Uint8Array, weights: Uint8Array): SavedModel {
  const { modelTopology, weightsManifest } = JSON.parse(Buffer.from(json).toString('utf8')) as {
    modelTopology: unknown, weightsManifest: [{ weights: io.WeightsManifestEntry[] }]
  }
  return { topology: modelTopology, weightSpecs: weightsManifest[0].weights, weights }
}

/**
 * Writes a package into a directory.
 * @returns its digest
 */
export async function writeModelPackage (directory: string, parts: { manifest: Manifest, golden: Golden, model: SavedModel, card: string }): Promise<string> {
  await writeLayersModel(directory, parts.model)
  await writeFile(join(directory, 'manifest.json'), `${JSON.stringify(ManifestSchema.parse(parts.manifest), null, 2)}\n`)
  await writeFile(join(directory, 'golden.json'), `${canonicalJson(GoldenSchema.parse(parts.golden))}\n`)
  const digest = digestOf(await readAll(directory))
  await writeFile(join(directory, 'MODEL_CARD.md'), parts.card.replaceAll('{digest}', digest))
  await writeFile(join(directory, 'digest.txt'), `${digest}\n`)
  return digest
}

/**
 * Reads a package, verifies digest and schema, loads the model and reproduces the golden scores.
 * @throws Problem invalid-model-package or golden-scores-differ
 */
export async function loadModelPackage (directory: string, backend: Backend): Promise<ModelPackage> {
  const contents = await readAll(directory)
  const recorded = Buffer.from(await readPart(directory, 'digest.txt')).toString('utf8').trim()
  const digest = parsed(directory, 'JSON', () => digestOf(contents))
  if (digest !== recorded) throw invalid(directory, `its content has the digest ${digest}, digest.txt says ${recorded}`)
  const json = (name: string): unknown => JSON.parse(Buffer.from(contents.get(name)!).toString('utf8'))
  const manifest = matching(directory, 'manifest.json', ManifestSchema, json('manifest.json'))
  const golden = matching(directory, 'golden.json', GoldenSchema, json('golden.json'))
  const model = await loadLayersModel(backend, parseLayersModel(contents.get('model.json')!, contents.get('weights.bin')!))
    .catch((cause: unknown) => { throw invalid(directory, 'model.json and weights.bin are no LayersModel', cause) })
  const reconstruct = toReconstruct(backend, model)
  try {
    return { manifest, digest, goldenDifference: reproduceGolden(manifest.detector, reconstruct, golden), reconstruct, dispose: () => model.dispose() }
  } catch (error) {
    model.dispose()
    throw error
  }
}

async function readAll (directory: string): Promise<Map<string, Uint8Array>> {
  return new Map(await Promise.all(FILES.map(async (name) => [name, await readPart(directory, name)] as const)))
}

async function readPart (directory: string, name: string): Promise<Uint8Array> {
  return readFile(join(directory, name)).catch((cause: unknown) => { throw invalid(directory, `${name} cannot be read`, cause) })
}

function invalid (directory: string, reason: string, cause?: unknown): Problem {
  return new Problem('invalid-model-package', `The model package ${directory} cannot be used: ${reason}. Train or fetch it again.`, { cause })
}

function parsed<T> (directory: string, what: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw invalid(directory, `a file is no valid ${what}`, cause)
  }
}

function matching<T> (directory: string, name: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw invalid(directory, `${name}: /${issue?.path.join('/') ?? ''} ${issue?.message ?? 'is not valid'}`, result.error)
}
