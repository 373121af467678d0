// Maintenance of a registry: finds what is damaged, and removes what is no longer needed.
import { Problem } from '../../core/errors.ts'
import { ALIASES, keys, placeOf } from './records.ts'
import type { RegisteredModel, Registry } from './registry.ts'
import type { RegistryStore } from './store.ts'

interface Finding {
  /** The object's key, or the model and version. */
  readonly what: string
  readonly fault: string
}

/** A younger package without a version may still be in the middle of being published. */
const SETTLED_MS = 3_600_000

/** Reads and checks every object. @returns what is wrong; empty if the registry is sound */
export async function verifyRegistry (registry: Registry, store: RegistryStore): Promise<Finding[]> {
  const models = await registry.list()
  const findings: Finding[] = []
  for (const { key } of await store.list(keys.models)) {
    const place = placeOf(key)
    if (place === undefined) findings.push({ what: key, fault: 'is not an object of a registry' })
    else if (place.kind === 'version' && !isListed(models, place.name, place.number)) {
      findings.push({ what: key, fault: 'cannot be read as a version' })
    }
  }
  for (const model of models) findings.push(...await verifyModel(registry, model))
  return findings
}

const isListed = (models: readonly RegisteredModel[], name: string, number: number): boolean =>
  models.some((model) => model.name === name && model.versions.some(({ version }) => version === number))

async function verifyModel (registry: Registry, { name, versions, aliases }: RegisteredModel): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const version of versions) {
    await registry.fetch(name, version).catch((error: unknown) => {
      if (!(error instanceof Problem)) throw error
      findings.push({ what: `${name}@${version.version}`, fault: error.message })
    })
  }
  for (const alias of ALIASES) {
    const { current } = aliases[alias]
    if (
      current === undefined ||
      versions.some(({ version, digest }) => version === current.version && digest === current.digest)
    ) continue
    findings.push({ what: `${name}@${alias}`, fault: `stands for version ${current.version}, which is not there` })
  }
  return findings
}

/**
 * Removes the versions that no alias stands for or can be rolled back to, except the newest. Then removes packages
 * without a version.
 * @param keep how many of the newest versions always stay; at least 1, because numbers are never reused
 * @returns the names of what was removed
 */
export async function pruneRegistry (
  registry: Registry,
  store: RegistryStore,
  { keep, now }: { readonly keep: number, readonly now: number }
): Promise<string[]> {
  const removed: string[] = []
  for (const { name, versions, aliases } of await registry.list()) {
    const needed = new Set([
      ...versions.slice(-Math.max(1, keep)).map(({ version }) => version),
      ...ALIASES.flatMap((alias) => [aliases[alias].current?.version, aliases[alias].earlier?.version]),
    ])
    for (const { version, digest } of versions) {
      if (needed.has(version)) continue
      // The version goes first: a version without a package is a fault, a package without a version is not.
      await store.remove(keys.version(name, version))
      await store.remove(keys.package(name, digest))
      removed.push(`${name}@${version}`)
    }
  }
  return [...removed, ...await removeStrays(registry, store, now)]
}

/** Removes the packages whose writer was killed while publishing. */
async function removeStrays (registry: Registry, store: RegistryStore, now: number): Promise<string[]> {
  const known = new Set(
    (await registry.list()).flatMap(({ name, versions }) => versions.map(({ digest }) => keys.package(name, digest)))
  )
  const strays = (await store.list(keys.models)).filter(({ key, createdAt }) =>
    placeOf(key)?.kind === 'package' && !known.has(key) && now - createdAt > SETTLED_MS
  )
  for (const { key } of strays) await store.remove(key)
  return strays.map(({ key }) => key)
}
