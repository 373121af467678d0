// The bytes of packages, in memory that all threads share: those that are served, and as many others as the budget
// allows.
import { LRUCache } from 'lru-cache'
import { Problem } from '../../core/errors.ts'
import type { VersionRef } from './catalogue.ts'
import type { PackageBytes } from './resident-models.ts'
import type { ModelSource } from './model-source.ts'

export class PackageCache {
  readonly #others: LRUCache<string, PackageBytes>
  readonly #budget: number
  readonly #served = new Map<string, PackageBytes>()
  #sources: ReadonlyMap<string, ModelSource> = new Map()

  /** @param budget bytes of packages that are kept without being served */
  constructor (budget: number) {
    this.#budget = budget
    this.#others = new LRUCache({ maxSize: budget })
  }

  /** @param sources by model */
  drawFrom (sources: ReadonlyMap<string, ModelSource>): void {
    this.#sources = sources
  }

  /** Keeps these as long as they are served, whatever else is asked for. */
  keep (packages: readonly PackageBytes[]): void {
    for (const one of this.#served.values()) this.#shelve(one)
    this.#served.clear()
    for (const one of packages) {
      this.#served.set(one.digest, one)
      this.#others.delete(one.digest)
    }
  }

  /** One that is served; undefined where it is not. */
  served (digest: string): PackageBytes | undefined {
    return this.#served.get(digest)
  }

  /** @throws Problem where it cannot be had */
  async fetch (ref: VersionRef): Promise<PackageBytes> {
    const there = this.#served.get(ref.digest) ?? this.#others.get(ref.digest)
    if (there !== undefined) return there
    const source = this.#sources.get(ref.name)
    if (source === undefined) {
      throw new Problem('unknown-model', `The model "${ref.name}" is not served any more.`, {
        extensions: { models: [...this.#sources.keys()] },
      })
    }
    const content = await source.fetch(ref)
    const bytes = new Uint8Array(new SharedArrayBuffer(content.byteLength))
    bytes.set(content)
    const fetched = { name: ref.name, version: ref.version, digest: ref.digest, where: source.where(ref), bytes }
    this.#shelve(fetched)
    return fetched
  }

  #shelve (one: PackageBytes): void {
    this.#others.set(one.digest, one, { size: Math.min(this.#budget, Math.max(1, one.bytes.byteLength)) })
  }
}
