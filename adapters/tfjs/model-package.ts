// Reads and writes model packages: manifest, LayersModels, golden scores and the digest over all. Refuses what it
// cannot prove.
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { reproduceGolden } from '../../core/package/golden.ts'
import { type Golden, GoldenSchema, type Manifest, ManifestSchema } from '../../core/package/manifest.ts'
import type { Autoencoder } from '../../core/scoring/reconstruction-error.ts'
import { enginesOf, loadAutoencoders } from './autoencoders.ts'
import type { BackendChoice } from './backend.ts'
import {
  coveredFiles,
  digestOf,
  jsonReader,
  matching,
  type PackageFiles,
  readPackageFiles,
  verifyModelPackage,
} from './package-files.ts'
import {
  canonicalJson,
  invalid,
  memberFiles,
  named,
  parseLayersModel,
  readAll,
  type SavedModel,
  writeLayersModels,
} from './saved-models.ts'

/** Of the TensorFlow.js that is installed; told without loading it. */
export const TENSORFLOW_VERSION =
  (createRequire(import.meta.url)('@tensorflow/tfjs/package.json') as { version: string }).version

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

/**
 * Writes a package into a directory.
 * @returns its digest
 */
export async function writeModelPackage (
  directory: string,
  parts: { manifest: Manifest, golden: Golden, models: readonly SavedModel[], card: string }
): Promise<string> {
  await writeLayersModels(directory, parts.models)
  await writeFile(
    join(directory, 'manifest.json'),
    `${JSON.stringify(ManifestSchema.parse(parts.manifest), null, 2)}\n`
  )
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
  return openModelPackage(directory, await readPackageFiles(directory), choice)
}

/**
 * The same for a package's files.
 * @param where what they are, for the sentences of errors
 * @throws as loadModelPackage()
 */
export async function openModelPackage (
  where: string,
  files: PackageFiles,
  choice: BackendChoice
): Promise<ModelPackage> {
  const { digest, manifest } = verifyModelPackage(where, files)
  const golden = matching(where, 'golden.json', GoldenSchema, jsonReader(where, files)('golden.json'))
  const models = await refused(
    where,
    NO_LAYERS_MODEL,
    async () =>
      Promise.all(
        memberFiles(manifest.detector.members.length).map(async (names) =>
          named(names.model, parseLayersModel(files, names))
        )
      )
  )
  const { autoencoders, engines, dispose } = await refused(
    where,
    NO_LAYERS_MODEL,
    async () => loadAutoencoders(enginesOf(choice), models, manifest.detector)
  )
  try {
    return {
      manifest,
      digest,
      goldenDifference: reproduceGolden(manifest.detector, autoencoders, golden),
      autoencoders,
      engines,
      dispose,
    }
  } catch (error) {
    dispose()
    throw error
  }
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
