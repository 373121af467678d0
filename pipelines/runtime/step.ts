// The contract of a step: messages in, messages out, for one partition. A step knows no log and no clock; run-step.ts
// runs it.
import type { Message, MessageType } from '../messages/messages.ts'

/** A message with its offset in the partition. */
export type Received<In extends Message = Message> = In & { readonly offset: number }

/** Where a step's results go. */
export interface Outlet {
  send (message: Message): void
  /**
   * Sends an unusable message to the dead letters.
   * @param code in kebab-case
   * @param detail a sentence that says what is wrong with the message
   */
  reject (message: Received, code: string, detail: string): void
  /** Counts a message that the step skips on purpose, for example a repetition. */
  drop (message: Received, code: string): void
}

/** Each partition has its own step, opened with the state that was saved last. */
export interface Step {
  /**
   * Sends none, one or many messages for each; in order within a series. A rejection ends the process: the next one
   * gets the messages again.
   */
  process (messages: readonly Received[], out: Outlet): Promise<void> | void
  /** Called several times a second, with milliseconds since 1970: for timeouts. */
  tick? (now: number, out: Outlet): Promise<void> | void
  /** What open() needs to continue after the messages so far, as JSON. A step without save() has no state. */
  save? (): unknown
  close? (): Promise<void> | void
}

export interface StepKind {
  /** Also the name of the consumer group. */
  readonly name: string
  readonly accepts: readonly MessageType[]
  /** Topic of the state, if the step has one. */
  readonly stateTopic?: string
  /**
   * @param saved by save() of the previous step; undefined for the first one
   * @param closing aborts when the process ends: pending waits then reject
   */
  open (saved: unknown, closing: AbortSignal): Promise<Step> | Step
}
