// Follows the sources: new live versions are fetched and proved beside the old ones, then everything is switched at
// once. What cannot be used is refused, with its reason, and what was served before goes on.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { Watch } from '../../adapters/registry/store.ts'
import type { Proved } from '../workers/messages.ts'
import type { Scorer } from '../workers/scorer.ts'
import type { VersionRef } from '../packages/catalogue.ts'
import type { PackageCache } from '../packages/package-cache.ts'
import type { PackageBytes } from '../packages/resident-models.ts'
import { checkName, type ServedModel, type ServedModels } from '../packages/served-models.ts'
import type { SuppliedModel, ModelSource } from '../packages/model-source.ts'

export interface FollowerOptions {
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

/** A version that is not served although an alias stands for it. */
export interface Refusal extends VersionRef {
  readonly code: string
  readonly reason: string
  /** RFC 3339 */
  readonly at: string
}

/** What a thread has proved, with its bytes. */
interface Opened {
  readonly proved: Proved
  readonly bytes: PackageBytes
}

/** What cannot be used now may be whole again later, where somebody repairs it. */
const REFUSED_MS = 60_000

/** A change is rarely alone: notifications come in groups. */
const SETTLE_MS = 50

export class Follower {
  readonly #options: FollowerOptions
  readonly #opened = new Map<string, Opened>()
  /** By digest. */
  readonly #refusals = new Map<string, Refusal>()
  #watches: readonly Watch[] = []
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #again = false
  #problem: string | undefined
  /** Of what is served. */
  #signature = ''
  readonly #closing = new AbortController()

  constructor (options: FollowerOptions) {
    this.#options = options
  }

  get #isClosed (): boolean {
    return this.#closing.signal.aborted
  }

  /** Where packages come from. */
  get locations (): string[] {
    return this.#options.sources.map(({ location }) => location)
  }

  /** What is not served although it should be. */
  get refusals (): Refusal[] {
    return [...this.#refusals.values()]
  }

  /** What keeps the sources from being read, if anything. */
  get problem (): string | undefined {
    return this.#problem
  }

  /**
   * Serves what the sources say, and follows them from then on. A registry that cannot be reached is asked until it
   * can.
   * @throws Problem of a package that was put into a folder and cannot be used
   */
  async start (): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#look()
        break
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'registry-unavailable') throw error
        this.#tellProblem(error)
        await sleep(this.#options.pollMs, undefined, { signal: this.#closing.signal }).catch(() => {})
      }
    }
    if (this.#isClosed) return
    this.#watches = this.#options.sources.map((source) => source.watch(() => { this.#lookSoon() }))
    this.#schedule()
  }

  /** Looks at the sources now. Never rejects: what cannot be read is told in the log and by `problem`. */
  async refresh (): Promise<void> {
    this.#again = true
    this.#running ??= this.#run().finally(() => { this.#running = undefined })
    await this.#running
  }

  async close (): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#timer)
    clearTimeout(this.#soon)
    for (const watch of this.#watches) watch.close()
    await this.#running
    for (const source of this.#options.sources) source.close()
  }

  #schedule (): void {
    this.#timer = setTimeout(() => {
      this.refresh().then(() => { if (!this.#isClosed) this.#schedule() }, () => {})
    }, this.#options.pollMs)
    this.#timer.unref()
  }

  #lookSoon (): void {
    clearTimeout(this.#soon)
    this.#soon = setTimeout(() => { this.refresh().catch(() => {}) }, SETTLE_MS)
  }

  async #run (): Promise<void> {
    while (this.#again && !this.#isClosed) {
      this.#again = false
      await this.#look().catch((error: unknown) => { this.#tellProblem(error as Error) })
    }
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
      for (const one of found) served.push(...await this.#serveNamed(source, one, served, needed))
    }
    for (const digest of this.#opened.keys()) if (!needed.has(digest)) this.#opened.delete(digest)
    for (const digest of this.#refusals.keys()) if (!needed.has(digest)) this.#refusals.delete(digest)
    this.#switch(served)
    this.#problem = undefined
  }

  /** Changes what is served, where it changes. */
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
    // Models that are fitted on what is posted run on the kernel.
    models.open(served, { name: [...engines.size === 0 ? ['kernel'] : engines].sort().join(', '), version: tfjs() })
    this.#signature = signature
    for (const { name, live } of served) {
      if (live !== undefined && !before.has(live.digest)) this.#tellSwitch(name, live)
    }
  }

  #liveDigests (): Set<string> {
    const { models } = this.#options
    return new Set(models.ready ? models.list().flatMap(({ live }) => live?.digest ?? []) : [])
  }

  /** Nothing where its name is no model's to have here: others are served all the same. @throws as #open() */
  async #serveNamed (
    source: ModelSource,
    one: SuppliedModel,
    others: readonly ServedModel[],
    needed: Set<string>
  ): Promise<ServedModel[]> {
    try {
      checkName(one, others)
    } catch (error) {
      if (source.strict) throw error
      if (one.live !== undefined) {
        needed.add(one.live.digest)
        if (!this.#isRefused(one.live)) this.#refuse(one.live, error as Error)
      }
      return []
    }
    return [await this.#serve(source, one, needed)]
  }

  /** @param needed digests that aliases stand for are added to it */
  async #serve (
    source: ModelSource,
    { name, versions, live, earlier, shadow }: SuppliedModel,
    needed: Set<string>
  ): Promise<ServedModel> {
    const { models } = this.#options
    const identityOf = async (ref: VersionRef | undefined): Promise<Opened | undefined> => {
      if (ref === undefined) return undefined
      needed.add(ref.digest)
      return this.#open(source, ref)
    }
    const serving = models.ready ? models.list().find((one) => one.name === name)?.live : undefined
    let opened = await identityOf(live)
    if (opened === undefined && live !== undefined) {
      opened = await identityOf(
        serving === undefined ? earlier : { name, version: serving.version, digest: serving.digest }
      )
    }
    return { name, versions, live: opened?.proved.identity, shadow: (await identityOf(shadow))?.proved.identity }
  }

  /**
   * Undefined where it was refused, now or before.
   * @throws Problem of a strict source's package; registry-unavailable
   */
  async #open (source: ModelSource, ref: VersionRef): Promise<Opened | undefined> {
    const there = this.#opened.get(ref.digest)
    if (there !== undefined) return there
    if (this.#isRefused(ref)) return undefined
    try {
      const bytes = await this.#options.packageCache.fetch(ref)
      const opened = { bytes, proved: await this.#options.scorer.prove(bytes) }
      this.#opened.set(ref.digest, opened)
      this.#refusals.delete(ref.digest)
      return opened
    } catch (error) {
      if (source.strict || (error instanceof Problem && error.code === 'registry-unavailable')) throw error
      this.#refuse(ref, error as Error)
      return undefined
    }
  }

  /** Whether it was refused not long ago. */
  #isRefused ({ digest }: VersionRef): boolean {
    const refusal = this.#refusals.get(digest)
    return refusal !== undefined && Date.now() - Date.parse(refusal.at) < REFUSED_MS
  }

  #refuse (ref: VersionRef, error: Error): void {
    const refusal = {
      ...ref,
      code: error instanceof Problem ? error.code : 'internal-error',
      reason: error.message,
      at: new Date().toISOString(),
    }
    this.#refusals.set(ref.digest, refusal)
    this.#options.log.error({ ...refusal }, 'a version is refused; what was served before goes on')
    this.#options.events?.onRefusal(refusal)
  }

  #tellSwitch (
    name: string,
    { version, digest, goldenDifference }: { version: string, digest: string, goldenDifference: number }
  ): void {
    this.#options.log.info({ model: name, version, digest, goldenDifference }, 'a version is live')
    this.#options.events?.onSwitch({ name, version, digest })
  }

  #tellProblem (error: Error): void {
    if (this.#problem !== error.message) {
      this.#options.log.warn({ problem: error.message }, 'the models cannot be looked up; what is served stays')
    }
    this.#problem = error.message
  }
}
