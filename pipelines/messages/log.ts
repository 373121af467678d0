// The log between the steps: topics of partitions, groups that share them. Kafka (adapters/kafka-log.ts), or the memory
// of this process.

export interface Partition {
  readonly topic: string
  readonly partition: number
}

export type Headers = Readonly<Record<string, string>>

export interface NewRecord {
  readonly topic: string
  /** Records of one key stay in order: they are in one partition. */
  readonly key: string
  readonly value: string
  readonly headers: Headers
  /** Default: by the key. */
  readonly partition?: number
}

export interface LogRecord extends Partition {
  readonly key: string
  readonly value: string
  readonly headers: Headers
  readonly offset: number
  /** When it was appended, milliseconds since 1970. */
  readonly timestamp: number
}

/** What a member of a group does with the partitions that it gets. Calls for one partition never overlap. */
export interface Member {
  /**
   * A partition is this member's from now on.
   * @returns the offset to begin at; default: where the group has committed, or the first one
   */
  assigned (partition: Partition): Promise<number | undefined>
  /** In order, without holes. A rejection ends the membership with that error. */
  records (partition: Partition, records: readonly LogRecord[]): Promise<void>
  /** Somebody else's from now on, or nobody's. */
  revoked (partition: Partition): Promise<void>
}

export interface Membership {
  /**
   * Rejects when the member rejects; fulfilled after leave(). What the log itself suffers is tried again and never ends
   * it.
   */
  readonly ended: Promise<void>
  /** Notes that everything before `offset` is done. Only told to others: what the member's state says counts more. */
  commit (partition: Partition, offset: number): Promise<void>
  /** Records that wait in the partitions of this member. */
  lag (): Promise<number>
  /** Whether the group has been joined. */
  readonly joined: boolean
  /** Waits for what is being done, then lets others have the partitions. */
  leave (): Promise<void>
}

export interface JoinOptions {
  readonly group: string
  readonly topics: readonly string[]
  /** Where a group begins that has never committed. Default: earliest. */
  readonly from?: 'earliest' | 'latest'
}

export interface Log {
  /**
   * Appends in order; fulfilled once all are kept safely.
   * @throws Problem log-unavailable; some may have been kept all the same
   */
  append (records: readonly NewRecord[]): Promise<void>
  join (options: JoinOptions, member: Member): Promise<Membership>
  /**
   * At most `limit` records from `offset` on; from the first one that is still there. Nothing at the end.
   * @throws Problem log-unavailable
   */
  read (partition: Partition, offset: number, limit: number): Promise<LogRecord[]>
  /** Offsets of the first record and of the one that will come next. @throws Problem log-unavailable */
  bounds (partition: Partition): Promise<{ first: number, next: number }>
  /** Partitions of each topic. */
  readonly partitions: number
  close (): Promise<void>
}
