// The contract of an object store for the registry. Objects are created and removed, never changed.

/** An object in the store. */
export interface StoredObject {
  readonly key: string
  readonly bytes: number
  /** When it was created, in milliseconds since 1970. */
  readonly createdAt: number
}

/** Stores objects under keys such as `models/pump/versions/000003.json`. */
export interface RegistryStore {
  /** Where the store is, for people to read. Holds no secret. */
  readonly location: string
  /**
   * Creates an object completely or not at all, even if the process dies.
   * @returns false if the key is taken; that object stays unchanged
   */
  create (key: string, content: Uint8Array): Promise<boolean>
  /** @returns undefined if there is no such object */
  get (key: string): Promise<Uint8Array | undefined>
  /** All objects whose key starts with the prefix, sorted by key. */
  list (prefix: string): Promise<StoredObject[]>
  remove (key: string): Promise<void>
  /**
   * Calls back some time after objects under the prefix were created or removed, if the store reports changes. Calls
   * can get lost: the caller must also poll.
   */
  watch (prefix: string, onChange: () => void): Watch
  close (): void
}

export interface Watch {
  close (): void
}
