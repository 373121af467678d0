// The sink stores all messages in a database. It has no state: a repeated write overwrites itself.
import pRetry from 'p-retry'
import { untilAborted } from '../../../adapters/waiting.ts'
import { Problem } from '../../../core/errors.ts'
import { CombinedWrites } from '../../database/combined-writes.ts'
import type { Batch, Database } from '../../database/database.ts'
import type { Message } from '../../messages/messages.ts'
import type { Outlet, Received, Step, StepKind } from '../../runtime/step.ts'

interface SinkOptions {
  /** Shared by the steps of all partitions. */
  readonly database: Pick<Database, 'write'>
  /** Called whenever the database does not answer, before the next attempt. */
  readonly onTrouble?: (error: Error) => void
}

/** Retries until the database answers. Meanwhile the step reads nothing, and messages wait in the log. */
const RETRY = { retries: Infinity, minTimeout: 100, maxTimeout: 3000, factor: 2 }

export function sinkKind ({ database, onTrouble = () => {} }: SinkOptions): StepKind {
  const writes = new CombinedWrites(database)
  return {
    name: 'sink',
    accepts: [
      'observation.raw.v1',
      'gap.v1',
      'verdict.v1',
      'incident.opened.v1',
      'incident.updated.v1',
      'incident.closed.v1',
      'incident.annotated.v1',
    ],
    open: (_, closing): Step => ({
      // A request that nobody answers would hold up the end. The next process writes the same again.
      process: async (messages, out) => untilAborted(keep(messages, out, async (batch) => {
        await pRetry(async () => writes.write(batch), {
          ...RETRY,
          signal: closing,
          shouldRetry: ({ error }) => error instanceof Problem && error.code === 'server-unavailable',
          onFailedAttempt: ({ error }) => { onTrouble(error) },
        })
      }), closing),
    }),
  }
}

/** Finds messages that the database refuses for good, by halving the batch, and stores all others. */
async function keep (
  messages: readonly Received[],
  out: Outlet,
  write: (batch: Batch) => Promise<void>
): Promise<void> {
  if (messages.length === 0) return
  try {
    await write(batchOf(messages))
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'invalid-request') throw error
    if (messages.length === 1) {
      out.reject(messages[0]!, 'refused-by-database', error.message)
      return
    }
    const half = messages.length >> 1
    await keep(messages.slice(0, half), out, write)
    await keep(messages.slice(half), out, write)
  }
}

function batchOf (messages: readonly Message[]): Batch {
  const batch = { observations: [], verdicts: [], gaps: [], incidents: [], annotations: [] } as {
    -readonly [Part in keyof Batch]: Array<Batch[Part][number]>
  }
  for (const message of messages) {
    switch (message.type) {
      case 'observation.raw.v1': batch.observations.push(message.data); break
      case 'verdict.v1': batch.verdicts.push(message.data); break
      case 'gap.v1': batch.gaps.push(message.data); break
      case 'incident.annotated.v1': batch.annotations.push(message.data); break
      case 'incident.opened.v1':
      case 'incident.updated.v1':
      case 'incident.closed.v1': batch.incidents.push(message.data); break
      case 'observation.regular.v1': break
    }
  }
  return batch
}
