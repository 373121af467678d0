// Computes folder hashes like DVC, and reads .dvc files. Runs without DVC.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'

/** One file of a folder; `relpath` is relative to the folder, with `/`. */
interface FileHash {
  readonly relpath: string
  readonly md5: string
  /** Bytes. */
  readonly size: number
}

const Out = z.object({ md5: z.string(), size: z.int(), nfiles: z.int(), hash: z.literal('md5'), path: z.string() })
const Pointer = z.object({ outs: z.tuple([Out]) })

/** A .dvc file's record of the folder that it pins. */
type DvcOut = z.infer<typeof Out>

/** Hash of one file with this content (text is UTF-8). */
export function fileHash (relpath: string, content: string | Uint8Array): FileHash {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return { relpath, md5: createHash('md5').update(bytes).digest('hex'), size: bytes.length }
}

/** A JSON string in the format of Python's `json.dumps`: ASCII, with everything else as \uXXXX. */
function pythonString (text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

/**
 * Compares whole paths by code points, as Python does; `<` compares UTF-16 units, whose order differs beyond the BMP.
 */
function byPath (a: FileHash, b: FileHash): number {
  return Buffer.compare(Buffer.from(a.relpath), Buffer.from(b.relpath))
}

/**
 * DVC's hash of a folder: the MD5 of a JSON listing of its files, sorted by path, followed by `.dir`. DVC hashes the
 * text that Python's `json.dumps` writes, including its spaces.
 */
export function dvcFolderHash (entries: readonly FileHash[]): string {
  const listing = [...entries].sort(byPath).map(({ md5, relpath }) =>
    `{"md5": "${md5}", "relpath": ${pythonString(relpath)}}`
  )
  return `${createHash('md5').update(`[${listing.join(', ')}]`).digest('hex')}.dir`
}

/** Hashes every file below `folder`; empty if there is no such folder. */
export async function hashFolder (folder: string): Promise<FileHash[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return []
      throw cause
    }
  )
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  return await Promise.all(
    files.map(async (file) => fileHash(relative(folder, file).replaceAll(sep, '/'), await readFile(file)))
  )
}

/** The record that `dvc add` would write for a folder at `path` with these files. */
export function dvcOut (path: string, entries: readonly FileHash[]): DvcOut {
  return {
    md5: dvcFolderHash(entries),
    size: entries.reduce((sum, { size }) => sum + size, 0),
    nfiles: entries.length,
    hash: 'md5',
    path,
  }
}

/**
 * Reads a .dvc file that pins one folder.
 * @throws Problem `invalid-settings` if the file is anything else
 */
export async function readDvcFile (file: string): Promise<DvcOut> {
  const pointer = Pointer.safeParse(parse(await readFile(file, 'utf8')))
  if (!pointer.success) {
    throw new Problem('invalid-settings', `${file} does not pin a folder: ${z.prettifyError(pointer.error)}`)
  }
  return pointer.data.outs[0]
}
