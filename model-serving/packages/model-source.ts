// A source of model packages that the follower watches.
import type { Watch } from '../../adapters/registry/store.ts'
import type { VersionRef } from './catalogue.ts'
import type { PublishedVersion } from './served-models.ts'

export interface SuppliedModel {
  readonly name: string
  readonly versions: readonly PublishedVersion[]
  readonly live: VersionRef | undefined
  /** The previous live version. The start falls back to it if the live version cannot be used. */
  readonly earlier: VersionRef | undefined
  readonly shadow: VersionRef | undefined
}

export interface ModelSource {
  /** Folder or URL, for people. */
  readonly location: string
  /** Whether the service refuses to start with an unusable package: the operator put it there by hand. */
  readonly strict: boolean
  /** @throws Problem if it cannot be read or has no model to serve */
  list (): Promise<SuppliedModel[]>
  /** The package as a tar archive. @throws Problem if it is gone */
  fetch (ref: VersionRef): Promise<Uint8Array>
  /** Where a package is, for error messages. */
  where (ref: VersionRef): string
  watch (onChange: () => void): Watch
  close (): void
}
