// Members on disk: two files for each, a JSON file and its weights. LayersModels are in TensorFlow.js's own format.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { io, LayersModel } from '@tensorflow/tfjs'
import { Problem } from '../../core/errors.ts'
import type { Backend } from './backend.ts'

/** The files of one member; tf.loadLayersModel can load those of a LayersModel. */
interface MemberFiles {
  readonly model: string
  readonly weights: string
}

/** model.json and weights.bin, then model-2.json and weights-2.bin and so on. */
export function memberFiles (members: number): MemberFiles[] {
  return Array.from(
    { length: members },
    (_, m) =>
      m === 0
        ? { model: 'model.json', weights: 'weights.bin' }
        : { model: `model-${m + 1}.json`, weights: `weights-${m + 1}.bin` }
  )
}

/** What a member is; the others than LayersModels are those of adapters/tfjs/measures.ts. */
const FORMATS = ['layers-model', 'filters', 'deviation'] as const

/** A member as JSON and bytes. */
export interface SavedModel {
  readonly format: typeof FORMATS[number]
  /** Only of a LayersModel. */
  readonly topology?: unknown
  readonly weightSpecs: io.WeightsManifestEntry[]
  readonly weights: Uint8Array
}

/** JSON with sorted keys: equal content has equal bytes. */
export function canonicalJson (value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => a < b ? -1 : 1))
      : item)
}

/** @throws SyntaxError naming the file */
export function parseJson (contents: ReadonlyMap<string, Uint8Array>, name: string): unknown {
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
    saved = {
      format: 'layers-model',
      topology: modelTopology,
      weightSpecs: weightSpecs ?? [],
      weights: Buffer.concat(buffers.map((buffer) => Buffer.from(buffer))),
    }
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
  }))
  return saved!
}

/**
 * Restores a stored LayersModel on a backend. Unlike tf.loadLayersModel, it leaves no tensor behind if the weights do
 * not fit.
 */
export async function loadLayersModel ({ tf }: Backend, saved: SavedModel): Promise<LayersModel> {
  const model = await tf.models.modelFromJSON(saved.topology as Parameters<typeof tf.models.modelFromJSON>[0])
  try {
    const weights = saved.weights.buffer.slice(
      saved.weights.byteOffset,
      saved.weights.byteOffset + saved.weights.byteLength
    ) as ArrayBuffer
    tf.tidy(() => {
      model.loadWeights(tf.io.decodeWeights(weights, saved.weightSpecs))
    })
    return model
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** Writes the members' models. */
export async function writeModels (directory: string, models: readonly SavedModel[]): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const [m, { model, weights }] of memberFiles(models.length).entries()) {
    const saved = models[m]!
    const json = {
      format: saved.format,
      ...(saved.topology !== undefined && { modelTopology: saved.topology }),
      weightsManifest: [{ paths: [weights], weights: saved.weightSpecs }],
    }
    await writeFile(join(directory, model), `${canonicalJson(json)}\n`)
    await writeFile(join(directory, weights), saved.weights)
  }
}

/** Reads the models that writeModels() wrote. */
export async function readModels (directory: string, members: number): Promise<SavedModel[]> {
  const files = memberFiles(members)
  const contents = await readAll(directory, files.flatMap(({ model, weights }) => [model, weights]))
  return Promise.all(files.map(async (names) => parseModel(contents, names)))
}

export async function parseModel (
  contents: ReadonlyMap<string, Uint8Array>,
  { model, weights }: MemberFiles
): Promise<SavedModel> {
  const { format, modelTopology, weightsManifest } = parseJson(contents, model) as {
    format: SavedModel['format'],
    modelTopology?: unknown,
    weightsManifest: [{ weights: io.WeightsManifestEntry[] }],
  }
  if (!FORMATS.includes(format)) throw new Error(`its format is ${JSON.stringify(format)}`)
  const saved = { format, weightSpecs: weightsManifest[0].weights, weights: contents.get(weights)! }
  return modelTopology === undefined ? saved : { ...saved, topology: modelTopology }
}

export async function readAll (directory: string, names: readonly string[]): Promise<Map<string, Uint8Array>> {
  return new Map(await Promise.all(names.map(async (name) => [name, await readPart(directory, name)] as const)))
}

async function readPart (directory: string, name: string): Promise<Uint8Array> {
  return readFile(join(directory, name)).catch((cause: unknown) => {
    throw invalid(directory, `${name} cannot be read`, cause)
  })
}

export function invalid (directory: string, reason: string, cause?: unknown): Problem {
  return new Problem(
    'invalid-model-package',
    `The model package ${directory} cannot be used: ${reason}. Train or fetch it again.`,
    { cause }
  )
}

/** Adds the name of the member's file to an error. */
export async function named<T> (name: string, made: Promise<T>): Promise<T> {
  return made.catch((cause: unknown) => { throw new Error(`${name}: ${(cause as Error).message}`, { cause }) })
}
