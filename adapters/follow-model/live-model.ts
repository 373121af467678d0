// The model that the stream is scored by: opens, proves and follows the live version in a registry. Refuses a version
// that cannot be used, and keeps the one before.
import type { FastifyBaseLogger } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { Version } from '../registry/records.ts'
import { openStore } from '../registry/open-store.ts'
import { Registry, type RegisteredModel } from '../registry/registry.ts'
import type { StoreVariables } from '../s3/access.ts'
import type { BackendChoice } from '../tfjs/backend.ts'
import { type ModelPackage, openModelPackage } from '../tfjs/model-package.ts'
import { deferred, untilAborted } from '../waiting.ts'
import { CurrentProblem } from './current-problem.ts'
import { Poller } from './poller.ts'
import { isUnavailable, type Refusal, Refusals } from './refusals.ts'

/** A version that was opened and has reproduced its golden scores. */
export interface LiveVersion extends ModelPackage {
  readonly name: string
  /** Its number in the registry. */
  readonly version: string
}

type VersionRef = Pick<Version, 'version' | 'digest'>

/** A model that a step works with, as the step sees it. */
export interface Following<Version> {
  /** Waits for a first version. */
  ready (signal?: AbortSignal): Promise<void>
  /** Another object after a switch. No switch happens within a call of a step. */
  readonly current: Version
}

export interface LiveModelSettings extends StoreVariables {
  /** Default: the only model that the registry has live. */
  readonly STREAM_MODEL?: string | undefined
  /** A folder, or `s3://bucket/prefix`. */
  readonly MODEL_REGISTRY: string
  readonly MODEL_REGISTRY_POLL_MS: number
  readonly TFJS_BACKEND: BackendChoice
}

export interface LiveModelOptions {
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>
  /** Called after each switch, the first one included. */
  readonly onSwitch?: (version: LiveVersion) => void
  /** Called when the live version cannot be used. */
  readonly onRefusal?: (refusal: Refusal) => void
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export class LiveModel implements Following<LiveVersion> {
  readonly #registry: Registry
  readonly #settings: LiveModelSettings
  readonly #options: LiveModelOptions
  readonly #poller: Poller
  readonly #refusals: Refusals
  /** Why there is no newer version. */
  readonly #problem = new CurrentProblem((reason) => { this.#warn(reason) })
  readonly #first = deferred()
  #name: string | undefined
  #current: LiveVersion | undefined

  private constructor (registry: Registry, settings: LiveModelSettings, options: LiveModelOptions) {
    this.#registry = registry
    this.#settings = settings
    this.#options = options
    this.#name = settings.STREAM_MODEL
    this.#refusals = new Refusals(options.now ?? Date.now)
    this.#poller = new Poller({
      look: async () => this.#look(),
      pollMs: settings.MODEL_REGISTRY_POLL_MS,
      onFailure: (error) => {
        this.#problem.set(error.message)
        // Waiting does not correct a setting.
        if (!isUnavailable(error)) this.#first.reject(error)
      },
    })
  }

  /**
   * Starts to follow. A version need not exist yet.
   * @throws Problem invalid-settings if MODEL_REGISTRY is not a valid location
   */
  static async open (settings: LiveModelSettings, options: LiveModelOptions): Promise<LiveModel> {
    const store = await openStore('MODEL_REGISTRY', settings.MODEL_REGISTRY, settings)
    const model = new LiveModel(new Registry(store, Date.now), settings, options)
    model.#poller.start()
    return model
  }

  /**
   * @throws Problem invalid-settings if several models are live and the settings name none; the signal's reason;
   * not-ready after close()
   */
  async ready (signal?: AbortSignal): Promise<void> {
    await untilAborted(this.#first.promise, signal)
  }

  /** Why there is no version yet; undefined once there is one. */
  waitingFor (): string | undefined {
    return this.#current === undefined ? this.#problem.get() ?? 'the model' : undefined
  }

  /** @throws Problem not-ready before ready() */
  get current (): LiveVersion {
    if (this.#current !== undefined) return this.#current
    throw new Problem('not-ready', `There is no model yet: ${this.#problem.get() ?? 'it is being opened'}.`)
  }

  /** Looks at the registry now. Never rejects: see waitingFor() and the log. */
  async refresh (): Promise<void> {
    await this.#poller.refresh()
  }

  async close (): Promise<void> {
    this.#first.reject(new Problem('not-ready', 'The model is no longer followed.'))
    await this.#poller.close()
    this.#registry.close()
    this.#current?.dispose()
  }

  async #look (): Promise<void> {
    const found = await this.#find()
    if (found === undefined) {
      const whose = this.#name === undefined ? '' : ` of "${this.#name}"`
      this.#problem.set(`the registry ${this.#registry.location} has no live version${whose} yet`)
      return
    }
    const { name, aliases: { live: { current, earlier } } } = found
    this.#name = name
    const opened = await this.#open(name, current) ??
      (this.#current === undefined ? await this.#open(name, earlier) : undefined)
    if (opened !== undefined) this.#switch(opened)
    this.#problem.clear()
  }

  /** The model to follow; undefined if it has no live version. */
  async #find (): Promise<RegisteredModel | undefined> {
    const live = (await this.#registry.list()).filter(({ aliases }) => aliases.live.current !== undefined)
    if (this.#name !== undefined) return live.find(({ name }) => name === this.#name)
    if (live.length <= 1) return live[0]
    const names = live.map(({ name }) => name).join(', ')
    throw new Problem(
      'invalid-settings',
      `The registry ${this.#registry.location} has several live models: ${names}. ` +
      'Set STREAM_MODEL to the one that scores the stream.'
    )
  }

  /** Undefined if the version is in use already, or cannot be used. */
  async #open (name: string, ref: VersionRef | undefined): Promise<LiveVersion | undefined> {
    if (ref === undefined || ref.digest === this.#current?.digest) return undefined
    if (this.#refusals.isRecent(ref.digest)) return undefined
    const version = String(ref.version)
    try {
      const opened = await openModelPackage(
        `${name}@${version}`,
        await this.#registry.fetch(name, ref),
        this.#settings.TFJS_BACKEND
      )
      this.#refusals.delete(ref.digest)
      return { ...opened, name, version }
    } catch (error) {
      if (isUnavailable(error)) throw error
      const refusal = this.#refusals.add({ name, version, digest: ref.digest }, error as Error)
      this.#options.log.error(
        { model: name, version, digest: ref.digest, reason: refusal.reason },
        'a version is refused; the one before stays in use'
      )
      this.#options.onRefusal?.(refusal)
      return undefined
    }
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

  #warn (reason: string): void {
    this.#options.log.warn(
      { reason },
      this.#current === undefined
        ? 'there is no model yet'
        : 'the model cannot be looked up; the version in use stays'
    )
  }
}
