// The contract of a step: messages in, messages out, for one partition. Knows no log and no clock; run-step.ts runs it.
import type { Message, MessageType } from '../messages/messages.ts'

/** A message with where it stands in its partition. */
export type Received<In extends Message = Message> = In & { readonly offset: number }

/** Where a step's results go. */
export interface Outlet {
  send (message: Message): void
  /**
   * It cannot be used and goes to the dead letters: a code in kebab-case, and a sentence that says what is wrong with
   * it.
   */
  reject (message: Received, code: string, detail: string): void
  /** Left out on purpose, such as a repetition; only counted. */
  drop (message: Received, code: string): void
}

/** One for each partition, opened with what it last saved. */
export interface Step {
  /**
   * None, one or many messages go out for each; in order within a series. A rejection ends the process: the messages
   * are given again to the next one.
   */
  process (messages: readonly Received[], out: Outlet): Promise<void> | void
  /** Called some times a second, with milliseconds since 1970: for what happens because nothing happens. */
  tick? (now: number, out: Outlet): Promise<void> | void
  /** What open() needs to go on after the messages so far, as JSON. A step without it has no state. */
  save? (): unknown
  close? (): Promise<void> | void
}

export interface StepKind {
  /** Also the name of its consumer group. */
  readonly name: string
  readonly accepts: readonly MessageType[]
  /** Where its state is kept, if it has any. */
  readonly stateTopic?: string
  /**
   * @param saved by save() of its predecessor; undefined for the first one
   * @param closing aborts when the process ends: what waits then gives up, by a rejection
   */
  open (saved: unknown, closing: AbortSignal): Promise<Step> | Step
}
