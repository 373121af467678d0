// Reads and writes model packages: manifest, LayersModels, golden scores and the digest over all. Refuses what it cannot prove.
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { z } from 'zod'
import { reproduceGolden } from '../golden.ts'
import { type Golden, GoldenSchema, type Manifest, MANIFEST_FORMAT, ManifestSchema } from '../manifest.ts'
import type { Autoencoder } from '../reconstruction-error.ts'
import { enginesOf, loadAutoencoders } from './autoencoders.ts'
import type { BackendChoice } from './backend.ts'
import { canonicalJson, invalid, memberFiles, named, parseJson, parseLayersModel, readAll, type SavedModel, writeLayersModels } from './saved-models.ts'

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

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** Digest over canonical content: JSON files by meaning, weights by bytes. */
function digestOf (contents: ReadonlyMap<string, Uint8Array>, members: number): string {
  const lines = coveredFiles(members).map((name) => {
    const canonical = name.endsWith('.json') ? canonicalJson(parseJson(contents, name)) : contents.get(name)!
    return `${name} ${sha256(canonical)}\n`
  })
  return `sha256:${sha256(lines.join(''))}`
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
