// Downloads CSV files from a bucket for a training.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../core/errors.ts'
import { type BucketSettings, bucketStore } from '../../adapters/registry/bucket-store.ts'

/**
 * Downloads the object, or all CSV files under the prefix.
 * @returns the path of the only file, or the folder
 * @throws Problem no-training-data, registry-unavailable
 */
export async function downloadTables (
  settings: BucketSettings,
  folder: string,
  { maxFiles, signal }: { readonly maxFiles: number, readonly signal: AbortSignal }
): Promise<string> {
  const { prefix } = settings
  const store = bucketStore({ ...settings, prefix: '' })
  try {
    const path = prefix.replace(/\/$/, '')
    const found = (await store.list(path)).map(({ key }) => key).filter((key) =>
      /\.csv$/i.test(key) && (key === path || key.startsWith(prefix))
    )
    if (found.length === 0) {
      throw new Problem('no-training-data', `There is no CSV file at s3://${settings.bucket}/${path}.`)
    }
    if (found.length > maxFiles) {
      throw new Problem(
        'no-training-data',
        `There are ${found.length} CSV files at s3://${settings.bucket}/${path}; at most ${maxFiles} are read.`
      )
    }
    for (const key of found) {
      signal.throwIfAborted()
      await writeFile(join(folder, fileName(key)), await store.get(key) ?? new Uint8Array())
    }
    return found.length === 1 && found[0] === path ? join(folder, fileName(path)) : folder
  } finally {
    store.close()
  }
}

/** A file name that is unique per key: two folders may contain files of the same name. */
const fileName = (key: string): string => key.replaceAll('/', '__').replaceAll(/[^\w.-]/g, '_')
