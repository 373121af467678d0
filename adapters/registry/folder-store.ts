// A registry in a folder. Each object is a file: written under a temporary name, then linked to its own name. Linking
// is atomic, and fails if the name is taken.
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { Problem } from '../../core/errors.ts'
import { randomId } from '../identifiers.ts'
import type { RegistryStore, StoredObject } from './store.ts'

/** Lies on the objects' file system, because links need that; never listed. */
const UNFINISHED = '.unfinished'

/** An older unfinished file belongs to a process that has died. */
const ABANDONED_MS = 3_600_000

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** The folder need not exist yet. */
export function folderStore (folder: string): RegistryStore {
  const root = resolve(folder)
  const attempt = async <T>(work: () => Promise<T>): Promise<T> =>
    work().catch((cause: unknown) => {
      const reason = codeOf(cause) ?? (cause as Error).message
      throw new Problem(
        'registry-unavailable',
        `The registry ${folder} cannot be used (${reason}); make it a folder that this program can read and write.`,
        { cause }
      )
    })
  return {
    location: folder,
    create: async (key, content) => attempt(async () => createFile(root, pathOf(root, key), content)),
    get: async (key) => attempt(async () => readFile(pathOf(root, key)).catch(missing)),
    list: async (prefix) => attempt(async () => listFiles(root, prefix)),
    remove: async (key) => attempt(async () => rm(pathOf(root, key), { force: true })),
    watch: () => ({ close () {} }),
    close () {},
  }
}

function pathOf (root: string, key: string): string {
  const path = resolve(root, key)
  if (!path.startsWith(root + sep)) throw new Error(`"${key}" is not the key of an object`)
  return path
}

function missing (error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined
  throw error
}

/** Flushes the content to disk before linking: a power failure cannot leave an empty object. */
async function createFile (root: string, path: string, content: Uint8Array): Promise<boolean> {
  const unfinished = join(root, UNFINISHED, `${process.pid}-${randomId()}`)
  await mkdir(dirname(unfinished), { recursive: true })
  await mkdir(dirname(path), { recursive: true })
  try {
    const file = await open(unfinished, 'wx')
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(unfinished, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(unfinished, { force: true })
  }
}

async function listFiles (root: string, prefix: string): Promise<StoredObject[]> {
  await sweep(join(root, UNFINISHED))
  const top = prefix.includes('/') ? prefix.slice(0, prefix.lastIndexOf('/')) : ''
  const entries = await readdir(join(root, top), { recursive: true, withFileTypes: true }).catch(missing) ?? []
  const keys = entries.filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((key) => key.startsWith(prefix) && !key.startsWith(UNFINISHED))
  const found = await Promise.all(keys.map(async (key) => {
    const file = await stat(join(root, key)).catch(missing)
    return file === undefined ? [] : [{ key, bytes: file.size, createdAt: file.mtimeMs }]
  }))
  return found.flat().sort((a, b) => a.key < b.key ? -1 : 1)
}

/** Removes the files that crashed processes left. */
async function sweep (folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(missing) ?? []) {
    const path = join(folder, name)
    const file = await stat(path).catch(missing)
    if (file !== undefined && Date.now() - file.mtimeMs > ABANDONED_MS) await rm(path, { force: true })
  }
}
