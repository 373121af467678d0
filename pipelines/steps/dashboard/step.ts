// The step that shows: whatever the scorer says, into the feed of this process. Has no state: what was before is asked
// of the database.
import type { LiveFeed } from './live-feed.ts'
import type { MessageType } from '../../messages/messages.ts'
import type { StepKind } from '../../runtime/step.ts'

/** What the page is told of. */
const LIVE_TYPES = [
  'verdict.v1',
  'gap.v1',
  'incident.opened.v1',
  'incident.updated.v1',
  'incident.closed.v1',
  'incident.annotated.v1',
] as const satisfies readonly MessageType[]

/** Each process has a group of its own, which begins at the latest: all of them see everything. */
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
