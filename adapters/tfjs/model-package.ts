// Reads and writes model packages: manifest, LayersModels, golden scores, and the digest over all of them. Refuses a
// package that does not reproduce its golden scores, or is not as sensitive as it was.
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { reproduceGolden } from '../../core/package/golden.ts'
import { type Golden, GoldenSchema, type Manifest, ManifestSchema } from '../../core/package/manifest.ts'
import type { Autoencoder } from '../../core/scoring/reconstruction-error.ts'
import { judgeOf } from '../../core/sensitivity/judge.ts'
import { checkProbes } from '../../core/sensitivity/probes.ts'
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
  parseModel,
  readAll,
  type SavedModel,
  writeModels,
} from './saved-models.ts'

/** Version of the installed TensorFlow.js, read without loading it. */
export const TENSORFLOW_VERSION =
  (createRequire(import.meta.url)('@tensorflow/tfjs/package.json') as { version: string }).version

/** A package that was read and verified, and that has reproduced its golden scores and the verdicts on its probes. */
export interface ModelPackage {
  readonly manifest: Manifest
  /** `sha256:` and 64 hexadecimal digits: the same data, code and parameters give the same digest on every machine. */
  readonly digest: string
  /** Largest relative difference between the golden scores and those of this backend. */
  readonly goldenDifference: number
  /** One for each member of the detector. */
  readonly autoencoders: readonly Autoencoder[]
  /** The engine of each of them: `kernel`, or a backend of TensorFlow.js. */
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
  await writeModels(directory, parts.models)
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
 * Reads a package, verifies digest and schema, loads the model, and proves it by golden scores and probes.
 * @throws Problem invalid-model-package, golden-scores-differ or sensitivity-differs
 */
export async function loadModelPackage (directory: string, choice: BackendChoice): Promise<ModelPackage> {
  return openModelPackage(directory, await readPackageFiles(directory), choice)
}

/**
 * Does the same as loadModelPackage() with the files of a package.
 * @param where names the package in error messages
 * @throws as loadModelPackage()
 */
export async function openModelPackage (
  where: string,
  files: PackageFiles,
  choice: BackendChoice
): Promise<ModelPackage> {
  const { digest, manifest } = verifyModelPackage(where, files)
  const golden = matching(where, 'golden.json', GoldenSchema, jsonReader(where, files)('golden.json'))
  const names = memberFiles(manifest.detector.members.length)
  const models = await asLayersModel(
    where,
    async () => Promise.all(names.map(async (member) => named(member.model, parseModel(files, member))))
  )
  const { autoencoders, engines, dispose } = await asLayersModel(
    where,
    async () => loadAutoencoders(enginesOf(choice), models, manifest.detector)
  )
  try {
    const goldenDifference = reproduceGolden(manifest.detector, autoencoders, golden)
    checkProbes(judgeOf(manifest.detector, autoencoders), golden.probes)
    return {
      manifest,
      digest,
      goldenDifference,
      autoencoders,
      engines,
      dispose,
    }
  } catch (error) {
    dispose()
    throw error
  }
}

/** Reports a member's file that is valid JSON under a valid digest, but not a model of TensorFlow.js. */
async function asLayersModel<T> (directory: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (cause) {
    throw invalid(directory, `it does not hold a LayersModel: ${(cause as Error).message}`, cause)
  }
}
