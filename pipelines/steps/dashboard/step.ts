// The dashboard's step: passes the scorer's messages to the feed of this process. It has no state: the history comes
// from the database.
import type { MessageType } from '../../messages/messages.ts'
import type { StepKind } from '../../runtime/step.ts'
import type { LiveFeed } from './live-feed.ts'

/** Messages that the page shows. */
const LIVE_TYPES = [
  'verdict.v1',
  'gap.v1',
  'incident.opened.v1',
  'incident.updated.v1',
  'incident.closed.v1',
  'incident.annotated.v1',
] as const satisfies readonly MessageType[]

/** Each process has its own group, which begins at the latest record: each one gets everything. */
export function dashboardKind (feed: Pick<LiveFeed, 'take'>): StepKind {
  return {
    name: 'dashboard',
    accepts: LIVE_TYPES,
    open: () => ({
      process (messages, out) {
        for (const message of messages) {
          if (!feed.take(message)) out.drop(message, 'seen-before')
        }
      },
    }),
  }
}
