// The bytes of packages, in memory that all threads share: the served packages, and others within a budget.
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

  /** @param budget most bytes of packages that are kept but not served */
  constructor (budget: number) {
    this.#budget = budget
    this.#others = new LRUCache({ maxSize: budget })
  }

  /** @param sources by model */
  drawFrom (sources: ReadonlyMap<string, ModelSource>): void {
    this.#sources = sources
  }

  /** Sets the served packages. The budget does not apply to them. */
  keep (packages: readonly PackageBytes[]): void {
    for (const served of this.#served.values()) this.#shelve(served)
    this.#served.clear()
    for (const served of packages) {
      this.#served.set(served.digest, served)
      this.#others.delete(served.digest)
    }
  }

  /** A served package; undefined if it is not served. */
  served (digest: string): PackageBytes | undefined {
    return this.#served.get(digest)
  }

  /** @throws Problem if the package cannot be fetched */
  async fetch (ref: VersionRef): Promise<PackageBytes> {
    const known = this.#served.get(ref.digest) ?? this.#others.get(ref.digest)
    if (known !== undefined) return known
    const source = this.#sources.get(ref.name)
    if (source === undefined) {
      throw new Problem('unknown-model', `The model "${ref.name}" is no longer served.`, {
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

  #shelve (unserved: PackageBytes): void {
    const { digest, bytes } = unserved
    this.#others.set(digest, unserved, { size: Math.min(this.#budget, Math.max(1, bytes.byteLength)) })
  }
}
