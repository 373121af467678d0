// Versions of models and their aliases. Every object is created once and never changed: a killed writer leaves nothing
// half done, and a reader can cache every object that it has read.
import type { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import { type PackageFiles, verifyModelPackage } from '../tfjs/package-files.ts'
import { aliasState, type AliasState, type NumberedStep } from './aliases.ts'
import { packArchive, unpackArchive } from './archive.ts'
import {
  type Alias,
  ALIASES,
  keys,
  type Place,
  placeOf,
  readRecord,
  type Step,
  StepSchema,
  type Version,
  VersionSchema,
} from './records.ts'
import type { RegistryStore, StoredObject, Watch } from './store.ts'

/** One model in the registry. */
export interface RegisteredModel {
  readonly name: string
  /** In the order of their numbers. */
  readonly versions: readonly Version[]
  readonly aliases: Readonly<Record<Alias, AliasState>>
}

interface Published extends Version {
  readonly name: string
  /** Whether the same package was already published. */
  readonly existed: boolean
}

/** How often a writer retries when another one took its number. */
const ATTEMPTS = 20

export class Registry {
  readonly #store: RegistryStore
  readonly #now: () => number
  /** Objects that were read, by key. */
  readonly #read = new Map<string, unknown>()

  /** @param now milliseconds since 1970 */
  constructor (store: RegistryStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  get location (): string {
    return this.#store.location
  }

  /** All models that have a version, by name. @throws Problem registry-unavailable */
  async list (): Promise<RegisteredModel[]> {
    const places = placesOf(await this.#store.list(keys.models))
    const models = await Promise.all([...places].map(async ([name, found]) => this.#describe(name, found)))
    return models.filter(({ versions }) => versions.length > 0).sort((a, b) => a.name < b.name ? -1 : 1)
  }

  /** @throws Problem unknown-model, registry-unavailable */
  async get (name: string): Promise<RegisteredModel> {
    const model = await this.#find(name)
    if (model.versions.length > 0) return model
    throw new Problem(
      'unknown-model',
      `The registry ${this.location} has no model "${name}"; publish a package of it first.`
    )
  }

  /** Calls back some time after a change, if the store reports changes. */
  watch (onChange: () => void): Watch {
    return this.#store.watch(keys.models, onChange)
  }

  close (): void {
    this.#store.close()
  }

  /**
   * Publishes a package under the name in its manifest. Publishing the same package again returns its version.
   * @param wanted the version's number; default: the next one
   * @throws Problem invalid-model-package; version-conflict if another package has the wanted number, or too many
   * writers publish at the same time
   */
  async publish (where: string, files: PackageFiles, wanted?: number): Promise<Published> {
    const { digest, manifest: { name } } = verifyModelPackage(where, files)
    const content = await packArchive(files)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { versions } = await this.#find(name)
      const { number, same } = numberFor(name, versions, digest, wanted)
      if (same !== undefined) return { name, ...same, existed: true }
      // The package comes first: every version that a reader sees has one.
      await this.#store.create(keys.package(name, digest), content)
      const version: Version = { version: number, digest, publishedAt: this.#time(), bytes: content.byteLength }
      if (await this.#create(keys.version(name, number), version)) return { name, ...version, existed: false }
    }
    throw new Problem(
      'version-conflict',
      `Others publish versions of "${name}" so quickly that no number was free in ${ATTEMPTS} attempts; try again.`
    )
  }

  /**
   * Reads the files of a version's package and verifies their digest. The golden scores are not checked here: loading
   * the model checks them.
   * @throws Problem unknown-version, invalid-model-package
   */
  async fetch (name: string, { version, digest }: Pick<Version, 'version' | 'digest'>): Promise<PackageFiles> {
    const where = `${name}@${version}`
    const files = await unpackArchive(where, await this.fetchArchive(name, digest))
    const verified = verifyModelPackage(where, files)
    if (verified.digest !== digest || verified.manifest.name !== name) {
      throw new Problem(
        'invalid-model-package',
        `The package of ${where} belongs to ${verified.manifest.name} and has the digest ${verified.digest}, ` +
          `but ${digest} was published; publish it again.`
      )
    }
    return files
  }

  /** The package's archive as stored, not verified. @throws Problem invalid-model-package if it is missing */
  async fetchArchive (name: string, digest: string): Promise<Uint8Array> {
    const content = await this.#store.get(keys.package(name, digest))
    if (content !== undefined) return content
    throw new Problem(
      'invalid-model-package',
      `The registry ${this.location} has no package ${digest} of "${name}" any more; publish it again.`
    )
  }

  /**
   * Makes an alias stand for a version.
   * @throws Problem unknown-model, unknown-version; alias-conflict if somebody else changed the alias meanwhile
   */
  async promote (name: string, number: number, alias: Alias = 'live'): Promise<AliasState> {
    const model = await this.get(name)
    const version = versionOf(model, number)
    const state = model.aliases[alias]
    if (state.current?.version === number) return state
    return this.#step(name, alias, state, {
      action: 'promote',
      version: number,
      digest: version.digest,
      at: this.#time(),
    })
  }

  /**
   * Undoes the latest promotion that was not rolled back yet.
   * @throws Problem unknown-model, no-earlier-version, alias-conflict; unknown-version if the earlier one was pruned
   */
  async rollback (name: string, alias: Alias = 'live'): Promise<AliasState> {
    const model = await this.get(name)
    const state = model.aliases[alias]
    if (state.earlier === undefined) {
      const now = state.current === undefined
        ? 'stands for nothing'
        : `has been version ${state.current.version} from the start`
      throw new Problem(
        'no-earlier-version',
        `"${alias}" of "${name}" ${now}; there is nothing to roll back to. Promote a version instead.`
      )
    }
    const { version, digest } = versionOf(model, state.earlier.version)
    return this.#step(name, alias, state, { action: 'rollback', version, digest, at: this.#time() })
  }

  /** Makes an alias stand for nothing. @throws Problem unknown-model, alias-conflict */
  async clear (name: string, alias: Alias): Promise<AliasState> {
    const state = (await this.get(name)).aliases[alias]
    return state.current === undefined ? state : this.#step(name, alias, state, { action: 'clear', at: this.#time() })
  }

  async #step (name: string, alias: Alias, state: AliasState, step: Step): Promise<AliasState> {
    if (!await this.#create(keys.step(name, alias, state.next), step)) {
      throw new Problem(
        'alias-conflict',
        `Somebody else changed "${alias}" of "${name}" at the same time; check which version it is now, and try again.`
      )
    }
    return (await this.get(name)).aliases[alias]
  }

  async #find (name: string): Promise<RegisteredModel> {
    const places = placesOf(await this.#store.list(`${keys.models}${name}/`))
    return this.#describe(name, places.get(name) ?? [])
  }

  async #describe (name: string, places: readonly KeyedPlace[]): Promise<RegisteredModel> {
    const versions: Version[] = []
    const steps: Record<Alias, NumberedStep[]> = { live: [], shadow: [] }
    await Promise.all(places.map(async ({ key, place }) => {
      if (place.kind === 'version') versions.push(...await this.#record(key, VersionSchema))
      if (place.kind === 'step') {
        steps[place.alias].push(
          ...(await this.#record(key, StepSchema)).map((step) => ({ number: place.number, step }))
        )
      }
    }))
    const stateOf = (alias: Alias): AliasState => aliasState(steps[alias].sort((a, b) => a.number - b.number))
    return {
      name,
      versions: versions.sort((a, b) => a.version - b.version),
      aliases: Object.fromEntries(ALIASES.map((alias) => [alias, stateOf(alias)])) as Record<Alias, AliasState>,
    }
  }

  /** Empty if the object is missing or cannot be parsed: verifyRegistry() reports that. */
  async #record<T> (key: string, schema: z.ZodType<T>): Promise<T[]> {
    if (this.#read.has(key)) return [this.#read.get(key) as T]
    const record = readRecord(schema, await this.#store.get(key))
    if (record === undefined) return []
    this.#read.set(key, record)
    return [record]
  }

  async #create (key: string, record: object): Promise<boolean> {
    return this.#store.create(key, new TextEncoder().encode(`${JSON.stringify(record)}\n`))
  }

  #time (): string {
    return new Date(this.#now()).toISOString()
  }
}

interface KeyedPlace {
  readonly key: string
  readonly place: Place
}

/** Groups the objects by model. */
function placesOf (objects: readonly StoredObject[]): Map<string, KeyedPlace[]> {
  const places = new Map<string, KeyedPlace[]>()
  for (const { key } of objects) {
    const place = placeOf(key)
    if (place === undefined) continue
    const found = places.get(place.name)
    if (found === undefined) places.set(place.name, [{ key, place }])
    else found.push({ key, place })
  }
  return places
}

/** @throws Problem unknown-version */
function versionOf ({ name, versions }: RegisteredModel, number: number): Version {
  const found = versions.find(({ version }) => version === number)
  if (found !== undefined) return found
  const numbers = versions.map(({ version }) => version)
  throw new Problem('unknown-version', `"${name}" has no version ${number}; it has ${numbers.slice(-20).join(', ')}.`, {
    extensions: { versions: numbers },
  })
}

/** The number for a package, and its version if it is already published. @throws Problem version-conflict */
function numberFor (
  name: string,
  versions: readonly Version[],
  digest: string,
  wanted: number | undefined
): { number: number, same: Version | undefined } {
  const same = versions.find((version) => version.digest === digest)
  if (same !== undefined && (wanted ?? same.version) === same.version) return { number: same.version, same }
  if (same !== undefined) throw taken(`this package is version ${same.version} of "${name}" already`)
  const number = wanted ?? (versions.at(-1)?.version ?? 0) + 1
  if (versions.some(({ version }) => version === number)) {
    throw taken(`version ${number} of "${name}" is another package`)
  }
  return { number, same }
}

const taken = (why: string): Problem =>
  new Problem(
    'version-conflict',
    `Not published: ${why}, and versions never change. Leave the number out to take the next one.`
  )
