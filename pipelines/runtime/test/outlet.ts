// An outlet that remembers, and messages for it, for tests of steps.
import type { Message, MessageOf } from '../../messages/messages.ts'
import type { Outlet, Received } from '../step.ts'

export class Remembered implements Outlet {
  readonly sent: Message[] = []
  /** Code and detail. */
  readonly rejected: Array<readonly [string, string]> = []
  readonly dropped: string[] = []

  send (message: Message): void { this.sent.push(message) }
  reject (_: Received, code: string, detail: string): void { this.rejected.push([code, detail]) }
  drop (_: Received, code: string): void { this.dropped.push(code) }
}

let offset = 0

/** As if it had just been read from the log. */
export const received = <M extends Message>(message: M): Received<M> => ({
  ...JSON.parse(JSON.stringify(message)) as M,
  offset: offset++,
})

export function raw (
  series: string,
  time: number,
  values: Readonly<Record<string, number | null>>,
  receivedAt = time
): Received<MessageOf<'observation.raw.v1'>> {
  return received({
    type: 'observation.raw.v1',
    id: `${series}/${time}/raw`,
    receivedAt,
    data: { series, time: new Date(time).toISOString(), values },
  })
}
