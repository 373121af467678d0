// Reads the model packages of a folder, or refuses to serve. Runs in the worker threads: the one that answers loads no TensorFlow.js.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../core/errors.ts'
import { loadModelPackage, TENSORFLOW_VERSION } from '../core/tfjs/model-package.ts'
import type { Config } from './config.ts'
import type { BackendDescription, ServedModel } from './models.ts'

export interface LoadedModels {
  readonly models: readonly ServedModel[]
  readonly backend: BackendDescription
}

/**
 * Loads every package, and TensorFlow.js where one needs it; each proves its digest and golden scores.
 * @throws Problem invalid-model-package, golden-scores-differ or backend-unavailable
 */
export async function loadModels ({ modelsDir, backend: choice }: Pick<Config, 'modelsDir' | 'backend'>): Promise<LoadedModels> {
  const directories = await findPackages(modelsDir)
  const models = []
  for (const directory of directories) models.push(await loadModelPackage(directory, choice))
  const engines = new Set(models.flatMap((model) => model.engines))
  return { models, backend: { name: [...engines].sort().join(', '), version: TENSORFLOW_VERSION } }
}

/** The folder itself where it is a package, else its subfolders that are, by name. */
export async function findPackages (folder: string): Promise<string[]> {
  if (await isPackage(folder)) return [folder]
  const names = await readdir(folder).catch((cause: unknown) => { throw noPackage(folder, cause) })
  const candidates = names.sort().map((name) => join(folder, name))
  const found = await Promise.all(candidates.map(isPackage))
  const packages = candidates.filter((_, i) => found[i])
  if (packages.length === 0) throw noPackage(folder)
  return packages
}

async function isPackage (folder: string): Promise<boolean> {
  return stat(join(folder, 'manifest.json')).then((file) => file.isFile(), () => false)
}

function noPackage (folder: string, cause?: unknown): Problem {
  return new Problem('invalid-model-package', `There is no model package in ${folder}; train one, or set MODELS_DIR to the folder that holds it.`, { cause })
}
