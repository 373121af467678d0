// Spans for the work of a step, in the traces of the messages that it works on.
import type { Span, Tracer } from '../../adapters/telemetry/spans.ts'
import type { Partition } from '../messages/log.ts'
import type { Arrival } from '../messages/messages.ts'

interface Processing {
  readonly kind: { readonly name: string }
  readonly group?: string
  readonly tracer?: Tracer | undefined
}

/** Adds one span to each trace of the messages. All spans of a batch last as long as the batch. */
export async function traced (
  processing: Processing,
  partition: Partition,
  messages: readonly Arrival[],
  work: () => Promise<void>
): Promise<void> {
  const spans = begin(processing, partition, messages)
  let failure: unknown
  try {
    await work()
  } catch (error) {
    failure = error
    throw error
  } finally {
    for (const span of spans) span.end(failure)
  }
}

function begin (
  { kind, group = kind.name, tracer }: Processing,
  { topic, partition }: Partition,
  messages: readonly Arrival[]
): Span[] {
  if (tracer === undefined) return []
  const counts = new Map<string, number>()
  for (const { trace } of messages) if (trace !== undefined) counts.set(trace, (counts.get(trace) ?? 0) + 1)
  // OpenTelemetry's semantic conventions for messaging.
  return [...counts].map(([parent, count]) => tracer.start(`process ${topic}`, {
    kind: 'consumer',
    parent,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.consumer.group.name': group,
      'messaging.batch.message_count': count,
    },
  }))
}
