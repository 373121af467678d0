// Follows the sources: fetches and proves new live versions while the old ones are served, then switches all of them at
// once. Refuses a version that cannot be used, and continues to serve the previous one.
import type { FastifyBaseLogger } from 'fastify'
import { CurrentProblem } from '../../adapters/follow-model/current-problem.ts'
import { Poller } from '../../adapters/follow-model/poller.ts'
import { isUnavailable, type Refusal, Refusals } from '../../adapters/follow-model/refusals.ts'
import { deferred } from '../../adapters/waiting.ts'
import type { Proved } from '../workers/messages.ts'
import type { Scorer } from '../workers/scorer.ts'
import type { VersionRef } from '../packages/catalogue.ts'
import type { PackageCache } from '../packages/package-cache.ts'
import type { PackageBytes } from '../packages/resident-models.ts'
import { checkName, type ServedModel, type ServedModels } from '../packages/served-models.ts'
import type { SuppliedModel, ModelSource } from '../packages/model-source.ts'

interface FollowerOptions {
  readonly sources: readonly ModelSource[]
  readonly models: ServedModels
  readonly packageCache: PackageCache
  readonly scorer: Pick<Scorer, 'prove'>
  readonly pollMs: number
  /** Version of TensorFlow.js. */
  readonly tfjs: () => string
  readonly log: FastifyBaseLogger
  readonly events?: FollowerEvents
}

export interface FollowerEvents {
  onSwitch (ref: VersionRef): void
  onRefusal (refusal: Refusal): void
}

/** A version that a thread has proved, with its bytes. */
interface Opened {
  readonly proved: Proved
  readonly bytes: PackageBytes
}

export class Follower {
  readonly #options: FollowerOptions
  readonly #poller: Poller
  /** By digest. */
  readonly #opened = new Map<string, Opened>()
  readonly #refusals = new Refusals(Date.now)
  readonly #problem: CurrentProblem
  /** The first look of start(). */
  readonly #first = deferred()
  #isStarting = false
  /** Key of the served versions; each look compares it with the versions that it found. */
  #signature = ''

  constructor (options: FollowerOptions) {
    this.#options = options
    this.#problem = new CurrentProblem((problem) => {
      options.log.warn({ problem }, 'the models cannot be looked up; those that are served stay')
    })
    this.#poller = new Poller({
      look: async () => this.#look(),
      pollMs: options.pollMs,
      onFailure: (error) => {
        if (this.#isStarting && !isUnavailable(error)) this.#first.reject(error)
        else this.#problem.set(error.message)
      },
    })
  }

  /** Locations of the sources, for people. */
  get locations (): string[] {
    return this.#options.sources.map(({ location }) => location)
  }

  /** Versions that are not served although an alias stands for them. */
  get refusals (): Refusal[] {
    return this.#refusals.list()
  }

  /** Why the sources cannot be read, if they cannot. */
  get problem (): string | undefined {
    return this.#problem.get()
  }

  /**
   * Serves the models of the sources, and follows the sources from then on. Retries until the registry answers.
   * @throws Problem of a package that was put into a folder and cannot be used
   */
  async start (): Promise<void> {
    this.#isStarting = true
    this.#poller.start()
    try {
      await this.#first.promise
    } catch (error) {
      await this.#poller.close()
      throw error
    } finally {
      this.#isStarting = false
    }
    for (const source of this.#options.sources) this.#poller.watch(source)
  }

  /** Looks at the sources now. Never rejects: see the log and `problem`. */
  async refresh (): Promise<void> {
    await this.#poller.refresh()
  }

  async close (): Promise<void> {
    this.#first.resolve()
    await this.#poller.close()
    for (const source of this.#options.sources) source.close()
  }

  async #look (): Promise<void> {
    const { sources, packageCache } = this.#options
    const listed = await Promise.all(sources.map(async (source) => ({ source, found: await source.list() })))
    packageCache.drawFrom(
      new Map(listed.flatMap(({ source, found }) => found.map(({ name }) => [name, source] as const)))
    )
    const served: ServedModel[] = []
    const needed = new Set<string>()
    for (const { source, found } of listed) {
      for (const model of found) served.push(...await this.#serveNamed(source, model, served, needed))
    }
    for (const digest of this.#opened.keys()) if (!needed.has(digest)) this.#opened.delete(digest)
    this.#refusals.keep(needed)
    this.#switch(served)
    this.#problem.clear()
    // What refresh() finds before start() may be older than what start() is to serve.
    if (this.#isStarting) this.#first.resolve()
  }

  /** Does nothing if the same versions are served already. */
  #switch (served: readonly ServedModel[]): void {
    const { packageCache, models, tfjs } = this.#options
    const signature = JSON.stringify(
      served.map(({ name, versions, live, shadow }) => [name, versions, live?.digest, shadow?.digest])
    )
    if (models.ready && signature === this.#signature) return
    const opened = [...this.#opened.values()]
    packageCache.keep(opened.map(({ bytes }) => bytes))
    const engines = new Set(opened.flatMap(({ proved }) => proved.engines))
    const before = this.#liveDigests()
    // A model that is fitted on a posted series runs on the kernel.
    models.open(served, { name: [...engines.size === 0 ? ['kernel'] : engines].sort().join(', '), version: tfjs() })
    this.#signature = signature
    for (const { name, live } of served) {
      if (live !== undefined && !before.has(live.digest)) this.#reportSwitch(name, live)
    }
  }

  #liveDigests (): Set<string> {
    const { models } = this.#options
    return new Set(models.ready ? models.list().flatMap(({ live }) => live?.digest ?? []) : [])
  }

  /**
   * Refuses a model whose name is reserved or taken. The other models are still served.
   * @throws as #open(); of a strict source also Problem invalid-model-package of such a name
   */
  async #serveNamed (
    source: ModelSource,
    model: SuppliedModel,
    others: readonly ServedModel[],
    needed: Set<string>
  ): Promise<ServedModel[]> {
    try {
      checkName(model, others)
    } catch (error) {
      if (source.strict) throw error
      if (model.live !== undefined) {
        needed.add(model.live.digest)
        if (!this.#refusals.isRecent(model.live.digest)) this.#refuse(model.live, error as Error)
      }
      return []
    }
    return [await this.#serve(source, model, needed)]
  }

  /** @param needed receives the digests that aliases stand for */
  async #serve (
    source: ModelSource,
    { name, versions, live, earlier, shadow }: SuppliedModel,
    needed: Set<string>
  ): Promise<ServedModel> {
    const { models } = this.#options
    const open = async (ref: VersionRef | undefined): Promise<Opened | undefined> => {
      if (ref === undefined) return undefined
      needed.add(ref.digest)
      return this.#open(source, ref)
    }
    const serving = models.ready ? models.list().find((model) => model.name === name)?.live : undefined
    let opened = await open(live)
    if (opened === undefined && live !== undefined) {
      opened = await open(
        serving === undefined ? earlier : { name, version: serving.version, digest: serving.digest }
      )
    }
    return { name, versions, live: opened?.proved.identity, shadow: (await open(shadow))?.proved.identity }
  }

  /**
   * Undefined if the version is refused, now or by an earlier look.
   * @throws Problem of a strict source's package; registry-unavailable
   */
  async #open (source: ModelSource, ref: VersionRef): Promise<Opened | undefined> {
    const known = this.#opened.get(ref.digest)
    if (known !== undefined) return known
    if (this.#refusals.isRecent(ref.digest)) return undefined
    try {
      const bytes = await this.#options.packageCache.fetch(ref)
      const opened = { bytes, proved: await this.#options.scorer.prove(bytes) }
      this.#opened.set(ref.digest, opened)
      this.#refusals.delete(ref.digest)
      return opened
    } catch (error) {
      if (source.strict || isUnavailable(error)) throw error
      this.#refuse(ref, error as Error)
      return undefined
    }
  }

  #refuse (ref: VersionRef, error: Error): void {
    const refusal = this.#refusals.add(ref, error)
    this.#options.log.error({ ...refusal }, 'a version is refused; the one before stays in use')
    this.#options.events?.onRefusal(refusal)
  }

  #reportSwitch (
    name: string,
    { version, digest, goldenDifference }: { version: string, digest: string, goldenDifference: number }
  ): void {
    this.#options.log.info({ model: name, version, digest, goldenDifference }, 'a version is live')
    this.#options.events?.onSwitch({ name, version, digest })
  }
}
