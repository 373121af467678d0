// The files of a model package, before a model is loaded: their names, whether they are complete, and their digest.
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import type { z } from 'zod'
import { GoldenSchema, type Manifest, MANIFEST_FORMAT, ManifestSchema } from '../../core/package/manifest.ts'
import { explainFault } from '../settings/schema-faults.ts'
import { canonicalJson, invalid, memberFiles, parseJson, readAll } from './saved-models.ts'

/**
 * The files that the digest covers, sorted by name. It does not cover MODEL_CARD.md, which repeats the same facts for
 * people.
 */
export function coveredFiles (members: number): string[] {
  return ['golden.json', 'manifest.json', ...memberFiles(members).flatMap(({ model, weights }) => [model, weights])]
    .sort()
}

/** A package's files by name, wherever they come from. */
export type PackageFiles = ReadonlyMap<string, Uint8Array>

const PACKAGE_FILE = /^(manifest\.json|golden\.json|digest\.txt|MODEL_CARD\.md|model(-\d+)?\.json|weights(-\d+)?\.bin)$/

/** Whether a package may hold a file of this name. */
export const isPackageFile = (name: string): boolean => PACKAGE_FILE.test(name)

/** Reads the files of a package's directory without parsing them. @throws Problem invalid-model-package */
export async function readPackageFiles (directory: string): Promise<PackageFiles> {
  const names = await readdir(directory).catch((cause: unknown) => {
    throw invalid(directory, 'it cannot be read', cause)
  })
  return readAll(directory, names.filter(isPackageFile))
}

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** The part of a JSON file that the digest covers: everything but the manifest's record of the tracking run. */
function covered (name: string, json: unknown): unknown {
  if (name !== 'manifest.json') return json
  const { tracking: _, ...rest } = json as Partial<Manifest>
  return rest
}

/** Digest over canonical content: JSON files by meaning, weights by bytes. */
export function digestOf (contents: ReadonlyMap<string, Uint8Array>, members: number): string {
  const lines = coveredFiles(members).map((name) => {
    const canonical = name.endsWith('.json')
      ? canonicalJson(covered(name, parseJson(contents, name)))
      : contents.get(name)!
    return `${name} ${sha256(canonical)}\n`
  })
  return `sha256:${sha256(lines.join(''))}`
}

/**
 * Verifies a package without loading its models: that it is complete, has a format that this program reads, and matches
 * its digest.
 * @throws Problem invalid-model-package
 */
export function verifyModelPackage (
  where: string,
  files: PackageFiles
): { readonly digest: string, readonly manifest: Manifest } {
  demand(where, files, ['manifest.json', 'digest.txt'])
  const manifest = readManifest(where, files)
  const members = manifest.detector.members.length
  demand(where, files, coveredFiles(members))
  const recorded = Buffer.from(files.get('digest.txt')!).toString('utf8').trim()
  const json = jsonReader(where, files)
  for (const { model } of memberFiles(members)) json(model)
  matching(where, 'golden.json', GoldenSchema, json('golden.json'))
  const digest = digestOf(files, members)
  if (digest !== recorded) {
    const covered = coveredFiles(members).join(', ')
    throw invalid(
      where,
      `the digest of ${covered} is ${digest}, but digest.txt says ${recorded}; one of them was changed`
    )
  }
  return { digest, manifest }
}

function demand (where: string, files: PackageFiles, names: readonly string[]): void {
  const missing = names.find((name) => !files.has(name))
  if (missing !== undefined) throw invalid(where, `${missing} cannot be read`)
}

export function jsonReader (directory: string, contents: ReadonlyMap<string, Uint8Array>): (name: string) => unknown {
  return (name) => {
    try {
      return parseJson(contents, name)
    } catch (cause) {
      throw invalid(directory, (cause as Error).message, cause)
    }
  }
}

/** How to replace a package of an older format. */
const RETRAINING = 'to train it again: `npm run train -- --data DATA --out FOLDER --name NAME` (the wind farm\'s: ' +
  '`npm run train`, its FOLDER is model-creation/out/models/wind-turbine), `npm run models -- publish FOLDER --promote`'

/** The format of a package's manifest; undefined without a number. */
function formatOf (files: PackageFiles): number | undefined {
  try {
    const { format } = parseJson(files, 'manifest.json') as { format?: unknown }
    return typeof format === 'number' ? format : undefined
  } catch {
    return undefined
  }
}

/** Whether an earlier version of this program wrote a package, in a format that is not read any more. */
export const isOutdated = (files: PackageFiles): boolean => (formatOf(files) ?? MANIFEST_FORMAT) < MANIFEST_FORMAT

function readManifest (directory: string, contents: ReadonlyMap<string, Uint8Array>): Manifest {
  const json = jsonReader(directory, contents)('manifest.json')
  // Checked first: in another format, everything that follows may have other rules.
  const { format } = (json ?? {}) as { format?: unknown }
  if (format !== MANIFEST_FORMAT) {
    throw invalid(
      directory,
      `manifest.json: /format is ${JSON.stringify(format)}, this program reads ${MANIFEST_FORMAT}` +
        (isOutdated(contents) ? `; an earlier version of this program wrote it (${RETRAINING})` : '')
    )
  }
  return matching(directory, 'manifest.json', ManifestSchema, json)
}

export function matching<T> (directory: string, name: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value, { error: explainFault })
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw invalid(directory, `${name}: /${issue?.path.join('/') ?? ''} ${issue?.message ?? 'is not valid'}`, result.error)
}
