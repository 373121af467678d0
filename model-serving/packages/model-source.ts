// Where packages come from, as the follower sees it.
import type { Watch } from '../../adapters/registry/store.ts'
import type { VersionRef } from './catalogue.ts'
import type { PublishedVersion } from './served-models.ts'

export interface SuppliedModel {
  readonly name: string
  readonly versions: readonly PublishedVersion[]
  readonly live: VersionRef | undefined
  /** What was live before, to fall back to where the live one cannot be used at the start. */
  readonly earlier: VersionRef | undefined
  readonly shadow: VersionRef | undefined
}

export interface ModelSource {
  /** For people. */
  readonly location: string
  /**
   * Whether a package that cannot be used prevents the service: nobody has promoted it here, it was put in place by
   * hand.
   */
  readonly strict: boolean
  /** @throws Problem where it cannot be reached, or says nothing that can be served */
  list (): Promise<SuppliedModel[]>
  /** The package as a tar archive. @throws Problem where it is gone */
  fetch (ref: VersionRef): Promise<Uint8Array>
  /** What a package is called in sentences. */
  where (ref: VersionRef): string
  watch (onChange: () => void): Watch
  close (): void
}
