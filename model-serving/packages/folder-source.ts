// The packages of a folder, as they are when the service starts.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../core/errors.ts'
import { packArchive } from '../../adapters/registry/archive.ts'
import { readPackageFiles, verifyModelPackage } from '../../adapters/tfjs/package-files.ts'
import type { VersionRef } from './catalogue.ts'
import type { SuppliedModel, ModelSource } from './model-source.ts'

/** @param folder a package, or a folder whose subfolders are packages */
export function folderSource (folder: string): ModelSource {
  const directories = new Map<string, string>()
  const directoryOf = ({ digest }: VersionRef): string => directories.get(digest) ?? folder
  const read = async (): Promise<SuppliedModel[]> => {
    const found: SuppliedModel[] = []
    for (const directory of await findPackages(folder)) {
      const { digest, manifest: { name, version } } = verifyModelPackage(directory, await readPackageFiles(directory))
      directories.set(digest, directory)
      const live = { name, version, digest }
      const { mtimeMs } = await stat(join(directory, 'manifest.json'))
      found.push({ name, versions: [{ ...live, publishedAt: mtimeMs }], live, earlier: undefined, shadow: undefined })
    }
    return found
  }
  let found: Promise<SuppliedModel[]> | undefined
  return {
    location: folder,
    strict: true,
    list: async () => (found ??= read()),
    fetch: async (ref) => packArchive(await readPackageFiles(directoryOf(ref))),
    where: directoryOf,
    watch: () => ({ close () {} }),
    close () {},
  }
}

/**
 * The folder if it is a package, else its subfolders that are packages, by name.
 * @throws Problem invalid-model-package if there is none
 */
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
  return new Problem(
    'invalid-model-package',
    `There is no model package in ${folder}; train one, or set MODELS_DIR to the folder that contains it.`,
    { cause }
  )
}
