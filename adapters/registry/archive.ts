// A model package as one object: an uncompressed tar archive whose bytes depend only on the files.
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { extract, pack } from 'tar-stream'
import { Problem } from '../../core/errors.ts'
import { isPackageFile, type PackageFiles } from '../tfjs/package-files.ts'

export async function packArchive (files: PackageFiles): Promise<Uint8Array> {
  const archive = pack()
  for (const [name, content] of [...files].sort(([a], [b]) => a < b ? -1 : 1)) {
    archive.entry({ name, mtime: new Date(0), mode: 0o644 }, Buffer.from(content))
  }
  archive.finalize()
  return buffer(archive)
}

/**
 * Reads the files of an archive made by any tar: they lie in its root, or in one folder.
 * @param where names the archive in error messages
 * @throws Problem invalid-model-package if it is not an archive, or holds other files than a package's
 */
export async function unpackArchive (where: string, content: Uint8Array): Promise<PackageFiles> {
  const files = new Map<string, Uint8Array>()
  const refuse = (reason: string, cause?: unknown): Problem =>
    new Problem(
      'invalid-model-package',
      `${where} is not a model package: ${reason}. Pack the files of a package's folder with tar, uncompressed.`,
      { cause }
    )
  try {
    for await (const entry of Readable.from([content]).pipe(extract())) {
      const { name: path, type } = entry.header
      const name = path.replace(/^\.\//, '').split('/').at(-1)!
      const bytes = await buffer(entry)
      if (type === 'directory' || path.includes('reports/')) continue
      if (type !== 'file' || !isPackageFile(name)) throw refuse(`it holds "${path.slice(0, 100)}"`)
      if (files.has(name)) throw refuse(`it holds ${name} twice`)
      files.set(name, bytes)
    }
  } catch (cause) {
    throw cause instanceof Problem ? cause : refuse('it cannot be read as a tar archive', cause)
  }
  if (files.size === 0) throw refuse('it holds no file')
  return files
}
