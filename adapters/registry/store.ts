// What the registry asks of whatever keeps its objects: five verbs, of which one creates and none changes.

/** An object that is there. */
export interface StoredObject {
  readonly key: string
  readonly bytes: number
  /** When it was created, in milliseconds since 1970. */
  readonly createdAt: number
}

/** Keeps objects under keys such as `models/pump/versions/000003.json`. */
export interface RegistryStore {
  /** Where it is, for people. Holds no secret. */
  readonly location: string
  /**
   * Creates an object, whole or not at all, whatever happens meanwhile.
   * @returns false where there is one of this key; it stays as it is
   */
  create (key: string, content: Uint8Array): Promise<boolean>
  /** @returns undefined where there is none */
  get (key: string): Promise<Uint8Array | undefined>
  /** All objects whose key begins so, by key. */
  list (prefix: string): Promise<StoredObject[]>
  remove (key: string): Promise<void>
  /**
   * Calls back some time after objects under the prefix came or went, where the store tells of it; else never. Lost
   * calls are to be made up for by looking now and then.
   */
  watch (prefix: string, onChange: () => void): Watch
  close (): void
}

export interface Watch {
  close (): void
}
