// An incident with what people said of it, and which of its states is the newest, whatever the order in which they are
// written.
import type { Annotation, Incident } from '../messages/messages.ts'
import type { KeptIncident } from './database.ts'
import { millisOf } from './times.ts'

/**
 * States of one incident stand in the order of their ends; those of one end, in this order.
 * @returns a whole number from 0 to `most`
 */
export function orderOfState ({ observations, closed }: Incident, most: number): number {
  return 2 * Math.min(observations, Math.floor((most - 1) / 2)) + (closed ? 1 : 0)
}

/** Acknowledged by the first who did; the feedback and the note are the last ones. */
export function keptIncident (incident: Incident, annotations: readonly Annotation[]): KeptIncident {
  const inOrder = annotations.filter((annotation) => annotation.incident === incident.id).sort((a, b) =>
    millisOf(a.at) - millisOf(b.at)
  )
  const feedback = inOrder.findLast(({ kind }) => kind !== 'acknowledged')?.kind as KeptIncident['feedback'] | undefined
  return {
    ...incident,
    acknowledgedAt: inOrder.find(({ kind }) => kind === 'acknowledged')?.at ?? null,
    feedback: feedback ?? null,
    note: inOrder.findLast(({ note }) => note !== undefined)?.note ?? null,
  }
}
