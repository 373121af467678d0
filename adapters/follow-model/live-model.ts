// The model that the stream is scored by: the live version of a registry, opened, proved, and followed. What cannot be
// used is refused, and the version before goes on.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { Version } from '../registry/records.ts'
import { type BucketAccess, openStore } from '../registry/open-store.ts'
import { Registry, type RegisteredModel } from '../registry/registry.ts'
import type { BackendChoice } from '../tfjs/backend.ts'
import { type ModelPackage, openModelPackage } from '../tfjs/model-package.ts'

/** A version that was opened and has reproduced its golden scores. */
export interface LiveVersion extends ModelPackage {
  readonly name: string
  /** Its number in the registry. */
  readonly version: string
}

type VersionRef = Pick<Version, 'version' | 'digest'>

/** What a step knows of whatever follows a model. */
export interface Following<Version> {
  /** Waits for a first version. */
  ready (signal?: AbortSignal): Promise<void>
  /** The version to work with; another object after a switch, which never happens within a call of a step. */
  readonly current: Version
}

export interface LiveModelSettings extends BucketAccess {
  /** Default: the only model that the registry has live. */
  readonly STREAM_MODEL?: string | undefined
  /** A folder, or `s3://bucket/prefix`. */
  readonly MODEL_REGISTRY: string
  readonly MODEL_REGISTRY_POLL_MS: number
  readonly TFJS_BACKEND: BackendChoice
}

export interface LiveModelOptions {
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>
  /** Another version is current from now on; also called for the first one. */
  readonly onSwitch?: (version: LiveVersion) => void
  /** A version is live that cannot be used; the one before goes on. */
  readonly onRefusal?: (refusal: { readonly name: string, readonly version: string, readonly reason: string }) => void
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** What cannot be used now may be whole again later, where somebody repairs it. */
const REFUSED_MS = 60_000

export class LiveModel implements Following<LiveVersion> {
  readonly #registry: Registry
  readonly #settings: LiveModelSettings
  readonly #options: LiveModelOptions
  /** Digest → until when it is not tried again. */
  readonly #refused = new Map<string, number>()
  readonly #stopped = new AbortController()
  #name: string | undefined
  #current: LiveVersion | undefined
  #looking: Promise<void> = Promise.resolve()
  #following: Promise<void> = Promise.resolve()
  readonly #first = outcome()
  /** What was last said of why there is nothing new. */
  #told: string | undefined

  private constructor (registry: Registry, settings: LiveModelSettings, options: LiveModelOptions) {
    this.#registry = registry
    this.#settings = settings
    this.#options = options
    this.#name = settings.STREAM_MODEL
  }

  /**
   * Begins to follow, whether there is a version yet or not.
   * @throws Problem invalid-settings of the registry's place
   */
  static async open (settings: LiveModelSettings, options: LiveModelOptions): Promise<LiveModel> {
    const store = await openStore('MODEL_REGISTRY', settings.MODEL_REGISTRY, settings)
    const model = new LiveModel(new Registry(store, Date.now), settings, options)
    model.#following = model.#follow()
    return model
  }

  /**
   * @throws Problem invalid-settings where several models are live and none is named; the signal's reason; not-ready
   * after close()
   */
  async ready (signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const aborted = new Promise<void>((resolve) => {
      signal?.addEventListener('abort', () => {
        resolve()
      }, { once: true })
    })
    await Promise.race([this.#first.promise, aborted])
    signal?.throwIfAborted()
  }

  /** What there is to wait for; undefined once there is a version. */
  waitingFor (): string | undefined {
    return this.#current === undefined ? this.#told ?? 'the model' : undefined
  }

  /** @throws Problem not-ready before ready() */
  get current (): LiveVersion {
    if (this.#current !== undefined) return this.#current
    throw new Problem('not-ready', `There is no model yet: ${this.#told ?? 'it is being opened'}.`)
  }

  /** Looks at the registry now. @throws Problem invalid-settings */
  async refresh (): Promise<void> {
    // After a look that is under way: it may have begun before whatever it is that there is to see.
    this.#looking = this.#looking.catch(() => {}).then(async () => this.#look())
    await this.#looking
  }

  async close (): Promise<void> {
    this.#stopped.abort()
    this.#first.reject(new Problem('not-ready', 'The model is no longer followed.'))
    await this.#following
    this.#registry.close()
    this.#current?.dispose()
  }

  async #follow (): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await this.refresh().catch((error: unknown) => {
        this.#tell((error as Error).message)
        // Settings do not become right by waiting.
        this.#first.reject(error)
      })
      await this.#pause()
    }
  }

  async #pause (): Promise<void> {
    await sleep(this.#settings.MODEL_REGISTRY_POLL_MS, undefined, { signal: this.#stopped.signal }).catch(() => {})
  }

  async #look (): Promise<void> {
    try {
      const found = await this.#find()
      if (found === undefined) {
        return this.#tell(
          `the registry ${this.#registry.location} has no live version${
            this.#name === undefined ? '' : ` of "${this.#name}"`
          } yet`
        )
      }
      const { name, aliases: { live: { current, earlier } } } = found
      this.#name = name
      const opened = await this.#open(name, current) ??
        (this.#current === undefined ? await this.#open(name, earlier) : undefined)
      if (opened !== undefined) this.#switch(opened)
      this.#told = undefined
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'registry-unavailable') throw error
      this.#tell(error.message)
    }
  }

  /** The model to follow, where it has a live version. */
  async #find (): Promise<RegisteredModel | undefined> {
    const live = (await this.#registry.list()).filter(({ aliases }) => aliases.live.current !== undefined)
    if (this.#name !== undefined) return live.find(({ name }) => name === this.#name)
    if (live.length <= 1) return live[0]
    throw new Problem(
      'invalid-settings',
      `The registry ${this.#registry.location} has several live models: ${
        live.map(({ name }) => name).join(', ')
      }. Set STREAM_MODEL to the one that the stream is scored by.`
    )
  }

  /** Undefined where there is nothing new, or nothing that can be used. */
  async #open (name: string, ref: VersionRef | undefined): Promise<LiveVersion | undefined> {
    if (ref === undefined || ref.digest === this.#current?.digest || this.#isRefused(ref)) return undefined
    const version = String(ref.version)
    try {
      const opened = await openModelPackage(
        `${name}@${version}`,
        await this.#registry.fetch(name, ref),
        this.#settings.TFJS_BACKEND
      )
      this.#refused.delete(ref.digest)
      return { ...opened, name, version }
    } catch (error) {
      if (error instanceof Problem && error.code === 'registry-unavailable') throw error
      const { message: reason } = error as Error
      this.#refused.set(ref.digest, this.#now() + REFUSED_MS)
      this.#options.log.error(
        { model: name, version, digest: ref.digest, reason },
        'a version is refused; what was used before goes on'
      )
      this.#options.onRefusal?.({ name, version, reason })
      return undefined
    }
  }

  #isRefused ({ digest }: VersionRef): boolean {
    return this.#now() < (this.#refused.get(digest) ?? 0)
  }

  #now (): number {
    return (this.#options.now ?? Date.now)()
  }

  #switch (version: LiveVersion): void {
    const before = this.#current
    this.#current = version
    before?.dispose()
    this.#first.resolve()
    const { name, digest, goldenDifference } = version
    this.#options.log.info({ model: name, version: version.version, digest, goldenDifference }, 'a version is live')
    this.#options.onSwitch?.(version)
  }

  /** Once for each reason, not with every look. */
  #tell (reason: string): void {
    if (this.#told !== reason) {
      this.#options.log.warn(
        { reason },
        this.#current === undefined
          ? 'there is no model yet'
          : 'the model cannot be looked up; the one that is used stays'
      )
    }
    this.#told = reason
  }
}

/** A promise that others settle; nobody need wait for it. */
function outcome (): {
  readonly promise: Promise<void>,
  readonly resolve: () => void,
  readonly reject: (error: unknown) => void,
} {
  let [resolve, reject]: [() => void, (error: unknown) => void] = [() => {}, () => {}]
  const promise = new Promise<void>((...settle) => { [resolve, reject] = settle })
  promise.catch(() => {})
  return { promise, resolve, reject }
}
