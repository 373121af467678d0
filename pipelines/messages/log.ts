// The log between the steps: topics with partitions, and consumer groups that share them. Kafka (adapters/kafka/) or
// the memory of this process (adapters/memory/) implements it.

export interface Partition {
  readonly topic: string
  readonly partition: number
}

export type Headers = Readonly<Record<string, string>>

export interface NewRecord {
  readonly topic: string
  /** Records of one key stay in order, in one partition. */
  readonly key: string
  readonly value: string
  readonly headers: Headers
  /** Default: chosen by the key. */
  readonly partition?: number
}

export interface LogRecord extends Partition {
  readonly key: string
  readonly value: string
  readonly headers: Headers
  readonly offset: number
  /** Time of the append, milliseconds since 1970. */
  readonly timestamp: number
}

/** How a member of a group handles its partitions. Calls for one partition never overlap. */
export interface Member {
  /**
   * From now on, this member owns the partition.
   * @returns the offset to begin at; default: the committed offset of the group, or the first one
   */
  assigned (partition: Partition): Promise<number | undefined>
  /** In order, without holes. A rejection ends the membership with that error. */
  records (partition: Partition, records: readonly LogRecord[]): Promise<void>
  /** From now on, this member does not own the partition. */
  revoked (partition: Partition): Promise<void>
}

export interface Membership {
  /** Rejects if the member rejects; resolves after leave(). Failures of the log are retried and never end it. */
  readonly ended: Promise<void>
  /** Commits that everything before `offset` is done. An offset from the member's assigned() overrides it. */
  commit (partition: Partition, offset: number): Promise<void>
  /** Unread records in the partitions of this member. */
  lag (): Promise<number>
  /** Whether this member has joined the group. */
  readonly joined: boolean
  /** Waits for calls in progress, then gives up the partitions. */
  leave (): Promise<void>
}

export interface JoinOptions {
  readonly group: string
  readonly topics: readonly string[]
  /** Where a group without a committed offset begins. Default: earliest. */
  readonly from?: 'earliest' | 'latest'
}

export interface Log {
  /**
   * Appends in order; resolves once the log has stored all records safely.
   * @throws Problem log-unavailable; some records may be stored nevertheless
   */
  append (records: readonly NewRecord[]): Promise<void>
  join (options: JoinOptions, member: Member): Promise<Membership>
  /**
   * At most `limit` records from `offset` on, or from the first record that still exists. Empty at the end.
   * @throws Problem log-unavailable
   */
  read (partition: Partition, offset: number, limit: number): Promise<LogRecord[]>
  /** Offsets of the first record and of the next one to be appended. @throws Problem log-unavailable */
  bounds (partition: Partition): Promise<{ first: number, next: number }>
  /** Number of partitions of each topic. */
  readonly partitions: number
  close (): Promise<void>
}
