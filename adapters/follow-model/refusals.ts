// Versions that cannot be used, and why. The version before stays in use meanwhile.
import { Problem } from '../../core/errors.ts'

export interface Refusal {
  readonly name: string
  readonly version: string
  readonly digest: string
  /** Error code. */
  readonly code: string
  readonly reason: string
  /** RFC 3339. */
  readonly at: string
}

/** Then the version is tried again: somebody may have repaired it. */
const REFUSED_MS = 60_000

export class Refusals {
  readonly #now: () => number
  readonly #byDigest = new Map<string, Refusal>()

  /** @param now milliseconds since 1970 */
  constructor (now: () => number) {
    this.#now = now
  }

  list (): Refusal[] {
    return [...this.#byDigest.values()]
  }

  /** Whether the version was refused less than a minute ago. */
  isRecent (digest: string): boolean {
    const refusal = this.#byDigest.get(digest)
    return refusal !== undefined && this.#now() - Date.parse(refusal.at) < REFUSED_MS
  }

  add ({ name, version, digest }: Pick<Refusal, 'name' | 'version' | 'digest'>, error: Error): Refusal {
    const refusal = {
      name,
      version,
      digest,
      code: error instanceof Problem ? error.code : 'internal-error',
      reason: error.message,
      at: new Date(this.#now()).toISOString(),
    }
    this.#byDigest.set(digest, refusal)
    return refusal
  }

  delete (digest: string): void {
    this.#byDigest.delete(digest)
  }

  /** Forgets all others. */
  keep (digests: ReadonlySet<string>): void {
    for (const digest of this.#byDigest.keys()) if (!digests.has(digest)) this.#byDigest.delete(digest)
  }
}

/** The registry did not answer. That says nothing about a version, so the version is not refused. */
export const isUnavailable = (error: unknown): boolean =>
  error instanceof Problem && error.code === 'registry-unavailable'
